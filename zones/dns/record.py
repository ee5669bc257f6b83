"""Records in wire form: the content of zones and answers. Does not know how records are read or looked up.

Rdata is kept uncompressed, as RFC 1035 §3.2.1 puts it on the wire, so that a compiled answer is a concatenation.
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
    """The records of one owner name and type, class IN.

    `ttl` is in seconds. `rdatas` are uncompressed, without their length field.
    """

    owner: bytes
    """Wire form. A record from an upstream server keeps the sender's case; all other owners are folded."""
    type: int
    ttl: int
    rdatas: tuple[bytes, ...]


def soa(owner: Name, negative_ttl: int) -> RRset:
    """Return the SOA record of a zone that exists only through endpoints.

    `negative_ttl` is the seconds for which a negative answer may be cached (RFC 2308 §5). The serial is fixed, since
    these zones are not transferred. MNAME is the zone itself, which keeps the record small.
    """
    rdata = owner + b"\x0ahostmaster" + owner + _numbers(1, 3600, 300, 2419200, negative_ttl)
    return RRset(owner, SOA, negative_ttl, (rdata,))


def _numbers(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)
