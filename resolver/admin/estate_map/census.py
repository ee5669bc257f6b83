"""Everything that the map counts in the whole estate: endpoints by VNet and service, their states and open findings.

A census holds keys and numbers, no endpoints. Making one takes more than 100 ms at 100,000 endpoints, so it is made in
steps, between which the caller lets other work run. Does not count names: `name_census`. Pure: time is an argument.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from resolver.admin.estate_map.node_ids import Kind, NodeId, Service, service_of
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId
from zones.clocks import WallTime
from zones.dns.name import InvalidName, Name, from_text
from zones.findings.board import Topic
from zones.findings.evidence import Severity
from zones.findings.finding import Finding
from zones.findings.name_evidence import Contest
from zones.ledger.ledger import Ledger

_T = TypeVar("_T")
STEP: Final = 1_000
"""Endpoints or findings in one step, which takes about a millisecond."""
KEPT: Final = 16
"""Most findings that a census keeps for one VNet or service, the most severe first."""
URGENT: Final = 24
"""Most findings of all that a census keeps with the nodes that they are about, the most severe first."""
SEVERITIES: Final = tuple(Severity)
"""The most severe first."""


class Urgent(NamedTuple):
    """An open finding that needs a person, and the node that it is about; `others`: how many endpoints more."""

    finding: Finding
    node: NodeId
    others: int


class Tally:
    """What is counted in a VNet or a service."""

    __slots__ = ("contested", "dead", "endpoints", "findings", "listed", "waiting")

    def __init__(self) -> None:
        self.endpoints = 0
        self.waiting = 0
        """Endpoints whose connection waits for approval."""
        self.dead = 0
        """Endpoints that are not served for another reason: rejected, disconnected, or being deleted."""
        self.contested = 0
        """Names that several endpoints claim, and that neither a pin nor nearness decides: these are intended."""
        self.findings: Counter[Severity] = Counter()
        """Open findings."""
        self.listed: list[Finding] = []
        """The first `KEPT` of them."""

    @property
    def badness(self) -> tuple[int, ...]:
        """A sort key: what needs a person first, then what is larger."""
        return (*(-self.findings[each] for each in SEVERITIES), -self.dead, -self.endpoints)

    def add(self, finding: Finding) -> None:
        """Count an open finding."""
        self.findings[finding.severity] += 1
        self.contested += isinstance(finding.evidence, Contest) and finding.severity is not Severity.INFO
        if len(self.listed) < KEPT:
            self.listed.append(finding)


class Census:
    """The estate at one time. `finished` once all `steps` were made."""

    def __init__(self) -> None:
        self.finished = False
        self.vnets: dict[ResourceId, Tally] = {}
        """By VNet, the empty key for endpoints in none; also VNets without endpoints."""
        self.services: dict[Service, Tally] = {}
        self.members: dict[Service, list[ResourceId]] = {}
        """Keys of the endpoints, in no order: see `arranged`."""
        self.labels: dict[str, str] = {}
        """Group ids as Azure writes them, by the name of a service."""
        self._arranged: set[Service] = set()
        self.inside: dict[ResourceId, list[Service]] = {}
        """The services of each VNet, what needs a person first."""
        self.loose: Counter[str] = Counter()
        """Served endpoints in no VNet, by the one network that they are visible to; empty: visible to all."""
        self.findings: dict[ResourceId, list[Finding]] = {}
        """The open findings of each endpoint that has some, the most severe first."""
        self.of_networks: dict[str, list[Finding]] = {}
        """Open findings about a network itself, by its name."""
        self.urgent: list[Urgent] = []
        """The first `URGENT` errors and warnings."""
        self.urgent_total = 0

    def steps(self, estate: Estate, now: WallTime) -> Iterator[None]:
        """Count the estate. Whatever runs between two steps may change the estate."""
        for key in estate.ledger.vnets:
            self.vnets[key] = Tally()
        yield from self._count_endpoints(estate.ledger)
        yield from self._count_findings(estate, now)
        for service in self.services:
            self.inside.setdefault(service.vnet, []).append(service)
        for each in self.inside.values():
            each.sort(key=lambda service: (self.services[service].badness, service.name))
        self.finished = True

    def _count_endpoints(self, ledger: Ledger) -> Iterator[None]:
        places: defaultdict[tuple[ResourceId, tuple[str, ...]], list[Endpoint]] = defaultdict(list)
        for some in _batches(list(ledger.endpoints.values())):
            for endpoint in some:
                places[endpoint.vnet, endpoint.groups].append(endpoint)
            yield
        counted = 0
        for (_, groups), inside in places.items():
            # Without a group id, the type of the target is the service.
            for some in _batches(inside) if groups else ([endpoint] for endpoint in inside):
                self._count(service_of(some[0]), some)
                counted += len(some)
                if counted >= STEP:
                    counted = 0
                    yield

    def _count(self, service: Service, endpoints: Sequence[Endpoint]) -> None:
        here, around = self._tallies_of(service, endpoints[0])
        self.members[service] += [endpoint.key for endpoint in endpoints]
        approved = ConnectionState.APPROVED
        unserved = [
            endpoint
            for endpoint in endpoints
            if not (endpoint.state is approved and endpoint.provisioning == "Succeeded") and not endpoint.served
        ]
        waiting = sum(endpoint.state is ConnectionState.PENDING for endpoint in unserved)
        for tally in (here, around):
            tally.endpoints += len(endpoints)
            tally.waiting += waiting
            tally.dead += len(unserved) - waiting
        if not service.vnet:
            self.loose.update(endpoint.network for endpoint in endpoints if endpoint.served)

    def _tallies_of(self, service: Service, first: Endpoint) -> tuple[Tally, Tally]:
        if service not in self.services:
            self.services[service], self.members[service] = Tally(), []
            self.vnets.setdefault(service.vnet, Tally())
            self.labels.setdefault(service.name, next(iter(first.groups), service.name))
        return self.services[service], self.vnets[service.vnet]

    def _count_findings(self, estate: Estate, now: WallTime) -> Iterator[None]:
        by_severity: dict[Severity, list[tuple[Topic, Hashable, Finding]]] = {each: [] for each in SEVERITIES}
        covered = estate.board.acknowledgements.of
        for topic in (*_KEYS_OF, *_VNETS_OF, Topic.EXCEPTED):
            for some in _batches(estate.board.of(topic).items()):
                for about, findings in some:
                    for fact in findings:
                        if covered(fact, now) is None:
                            by_severity[fact.severity].append((topic, about, fact))
                yield
        for each in SEVERITIES:
            for batch in _batches(by_severity[each]):
                for topic, about, fact in batch:
                    self._place(estate.ledger, topic, about, fact)
                yield

    def _place(self, ledger: Ledger, topic: Topic, about: Hashable, fact: Finding) -> None:
        """Count a finding once at each VNet and service that it is about, and note it at its endpoints."""
        if topic is Topic.EXCEPTED:
            self.of_networks.setdefault(str(about), []).append(fact)
            self._note_urgent(fact, [NodeId(Kind.NETWORK, str(about))])
            return
        services: set[Service] = set()
        nodes: list[NodeId] = []
        for key in dict.fromkeys(_KEYS_OF[topic](ledger, about)) if topic in _KEYS_OF else ():
            endpoint = ledger.endpoints.get(key)
            if endpoint is not None:
                self.findings.setdefault(key, []).append(fact)
                services.add(service_of(endpoint))
                nodes.append(NodeId(Kind.ENDPOINT, key))
        vnets = {service.vnet for service in services}
        if topic in _VNETS_OF:
            about_vnets = [key for key in _VNETS_OF[topic](fact) if key in self.vnets]
            vnets.update(about_vnets)
            nodes += [NodeId(Kind.VNET, key) for key in about_vnets]
        self._note_urgent(fact, nodes)
        for tally in (*map(self.services.get, services), *map(self.vnets.get, vnets)):
            if tally is not None:  # else of an endpoint that has appeared since the first step
                tally.add(fact)

    def _note_urgent(self, fact: Finding, nodes: Sequence[NodeId]) -> None:
        if not nodes or fact.severity is Severity.INFO:
            return
        self.urgent_total += 1
        if len(self.urgent) < URGENT:
            self.urgent.append(Urgent(fact, nodes[0], len(nodes) - 1))

    def arranged(self, service: Service) -> Sequence[ResourceId]:
        """Return the keys of a service's endpoints: those with an open finding first, the worst at the start."""
        keys = self.members[service]
        if service not in self._arranged:
            self._arranged.add(service)
            worst = {key: SEVERITIES.index(facts[0].severity) for key, facts in self.findings.items()}
            keys.sort(key=lambda key: (worst.get(key, len(SEVERITIES)), key))
        return keys


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    each = iter(items)
    while some := list(islice(each, STEP)):
        yield some


