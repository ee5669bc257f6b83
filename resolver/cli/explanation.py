"""What a client gets for a name, and why, worked out from an estate in memory.

The answer comes from the same engine as in a worker. The steps are the table's outcomes along the chain of aliases.
Where an upstream would be asked, the explanation names the upstream and asks nothing.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

import dns.message
from pydantic import Field

from resolver.admin.resources import claims as claim_items
from resolver.admin.resources.claims import ClaimItem
from resolver.admin.resources.model import Model
from resolver.admin.resources.names import NameItem, name_item, rdata_texts
from resolver.cli import skipped_rules
from resolver.cli.failure import Failed
from resolver.cli.query import message, reply_json
from resolver.control.estate.estate import Estate
from resolver.forward.cache import Key, UpstreamCache
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Accepted
from resolver.wire import codes
from resolver.wire.query import Query, parse
from resolver.worker.answer.behaviour import behaviour
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.special_names import SpecialNames
from resolver.worker.answer.walk import MAX_HOPS, UpstreamQuestion
from zones.clocks import SteadyTime, WallTime
from zones.dns.name import Name, is_wildcard, to_text
from zones.dns.record import RRset
from zones.networks.network import NO_NETWORKS, NetworkMask
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong
from zones.table.table import Table


class Question(NamedTuple):
    """A query, and the packed address of the client that sends it."""

    query: Query
    client: bytes


class VisibleClaim(ClaimItem):
    """A claim, and whether it is visible to the client's network."""

    visible: bool
    excepted: bool = Field(description="`except` of the client's network hides the claim.")


class Step(Model):
    """One name of the chain of aliases, and its outcome for the client's network."""

    name: str
    zone: str | None
    what: str
    records: list[str]


class AskedUpstream(Model):
    """The upstream group that would be asked, and for which name."""

    group: str
    servers: list[str]
    name: str


class Explanation(Model):
    """What a client gets for a name, and why."""

    name: str
    type: str
    client: str
    network: str
    zone: str | None = Field(description="Zone of the last name of the chain.")
    steps: list[Step]
    claims: list[VisibleClaim]
    decided: list[NameItem] = Field(description="The private names with claims, as the client's network gets them.")
    rcode: str | None = Field(description="null when an upstream decides.")
    answer: list[str]
    upstream: AskedUpstream | None
    skipped: tuple[str, ...] = Field(default=skipped_rules.RULES, description="Rules that need the daemon.")


def question(name: str, rtype: str, client: str) -> Question:
    """Parse a question. Raises `Failed`."""
    try:
        packed = ip_address(client).packed
    except ValueError:
        raise Failed(f"--client {client}: not an IP address") from None
    return Question(parse(message(name, rtype).to_wire()), packed)


class _Result(NamedTuple):
    """The chain of aliases and how it ends."""

    steps: list[Step]
    names: list[Name]
    """The names of the chain, and the wildcards that cover them: claims may be on any of them."""
    rcode: str | None
    answer: list[str]
    upstream: AskedUpstream | None


def explain(accepted: Accepted, estate: Estate, asked: Question, now: WallTime) -> Explanation:
    """Return the explanation. `now` is in seconds since the epoch."""
    index = estate.networks.find(asked.client)
    if _is_allowed(asked.client, accepted.worker.allow):
        result = _resolve(accepted, estate, asked.query, index)
    else:
        what = "the client is not in `dns.allow`"
        steps = [Step(name=to_text(asked.query.name), zone=None, what=what, records=[])]
        result = _Result(steps, [], "REFUSED", [], None)
    private = dict.fromkeys(claim.name for name in result.names for claim in estate.ledger.find(name))
    asking = NO_NETWORKS if index == NONE else NetworkMask(1 << index)
    decided = (name_item(estate, name, now, asking) for name in private)
    return Explanation(
        name=to_text(asked.query.name), type=codes.type_text(asked.query.qtype), client=str(ip_address(asked.client)),
        network="none" if index == NONE else estate.networks.names[index], zone=result.steps[-1].zone,
        steps=result.steps, claims=list(_claims(estate, result.names, index, now)),
        decided=[each for each in decided if each], rcode=result.rcode, answer=result.answer,
        upstream=result.upstream,
    )  # fmt: skip


