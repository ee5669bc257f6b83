"""Findings about endpoints, addresses, names, targets and VNets: what can be said without judging a contest.

Each function takes plain values and yields findings; the ledger decides when to ask again. What a finding lists is in
an order of its own, so that it does not tell in which order things came.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from itertools import islice
from typing import Any, Final

from msgspec import structs

from zones.azure.catalogue import Catalogue
from zones.azure.endpoint import ConnectionState, Endpoint, Fault, VirtualNetwork
from zones.claims.policy import Pin
from zones.dns.name import Name, to_text
from zones.findings.finding import Finding, finding
from zones.networks.network import Networks
from zones.networks.overlap import Span, spans

LISTED: Final = 32
"""Networks, ids and names that a finding lists at most; beyond that, `…_total` tells how many there are."""


def bounded(**lists: Sequence[Any]) -> dict[str, Any]:
    """Evidence that is a list, each cut to `LISTED`."""
    out: dict[str, Any] = {}
    for key, items in lists.items():
        out[key] = list(items[:LISTED])
        if len(items) > LISTED:
            out[f"{key}_total"] = len(items)
    return out


def in_networks(fact: Finding, networks: Networks, mask: int) -> Finding:
    """The finding with the bounded list of networks in which it holds; none listed where only one is implied."""
    if networks.implicit:
        return fact
    listed = bounded(networks=networks.listed(mask))
    names = tuple(listed.pop("networks"))
    return structs.replace(fact, networks=names, evidence=fact.evidence | listed)


def of_endpoint(endpoint: Endpoint, vnet: VirtualNetwork | None) -> Iterator[Finding]:
    """State, placement, names and rivals of one endpoint; `vnet` is the record of its VNet."""
    facts = {"target": endpoint.target, "groups": list(endpoint.groups)}
    state = {"state": endpoint.state_text or endpoint.state.value, **facts}
    if code := _DEAD.get(endpoint.state):
        names = list(dict.fromkeys(to_text(record.fqdn) for record in endpoint.records))
        yield finding(code, endpoint.id, "not served", **state, **bounded(names=names))
    elif endpoint.served:
        if endpoint.provisioning.casefold() == "failed":
            provisioning = endpoint.provisioning
            yield finding("provisioning-failed", endpoint.id, "served all the same", provisioning=provisioning, **state)
        if not endpoint.records:
            yield finding("name-missing", endpoint.id, "nothing to serve", **facts)
    if differs := dict(_misplaced(endpoint, vnet)):
        yield finding("endpoint-misplaced", endpoint.id, "served; for nearness its VNet's region counts",
                      vnet=endpoint.vnet, differs=differs)  # fmt: skip
    if endpoint.rivals:
        yield finding("source-disagreement", endpoint.id, "the first source in the configuration's order is believed",
                      believed=f"{endpoint.source}: {endpoint.where}", **bounded(others=endpoint.rivals))  # fmt: skip


_DEAD: Final = {
    ConnectionState.PENDING: "endpoint-pending",
    ConnectionState.REJECTED: "endpoint-rejected",
    ConnectionState.DISCONNECTED: "endpoint-disconnected",
}


def _misplaced(endpoint: Endpoint, vnet: VirtualNetwork | None) -> Iterator[tuple[str, dict[str, str]]]:
    """An endpoint lives in its VNet's subscription and region (Azure, private-endpoint-overview)."""
    owner = endpoint.vnet.split("/")[2] if endpoint.vnet.startswith("/subscriptions/") else ""
    if owner and endpoint.subscription and owner != endpoint.subscription:
        yield "subscription", {"endpoint": endpoint.subscription, "vnet": owner}
    if vnet and vnet.region and endpoint.region and vnet.region != endpoint.region:
        yield "region", {"endpoint": endpoint.region, "vnet": vnet.region}


def faults_of(endpoint: Endpoint, networks: Networks) -> tuple[Fault, ...]:
    """What is wrong with an endpoint's own data, in the light of the configuration too."""
    name = endpoint.network
    if not name or networks.implicit or networks.named(name):
        return endpoint.faults
    message = f"no network is called {name!r}: visible to none"
    return (*endpoint.faults, Fault(endpoint.id, "network", message, endpoint.where))


