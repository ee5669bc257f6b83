"""Differences between private DNS zones and endpoints, reported as `source-disagreement`.

Pure: takes zones as they were read, and claims. Does not know which of the two is served.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from zones.azure.address import texts
from zones.azure.catalogue import Catalogue
from zones.azure.endpoint import Endpoint, ResourceId
from zones.azure.private_dns_zone import PrivateZone, RecordSet
from zones.claims.contest import Claim
from zones.dns.name import Name, canonical_key, to_text
from zones.dns.record import AAAA, A
from zones.findings.checks import in_networks
from zones.findings.evidence import listed
from zones.findings.finding import Finding, finding
from zones.findings.source_evidence import (
    DnsRecord,
    LinkedZone,
    MissingRecord,
    MoreRecordsDiffer,
    OverwrittenRecord,
    RecordsDiffer,
    ZonesOverlap,
)
from zones.networks.network import NetworkMask, Networks

MOST: Final = 1000
"""Most names with a finding of their own. One further finding counts the rest."""
ADDRESSES: Final = frozenset((A, AAAA))
"""Types of the records that endpoints have."""
_CREATOR: Final = 200
"""Most characters of a record's creator in a finding."""


def of_records(
    zones: Iterable[PrivateZone],
    claims: Iterable[Claim],
    endpoints: Mapping[ResourceId, Endpoint],
    catalogue: Catalogue,
) -> Iterator[Finding]:
    """One finding for each name with other addresses in records than in claims. `claims`: those of served endpoints.

    Zones of one origin are compared together, because they may each hold some of the records. Records that no zone
    group created are compared only in private-link zones: in other zones they need no endpoint.
    """
    read = tuple(zones)
    origins = {zone.origin for zone in read}
    records: dict[bytes, list[RecordSet]] = {}
    for zone in read:
        is_private_link = catalogue.zone_of(Name(zone.origin)) == zone.origin
        for record in zone.records:
            if record.rrset.type in ADDRESSES and (is_private_link or record.creator) and not record.automatic:
                records.setdefault(record.rrset.owner, []).append(record)
    held: set[bytes] = set()
    claimed: dict[bytes, list[Claim]] = {}
    for claim in claims:
        held.update(claim.addresses)
        if claim.zone in origins:
            claimed.setdefault(claim.name, []).append(claim)
    found = [
        (name, evidence)
        for name in records.keys() | claimed.keys()
        if (evidence := _of_name(records.get(name, ()), claimed.get(name, ()), held, endpoints))
    ]
    found.sort(key=lambda item: canonical_key(Name(item[0])))
    for name, evidence in found[:MOST]:
        yield finding(to_text(name), evidence)
    if len(found) > MOST:
        yield finding("private DNS zones", MoreRecordsDiffer(names_listed=MOST, names_total=len(found)))


def _of_name(
    records: Sequence[RecordSet], claims: Sequence[Claim], held: set[bytes], endpoints: Mapping[ResourceId, Endpoint]
) -> RecordsDiffer | None:
    """Return what differs at one name; None for nearly every one of a hundred thousand names, which leave early."""
    there = {address for record in records for address in record.rrset.rdatas}
    if there <= held and all(not there.isdisjoint(claim.addresses) for claim in claims):
        return None
    no_endpoint = [
        _record(record, strays)
        for record in records
        if (strays := [address for address in record.rrset.rdatas if address not in held])
    ]
    no_record: list[MissingRecord] = []
    overwritten: list[OverwrittenRecord] = []
    own: dict[ResourceId, set[bytes]] = defaultdict(set)
    for claim in claims:
        own[claim.endpoint].update(claim.addresses)
    for key in sorted(key for key, addresses in own.items() if addresses.isdisjoint(there)):
        holder, addresses = endpoints[key], texts(own[key])
        by = next((each for each in records if each.maker and each.maker != holder.name.casefold()), None)
        if by:
            overwritten.append(OverwrittenRecord(holder.id, addresses, _record(by, by.rrset.rdatas)))
        else:
            no_record.append(MissingRecord(holder.id, addresses))
    if not (no_endpoint or no_record or overwritten):
        return None
    return RecordsDiffer(
        no_endpoint=listed(no_endpoint), no_record=listed(no_record), overwritten=listed(overwritten)
    )  # fmt: skip


def _record(record: RecordSet, addresses: Iterable[bytes]) -> DnsRecord:
    return DnsRecord(record.id, record.creator[:_CREATOR], texts(addresses))


def of_links(
    zones: Iterable[PrivateZone], networks: Networks, region: Callable[[ResourceId], str]
) -> Iterator[Finding]:
    """Findings about zones of one name that are linked to one VNet, or to VNets that one network sees.

    `region` returns the region of the VNet with a key; empty where the region is not known.
    """
    by_origin: dict[bytes, list[PrivateZone]] = defaultdict(list)
    for zone in zones:
        if zone.links:
            by_origin[zone.origin].append(zone)
    for origin, namesakes in sorted(by_origin.items()):
        links = [link.vnet for zone in namesakes for link in zone.links]
        once = twice = 0
        for zone in namesakes:
            seen = 0
            for link in zone.links:
                seen |= networks.sees_vnet(link.vnet, region(link.vnet))
            twice |= once & seen
            once |= seen
        doubled = sorted(vnet for vnet, count in Counter(links).items() if count > 1)
        if twice or doubled:
            linked = [LinkedZone(zone.id, listed(sorted(link.vnet for link in zone.links))) for zone in namesakes]
            evidence = ZonesOverlap(zones=listed(linked), linked_twice=listed(doubled))
            yield in_networks(finding(to_text(origin), evidence), networks, NetworkMask(twice))