def _resolve(accepted: Accepted, estate: Estate, query: Query, network: NetworkIndex) -> _Result:
    """Answer the query as a worker does, and note each step."""
    table, upstreams = estate.table(), UpstreamGroups(accepted.control.upstreams)
    is_local = SpecialNames(accepted.worker.identity).answer(query) is not None
    steps: list[Step] = []
    names: dict[Name, None] = {}
    outcome: Outcome | None = None
    for name, outcome in _chain(table, query, network):
        steps.append(_step(name, outcome, is_local))
        names |= dict.fromkeys([name, *(dep for dep in outcome.deps if is_wildcard(dep))])
    engine = Engine(table, estate.networks, upstreams, UpstreamCache(), Counters(), behaviour(accepted.worker))
    given = engine.answer(query, network, SteadyTime(0.0), {})
    if isinstance(given, UpstreamQuestion):
        records = [record for step in steps for record in step.records]
        return _Result(steps, list(names), None, records, _upstream(upstreams, given.key))
    if isinstance(outcome, Outside) and not is_local:
        steps[-1] = steps[-1].model_copy(update={"what": "this question is never sent to an upstream"})
    packet = bytes(codes.HEADER_SIZE) + query.question
    reply = reply_json(dns.message.from_wire(given.reply(packet)))
    return _Result(steps, list(names), reply["rcode"], reply["answer"], None)


def _is_allowed(client: bytes, allow: tuple[str, ...]) -> bool:
    address = ip_address(client)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(prefix) for prefix in allow)


def _chain(table: Table, query: Query, network: NetworkIndex) -> Iterator[tuple[Name, Outcome]]:
    """Yield the queried name and its outcome, then those of each alias target that the table knows."""
    name = query.name
    for _ in range(MAX_HOPS + 1):
        outcome = table.lookup(name, query.qtype, network)
        yield name, outcome
        if not isinstance(outcome, Alias):
            return
        name = outcome.target


def _claims(estate: Estate, names: Iterable[Name], network: NetworkIndex, now: WallTime) -> Iterator[VisibleClaim]:
    """Yield the claims on any of the names, each claim once."""
    seen = set()
    for name in names:
        found = estate.ledger.find(name)
        for claim, shown in zip(found, claim_items.claims(estate, name, now).items, strict=True):
            if claim not in seen:
                seen.add(claim)
                bit = NO_NETWORKS if network == NONE else NetworkMask(1 << network)
                visible, excepted = estate.ledger.sees(claim) & bit, estate.ledger.excepts(claim) & bit
                yield VisibleClaim(**shown.model_dump(), visible=bool(visible), excepted=bool(excepted))


def _upstream(upstreams: UpstreamGroups, key: Key) -> AskedUpstream:
    group = upstreams.group(key.group)
    servers = [f"{s.transport}://{s.address} port {s.port}" for s in group.servers] if group else []
    return AskedUpstream(group=key.group, servers=servers, name=to_text(key.name))


_FAILURES: Final = {
    "refused": "several endpoints claim it, and the policy `refuse` chooses none of them",
    "miss": "pldns does not have this name, and the zone's `on_miss` is `servfail`",
    "unsynced": "a source has never provided data, so it is unknown whether the name is private",
}
_ORIGINS: Final = {
    "private": "an endpoint has this name",
    "static": "a zone file or a private DNS zone has this name",
    "ptr": "a served endpoint has this address",
}


def _step(name: Name, outcome: Outcome, is_local: bool) -> Step:
    zone: Name | None = outcome.cut if isinstance(outcome, Referral) else outcome.zone
    rrsets: tuple[RRset, ...] = outcome.rrsets if isinstance(outcome, (Found, Alias, TooLong)) else ()
    what = "answered by pldns itself" if is_local else _what(outcome)
    records = [
        f"{to_text(rrset.owner)}. {rrset.ttl} IN {codes.type_text(rrset.type)} {text}"
        for rrset in rrsets
        for text in rdata_texts(rrset)
    ]
    return Step(name=to_text(name), zone=to_text(zone) if zone and not is_local else None, what=what, records=records)


def _what(outcome: Outcome) -> str:
    match outcome:
        case Found():
            return _ORIGINS[outcome.origin] + (", by a wildcard" if outcome.wildcard else "")
        case Alias():
            return f"{_ORIGINS[outcome.origin]}, as an alias" + (", by a wildcard" if outcome.wildcard else "")
        case NoData():
            return "the name has no records of this type; no upstream is asked"
        case NxDomain():
            return "the zone denies the name"
        case Failure():
            return _FAILURES[outcome.why]
        case TooLong():
            return "the DNAME leads to a name of more than 255 octets"
        case Referral():
            return f"delegated at {to_text(outcome.cut)}"
        case Outside():
            if outcome.zone:
                return "pldns does not have this name, and the zone's `on_miss` sends it to an upstream"
            return "pldns has no zone for the name, so an upstream is asked"