def of_faults(subject: str, faults: Collection[Fault]) -> Iterator[Finding]:
    """What could not be read of one resource: the rest of it is served."""
    if faults:
        told = [{"path": fault.path, "message": fault.message, "where": fault.where} for fault in faults]
        yield finding("invalid-record", subject, "left out; the rest is served", **bounded(faults=told))


def of_unknown_zone(name: Name, holders: Collection[Endpoint], catalogue: Catalogue) -> Finding:
    """A name that stands in no zone of the catalogue."""
    kinds = sorted({(resource_type(e.target), e.groups[0].casefold() if e.groups else "") for e in holders})
    expected = {zone for kind in kinds for entry in catalogue.by_resource(*kind) for zone in entry.zones}
    return finding(
        "zone-unknown", to_text(name), "the address is served at the name itself",
        **bounded(endpoints=sorted(e.id for e in holders), expected_zones=sorted(expected)),
        **bounded(resources=[{"type": kind, "group": group} for kind, group in kinds]),
    )  # fmt: skip


def of_pins(
    name: Name, pins: Sequence[Pin], claimants: Mapping[str, Endpoint], networks: Networks
) -> Iterator[Finding]:
    """Pins on a name that decide nothing. `claimants`: endpoints that claim it, served or not, by key."""
    ignored, mask = [], 0
    for pin in pins:
        if why := _why_ignored(pin, claimants, networks):
            mask |= networks.named(pin.network)
            ignored.append({"endpoint": pin.endpoint, "network": pin.network, "why": why, "reason": pin.reason})
    if ignored:
        fact = finding("pin-ignored", to_text(name), "the other rules decide", **bounded(pins=ignored))
        yield in_networks(fact, networks, mask)


def _why_ignored(pin: Pin, claimants: Mapping[str, Endpoint], networks: Networks) -> str:
    endpoint = claimants.get(pin.key)
    if endpoint is None:
        return "that endpoint does not claim the name" if claimants else "nobody claims the name"
    if not endpoint.served:
        return "that endpoint is not served"
    return "" if networks.sees(endpoint) & networks.named(pin.network) else "that endpoint is not visible there"


def of_shadow(name: Name, zone: Name, owners: Iterable[Endpoint]) -> Iterator[Finding]:
    """A zone file has the name of served endpoints."""
    yield finding("static-shadows-endpoint", to_text(name), "the zone file's records are served",
                  zone=to_text(zone), **bounded(endpoints=sorted({e.id for e in owners})))  # fmt: skip


def resource_type(target: str) -> str:
    """`microsoft.storage/storageaccounts`: of a resource id, folded; empty for an alias or what is no id."""
    parts = target.casefold().strip("/").split("/")
    return f"{parts[5]}/{parts[6]}" if len(parts) >= 8 and parts[0] == "subscriptions" else ""


def of_address(address: bytes, holders: Sequence[Endpoint], networks: Networks) -> Iterator[Finding]:
    """One address, two served endpoints, in one VNet or in one network's sight."""
    once = twice = 0
    for holder in holders:
        sees = networks.sees(holder)
        twice |= once & sees
        once |= sees
    rooms = Counter(holder.vnet for holder in holders if holder.vnet)
    clashing = [e for e in holders if networks.sees(e) & twice or rooms[e.vnet] > 1]
    if clashing:
        names = sorted({to_text(r.fqdn) for e in clashing for r in e.records if address in r.addresses})
        fact = finding(
            "address-reused", str(ip_address(address)), "all are served; a client reaches whoever holds it",
            **bounded(endpoints=sorted(e.id for e in clashing), names=names),
        )  # fmt: skip
        yield in_networks(fact, networks, twice)


def of_moved(endpoint: Endpoint, old: Endpoint) -> Iterator[Finding]:
    """The same endpoint has other addresses at a name than before."""
    before, after = _addresses(old), _addresses(endpoint)
    moved = sorted(name for name in before if name in after and before[name] != after[name])
    if moved:
        changes = [
            {"name": to_text(name), "before": texts(before[name]), "after": texts(after[name])} for name in moved
        ]
        yield finding("address-changed", endpoint.id, "the new address is served", **bounded(changes=changes))


