"""The rows of a zone file (RFC 1035 §5.1): a line, or several lines that parentheses or an escape join.

Splits text and nothing else, so that a row that cannot be read does not hide the next one.
"""

import re
from typing import Final

_TOKEN: Final = re.compile(r'\\.|"(?:[^"\\\n]|\\.)*"|(?P<open>")|;[^\n]*|(?P<mark>[()\n])|[^\\";()\n]+|\\', re.DOTALL)
_LINE_END: Final = re.compile(r"\r\n?|\n")


def next_row(text: str, at: int) -> tuple[str, int]:
    """Return the row that begins at an offset, with its line end, and the number of line ends in it.

    A quoted string that is not closed ends with its line. A parenthesis that is not closed takes the rest of the file.
    """
    row = text[at : text.find("\n", at) + 1 or len(text)]
    if "(" in row or ("\\" in row and (row.rstrip("\r\n").endswith("\\") or "\\\n" in row)):
        row = text[at : _end(text, at)]
    return row, 1 if row.count("\n") == 1 and "\r" not in row else len(_LINE_END.findall(row))


def _end(text: str, at: int) -> int:
    """Return where the row ends that begins at an offset."""
    depth, broken = 0, False
    for token in _TOKEN.finditer(text, at):
        broken |= token["open"] is not None
        match token["mark"]:
            case "(":
                depth += not broken
            case ")":
                depth -= not broken
            case "\n" if depth <= 0 or broken:
                return token.end()
    return len(text)
