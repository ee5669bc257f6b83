"""How results look: tables for people, in colour only on a terminal; JSON for programs.

A table that goes to a file or a pipe has one line for each row, however long, so that grep can be used on it.
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
    """Write a value as JSON, indented."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def line(text: str = "") -> None:
    """Write one line."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Write a line to stderr: what is no result."""
    sys.stderr.write(f"pldns: {text}\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table."""
    if not rows:
        return
    if sys.stdout.isatty():
        _on_terminal(columns, rows)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in ([name.upper() for name in columns], *rows):
        line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _on_terminal(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - 60 ms that a pipe need not pay
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        shown.add_column(name, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    Console().print(shown)


def more(shown: int, total: int) -> None:
    """Say what a table left out."""
    if shown < total:
        note(f"{total - shown} more are not shown: `--limit 0` or `-o json` shows all")


def short(text: str) -> str:
    """A resource id as people name it, `NAME (RESOURCE GROUP)`; any other text as it is."""
    parts = text.strip("/").split("/")
    if len(parts) >= 8 and parts[0].lower() == "subscriptions":
        return f"{parts[-1]} ({parts[3]})"
    return text
