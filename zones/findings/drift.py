"""What private DNS zones and endpoints say of the same names, where they do not say the same: `source-disagreement`.

Pure: zones as they were read and claims as they stand in, findings out. Refuses to know which of the two is served.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from zones.azure.catalogue import Catalogue
from zones.azure.endpoint import Endpoint
from zones.azure.private_dns_zone import PrivateZone, RecordSet
from zones.claims.contest import Claim
from zones.dns.name import Name, canonical_key, to_text
from zones.dns.record import AAAA, A
from zones.findings.checks import bounded, in_networks, texts
from zones.findings.finding import Finding, finding
from zones.networks.network import Networks

MOST: Final = 1000
"""Names that are told, at most; beyond that, a finding tells how many there are."""
_ADDRESSES: Final = frozenset((A, AAAA))
_CREATOR: Final = 200  # characters of what a record says of its creator
_BELIEVED: Final = "what endpoints say is served; a record without one only where `private_dns` says `serve`"

Item = dict[str, Any]


def of_records(
    zones: Iterable[PrivateZone], claims: Iterable[Claim], endpoints: Mapping[str, Endpoint], catalogue: Catalogue
) -> Iterator[Finding]:
    """One finding for each name that records and endpoints tell differently. `claims`: those of served endpoints.

    A name that a zone of the same origin has is known to all of its namesakes: they may share the work. Records by hand
    are judged in zones of the catalogue alone: elsewhere they need no endpoint.
    """
    read = tuple(zones)
    origins = {zone.origin for zone in read}
    records: dict[bytes, list[RecordSet]] = {}
    for zone in read:
        is_ours = catalogue.zone_of(Name(zone.origin)) == zone.origin
        for record in zone.records:
            if record.rrset.type in _ADDRESSES and (is_ours or record.creator) and not record.automatic:
                records.setdefault(record.rrset.owner, []).append(record)
    held: set[bytes] = set()
    claimed: dict[bytes, list[Claim]] = {}
    for claim in claims:
        held.update(claim.addresses)
        if claim.zone in origins:
            claimed.setdefault(claim.name, []).append(claim)
    found = [
        (name, lists)
        for name in records.keys() | claimed.keys()
        if (lists := _of_name(records.get(name, ()), claimed.get(name, ()), held, endpoints))
    ]
    found.sort(key=lambda item: canonical_key(Name(item[0])))
    for name, lists in found[:MOST]:
        yield finding("source-disagreement", to_text(name), _BELIEVED, **bounded(**lists))
    if len(found) > MOST:
        yield finding("source-disagreement", "private DNS zones", _BELIEVED, names_told=MOST, names_total=len(found))


def _of_name(
    records: Sequence[RecordSet], claims: Sequence[Claim], held: set[bytes], endpoints: Mapping[str, Endpoint]
) -> dict[str, list[Item]]:
    """What is told of one name, by kind. Most of a hundred thousand are in order: they leave early."""
    there = {address for record in records for address in record.rrset.rdatas}
    if there <= held and all(not there.isdisjoint(claim.addresses) for claim in claims):
        return {}
    lists: dict[str, list[Item]] = {"no_endpoint": [], "no_record": [], "overwritten": []}
    for record in records:
        if strays := [address for address in record.rrset.rdatas if address not in held]:
            lists["no_endpoint"].append(_record(record) | {"addresses": texts(strays)})
    own: dict[str, set[bytes]] = defaultdict(set)
    for claim in claims:
        own[claim.endpoint].update(claim.addresses)
    for key in sorted(key for key, addresses in own.items() if addresses.isdisjoint(there)):
        holder = endpoints[key]
        told: Item = {"endpoint": holder.id, "addresses": texts(own[key])}
        by = next((each for each in records if each.maker and each.maker != holder.name.casefold()), None)
        if by:
            lists["overwritten"].append(told | {"by": _record(by)})
        else:
            lists["no_record"].append(told)
    return {kind: items for kind, items in lists.items() if items}


def _record(record: RecordSet) -> Item:
    return {"record": record.id, "creator": record.creator[:_CREATOR], "addresses": texts(record.rrset.rdatas)}


def of_links(zones: Iterable[PrivateZone], networks: Networks, region: Callable[[str], str]) -> Iterator[Finding]:
    """Zones of one name whose links meet: in one virtual network, or in the sight of one network.

    `region`: of the virtual network with this key, empty where it is not known.
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
            told = [{"zone": zone.id, **bounded(vnets=sorted(link.vnet for link in zone.links))} for zone in namesakes]
            fact = finding(
                "source-disagreement", to_text(origin), "in Azure, each virtual network sees one of them alone",
                **bounded(zones=told), **(bounded(linked_twice=doubled) if doubled else {}),
            )  # fmt: skip
            yield in_networks(fact, networks, twice)
