"""The estate map as JSON: its nodes and edges, what is in focus, and what a search finds."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from resolver.admin.estate_map.census import Tally
from resolver.admin.estate_map.node_ids import Kind
from resolver.admin.estate_map.opening import Detail
from resolver.admin.estate_map.picture import EdgeKind, Node, Sight
from resolver.admin.resources.claims import ClaimItem
from resolver.admin.resources.endpoints import EndpointItem
from resolver.admin.resources.findings import FindingItem, FindingSeverity
from resolver.admin.resources.model import Model, OneOf, Parameters
from zones.azure.endpoint import ConnectionState
from zones.findings.evidence import Severity

NodeText = Annotated[str, StringConstraints(max_length=1000)]


class MapCounts(Model):
    """What is counted in a node."""

    endpoints: int
    waiting: int = Field(description="Endpoints whose connection waits for approval.")
    dead: int = Field(description="Other endpoints that are not served: rejected, disconnected, or being deleted.")
    contested: int = Field(description="Names that several endpoints claim, except where a pin or nearness decides.")
    findings: dict[Severity, int] = Field(description="Open findings by severity.")


class MapNode(Model):
    """A node: a network, a VNet, a service (the endpoints of a VNet with one group id), or an endpoint."""

    id: str = Field(description="`network:NAME`, `vnet:KEY`, `service:KEY|GROUP` or `endpoint:KEY`.")
    kind: Kind
    label: str
    note: str = Field(description="Region and address space of a VNet, clients of a network, state of an endpoint.")
    inside: str | None = Field(description="Id of the node that holds it.")
    open: bool = Field(description="What the node holds is in this picture.")
    counts: MapCounts
    state: ConnectionState | None = Field(description="Connection state of an endpoint.")
    served: bool
    sight: Sight | None = Field(description="Whether clients of the network in focus see the node.")


class MapEdge(Model):
    """Two nodes that belong together."""

    source: str
    target: str
    kind: EdgeKind = Field(
        description="`home`: clients of the network are in the VNet. `reach`: the network lists the VNet in `reach`. "
        "`peering`: each VNet has a Connected peering to the other. `one-way-peering`: only the first is known to."
    )


class MapRest(Model):
    """Nodes that the picture leaves out."""

    inside: str = Field(description="Id of the node that holds them; `network` or `vnet` for all of these.")
    skipped: int = Field(description="How many were left out at the start (`skip`).")
    shown: int
    total: int


class MapTotals(Model):
    """The whole estate."""

    networks: int
    vnets: int
    endpoints: int
    findings: dict[Severity, int] = Field(description="Open findings by severity, also those that no node has.")


class MapAnswer(Model):
    """The addresses of a name in some networks."""

    networks: list[str]
    networks_total: int
    rcode: Literal["NOERROR", "SERVFAIL"]
    addresses: list[str]


class MapDifference(Model):
    """A private name with another answer in other networks."""

    name: str
    here: MapAnswer | None = Field(description="null: no answer for these clients.")
    elsewhere: list[MapAnswer]


class MapContested(Model):
    """A name that several endpoints claim, as the clients of one network get it."""

    name: str = Field(description="Private name.")
    severity: Severity
    winners: list[str] = Field(description="Resource ids of the endpoints that are served.")
    losers: int = Field(
        description="Endpoints that the network sees, and that are not served there. 0: only one endpoint is visible."
    )
    rule: str = Field(description="The rule that decided; empty without losers.")
    rcode: Literal["NOERROR", "SERVFAIL"]
    addresses: list[str]


class MapNetwork(Model):
    """What the clients of a network see."""

    clients: list[str] = Field(description="Client prefixes.")
    vnets: int = Field(description="VNets that they see.")
    endpoints: int = Field(description="Served endpoints in these. `except` may hide some of them.")
    names: int = Field(description="Private names with an answer.")
    all_names: int = Field(description="Private names with an answer in any network.")
    differing: list[MapDifference] = Field(description="The first 24 names with another answer elsewhere.")
    differing_total: int
    contested: list[MapContested] = Field(description="The first 24 contested names with an answer here.")
    contested_total: int


class MapVNet(Model):
    """A virtual network."""

    id: str
    region: str
    prefixes: list[str]
    peers: list[str] = Field(description="Ids of VNets with a Connected peering from this one.")
    networks: list[str] = Field(description="Networks whose clients see it.")
    networks_total: int


class MapEndpoint(Model):
    """An endpoint, and where it comes from."""

    endpoint: EndpointItem
    nics: list[str] = Field(description="Ids of its network interfaces.")
    subnet: str
    claims: list[ClaimItem] = Field(description="Its first 32 claims.")
    claims_total: int


class MapFocus(Model):
    """The node in focus."""

    id: str
    kind: Kind
    label: str
    counts: MapCounts | None
    findings: list[FindingItem] = Field(description="Its first 16 open findings, the most severe first.")
    network: MapNetwork | None
    vnet: MapVNet | None
    endpoint: MapEndpoint | None


class MapUrgent(Model):
    """An open finding that needs a person, and the node that it is about."""

    node: str = Field(description="Id of the node: an endpoint, a VNet or a network.")
    label: str = Field(description="The name of that node.")
    others: int = Field(description="Other endpoints or VNets that the finding is about.")
    finding: FindingItem


class EstateMap(Model):
    """A picture of the estate, of a few hundred nodes at most."""

    serial: int = Field(description="Serial of the served state.")
    nodes: list[MapNode] = Field(description="Each after the node that holds it.")
    edges: list[MapEdge]
    rests: list[MapRest]
    totals: MapTotals
    detail: Detail = Field(
        description="`services`: only some services are open. `endpoints`: all of them, without those in `closed`."
    )
    urgent: list[MapUrgent] = Field(description="The first 24 open errors and warnings of the whole estate.")
    urgent_total: int
    focus: MapFocus | None


class MapHit(Model):
    """A node that a search has found."""

    id: str
    kind: Kind
    label: str
    note: str = Field(description="Where it is.")
    reason: str = Field(description="The name, address or target with the text; empty where its own name has the text.")


class MapHits(Model):
    """What a search has found."""

    items: list[MapHit] = Field(description="The first 20.")
    total: int


class MapParameters(Parameters):
    """Query parameters of `/v1/map`."""

    focus: NodeText | None = Field(default=None, description="Id of the node to show in any case, with its details.")
    open: tuple[NodeText, ...] = Field(
        default=(), description="Id of a service whose endpoints are shown, where `detail` is `services`."
    )
    closed: tuple[NodeText, ...] = Field(
        default=(), description="Id of a service whose endpoints are not shown, where `detail` is `endpoints`."
    )
    detail: Annotated[Detail, OneOf(Detail)] | None = Field(
        default=None,
        description="`services`: show services with their counts. `endpoints`: open every service; with more than 400 "
        "endpoints, the first ones of each. Default: `endpoints` for up to 400 endpoints.",
    )
    severity: tuple[FindingSeverity, ...] = Field(
        default=(), description="Only nodes with an open finding of this severity."
    )
    skip: int = Field(
        default=0, ge=0, le=10_000_000,
        description="Leave out so many endpoints of the service in focus; without such a focus, so many VNets.",
    )  # fmt: skip


class MapSearchParameters(Parameters):
    """Query parameters of `/v1/map/search`."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="A part of a name, an address or an id."
    )


def node(shown: Node) -> MapNode:
    """Return a node as JSON."""
    return MapNode(
        id=shown.id, kind=shown.kind, label=shown.label, note=shown.note, inside=shown.inside or None,
        open=shown.is_open, counts=counts(shown.tally), state=shown.state, served=shown.is_served, sight=shown.sight,
    )  # fmt: skip


def counts(tally: Tally) -> MapCounts:
    """Return what is counted in a node as JSON."""
    return MapCounts(
        endpoints=tally.endpoints, waiting=tally.waiting, dead=tally.dead, contested=tally.contested,
        findings={each: count for each, count in tally.findings.items() if count},
    )  # fmt: skip