def _addresses(endpoint: Endpoint) -> dict[Name, set[bytes]]:
    out: dict[Name, set[bytes]] = defaultdict(set)
    for record in endpoint.records:
        out[record.fqdn].update(record.addresses)
    return out


def texts(addresses: Iterable[bytes]) -> list[str]:
    """Packed addresses as people write them, each once, IPv4 first."""
    return [str(ip_address(address)) for address in sorted(set(addresses), key=lambda a: (len(a), a))]


COMPANIONS: Final[Mapping[str, str]] = {
    "dfs": "blob", "dfs_secondary": "blob_secondary", "gremlin": "sql", "table": "sql",
}  # fmt: skip
"""Group to the group that its clients need too: Data Lake clients call blob; Cosmos Gremlin and Table use Sql."""
_CONCERNED: Final = frozenset((*COMPANIONS, *COMPANIONS.values()))


def has_companions(endpoint: Endpoint) -> bool:
    """True when other endpoints of its target matter to this one, or it to them."""
    return not _CONCERNED.isdisjoint(map(str.casefold, endpoint.groups))


def of_target(endpoints: Iterable[Endpoint], networks: Networks) -> Iterator[Finding]:
    """A target whose endpoint needs a companion that some network does not see."""
    holders: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints:
        for group in endpoint.groups if endpoint.served else ():
            holders[group.casefold()].append(endpoint)
    missing, mask = [], 0
    targets: set[str] = set()
    for group in sorted(holders.keys() & COMPANIONS.keys()):
        needing, companion = holders[group], COMPANIONS[group]
        lacking = _sight(needing, networks) & ~_sight(holders.get(companion, ()), networks)
        if lacking and (group != "table" or _is_cosmos(needing[0])):
            missing.append({"group": group, "needs": companion, **bounded(endpoints=sorted(e.id for e in needing))})
            targets.update(endpoint.target for endpoint in needing)
            mask |= lacking
    if missing:
        fact = finding("companion-missing", min(targets), "served without it", missing=missing)
        yield in_networks(fact, networks, mask)


def _sight(endpoints: Iterable[Endpoint], networks: Networks) -> int:
    mask = 0
    for endpoint in endpoints:
        mask |= networks.sees(endpoint)
    return mask


def _is_cosmos(endpoint: Endpoint) -> bool:
    return resource_type(endpoint.target).startswith(("microsoft.documentdb/", "microsoft.azurecosmosdb/"))


def overlaps(vnets: Iterable[VirtualNetwork], networks: Networks) -> Iterator[Finding]:
    """Prefixes that several VNets hold: unpeered and in one network's sight, or so that no network can be told."""
    met: dict[Span | None, tuple[int, int]] = {None: (0, 0)}
    """By span, the networks that see one of the VNets that hold it, or several of them."""
    for span in spans(vnets):
        once, before = met[span.around]
        twice = 0
        for vnet in span.own:
            mask = networks.sees_vnet(vnet.key, vnet.region)
            twice |= once & mask
            once |= mask
        met[span] = once, before | twice
        if span.total == 2 and _are_peered(*(vnet for vnet, _ in span.holders())):
            twice = 0
        untold = span.total > 1 and networks.has_nobody(span.space)
        untold = untold and not all(networks.has_listener(vnet.key) for vnet, _ in span.holders())
        if twice or untold:
            listed = [{"vnet": vnet.id, "prefix": str(space)} for vnet, space in islice(span.holders(), LISTED)]
            total = {"vnets_total": span.total} if span.total > LISTED else {}
            action = "; ".join([_UNTOLD] * untold + [_SEEN_TWICE] * bool(twice))
            fact = finding("network-overlap", str(span.space), action, vnets=listed, **total)
            yield in_networks(fact, networks, twice)


_SEEN_TWICE: Final = (
    "names are answered all the same; give each VNet a network of its own, so that none sees more than one of them"
)
_UNTOLD: Final = (
    "clients in it are in no network and get no private answers; list this very prefix in a network made by hand, or "
    "give each VNet's network a listener of its own (`dns.listeners`)"
)


def _are_peered(one: VirtualNetwork, other: VirtualNetwork) -> bool:
    return one.key in other.peers or other.key in one.peers
