"""Findings about endpoints, addresses, names, targets and VNets: everything that needs no contest.

Each function takes plain values and yields findings. The ledger decides when to call it. Lists in a finding are
sorted, so that a finding does not depend on the order in which the inventory was read.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Final

import msgspec
from msgspec import structs

from zones.azure.address import texts
from zones.azure.catalogue import Catalogue
from zones.azure.configured_names import IgnoredEntry, members_of
from zones.azure.endpoint import ConnectionState, Endpoint, Fault, ResourceId, VirtualNetwork
from zones.azure.owned_wildcards import private_wildcards, shared_wildcard
from zones.claims.policy import Pin
from zones.dns.name import Name, is_wildcard, to_text
from zones.findings.endpoint_evidence import (
    AddressChange,
    AddressChanged,
    Difference,
    Differences,
    EndpointDisconnected,
    EndpointMisplaced,
    EndpointPending,
    EndpointRejected,
    NameMissing,
    ProvisioningFailed,
)
from zones.findings.evidence import listed
from zones.findings.finding import Finding, finding
from zones.findings.name_evidence import (
    AddressReused,
    ExceptIgnored,
    IgnoredName,
    IgnoredPin,
    NameIgnored,
    PinIgnored,
    StaticShadowsEndpoint,
    TargetKind,
    UnmatchedException,
    UnownedWildcard,
    WildcardShared,
    ZoneUnknown,
)
from zones.findings.source_evidence import (
    InvalidRecord,
    RecordFault,
    RivalSources,
    SourceIncomplete,
    SourceUnreadable,
)
from zones.networks.excepted import ExceptedItem
from zones.networks.network import NO_NETWORKS, NetworkMask, Networks


def in_networks(fact: Finding, networks: Networks, mask: NetworkMask) -> Finding:
    """Return the finding with the networks in which it holds; without networks where only one is implied."""
    if networks.implicit:
        return fact
    return structs.replace(fact, networks=listed(networks.listed(mask)))


def of_endpoint(endpoint: Endpoint, vnet: VirtualNetwork | None) -> Iterator[Finding]:
    """Findings about the state, placement, names and rival sources of one endpoint. `vnet` is its VNet, if known."""
    target, groups = endpoint.target, endpoint.groups
    state = endpoint.state_text or endpoint.state.value
    if kind := _NOT_CONNECTED.get(endpoint.state):
        names = list(dict.fromkeys(to_text(record.fqdn) for record in endpoint.records))
        yield finding(endpoint.id, kind(state=state, target=target, groups=groups, names=listed(names)))
    elif endpoint.served:
        if endpoint.provisioning.casefold() == "failed":
            failed = ProvisioningFailed(provisioning=endpoint.provisioning, state=state, target=target, groups=groups)
            yield finding(endpoint.id, failed)
        if not endpoint.records:
            add = tuple(_items_to_add(endpoint))
            missing = finding(endpoint.id, NameMissing(target=target, groups=groups, add_to_names=add))
            yield missing if add else structs.replace(missing, action=_NO_ADDRESS)
    differs = _differences(endpoint, vnet)
    if differs != _NO_DIFFERENCE:
        yield finding(endpoint.id, EndpointMisplaced(vnet=endpoint.vnet, differs=differs))
    if endpoint.rivals:
        used = f"{endpoint.source}: {endpoint.where}"
        yield finding(endpoint.id, RivalSources(believed=used, others=listed(endpoint.rivals)))


def _items_to_add(endpoint: Endpoint) -> Iterator[str]:
    """Yield the items of `names` that would name each address of an endpoint without FQDN, as YAML."""
    members = members_of(endpoint.nameless)
    if len(members) > 1:
        for member in members:
            yield f"- {{name: …, endpoint: {_yaml(endpoint.id)}, member: {_yaml(member)}}}"
    elif endpoint.nameless:
        yield f"- {{name: …, endpoint: {_yaml(endpoint.id)}}}"


def _yaml(text: str) -> str:
    """Return a text as a YAML scalar, quoted where it could mean something else."""
    is_plain = _PLAIN_SCALAR.fullmatch(text) and text.casefold() not in _WORDS
    return text if is_plain else msgspec.json.encode(text).decode()


_NO_ADDRESS: Final = (
    "nothing to serve, because no network interface of the endpoint was read: export `az network nic list` too"
)
_PLAIN_SCALAR: Final = re.compile(r"[A-Za-z/][\w./()-]*", re.ASCII)
_WORDS: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""Plain scalars that YAML reads as something else than text."""
_NOT_CONNECTED: Final[Mapping[ConnectionState, type[EndpointPending | EndpointRejected | EndpointDisconnected]]] = {
    ConnectionState.PENDING: EndpointPending,
    ConnectionState.REJECTED: EndpointRejected,
    ConnectionState.DISCONNECTED: EndpointDisconnected,
}
_NO_DIFFERENCE: Final = Differences()


