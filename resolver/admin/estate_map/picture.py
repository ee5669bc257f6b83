"""The part of the estate that one picture of the map shows: at most `NODES` nodes, however large the estate is.

VNets hold services, and an open service holds endpoints. What needs a person comes first. Does not know how the nodes
are placed or drawn. Pure.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from resolver.admin.estate_map.census import Census, Tally
from resolver.admin.estate_map.node_ids import Kind, NodeId, Service, service_id, vnet_id
from resolver.admin.estate_map.nodes import home_of, mask_of_vnet
from resolver.admin.estate_map.opening import ENDPOINTS, Detail, opened, shared, usual_detail
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId
from zones.findings.evidence import Severity

NETWORKS: Final = 24
VNETS: Final = 60
SERVICES: Final = 300
"""Most services of all VNets together."""
NODES: Final = NETWORKS + 2 * VNETS + SERVICES + ENDPOINTS
"""Most nodes of a picture. A VNet from which a network was derived holds that network as a node of its own."""


class Sight(StrEnum):
    """Whether the clients of the network in focus see a node."""

    VISIBLE = "visible"
    PARTLY = "partly"
    HIDDEN = "hidden"


class EdgeKind(StrEnum):
    """How two nodes belong together."""

    HOME = "home"
    """The clients of a network are in the VNet."""
    REACH = "reach"
    """The network lists the VNet in `reach`."""
    PEERING = "peering"
    """Each VNet has a Connected peering to the other one."""
    ONE_WAY = "one-way-peering"
    """Only the first VNet is known to have a Connected peering to the second."""


class Node(NamedTuple):
    """A node. `inside`: the id of the node that holds it; empty for a network or VNet by itself."""

    id: str
    kind: Kind
    label: str
    tally: Tally
    inside: str = ""
    note: str = ""
    sight: Sight | None = None
    is_open: bool = False
    """What the node holds is in the picture."""
    state: ConnectionState | None = None
    """Of an endpoint."""
    is_served: bool = True


class Edge(NamedTuple):
    """Two nodes that belong together."""

    source: str
    target: str
    kind: EdgeKind


class Rest(NamedTuple):
    """What a picture leaves out. `inside`: the id of the node that holds it; `network` or `vnet` for these."""

    inside: str
    skipped: int
    shown: int
    total: int


class Wanted(NamedTuple):
    """What somebody wants to see.

    `detail`: None for what is usual at the size of the estate. `open`, `closed`: ids of services whose endpoints are
    shown, or not shown where the detail is `ENDPOINTS`. `skip`: how many endpoints of the service in focus, or VNets
    where no service is in focus, are left out at the start.
    """

    focus: NodeId | None = None
    detail: Detail | None = None
    open: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    severities: frozenset[Severity] = frozenset()
    skip: int = 0


class Picture:
    """A picture: its nodes, each after the node that holds it, its edges, and what it leaves out."""

    def __init__(self, estate: Estate, census: Census, wanted: Wanted) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.rests: list[Rest] = []
        self._estate = estate
        self._census = census
        self._wanted = wanted
        focus = wanted.focus
        self._mask = estate.networks.named(focus.key) if focus and focus.kind is Kind.NETWORK else None
        self._held = home_of(estate, focus)
        """The VNet of the node in focus, and its service."""
        vnets = self._chosen_vnets()
        self._add_networks()
        self._derived = {each.key: each.name for each in estate.networks.now if each.key}
        services = {key: self._services_of(key) for key in vnets}
        sizes = {service_id(each): census.services[each].endpoints for some in services.values() for each in some}
        self.detail = wanted.detail or usual_detail(sum(sizes.values()))
        """What the picture shows."""
        self._open = self._opened(sizes)
        places = shared([len(some) for some in services.values()], SERVICES)
        for (vnet, some), most in zip(services.items(), places, strict=True):
            self._add_vnet(vnet, some, most)
        self._connect(vnets)

    # -- networks

    def _add_networks(self) -> None:
        """Add the networks that are not derived from a VNet. A derived one is inside its VNet."""
        networks = self._estate.networks
        alone = [] if networks.implicit else [each for each in networks.configured if not each.key]
        focus = self._wanted.focus
        if focus and focus.kind is Kind.NETWORK:
            alone.sort(key=lambda each: each.name != focus.key)
        for each in alone[:NETWORKS]:
            sees = "sees every VNet" if "all" in each.reach or not (each.vnets or each.reach) else ""
            self._add_network(each.name, sees or ", ".join(each.clients[:2]), "")
        self._leave("network", 0, min(len(alone), NETWORKS), len(alone))

    def _add_network(self, name: str, note: str, inside: str) -> None:
        tally = Tally()
        for fact in self._census.of_networks.get(name, ()):
            tally.add(fact)
        self._add(Node(f"{Kind.NETWORK}:{name}", Kind.NETWORK, name, tally, inside, note))

    # -- VNets and services

    def _chosen_vnets(self) -> list[ResourceId]:
        """Return the VNets to show, by key: that of the focus and its peers first, then what needs a person."""
        census, wanted = self._census, self._wanted
        found = [key for key, tally in census.vnets.items() if self._is_wanted(tally)]
        focus = ResourceId(self._held.vnet) if self._held else None
        near = {focus, *self._peers(focus)} if focus is not None else set()

        def rank(key: ResourceId) -> tuple[bool, bool, bool, tuple[int, ...], str]:
            hidden = self._mask is not None and self._sight_of_vnet(key) is Sight.HIDDEN
            return key != focus, key not in near, hidden, census.vnets[key].badness, key

        found.sort(key=rank)
        skip = 0 if self._held and self._held.name else min(wanted.skip, max(len(found) - 1, 0))
        chosen = found[skip : skip + VNETS]
        self._leave("vnet", skip, len(chosen), len(found))
        return sorted(chosen)

    def _is_wanted(self, tally: Tally) -> bool:
        return not self._wanted.severities or any(tally.findings[each] for each in self._wanted.severities)

    def _services_of(self, vnet: ResourceId) -> list[Service]:
        """Return the services of a VNet, what needs a person first."""
        census = self._census
        return [each for each in census.inside.get(vnet, ()) if self._is_wanted(census.services[each])]

    def _opened(self, sizes: dict[str, int]) -> dict[str, int]:
        wanted, held = self._wanted, self._held
        chosen = wanted.open if self.detail is Detail.SERVICES else wanted.closed
        focus = service_id(held) if held and held.name else None
        if wanted.focus and wanted.focus.kind is Kind.SERVICE and focus in wanted.closed:
            focus = None
        return opened(sizes, self.detail, chosen, focus)

    def _add_vnet(self, key: ResourceId, services: Sequence[Service], most: int) -> None:
        census, node = self._census, vnet_id(key)
        vnet = self._estate.ledger.vnets.get(key)
        prefixes = ", ".join(vnet.prefixes[:2]) if vnet else ""
        note = " · ".join(filter(None, (vnet.region if vnet else "", prefixes)))
        label = (vnet.id if vnet else key).rpartition("/")[2] or "In no VNet"
        tally = census.vnets[key]
        self._add(Node(node, Kind.VNET, label, tally, "", note, self._sight_of_vnet(key), is_open=True))
        if key in self._derived:
            self._add_network(self._derived[key], "", node)
        # A service in focus, or one that somebody has opened, comes before those that are only bad.
        asked = {*self._wanted.open, service_id(self._held) if self._held and self._held.name else ""}
        first = sorted(services, key=lambda each: service_id(each) not in asked)
        shown = first[:most]
        for service in sorted(shown, key=lambda each: each.name):
            self._add_service(service, self._open.get(service_id(service)))
        self._leave(node, 0, len(shown), len(services))

    def _add_service(self, service: Service, most: int | None) -> None:
        tally, node = self._census.services[service], service_id(service)
        sight = self._sight_of_vnet(service.vnet)
        label = self._census.labels.get(service.name, service.name)
        parent = vnet_id(service.vnet)
        self._add(Node(node, Kind.SERVICE, label, tally, parent, "", sight, is_open=most is not None))
        if most is not None:
            self._add_endpoints(service, node, most)

    def _add_endpoints(self, service: Service, node: str, most: int) -> None:
        focus = self._wanted.focus
        keys = self._census.arranged(service)
        if self._wanted.severities:
            keys = [key for key in keys if self._is_wanted(self._tally_of(key))]
        skip = min(self._wanted.skip, max(len(keys) - 1, 0)) if service == self._held else 0
        shown = list(islice(keys, skip, skip + most))
        if focus and focus.kind is Kind.ENDPOINT and service == self._held and focus.key not in shown:
            shown = [ResourceId(focus.key), *shown[: most - 1]]
        for key in shown:
            endpoint = self._estate.ledger.endpoints.get(key)
            if endpoint is not None:
                self._add_endpoint(endpoint, node)
        self._leave(node, skip, len(shown), len(keys))

    def _add_endpoint(self, endpoint: Endpoint, node: str) -> None:
        sight = None
        if self._mask is not None:
            sight = Sight.VISIBLE if self._estate.networks.sees(endpoint) & self._mask else Sight.HIDDEN
        state = endpoint.state
        note = "" if endpoint.served else "deleting" if state is ConnectionState.APPROVED else state.lower()
        self._add(
            Node(
                f"{Kind.ENDPOINT}:{endpoint.key}", Kind.ENDPOINT, endpoint.name, self._tally_of(endpoint.key), node,
                note, sight, state=state, is_served=endpoint.served,
            )
        )  # fmt: skip

    def _tally_of(self, key: ResourceId) -> Tally:
        tally = Tally()
        for fact in self._census.findings.get(key, ()):
            tally.add(fact)
        return tally

    # -- edges

    def _connect(self, vnets: Sequence[ResourceId]) -> None:
        shown, networks = set(vnets), self._estate.networks
        on_map = {each.id for each in self.nodes if each.kind is Kind.NETWORK and not each.inside}
        for network in networks.configured:
            node = f"{Kind.NETWORK}:{network.name}"
            if node in on_map:
                self._point(node, network.vnets, shown, EdgeKind.HOME)
                self._point(node, network.reach, shown, EdgeKind.REACH)
        for key in vnets:
            for peer in sorted(self._peers(key) & shown):
                mutual = key in self._peers(peer)
                if not mutual or self._centre(key) <= self._centre(peer):
                    kind = EdgeKind.PEERING if mutual else EdgeKind.ONE_WAY
                    self.edges.append(Edge(vnet_id(key), vnet_id(peer), kind))

    def _point(self, node: str, texts: Sequence[str], shown: set[ResourceId], kind: EdgeKind) -> None:
        keys = {ResourceId(text.casefold().rstrip("/")) for text in texts}
        self.edges += [Edge(node, vnet_id(key), kind) for key in sorted(keys & shown)]

    def _centre(self, key: ResourceId) -> tuple[int, str]:
        """Return a sort key that puts the VNet with more peers, such as a hub, first."""
        return -len(self._peers(key)), key

    def _peers(self, key: ResourceId | None) -> frozenset[ResourceId]:
        vnet = self._estate.ledger.vnets.get(key) if key else None
        return frozenset(vnet.peers) if vnet else frozenset()

    # -- visibility

    def _sight_of_vnet(self, key: ResourceId) -> Sight | None:
        """Return what the network in focus sees of a VNet. Exceptions of single endpoints do not count here."""
        if self._mask is None:
            return None
        if not key:
            return Sight.PARTLY
        return Sight.VISIBLE if mask_of_vnet(self._estate, self._census, key) & self._mask else Sight.HIDDEN

    def _add(self, node: Node) -> None:
        self.nodes.append(node)

    def _leave(self, inside: str, skipped: int, shown: int, total: int) -> None:
        if total > shown:
            self.rests.append(Rest(inside, skipped, shown, total))
