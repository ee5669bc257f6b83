"""Records in wire form: what a zone holds and what an answer is made of.

Rdata is kept uncompressed, as RFC 1035 §3.2.1 puts it on the wire, so that compiling an answer is concatenation.
"""

from typing import Final

import msgspec

from zones.dns.name import Name

A: Final = 1
NS: Final = 2
CNAME: Final = 5
SOA: Final = 6
PTR: Final = 12
MX: Final = 15
TXT: Final = 16
AAAA: Final = 28
SRV: Final = 33
DNAME: Final = 39
DS: Final = 43
RRSIG: Final = 46
ANY: Final = 255


class RRset(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Records of one owner and type, class IN. `ttl` in seconds; `rdatas` uncompressed, without their length."""

    owner: bytes
    """Wire form; the case is that of the sender for an upstream's record, folded for ours."""
    type: int
    ttl: int
    rdatas: tuple[bytes, ...]


def soa(owner: Name, negative_ttl: int) -> RRset:
    """The SOA of a zone that endpoints alone make up; a negative answer lives `negative_ttl` seconds (RFC 2308 §5).

    The serial is fixed: these zones are not transferred. MNAME is the zone itself, so that the record stays small.
    """
    rdata = owner + b"\x0ahostmaster" + owner + _numbers(1, 3600, 300, 2419200, negative_ttl)
    return RRset(owner, SOA, negative_ttl, (rdata,))


def _numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)