def _differences(endpoint: Endpoint, vnet: VirtualNetwork | None) -> Differences:
    """Compare an endpoint with its VNet: Azure has both in one subscription and region (private-endpoint-overview)."""
    subscription = region = None
    owner = endpoint.vnet.split("/")[2] if endpoint.vnet.startswith("/subscriptions/") else ""
    if owner and endpoint.subscription and owner != endpoint.subscription:
        subscription = Difference(endpoint.subscription, owner)
    if vnet and vnet.region and endpoint.region and vnet.region != endpoint.region:
        region = Difference(endpoint.region, vnet.region)
    return Differences(subscription, region) if subscription or region else _NO_DIFFERENCE


def faults_of(endpoint: Endpoint, networks: Networks) -> tuple[Fault, ...]:
    """Return the faults of an endpoint's data. A network that the configuration does not have is one of them."""
    name = endpoint.network
    if not name or networks.implicit or networks.named(name):
        return endpoint.faults
    message = f"no network is called {name!r}: visible to none"
    return (*endpoint.faults, Fault(endpoint.id, "network", message, endpoint.where))


def of_faults(subject: str, faults: Collection[Fault]) -> Iterator[Finding]:
    """The finding about everything that could not be read of one resource."""
    if faults:
        items = [RecordFault(fault.path, fault.message, fault.where) for fault in faults]
        yield finding(subject, InvalidRecord(faults=listed(items)))


def unreadable(subject: str, message: str, *, has_data: bool) -> Finding:
    """Return the finding about a source, a part of a source, or a zone file that could not be read.

    `has_data`: it could be read before, and that data is served.
    """
    fact = finding(subject, SourceUnreadable(message=message))
    return fact if has_data else structs.replace(fact, action=_NO_DATA)


_NO_DATA: Final = "it has never been read, so that no data of it is served"


def incomplete(subject: str, lacks: Sequence[str]) -> Finding:
    """Return the finding about a file that says that it is not the whole list."""
    return finding(subject, SourceIncomplete(lacks=listed(lacks)))


def of_wildcards(endpoint: Endpoint, catalogue: Catalogue) -> Iterator[Finding]:
    """The finding about the wildcards of a served endpoint that its resource shares with others."""
    stars = {record.fqdn: record for record in endpoint.records if is_wildcard(record.fqdn)}
    if not stars or not endpoint.served:
        return
    shared = [(stars[star], found) for star in stars if (found := shared_wildcard(endpoint, star, catalogue))]
    if shared:
        wildcards = [
            UnownedWildcard(
                wildcard=to_text(each.public),
                private=tuple(map(to_text, privates := private_wildcards(record, each))),
                why_none="" if privates else each.missing.value,
            )
            for record, each in shared
        ]
        yield finding(endpoint.id, WildcardShared(wildcards=listed(wildcards)))


def of_unknown_zone(name: Name, holders: Collection[Endpoint], catalogue: Catalogue) -> Finding:
    """Return the finding about a name in no private-link zone. `holders` are the endpoints that claim the name."""
    kinds = sorted({(e.target_type, e.groups[0].casefold() if e.groups else "") for e in holders})
    expected = {zone for kind in kinds for entry in catalogue.by_resource(*kind) for zone in entry.zones}
    evidence = ZoneUnknown(
        endpoints=listed(sorted(e.id for e in holders)),
        expected_zones=listed(sorted(expected)),
        resources=listed([TargetKind(kind, group) for kind, group in kinds]),
    )
    return finding(to_text(name), evidence)


