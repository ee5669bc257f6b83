"""The explanation of an answer as JSON: the trace of a worker, joined with what control knows of the names in it.

Decides nothing: the worker has answered, the ledger has decided. Time is an argument, in seconds since the epoch.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Final, Literal, NamedTuple

import dns.message
from pydantic import Field

from resolver.admin.resources.claim_reasons import claim_reason
from resolver.admin.resources.claims import ClaimItem, claim_item
from resolver.admin.resources.model import Model, Parameters, Time, clock_text
from resolver.admin.resources.names import rdata_texts
from resolver.admin.resources.question import Question
from resolver.admin.resources.replies import Reply, reply
from resolver.admin.resources.step_reasons import cache_text, early_reason, step_reason, upstream_reason
from resolver.admin.resources.zones import static_source
from resolver.channel.trace import Access, CacheState, KeptAnswer, Row, Step, Trace, UpstreamUse
from resolver.control.estate.estate import Estate
from resolver.control.estate.nearest_name import nearest_name
from resolver.control.estate.provenance import ClaimStanding, Place, Standing, standings
from resolver.control.estate.source_health import Freshness
from resolver.host_port import HostPort
from resolver.settings import Accepted, Transport
from resolver.wire import codes
from zones.claims.contest import Rule
from zones.clocks import WallTime
from zones.dns.name import Name, reversed_address, to_text
from zones.networks.membership import Membership, membership
from zones.networks.network import NO_NETWORK
from zones.networks.prefixes import NONE, NetworkIndex, covering

_UNKNOWN: Final = frozenset({Row.UPSTREAM, Row.MISS_POLICY, Row.REST_OF_ZONE_FILE, Row.PRIVATE_ONLY})
"""The rows of a name that nothing here has."""


class ExplainParameters(Parameters):
    """Query parameters of `/v1/explain`."""

    name: str = Field(description="A domain name; or an address, for its PTR name.")
    type: str | None = Field(default=None, description="A record type. Default: A, and PTR for an address.")
    client: str = Field(
        default="127.0.0.1",
        description="Address of the client that asks; or a network: the first address of its first prefix.",
    )
    transport: Transport = Field(default="udp", description="How the query comes.")
    listener: str | None = Field(
        default=None, description="Listen address that the query arrives at, where `dns.listeners` decides the network."
    )
    worker: int | None = Field(default=None, ge=0, description="The worker to ask. Default: the first one.")
    ask: bool = Field(default=False, description="Ask the upstream servers, if a client's query would.")


class NetworkMatch(Model):
    """The network of the client, and why."""

    name: str | None = Field(description="null for a client in no network.")
    prefix: str | None = Field(description="The longest prefix that holds the address; null where no prefix decides.")
    listener: str | None = Field(description="The listen address that decides the network; null where none does.")
    others: list[str] = Field(description="Shorter prefixes that hold the address too, as `NETWORK PREFIX`.")
    nearest: list[str] = Field(
        description="For a client in no network: the prefixes that share the most leading bits, as `NETWORK PREFIX`."
    )


class ClaimSource(Model):
    """The source of a claim, and its last sync."""

    name: str
    where: str = Field(description="File or subscription of the source.")
    last_success: Time | None = Field(description="When the source was last read whole.")
    freshness: Freshness | None
    last_error: str


class ExplainedClaim(ClaimItem):
    """A claim that was considered, and what became of it."""

    standing: Standing
    rule: Rule
    why: str
    pin: str | None = Field(description="The reason of the pin that decided; null without a pin.")
    others: list[str] = Field(description="The endpoints that lost against the claim, or that won against it.")
    last_seen: Time | None = Field(description="When its source was last read with it.")
    nics: list[str] = Field(description="Resource ids of the endpoint's network interfaces.")
    vnet: str
    subnet: str = Field(description="Name of the subnet in `vnet`; empty where it is not known.")
    target: str = Field(description="Resource id or alias of the private link resource.")
    groups: list[str]
    of: ClaimSource


class ExplainedServer(Model):
    """An upstream server, in the order in which the next question asks them."""

    server: str
    up: bool
    round_trip_ms: float | None


class ExplainedUpstream(Model):
    """A question to a group of upstream servers."""

    group: str
    name: str
    type: str
    why: str = Field(description="Why this group gets the question.")
    state: CacheState
    cache: str = Field(description="What the worker's cache has for the question.")
    asked: bool = Field(description="Whether the servers were asked because of this explanation.")
    rcode: str | None
    age: float | None = Field(description="Seconds since the reply arrived.")
    left: float | None = Field(description="Seconds until the reply or the failure expires.")
    servers: list[ExplainedServer]


class ZoneTerms(Model):
    """A zone at or above a name, and how it answers."""

    zone: str
    source: Literal["endpoints", "file", "private-dns", "configuration"]
    ttl: int = Field(description="TTL of private answers, in seconds.")
    negative_ttl: int | None = Field(description="TTL of negative answers; null: as the zone file's SOA says.")
    on_miss: str = Field(description="The answer for a name that the zone does not have.")
    chain: str = Field(description="Form of the answer for a public FQDN.")


class ExplainedStep(Model):
    """One name of the chain of aliases, and what was decided about it."""

    name: str
    row: Row = Field(description="The row of the table in docs/answers.md that applied.")
    why: str
    zone: str | None = Field(description="The zone that decided.")
    zones: list[ZoneTerms] = Field(description="All zones at or above the name for this client, the longest first.")
    records: list[str] = Field(description="Records that this name added to the answer.")
    target: str | None = Field(description="The next name of the chain.")
    stripped: bool = Field(description="Private addresses were removed from the upstream's reply.")
    upstream: ExplainedUpstream | None
    claims: list[ExplainedClaim]


class KeptCompiledAnswer(Model):
    """A compiled answer that the worker sends again."""

    age: float = Field(description="Seconds since it was made.")
    left: float | None = Field(description="Seconds until it expires; null: it holds until a change.")


class Explanation(Model):
    """What a client gets for a name, and why."""

    name: str
    type: str
    client: str
    client_network: str | None = Field(
        description="The network that was given as the client: `client` is the first address of its first prefix."
    )
    transport: Transport
    worker: int | None = Field(description="The worker that explained; null without a daemon.")
    configuration: str = Field(description="Path of the configuration file.")
    saved: Time | None = Field(description="Without a daemon: when the inventory was saved that was used, if any.")
    access: Access
    access_by: str | None = Field(
        description="The longest prefix of `dns.drop.clients`, else of `dns.allow`, that holds the address; null "
        "where none does."
    )
    network: NetworkMatch
    row: Row = Field(description="What decided about the last name.")
    why: str = Field(description="Why the query was answered before any name was looked up; else empty.")
    steps: list[ExplainedStep]
    nearest: str | None = Field(
        description="Where no endpoint and no zone file has the last name: a name of theirs that resembles it, if any."
    )
    answer: Reply | None = Field(
        description="The reply. null: the client gets none, or an upstream server would have to be asked (see `steps`)."
    )
    kept: KeptCompiledAnswer | None = Field(description="The compiled answer that the reply is made from, if any.")


class Asked(NamedTuple):
    """A question to explain: what is asked, who asks, and how."""

    question: Question
    client: bytes
    transport: Transport
    listener: HostPort | None
    client_network: str = ""
    """The network whose first address the client is; empty where the address was given."""


class Origin(NamedTuple):
    """Who answered. `worker`: None without a daemon. `saved`: when the inventory was saved that was used instead."""

    worker: int | None
    saved: WallTime | None = None


def explanation(
    accepted: Accepted, estate: Estate, asked: Asked, trace: Trace, origin: Origin, now: WallTime
) -> Explanation:
    """Return the explanation of a trace."""
    index = NONE if trace.network == NO_NETWORK else estate.networks.find_named(trace.network)
    claims: dict[bytes, list[ExplainedClaim]] = {}
    for place, each in _standings(estate, trace.steps, index, now):
        claims.setdefault(place, []).append(_claim(estate, each, trace.network, now))
    seen: set[bytes] = set()
    steps = []
    for step in trace.steps:
        found = [] if step.name in seen else claims.get(step.name, [])
        seen.add(step.name)
        steps.append(_step(accepted, estate, step, asked.question.type, found))
    return Explanation(
        name=to_text(asked.question.name), type=codes.type_text(asked.question.type),
        client=str(ip_address(asked.client)), client_network=asked.client_network or None,
        transport=asked.transport, worker=origin.worker,
        configuration=accepted.path, saved=None if origin.saved is None else clock_text(origin.saved),
        access=trace.access, access_by=_access_by(accepted, asked.client, trace.access),
        network=_network(estate, asked, trace), row=trace.row,
        why="" if steps else early_reason(trace.access, trace.row), steps=steps,
        nearest=_nearest(estate, trace, claims),
        answer=None if trace.message is None else reply(dns.message.from_wire(trace.message, one_rr_per_rrset=False)),
        kept=None if trace.kept is None else _kept(trace.kept),
    )  # fmt: skip


def _nearest(estate: Estate, trace: Trace, claims: Mapping[bytes, Sequence[ExplainedClaim]]) -> str | None:
    last = trace.steps[-1] if trace.steps else None
    if last is None or last.row not in _UNKNOWN or last.private is not None or claims.get(last.name):
        return None
    found = nearest_name(estate, Name(last.name), map(Name, last.zones))
    return None if found is None else to_text(found)


def _access_by(accepted: Accepted, client: bytes, access: Access) -> str | None:
    worker = accepted.worker
    found = covering(worker.drop_clients if access is Access.DROPPED else worker.allow, client)
    return None if found is None else str(found)


def _kept(answer: KeptAnswer) -> KeptCompiledAnswer:
    return KeptCompiledAnswer(age=round(answer.age, 1), left=_seconds(answer.left))


def _standings(
    estate: Estate, steps: Sequence[Step], network: NetworkIndex, now: WallTime
) -> Iterator[tuple[Name, ClaimStanding]]:
    """Yield the claims on the names of the chain; at the PTR name of an address, those with the address."""
    yield from standings(estate, map(_place, steps), network, now)
    for step in steps:
        address = reversed_address(Name(step.name)) if step.row is Row.POINTER else None
        if address is not None:
            names = dict.fromkeys(Name(rdata.lower()) for rrset in step.records for rdata in rrset.rdatas)
            for _, each in standings(estate, map(Place, names), network, now):
                if address in each.claim.addresses:
                    yield Name(step.name), each


def _place(step: Step) -> Place:
    private = None if step.private is None else Name(step.private)
    is_static = step.row is Row.ZONE_FILE
    return Place(Name(step.name), tuple(map(Name, step.stars)), private, is_static)


def _network(estate: Estate, asked: Asked, trace: Trace) -> NetworkMatch:
    networks = estate.networks
    found = Membership((), ()) if networks.implicit else membership(networks.now, asked.client)
    holds = [f"{each.network} {each.prefix}" for each in found.holds]
    named = trace.network if trace.network not in {"", NO_NETWORK} else None
    by_listener = asked.listener is not None and any(
        each.listen == asked.listener for each in estate.settings.listeners
    )
    return NetworkMatch(
        name=named, prefix=str(found.holds[0].prefix) if found.holds and not by_listener else None,
        listener=str(asked.listener) if by_listener else None, others=holds if by_listener else holds[1:],
        nearest=[] if named else [f"{each.network} {each.prefix}" for each in found.nearest],
    )  # fmt: skip


def _step(accepted: Accepted, estate: Estate, step: Step, qtype: int, claims: list[ExplainedClaim]) -> ExplainedStep:
    return ExplainedStep(
        name=to_text(step.name), row=step.row, why=step_reason(accepted, estate, step, qtype),
        zone=None if step.zone is None else to_text(step.zone),
        zones=[_terms(estate, Name(each)) for each in step.zones], records=list(_records(step)),
        target=None if step.target is None else to_text(step.target), stripped=step.stripped,
        upstream=None if step.upstream is None else _upstream(step.upstream, step.zone), claims=claims,
    )  # fmt: skip


def _terms(estate: Estate, origin: Name) -> ZoneTerms:
    file, named = estate.static.get(origin), origin in estate.policies.named
    terms = estate.policies.of_file(origin, is_open=file.is_open) if file else estate.policies.of(origin)
    return ZoneTerms(
        zone=to_text(origin),
        source=static_source(estate, origin) if file else "configuration" if named else "endpoints",
        ttl=terms.ttl, negative_ttl=terms.negative_ttl, on_miss=terms.on_miss_text, chain=terms.chain,
    )  # fmt: skip


def _records(step: Step) -> Iterator[str]:
    for rrset in step.records:
        for text in rdata_texts(rrset):
            yield f"{to_text(rrset.owner)}. {rrset.ttl} IN {codes.type_text(rrset.type)} {text}"


def _upstream(use: UpstreamUse, of_zone: bytes | None) -> ExplainedUpstream:
    has_reply = use.state not in {CacheState.MISS, CacheState.FAILED}
    return ExplainedUpstream(
        group=use.group, name=to_text(use.name), type=codes.type_text(use.type), why=upstream_reason(use, of_zone),
        state=use.state, cache=cache_text(use), asked=use.asked,
        rcode=None if use.rcode is None else codes.rcode_text(use.rcode),
        age=_seconds(use.age) if has_reply else None,
        left=None if use.state is CacheState.MISS else _seconds(use.left),
        servers=[
            ExplainedServer(
                server=each.server, up=each.up,
                round_trip_ms=round(each.round_trip * 1000, 1) if each.round_trip else None,
            )
            for each in use.servers
        ],
    )  # fmt: skip


def _claim(estate: Estate, each: ClaimStanding, network: str, now: WallTime) -> ExplainedClaim:
    claim, ledger = each.claim, estate.ledger
    holder, stone = ledger.holder(claim.endpoint), ledger.tombstones.until(claim)
    status = estate.sources.get(holder.source)
    seen = status.last_success if status and stone is None else None
    return ExplainedClaim(
        **claim_item(estate, claim).model_dump(), standing=each.standing, rule=each.rule,
        why=claim_reason(estate, each, network), pin=each.pin.reason if each.pin else None,
        others=[ledger.holder(key).id for key in each.others],
        last_seen=None if seen is None else clock_text(seen),
        nics=list(estate.inventory.nics_of(claim.endpoint)),
        vnet=holder.vnet, subnet=estate.inventory.subnet_of(claim.endpoint),
        target=holder.target, groups=list(holder.groups),
        of=ClaimSource(
            name=holder.source, where=holder.where,
            last_success=None if status is None or status.last_success is None else clock_text(status.last_success),
            freshness=status.freshness(now) if status else None, last_error=status.last_error if status else "",
        ),
    )  # fmt: skip


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
