"""Common rows of a zone file, read without dnspython: one tenth of its time.

Reads addresses, names, MX, SRV, SOA and plain TXT in their usual spelling. Everything else, and everything that could
be wrong, is left to dnspython: `common` returns None. A property test compares both.
"""

import re
from collections.abc import Callable, Mapping
from struct import pack
from typing import Final, NamedTuple

import dns.exception
import dns.ipv6

from zones.dns.record import AAAA, CNAME, NS, PTR, SOA, A

_MX: Final = 15
_TXT: Final = 16
_SRV: Final = 33
_TYPES: Final = {
    "A": A, "NS": NS, "CNAME": CNAME, "SOA": SOA, "PTR": PTR, "MX": _MX, "TXT": _TXT, "AAAA": AAAA, "SRV": _SRV,
}  # fmt: skip
_FIELDS: Final = (
    r"(@|[a-z0-9_*-][a-z0-9_.*-]*)?[ \t]+(?:(\d{1,9})[ \t]+)?(?:IN[ \t]+)?(?:(\d{1,9})[ \t]+)?"
    r"(A|NS|CNAME|SOA|PTR|MX|TXT|AAAA|SRV)[ \t]+"
)
_PLAIN: Final = re.compile(
    _FIELDS + r"([!#-'*-:<-\[\]-~][ \t!#-'*-:<-\[\]-~]*)(?:;[^\r\n]*)?(?:\r?\n|\Z)", re.ASCII | re.IGNORECASE
)
"""A whole row with its line end, without quotes, parentheses and escapes."""
_ROW: Final = re.compile(_FIELDS + r"([!-~][!-~ \t]*)", re.ASCII | re.IGNORECASE)
_BLANKS: Final = re.compile(r";[^\n]*|[()\n]")
_STRINGS: Final = re.compile(r'"[^"]{0,255}"(?:[ \t]+"[^"]{0,255}")*')
_LABELS: Final = re.compile(r"[a-z0-9_*-]{1,63}(?:\.[a-z0-9_*-]{1,63})*\.?", re.ASCII | re.IGNORECASE)
_LENGTHS: Final = tuple(bytes((length,)) for length in range(64))
_OCTETS: Final = {str(octet): octet for octet in range(256)}
_MAX_NAME: Final = 255
_MAX_TTL: Final = 2**31 - 1


class CommonRow(NamedTuple):
    """One record. `owner` is None where the row leaves it out, `ttl` where the row has none."""

    owner: bytes | None
    ttl: int | None
    type: int
    rdata: bytes


class _Uncommon(Exception):  # noqa: N818 - it ends the reading of a row
    """dnspython has to read the row."""


def is_blank(row: str) -> bool:
    """Return True for a row without a record or directive."""
    text = row.strip(" \t\r\n")
    return not text or (text[0] == ";" and "\r" not in text)


def plain(text: str, at: int, origin: bytes | None) -> tuple[CommonRow | None, int]:
    """Return the record of the row that begins at an offset, and the offset after the row.

    The record is None where `common` or dnspython has to read the row. `origin` is in wire form.
    """
    found = _PLAIN.match(text, at)
    return (_record(found, origin), found.end()) if found else (None, at)


def common(row: str, origin: bytes | None) -> CommonRow | None:
    """Return the record of a row with quotes or parentheses; None where dnspython has to read the row."""
    text = row.replace("\r\n", "\n").removesuffix("\n")
    if "\\" in text or "\r" in text or text[:1] == "(" or not text.isascii():
        return None
    if '"' in text:
        if ";" in text or "(" in text or ")" in text or "\n" in text:
            return None
    elif "(" in text or ")" in text or ";" in text:
        bare = re.sub(r";[^\n]*", "", text)
        if bare.count("(") > 1 or bare.count("(") != bare.count(")") or bare.find("(") > bare.find(")"):
            return None
        text = _BLANKS.sub(" ", text)
    found = _ROW.fullmatch(text)
    return _record(found, origin) if found else None


def _record(found: re.Match[str], origin: bytes | None) -> CommonRow | None:
    owner, early, late, kind, rdata = found.groups()
    if early and late:
        return None
    ttl, rtype = early or late, _TYPES.get(kind) or _TYPES[kind.upper()]
    try:
        wire = _RDATA[rtype](rdata.rstrip(" \t"), origin)
        return CommonRow(_name(owner, origin) if owner else None, int(ttl) if ttl else None, rtype, wire)
    except (_Uncommon, KeyError, dns.exception.DNSException, ValueError):
        return None


def absolute(text: str) -> bytes | None:
    """Return an absolute name in wire form; None where dnspython has to read the name."""
    try:
        return _name(text, None)
    except _Uncommon:
        return None


def _name(text: str, origin: bytes | None) -> bytes:
    if text == "@":
        if origin is None:
            raise _Uncommon
        return origin
    if not _LABELS.fullmatch(text):
        raise _Uncommon
    octets = text.encode()
    if "." not in text:
        end = origin
        wire = _LENGTHS[len(octets)] + octets
    else:
        end = b"\0" if text[-1] == "." else origin
        wire = b"".join([_LENGTHS[len(label)] + label for label in octets.rstrip(b".").split(b".")])
    if end is None or len(wire) + len(end) > _MAX_NAME:
        raise _Uncommon
    return wire + end


def _numbers(texts: list[str], most: int) -> list[int]:
    numbers = [int(text) for text in texts if text.isdigit() and len(text) <= 10]
    if len(numbers) < len(texts) or max(numbers) > most:
        raise _Uncommon
    return numbers


def _ipv4(text: str, _: bytes | None) -> bytes:
    parts = text.split(".")
    if len(parts) != 4:
        raise _Uncommon
    return bytes([_OCTETS[part] for part in parts])


def _ipv6(text: str, _: bytes | None) -> bytes:
    return dns.ipv6.inet_aton(text)


def _folded(text: str, origin: bytes | None) -> bytes:
    return _name(text, origin).lower()


def _mx(text: str, origin: bytes | None) -> bytes:
    preference, host = text.split()
    return pack("!H", *_numbers([preference], 0xFFFF)) + _name(host, origin)


def _srv(text: str, origin: bytes | None) -> bytes:
    *numbers, host = text.split()
    return pack("!3H", *_numbers(numbers, 0xFFFF)) + _name(host, origin) if len(numbers) == 3 else _other()


def _soa(text: str, origin: bytes | None) -> bytes:
    server, mailbox, serial, *times = text.split()
    if len(times) != 4:
        raise _Uncommon
    return (
        _name(server, origin)
        + _name(mailbox, origin)
        + pack("!5I", *_numbers([serial], 2**32 - 1), *_numbers(times, _MAX_TTL))
    )


def _txt(text: str, _: bytes | None) -> bytes:
    if not _STRINGS.fullmatch(text):
        raise _Uncommon
    return b"".join(bytes((len(string),)) + string for string in text.encode().split(b'"')[1::2])


def _other() -> bytes:
    raise _Uncommon


_RDATA: Final[Mapping[int, Callable[[str, bytes | None], bytes]]] = {
    A: _ipv4, NS: _folded, CNAME: _folded, SOA: _soa, PTR: _name, _MX: _mx, _TXT: _txt, AAAA: _ipv6, _SRV: _srv,
}  # fmt: skip
