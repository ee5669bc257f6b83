"""Findings about one endpoint, one address, one target or one pair of VNets: what can be said without a contest.

Each function takes plain values and yields findings; the ledger decides when to ask again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network

from zones.catalogue import Catalogue
from zones.endpoint import Endpoint, Fault, State, VirtualNetwork
from zones.finding import Finding, finding
from zones.name import to_text
from zones.network import Networks

LISTED = 32
"""Networks, ids and names that a finding lists at most; `…_total` tells how many there are."""


def of_endpoint(
    endpoint: Endpoint, vnet: VirtualNetwork | None, networks: Networks, catalogue: Catalogue
) -> Iterator[Finding]:
    """State, placement, names and faults of one endpoint."""
    yield from _state(endpoint)
    yield from map(of_fault, endpoint.faults)
    yield from _placement(endpoint, vnet)
    if endpoint.network and not networks.implicit and not networks.named(endpoint.network):
        yield finding(
            "invalid-record", endpoint.id, "visible to no network", path="network", where=endpoint.where,
            message=f"no network is called {endpoint.network!r}", networks=list(networks.names[:LISTED]),
        )  # fmt: skip
    if endpoint.served and not endpoint.records:
        yield finding(
            "name-missing", endpoint.id, "nothing to serve", target=endpoint.target, groups=list(endpoint.groups)
        )
    if endpoint.served:
        yield from _unknown_zones(endpoint, catalogue)


def _state(endpoint: Endpoint) -> Iterator[Finding]:
    facts = {
        "state": endpoint.state_text or endpoint.state.value,
        "target": endpoint.target,
        "groups": list(endpoint.groups),
    }
    code = {
        State.PENDING: "endpoint-pending",
        State.REJECTED: "endpoint-rejected",
        State.DISCONNECTED: "endpoint-disconnected",
    }.get(endpoint.state)
    if code:
        yield finding(
            code, endpoint.id, "not served", names=[to_text(r.fqdn) for r in endpoint.records[:LISTED]], **facts
        )
    if endpoint.served and endpoint.provisioning.casefold() == "failed":
        yield finding(
            "provisioning-failed", endpoint.id, "served all the same", provisioning=endpoint.provisioning, **facts
        )


def of_fault(fault: Fault) -> Finding:
    """Something that could not be read: the rest of its resource is served."""
    return finding(
        "invalid-record", fault.subject, "left out; the rest is served",
        path=fault.path, message=fault.message, where=fault.where,
    )  # fmt: skip


def _placement(endpoint: Endpoint, vnet: VirtualNetwork | None) -> Iterator[Finding]:
    """An endpoint lives in its VNet's subscription and region (Azure, private-endpoint-overview)."""
    owner = endpoint.vnet.split("/")[2] if endpoint.vnet.startswith("/subscriptions/") else ""
    facts = {"vnet": endpoint.vnet, "served": endpoint.served}
    if owner and endpoint.subscription and owner != endpoint.subscription:
        yield finding(
            "endpoint-misplaced", endpoint.id, "served as it stands", what="subscription",
            endpoint_has=endpoint.subscription, vnet_has=owner, **facts,
        )  # fmt: skip
    elif vnet and vnet.region and endpoint.region and vnet.region != endpoint.region:
        yield finding(
            "endpoint-misplaced", endpoint.id, "the VNet's region counts for nearness", what="region",
            endpoint_has=endpoint.region, vnet_has=vnet.region, **facts,
        )  # fmt: skip


def _unknown_zones(endpoint: Endpoint, catalogue: Catalogue) -> Iterator[Finding]:
    kind, group = resource_type(endpoint.target), endpoint.groups[0] if endpoint.groups else ""
    for record in endpoint.records:
        if catalogue.map(record.fqdn, kind, endpoint.groups) is None:
            expected = sorted({zone for entry in catalogue.by_resource(kind, group) for zone in entry.zones})
            yield finding(
                "zone-unknown", to_text(record.fqdn), "the address is served at the name itself", endpoint=endpoint.id,
                resource_type=kind, group=group, expected_zones=expected,
            )  # fmt: skip


def resource_type(target: str) -> str:
    """`Microsoft.Storage/storageAccounts` of a resource id, folded; empty for an alias or what is no id."""
    parts = target.casefold().strip("/").split("/")
    return f"{parts[5]}/{parts[6]}" if len(parts) >= 8 and parts[0] == "subscriptions" else ""


