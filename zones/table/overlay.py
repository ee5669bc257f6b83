"""The overlay: records of private DNS zones that are served beside the endpoints, as static zones.

Pure: takes zones as they were read and returns static zones. Does not know who claims a name (the caller says so), or
networks: as with a zone file, every network sees the provided records.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from zones.azure.private_dns_zone import PrivateZone
from zones.dns.name import Name, is_under
from zones.dns.record import SOA, RRset, soa
from zones.dns.zonefile import Zone

Claimed = Literal["", "known", "served"]
"""Whether any endpoint claims a name, and whether a served one does."""
_NEGATIVE_TTL = 10
"""Seconds; the value in Azure's own SOA records."""


def provided(
    zones: Iterable[PrivateZone], files: Mapping[Name, Zone], claimed: Callable[[Name], Claimed]
) -> dict[Name, Zone]:
    """Return the static zones that private DNS zones provide, by origin.

    Of several zones of one name, the zone with the most links is used. A zone without a link is not used.

    A served endpoint has its name alone, whatever the records are. A record that a zone group created belongs to an
    endpoint: it is provided only if no endpoint claims its name, served or not, because that endpoint is then in a
    subscription that is not read. A zone that a zone file has, or has names in, is never provided.
    """
    chosen: dict[Name, PrivateZone] = {}
    for zone in sorted((each for each in zones if each.links), key=lambda each: (-len(each.links), each.key)):
        chosen.setdefault(Name(zone.origin), zone)
    out: dict[Name, Zone] = {}
    for origin, zone in chosen.items():
        if not claimed(origin) and not any(_has_names_in(file, origin) for file in files.values()):
            names = _names(zone, claimed)
            if names:
                own = next((each.rrset for each in zone.records if each.rrset.type == SOA), soa(origin, _NEGATIVE_TTL))
                apex = (own, *names.pop(origin, ()))
                out[origin] = Zone(origin, own, {origin: apex, **names})
    return out


def _has_names_in(file: Zone, origin: Name) -> bool:
    return is_under(origin, file.origin) and any(is_under(name, origin) for name in file.names)


def _names(zone: PrivateZone, claimed: Callable[[Name], Claimed]) -> dict[Name, tuple[RRset, ...]]:
    out: dict[Name, tuple[RRset, ...]] = {}
    for record in sorted(zone.records, key=lambda each: each.rrset.type):
        if record.rrset.type != SOA:
            by = claimed(record.owner)
            if not by or (by == "known" and not record.creator):
                out[record.owner] = (*out.get(record.owner, ()), record.rrset)
    return out