def of_pins(
    name: Name,
    pins: Sequence[Pin],
    claimants: Mapping[ResourceId, Endpoint],
    networks: Networks,
    hidden: NetworkMask = NO_NETWORKS,
) -> Iterator[Finding]:
    """The finding about pins of a name that decide nothing.

    `claimants`: endpoints that claim the name, by key. `hidden`: the networks that except the name.
    """
    ignored, mask = [], 0
    for pin in pins:
        if why := _why_ignored(pin, claimants, networks, hidden):
            mask |= networks.named(pin.network)
            ignored.append(IgnoredPin(pin.endpoint, pin.network, why, pin.reason, pin.by))
    if ignored:
        yield in_networks(finding(to_text(name), PinIgnored(pins=listed(ignored))), networks, NetworkMask(mask))


def _why_ignored(pin: Pin, claimants: Mapping[ResourceId, Endpoint], networks: Networks, hidden: NetworkMask) -> str:
    endpoint = claimants.get(pin.key)
    if endpoint is None:
        return "that endpoint does not claim the name" if claimants else "no endpoint claims the name"
    if not endpoint.served:
        return "that endpoint is not served"
    visible = networks.sees(endpoint) & networks.named(pin.network) & ~hidden
    return "" if visible else "that endpoint is not visible there"


def of_names(name: Name, ignored: Iterable[IgnoredEntry]) -> Iterator[Finding]:
    """The finding about items of `names` that give no endpoint the name."""
    items = [IgnoredName(entry.endpoint, entry.member, why, entry.place) for entry, why in ignored]
    if items:
        yield finding(to_text(name), NameIgnored(items=listed(items)))


def of_excepted(network: str, items: Sequence[ExceptedItem], networks: Networks) -> Iterator[Finding]:
    """The finding about items of `except` of a network that match neither an endpoint nor a claimed name."""
    if items:
        unmatched = listed([UnmatchedException(item.text, item.place) for item in items])
        fact = finding(network, ExceptIgnored(items=unmatched))
        yield in_networks(fact, networks, networks.named(network))


def of_shadow(name: Name, zone: Name, owners: Iterable[Endpoint]) -> Iterator[Finding]:
    """The finding about a name that both a zone file and served endpoints (`owners`) have."""
    endpoints = listed(sorted({each.id for each in owners}))
    yield finding(to_text(name), StaticShadowsEndpoint(zone=to_text(zone), endpoints=endpoints))


def of_address(address: bytes, holders: Sequence[Endpoint], networks: Networks) -> Iterator[Finding]:
    """The finding about one address of several served endpoints that share a VNet or are visible to one network."""
    once = twice = 0
    for holder in holders:
        sees = networks.sees(holder)
        twice |= once & sees
        once |= sees
    in_vnet = Counter(holder.vnet for holder in holders if holder.vnet)
    clashing = [e for e in holders if networks.sees(e) & twice or in_vnet[e.vnet] > 1]
    if clashing:
        names = sorted({to_text(r.fqdn) for e in clashing for r in e.records if address in r.addresses})
        evidence = AddressReused(endpoints=listed(sorted(e.id for e in clashing)), names=listed(names))
        yield in_networks(finding(str(ip_address(address)), evidence), networks, NetworkMask(twice))


def of_moved(endpoint: Endpoint, old: Endpoint) -> Iterator[Finding]:
    """The finding about an endpoint with other addresses at a name than before."""
    before, after = _addresses(old), _addresses(endpoint)
    moved = sorted(name for name in before if name in after and before[name] != after[name])
    if moved:
        changes = [AddressChange(to_text(name), texts(before[name]), texts(after[name])) for name in moved]
        yield finding(endpoint.id, AddressChanged(changes=listed(changes)))


def _addresses(endpoint: Endpoint) -> dict[Name, set[bytes]]:
    out: dict[Name, set[bytes]] = defaultdict(set)
    for record in endpoint.records:
        out[record.fqdn].update(record.addresses)
    return out