def of_address(address: bytes, holders: Sequence[Endpoint], networks: Networks) -> Iterator[Finding]:
    """One address, two served endpoints, in one VNet or in one network's sight."""
    clashing: dict[str, Endpoint] = {}
    mask = 0
    for i, one in enumerate(holders):
        for other in holders[i + 1 :]:
            shared = networks.sees(one) & networks.sees(other)
            if shared or (one.vnet and one.vnet == other.vnet):
                clashing |= {one.key: one, other.key: other}
                mask |= shared
    if clashing:
        ids = [clashing[key].id for key in sorted(clashing)]
        names = sorted({to_text(r.fqdn) for e in clashing.values() for r in e.records if address in r.addresses})
        yield in_networks(
            finding(
                "address-reused", str(ip_address(address)), "all are served; a client reaches whoever holds it",
                endpoints=ids[:LISTED], endpoints_total=len(ids), names=names[:LISTED],
            ),
            networks, mask,
        )  # fmt: skip


COMPANIONS: Mapping[str, str] = {"dfs": "blob", "dfs_secondary": "blob_secondary", "gremlin": "sql", "table": "sql"}
"""Group to the group that its clients need too: Data Lake clients call blob; Cosmos Gremlin and Table use Sql."""


def of_target(endpoints: Iterable[Endpoint], networks: Networks) -> Iterator[Finding]:
    """A target whose endpoint needs a companion that some network does not see."""
    served = [endpoint for endpoint in endpoints if endpoint.served]
    sees: dict[str, int] = {}
    for endpoint in served:
        for group in endpoint.groups:
            sees[group.casefold()] = sees.get(group.casefold(), 0) | networks.sees(endpoint)
    for group, companion in COMPANIONS.items():
        lacking = sees.get(group, 0) & ~sees.get(companion, 0)
        if not lacking or (group == "table" and not _is_cosmos(served[0])):
            continue
        holders = sorted(e.id for e in served if group in {g.casefold() for g in e.groups})
        yield in_networks(
            finding(
                "companion-missing", served[0].target, "served without it", group=group, missing=companion,
                endpoints=holders[:LISTED],
            ),
            networks, lacking,
        )  # fmt: skip


def _is_cosmos(endpoint: Endpoint) -> bool:
    return resource_type(endpoint.target).startswith(("microsoft.documentdb/", "microsoft.azurecosmosdb/"))


def of_rivals(endpoint: Endpoint) -> Iterator[Finding]:
    """Two parts of the inventory that say different things of one resource."""
    if endpoint.rivals:
        yield finding(
            "source-disagreement", endpoint.id, "the first source in the configuration's order is believed",
            believed=endpoint.where, others=list(endpoint.rivals[:LISTED]),
        )  # fmt: skip


def overlaps(vnets: Collection[VirtualNetwork], networks: Networks) -> Iterator[Finding]:
    """Two VNets whose address spaces overlap, unpeered, in one network's sight."""
    spans = []
    for vnet in vnets:
        mask = networks.sees_vnet(vnet.key, vnet.region)
        for text in vnet.prefixes if mask else ():
            try:
                prefix = ip_network(text, strict=False)
            except ValueError:
                continue  # the address space of a VNet answers nothing; its endpoints are judged by themselves
            first, last = prefix.network_address.packed, prefix.broadcast_address.packed
            spans.append((len(first), first, last, text, vnet, mask))
    spans.sort(key=lambda span: span[:3])
    reported: set[tuple[str, str]] = set()
    open_spans: list[tuple[int, bytes, bytes, str, VirtualNetwork, int]] = []
    for span in spans:
        open_spans = [o for o in open_spans if o[0] == span[0] and o[2] >= span[1]]
        for other in open_spans:
            pair = (min(other[4].key, span[4].key), max(other[4].key, span[4].key))
            peered = span[4].key in other[4].peers or other[4].key in span[4].peers
            if pair[0] == pair[1] or peered or pair in reported or not other[5] & span[5]:
                continue
            reported.add(pair)
            yield in_networks(
                finding(
                    "network-overlap", " ".join(sorted((other[4].id, span[4].id))),
                    "clients are told apart by prefix alone; give each VNet a network with its own prefixes",
                    prefixes=[other[3], span[3]],
                ),
                networks, other[5] & span[5],
            )  # fmt: skip
        open_spans.append(span)


def in_networks(fact: Finding, networks: Networks, mask: int) -> Finding:
    """The finding with the bounded list of networks in which it holds; none listed where only one is implied."""
    if networks.implicit:
        return fact
    names = networks.listed(mask)
    evidence = fact.evidence | ({"networks_total": len(names)} if len(names) > LISTED else {})
    return Finding(
        fact.code, fact.subject, evidence, fact.action, fact.severity, names[:LISTED], fact.winner, fact.rule
    )
