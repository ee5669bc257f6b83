"""What private DNS zones lend: the records that no endpoint has a say in, as zones that are served like zone files.

Pure: zones as they were read in, zones to be served out. Refuses to know who claims a name (that is asked), and
networks: like a zone file, what is lent is seen by all.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from zones.azure.private_dns_zone import PrivateZone
from zones.dns.name import Name, is_under
from zones.dns.record import SOA, RRset, soa
from zones.dns.zonefile import Zone

Claimed = Literal["", "known", "served"]
"""Whether an endpoint claims a name, and one that is served."""
_NEGATIVE_TTL = 10  # seconds; what Azure's own SOA says


def lent(
    zones: Iterable[PrivateZone], files: Mapping[Name, Zone], claimed: Callable[[Name], Claimed]
) -> dict[Name, Zone]:
    """By origin. Of several zones of one name, the one with the most links; of none without a link.

    An endpoint that is served has its name alone, whatever the records are. A record that a zone group made stands
    for an endpoint: it is lent where none claims its name, served or not, since that one is in a subscription that is
    not read. What a zone file says of a zone, or of a name in it, is never lent.
    """
    chosen: dict[Name, PrivateZone] = {}
    for zone in sorted((each for each in zones if each.links), key=lambda each: (-len(each.links), each.key)):
        chosen.setdefault(Name(zone.origin), zone)
    out: dict[Name, Zone] = {}
    for origin, zone in chosen.items():
        if not claimed(origin) and not any(_tells_of(file, origin) for file in files.values()):
            names = _names(zone, claimed)
            if names:
                own = next((each.rrset for each in zone.records if each.rrset.type == SOA), soa(origin, _NEGATIVE_TTL))
                apex = (own, *names.pop(origin, ()))
                out[origin] = Zone(origin, own, {origin: apex, **names})
    return out


def _tells_of(file: Zone, origin: Name) -> bool:
    return is_under(origin, file.origin) and any(is_under(name, origin) for name in file.names)


def _names(zone: PrivateZone, claimed: Callable[[Name], Claimed]) -> dict[Name, tuple[RRset, ...]]:
    out: dict[Name, tuple[RRset, ...]] = {}
    for record in sorted(zone.records, key=lambda each: each.rrset.type):
        if record.rrset.type != SOA:
            by = claimed(record.owner)
            if not by or (by == "known" and not record.creator):
                out[record.owner] = (*out.get(record.owner, ()), record.rrset)
    return out
