"""What is wrong with a zone file, in words for the person who wrote it, with the line and column of each problem.

Translates the errors of dnspython. Does not know how a file is read (`zone_reader`) or what makes a zone (`zonefile`).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import dns.exception
import dns.name
import dns.rdatatype
import dns.ttl

_ROW: Final = 80
"""Characters of a row that are shown."""


class ZoneProblem(NamedTuple):
    """One problem. `line` and `column` count from 1; both are 0 for a problem of the file as a whole.

    `line` is the line on which the wrong record begins.
    """

    line: int
    column: int
    reason: str


class BadRow(ValueError):  # noqa: N818 - the name of the fact, as in `InvalidName`
    """A row is refused for a reason that is in our words already."""


def quoted(row: str, reason: str) -> str:
    """Return a reason with the first line of the row that it is about, without a comment."""
    lines = row.strip().splitlines() or [""]
    first = lines[0] if '"' in lines[0] else lines[0].partition(";")[0]
    text = " ".join(first.split())
    return f"`{text if len(text) <= _ROW else text[: _ROW - 1] + '…'}`: {reason}"


def in_words(error: BaseException, rdtype: int | None, *, ended: bool) -> str:
    """Return why a row is refused. `rdtype` is the type of the record; None where the row does not get that far.

    `ended`: the error came at the end of the row.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, BadRow):
            return str(cause)
    for cause in reversed(causes):
        for kind, words in _BY_KIND.items():
            if isinstance(cause, kind):
                return words
        for start, words in _BY_TEXT.items():
            if str(cause).startswith(start):
                return words
    if rdtype is None:
        return "not a record or directive"
    name = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rdtype))
    if any(str(cause).startswith(("expected EOL", "expecting another", "expected EOF")) for cause in causes):
        return f"more data than a record of type {name} has"
    if ended and any(str(cause).startswith(_TOO_SHORT) for cause in causes):
        return f"less data than a record of type {name} has"
    if any(str(cause).startswith("expecting an integer") for cause in causes):
        return f"text instead of a number in a record of type {name}"
    return _BY_TYPE.get(rdtype) or f"not the data of a record of type {name}{_detail(causes)}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, the error that caused it, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _detail(causes: Sequence[BaseException]) -> str:
    """Return the innermost message, in parentheses; empty where it says nothing."""
    for cause in reversed(causes):
        text = str(cause)
        if text and text != type(cause).__doc__ and not isinstance(cause, KeyError | IndexError | AttributeError):
            return f" ({text.splitlines()[0][:_ROW]})"
    return ""


_BY_KIND: Final[dict[type[BaseException], str]] = {
    dns.name.LabelTooLong: "a label of more than 63 octets",
    dns.name.NameTooLong: "a name of more than 255 octets",
    dns.name.EmptyLabel: "a name with an empty label",
    dns.name.BadEscape: "a bad escape: a backslash goes before three digits up to 255, or before one other character",
    dns.name.IDNAException: "not a domain name",
    UnicodeError: "not a domain name",
    dns.ttl.BadTTL: "not a TTL",
    dns.exception.UnexpectedEnd: "a quoted string or an escape that does not end",
}
_BY_TEXT: Final = {
    "newline in quoted string": "a quoted string that does not end on its line",
    "unbalanced parentheses": "a parenthesis that is not closed",
    "generic rdata hex data has wrong length": "the length after \\# is not the number of octets",
    "Odd-length string": "an odd number of hexadecimal digits",
    "Non-hexadecimal digit": "not hexadecimal digits",
    "Incorrect padding": "not base64",
    "Invalid base64-encoded string": "not base64",
    "compressed data in generic syntax": "a compressed name after \\#",
}
_TOO_SHORT: Final = ("expecting an identifier", "expecting a string", "expecting an integer")
_BY_TYPE: Final = {1: "not an IPv4 address", 28: "not an IPv6 address"}
