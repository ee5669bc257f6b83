"""Text forms of records that dnspython lacks or reads otherwise than the RFCs say.

MB, MG and MR (RFC 1035 §3.3) and NXT (RFC 2535 §5) are registered with dnspython. For other types this module changes
a field before dnspython reads it, or the record afterwards. Does not know the other parts of a zone file.
"""

import calendar
import re
from typing import Any, Final, Self

import dns.immutable
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.LOC
import dns.rdtypes.nsbase
import dns.tokenizer

_RRSIG: Final = 46
_NID: Final = 104
_L64: Final = 106
_TIMES: Final = (4, 5)
"""Fields of RRSIG rdata: the expiration and inception (RFC 4034 §3.2)."""
_DATE: Final = re.compile(r"(\d{4})(0[1-9]|1[0-2])(\d\d)([01]\d|2[0-3])([0-5]\d)([0-5]\d)", re.ASCII)
_GROUPS: Final = re.compile(r"[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}", re.ASCII | re.IGNORECASE)


def field(rdtype: int, number: int, text: str) -> str:
    """Return the text that dnspython reads correctly for a field of rdata; fields count from 0."""
    if rdtype == _RRSIG and number in _TIMES:
        return _time(text)
    if rdtype in {_NID, _L64} and number == 1 and _GROUPS.fullmatch(text):
        return ":".join(group.zfill(4) for group in text.split(":"))  # leading zeros are optional (RFC 6742 §2.1.2)
    return text


def whole(rdata: dns.rdata.Rdata) -> dns.rdata.Rdata:
    """Return the record with centimetres of LOC rounded: dnspython truncates 28.999… cm of `0.29m` (RFC 1876 §3)."""
    if not isinstance(rdata, dns.rdtypes.ANY.LOC.LOC):
        return rdata
    centimetres = (rdata.altitude, rdata.size, rdata.horizontal_precision, rdata.vertical_precision)
    return dns.rdtypes.ANY.LOC.LOC(  # type: ignore[no-untyped-call]
        rdata.rdclass, rdata.rdtype, rdata.latitude, rdata.longitude, *map(round, centimetres)
    )


def _time(text: str) -> str:
    """Return a date as seconds. After 2106 they wrap: the field has 32 bits (RFC 4034 §3.1.5, RFC 1982)."""
    found = _DATE.fullmatch(text)
    if found is None or int(found[1]) < 1970:
        return text
    year, month, day, hour, minute, second = map(int, found.groups())
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return text
    return str(calendar.timegm((year, month, day, hour, minute, second)) % 2**32)


@dns.immutable.immutable
class _Mailbox(dns.rdtypes.nsbase.NSBase):
    """MB, MG or MR: one domain name (RFC 1035 §3.3.3, §3.3.6 and §3.3.8)."""


@dns.immutable.immutable
class _Nxt(dns.rdata.Rdata):
    """NXT: the next name, and a bitmap of types below 128 (RFC 2535 §5.2)."""

    __slots__ = ("bitmap", "next")

    def __init__(self, rdclass: int, rdtype: int, following: dns.name.Name, bitmap: bytes) -> None:
        super().__init__(dns.rdataclass.RdataClass.make(rdclass), dns.rdatatype.RdataType.make(rdtype))
        self.next = following
        self.bitmap = bitmap

    @classmethod
    def from_text(
        cls,
        rdclass: int,
        rdtype: int,
        tok: dns.tokenizer.Tokenizer,
        origin: dns.name.Name | None = None,
        relativize: bool = True,
        relativize_to: dns.name.Name | None = None,
    ) -> Self:
        following = tok.get_name(origin, relativize, relativize_to)
        bits = bytearray(16)
        for token in tok.get_remaining():
            number = dns.rdatatype.from_text(token.value)
            if not 0 < number < 128:
                raise ValueError(f"NXT has no bit for type {token.value}")
            bits[number >> 3] |= 0x80 >> (number & 7)
        return cls(rdclass, rdtype, following, bytes(bits).rstrip(b"\0"))

    @classmethod
    def from_wire_parser(cls, rdclass: int, rdtype: int, parser: Any, origin: dns.name.Name | None = None) -> Self:  # noqa: ANN401
        return cls(rdclass, rdtype, parser.get_name(origin), parser.get_remaining())

    def to_styled_text(self, style: Any) -> str:  # noqa: ANN401
        numbers = [n for n in range(8 * len(self.bitmap)) if self.bitmap[n >> 3] & 0x80 >> (n & 7)]
        types = " ".join(dns.rdatatype.to_text(dns.rdatatype.RdataType.make(n)) for n in numbers)
        return f"{self.next.to_styled_text(style)} {types}"

    def _to_wire(
        self,
        file: Any,  # noqa: ANN401
        compress: Any = None,  # noqa: ANN401, ARG002 - names of these types are not compressed here
        origin: dns.name.Name | None = None,
        canonicalize: bool = False,
    ) -> None:
        self.next.to_wire(file, None, origin, canonicalize)
        file.write(self.bitmap)


for _number, _text in ((7, "MB"), (8, "MG"), (9, "MR")):
    dns.rdata.register_type(_Mailbox, _number, _text)
dns.rdata.register_type(_Nxt, 30, "NXT")
