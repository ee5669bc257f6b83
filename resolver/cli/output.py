"""How commands print results: tables for people, with colour only on a terminal, and JSON or YAML for programs.

In a file or a pipe, a table has one line for each row, however long, so that grep works on it.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, Final

from resolver.cli.options import Output

_STYLES: Final = {
    "error": "bold red", "warning": "yellow", "info": "cyan",
    "Approved": "green", "Pending": "yellow", "Rejected": "red", "Disconnected": "red",
}  # fmt: skip


_forms: Final = [Output.JSON]
"""The form of `data`: that of the one command of this process."""


def use(form: Output) -> None:
    """Have `data` print in the form that a command was asked for."""
    _forms[0] = form


def data(value: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """Print a value for programs: as indented JSON, or as YAML."""
    if _forms[0] is Output.YAML:
        sys.stdout.write(_yaml(value))
    else:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def document(value: Any) -> None:  # noqa: ANN401 - as above
    """Print one value of a stream: as a line of JSON, or as a document of YAML."""
    if _forms[0] is Output.YAML:
        sys.stdout.write(f"---\n{_yaml(value)}")
    else:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _yaml(value: Any) -> str:  # noqa: ANN401 - as above
    import yaml  # noqa: PLC0415 - only this form needs it

    plain = json.loads(json.dumps(value))  # PyYAML knows neither tuples nor enums
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=10_000))


def line(text: str = "") -> None:
    """Print one line of the result."""
    sys.stdout.write(text + "\n")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1."""
    return f"{count} {noun}" if count == 1 or noun == "info" else f"{count} {noun}s"


def note(text: str) -> None:
    """Print one line on stderr that is not part of the result."""
    sys.stderr.write(f"pldns: {text}\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; nothing when there are no rows."""
    if not rows:
        return
    if sys.stdout.isatty():
        _on_terminal(columns, rows)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in ([name.upper() for name in columns], *rows):
        line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _on_terminal(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table where each word of it fits, else a heading and a paragraph for each row: no name is ever cut."""
    width = shutil.get_terminal_size().columns
    least = sum(max(map(_longest_word, column)) + 2 for column in zip(columns, *rows, strict=True)) - 2
    if least > width:
        for row in rows:
            style = next((_STYLES[cell] for cell in row if cell in _STYLES), "bold")
            _heading(row[0], style, "", width)
            facts = [f"{name}: {cell}" for name, cell in zip(columns[1:], row[1:], strict=True) if cell]
            line(folded("; ".join(facts), width, 2))
        return
    from rich.console import Console  # noqa: PLC0415 - takes 60 ms to import, which output to a pipe need not pay
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name, cells in zip(columns, zip(*rows, strict=True), strict=True):
        shown.add_column(name, overflow="fold", min_width=max(map(_longest_word, (name, *cells))))
    for row in rows:
        shown.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    Console(width=width).print(shown)


def _longest_word(cell: str) -> int:
    return max(map(len, cell.split()), default=0)


def folded(text: str, width: int, indent: int) -> str:
    """Return a text as lines of at most `width` columns, where its words allow it."""
    space = " " * indent
    return textwrap.fill(
        text, width, initial_indent=space, subsequent_indent=space, break_long_words=False, break_on_hyphens=False
    )


def styled(word: str, rest: str, width: int) -> None:
    """Print a heading on a terminal, folded to its width: a word in the colour that tables give it, and more text."""
    _heading(word, _STYLES.get(word, "bold"), rest, width)


def _heading(word: str, style: str, rest: str, width: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    Console(width=width).print(Text.assemble((word, style), (rest, "bold")))


def more(shown: int, total: int) -> None:
    """Print a note about the rows that a table left out, if any."""
    if shown < total:
        note(f"{total - shown} more not shown; `--limit 0` or `-o json` shows all")
