"""Checks private DNS zones that arrive from a hub: workers render their octets as they are.

Endpoints and virtual networks need no check: their names and addresses are texts that the inventory validates. Pure.
"""

from typing import Final

from zones.azure.private_dns_zone import PrivateZone
from zones.dns.record import AAAA, CNAME, MX, PTR, SOA, SRV, TXT, A, RRset

_NAME_AT: Final = {CNAME: 0, PTR: 0, MX: 2, SRV: 6}
"""Where the name in the data of a record begins that has nothing after it."""
_SIZES: Final = {A: 4, AAAA: 16}
_LONGEST: Final = 0xFFFF
_LAST_TTL: Final = 0x7FFFFFFF  # RFC 2181 §8


def check(zone: PrivateZone) -> None:
    """Raise ValueError for a zone with a name or a record that is not valid."""
    sets = [record.rrset for record in zone.records]
    if not _is_name(zone.origin) or not all(_is_valid(each, zone.origin) for each in sets):
        raise ValueError(f"the private DNS zone {zone.id[:200]!r} is not valid")


def _is_valid(rrset: RRset, origin: bytes) -> bool:
    is_below = _is_name(rrset.owner) and rrset.owner.endswith(origin)
    return is_below and 0 <= rrset.ttl <= _LAST_TTL and all(_is_rdata(rrset.type, each) for each in rrset.rdatas)


def _is_rdata(rtype: int, data: bytes) -> bool:
    if rtype in _SIZES:
        return len(data) == _SIZES[rtype]
    if (start := _NAME_AT.get(rtype)) is not None:
        return _is_name(data[start:])
    if rtype == SOA:
        first = _name_end(data)
        second = _name_end(data[first:]) if first else 0
        return bool(second) and len(data) == first + second + 20
    return rtype == TXT and 0 < len(data) <= _LONGEST and _strings(data)


def _is_name(octets: bytes) -> bool:
    return bool(octets) and _name_end(octets) == len(octets)


def _name_end(octets: bytes) -> int:
    """Return the octets of the name that begins here, in wire form and folded; 0 where there is none."""
    at = 0
    while at < len(octets) and at < 255:
        size = octets[at]
        if not size:
            return at + 1 if octets[: at + 1] == octets[: at + 1].lower() else 0
        if size > 63:
            return 0
        at += 1 + size
    return 0


def _strings(data: bytes) -> bool:
    """Return whether the data is a list of character strings (RFC 1035 §3.3.14)."""
    at = 0
    while at < len(data):
        at += 1 + data[at]
    return at == len(data)