def _by_key(_: Ledger, about: Hashable) -> Iterable[ResourceId]:
    return (ResourceId(str(about).casefold()),)


def _by_name(ledger: Ledger, about: Hashable) -> Iterable[ResourceId]:
    if isinstance(about, str):  # a name as the configuration has it
        try:
            about = from_text(about)
        except InvalidName:
            return ()
    return (claim.endpoint for claim in ledger.find(Name(about))) if isinstance(about, bytes) else ()


def _by_address(ledger: Ledger, about: Hashable) -> Iterable[ResourceId]:
    return ledger.with_address(about) if isinstance(about, bytes) else ()


def _by_companions(ledger: Ledger, about: Hashable) -> Iterable[ResourceId]:
    return ledger.companions(str(about))


def _limited(fact: Finding) -> Iterable[ResourceId]:
    return (ResourceId(fact.subject.casefold()),)


def _overlapping(fact: Finding) -> Iterable[ResourceId]:
    found: Iterable[object] = getattr(getattr(fact.evidence, "vnets", None), "items", ())
    return (ResourceId(str(getattr(each, "vnet", "")).casefold()) for each in found)


_KEYS_OF: Final[Mapping[Topic, Callable[[Ledger, Hashable], Iterable[ResourceId]]]] = {
    Topic.CONTEST: _by_name, Topic.PUBLIC_CONTEST: _by_name, Topic.ADDRESS: _by_address,
    **dict.fromkeys((Topic.ENDPOINT, Topic.MOVED, Topic.RESOURCE), _by_key),
    **dict.fromkeys((Topic.ZONE, Topic.PRIVATE_NAME, Topic.PIN, Topic.NAME, Topic.SHADOW), _by_name),
    Topic.COMPANIONS: _by_companions,
}  # fmt: skip
"""The endpoints that a finding is about, by its topic and the thing that it is about.

Of findings of one severity, those of the first topics are listed first.
"""
_VNETS_OF: Final[Mapping[Topic, Callable[[Finding], Iterable[ResourceId]]]] = {
    Topic.LIMIT: _limited, Topic.OVERLAP: _overlapping,
}  # fmt: skip
"""The VNets that a finding is about."""
