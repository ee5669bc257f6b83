"""How commands print results: tables for people, with colour only on a terminal, and JSON for programs.

In a file or a pipe, a table has one line for each row, however long, so that grep works on it.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

_STYLES: Final = {
    "error": "bold red", "warning": "yellow", "info": "cyan",
    "Approved": "green", "Pending": "yellow", "Rejected": "red", "Disconnected": "red",
}  # fmt: skip


def json_out(value: Any) -> None:  # noqa: ANN401 - what JSON can hold
    """Print a value as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def line(text: str = "") -> None:
    """Print one line of the result."""
    sys.stdout.write(text + "\n")


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


def _on_terminal(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - takes 60 ms to import, which output to a pipe need not pay
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    Console().print(shown)


def styled(word: str, rest: str, width: int) -> None:
    """Print a heading on a terminal, folded to its width: a word in the colour that tables give it, and more text."""
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    Console(width=width).print(Text.assemble((word, _STYLES.get(word, "bold")), (rest, "bold")))


def more(shown: int, total: int) -> None:
    """Print a note about the rows that a table left out, if any."""
    if shown < total:
        note(f"{total - shown} more not shown; `--limit 0` or `-o json` shows all")


def short(text: str) -> str:
    """Return an Azure resource id as `NAME (RESOURCE GROUP)`, and any other text unchanged.

    The name of a child resource follows that of its parent: `pe-shop/default`.
    """
    parts = text.strip("/").split("/")
    if len(parts) >= 8 and parts[0].lower() == "subscriptions":
        return f"{'/'.join(parts[7::2])} ({parts[3]})"
    return text


def listed(values: Iterable[str], total: int | None) -> str:
    """Return values as a list in a sentence; `total` is how many there are when some were left out."""
    shown = list(values)
    text = ", ".join(shown)
    return f"{text} and {total - len(shown)} more" if total and total > len(shown) else text
