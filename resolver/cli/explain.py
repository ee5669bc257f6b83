"""What a client gets for a name and why, worked out on an estate in hand: the answer is the engine's own.

The steps beside it are the table's outcomes along the chain of aliases. Where an upstream would be asked, it is named
and not asked.
"""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

import dns.message
from pydantic import Field

from resolver.admin.resources import claims as claim_items
from resolver.admin.resources.claims import ClaimItem
from resolver.admin.resources.model import Model
from resolver.admin.resources.names import NameAnswer, NameItem, name_item, rdata_texts
from resolver.cli import output
from resolver.cli.failure import Failed
from resolver.cli.query import message, told
from resolver.control.estate.estate import Estate
from resolver.forward.cache import UpstreamCache
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Accepted
from resolver.wire import codes
from resolver.wire.query import Query, parse
from resolver.worker.answer.behaviour import manner
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Ask, Engine
from resolver.worker.answer.special_names import Local
from resolver.worker.answer.walk import MAX_HOPS
from zones.dns.name import Name, is_wildcard, to_text
from zones.dns.record import RRset
from zones.networks.network import NONE
from zones.table.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong
from zones.table.table import Table

SKIPPED: Final = ("incumbent",)
"""Who held a name before is in the daemon's saved inventory, which tools without a daemon do not read."""
SKIPPED_NOTE: Final = (
    "who held a name before is not known here, as it is to the daemon: the rule `incumbent` is skipped"
)
_BEHIND_IT: Final = frozenset({"oldest", "resource-id"})


def is_uncertain(rules: Iterable[str]) -> bool:
    """Some of these decided where a skipped rule comes first."""
    return not _BEHIND_IT.isdisjoint(rules)


class Question(NamedTuple):
    """What is asked, and the packed address of who asks."""

    query: Query
    client: bytes


class VisibleClaim(ClaimItem):
    """A claim, and whether this client's network sees it."""

    visible: bool


class Step(Model):
    """A name of the chain, and what it is to this network."""

    name: str
    zone: str | None
    what: str
    records: list[str]


class Upstream(Model):
    """Who would be asked, and for what."""

    group: str
    servers: list[str]
    name: str


class Lookup(Model):
    """What a client gets for a name and why."""

    name: str
    type: str
    client: str
    network: str
    zone: str | None = Field(description="Of the last name of the chain.")
    steps: list[Step]
    claims: list[VisibleClaim]
    decided: list[NameItem] = Field(description="What the claims came to in this network.")
    rcode: str | None = Field(description="null where an upstream decides.")
    answer: list[str]
    upstream: Upstream | None
    skipped: tuple[str, ...] = Field(default=SKIPPED, description="Rules that cannot be applied without the daemon.")


def question(name: str, rtype: str, client: str) -> Question:
    """Read what was asked. Raises `Failed`."""
    try:
        packed = ip_address(client).packed
    except ValueError:
        raise Failed(f"--client {client}: not an IP address") from None
    return Question(parse(message(name, rtype).to_wire()), packed)


def explain(accepted: Accepted, estate: Estate, asked: Question, now: float) -> Lookup:
    """Work it out. `now` in seconds since the epoch."""
    index = estate.networks.find(asked.client)
    upstreams = UpstreamGroups(accepted.control.upstreams)
    table = estate.table()
    steps: list[Step] = []
    names: dict[Name, None] = {}
    rcode: str | None = "REFUSED"
    answer: list[str] = []
    upstream = zone = None
    is_local = Local(accepted.worker.identity).answer(asked.query) is not None
    if not _is_allowed(asked.client, accepted.worker.allow):
        steps = [Step(name=to_text(asked.query.name), zone=None, what="the client is not in `dns.allow`", records=[])]
    else:
        for name, outcome in _chain(table, asked.query, index):
            steps.append(_step(name, outcome, is_local))
            names |= dict.fromkeys([name, *(dep for dep in outcome.deps if is_wildcard(dep))])
        zone = steps[-1].zone
        engine = Engine(table, estate.networks, upstreams, UpstreamCache(), Counters(), manner(accepted.worker))
        given = engine.answer(asked.query, index, 0.0, {})
        if isinstance(given, Ask):
            rcode, upstream = None, _upstream(upstreams, given)
            answer = [record for step in steps for record in step.records]
        else:
            packet = asked.query.id.to_bytes(2, "big") + given.head + asked.query.question + given.tail
            reply = told(dns.message.from_wire(packet))
            rcode, answer = reply["rcode"], reply["answer"]
            if isinstance(outcome, Outside) and not is_local:
                steps[-1] = steps[-1].model_copy(update={"what": "this type is for no upstream"})
    claims = list(_claims(estate, names, index, now))
    mask = 0 if index == NONE else 1 << index
    private = dict.fromkeys(claim.name for name in names for claim in estate.ledger.find(name))
    decided = (name_item(estate, name, now, mask) for name in private)
    return Lookup(
        name=to_text(asked.query.name), type=codes.type_text(asked.query.qtype), client=str(ip_address(asked.client)),
        network="none" if index == NONE else estate.networks.names[index], zone=zone, steps=steps, claims=claims,
        decided=[each for each in decided if each], rcode=rcode, answer=answer, upstream=upstream,
    )  # fmt: skip


def _is_allowed(client: bytes, allow: tuple[str, ...]) -> bool:
    address = ip_address(client)
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(prefix) for prefix in allow)


def _chain(table: Table, query: Query, network: int) -> Iterator[tuple[Name, Outcome]]:
    """Each name from the question on, over the aliases that are ours."""
    name = query.name
    for _ in range(MAX_HOPS + 1):
        outcome = table.lookup(name, query.qtype, network)
        yield name, outcome
        if not isinstance(outcome, Alias):
            return
        name = outcome.target


def _claims(estate: Estate, names: dict[Name, None], network: int, now: float) -> Iterator[VisibleClaim]:
    """Claims on any of the names, each once."""
    seen = set()
    for name in names:
        found = estate.ledger.find(name)
        for claim, shown in zip(found, claim_items.claims(estate, name, now).items, strict=True):
            if claim not in seen:
                seen.add(claim)
                sees = estate.networks.sees(estate.ledger.holder(claim.endpoint))
                yield VisibleClaim(**shown.model_dump(), visible=network != NONE and bool(sees >> network & 1))


def _upstream(upstreams: UpstreamGroups, ask: Ask) -> Upstream:
    group = upstreams.group(ask.key.group)
    servers = [f"{s.transport}://{s.address} port {s.port}" for s in group.servers] if group else []
    return Upstream(group=ask.key.group, servers=servers, name=to_text(ask.key.name))


_FAILURES: Final = {
    "refused": "several endpoints claim it, and the policy `refuse` lets none win",
    "miss": "not held, and the zone's `on_miss` is servfail",
    "unsynced": "a source has never given data, so nobody knows whether the name is private",
}
_ORIGINS: Final = {
    "private": "held by an endpoint",
    "static": "held by a zone file or a private DNS zone",
    "ptr": "of a served address",
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
            return f"{_ORIGINS[outcome.origin]}, an alias" + (", by a wildcard" if outcome.wildcard else "")
        case NoData():
            return "the name is held, this type is not; upstreams are not asked"
        case NxDomain():
            return "the zone denies it"
        case Failure():
            return _FAILURES[outcome.why]
        case TooLong():
            return "the DNAME makes a name of more than 255 octets"
        case Referral():
            return f"delegated at {to_text(outcome.cut)}"
        case Outside():
            return (
                "not held in this zone: its `on_miss` sends it upstream" if outcome.zone else "not ours: goes upstream"
            )


def write(said: Lookup) -> None:
    """Write it for people."""
    output.line(f"{said.name} {said.type} asked by {said.client}")
    output.line(f"network  {said.network}")
    output.line(f"zone     {said.zone or 'none'}")
    for step in said.steps:
        output.line(f"step     {step.name}: {step.what}")
    if said.claims:
        output.line()
        rows = [
            (
                output.short(claim.endpoint), claim.name, ", ".join(claim.addresses),
                _state(claim), "yes" if claim.visible else "no",
            )
            for claim in said.claims
        ]  # fmt: skip
        output.table(("claim of", "name", "addresses", "state", "visible here"), rows)
        output.line()
    for record in said.decided:
        for answer in record.answers:
            output.line(f"winner   {_decision(answer)}")
    if is_uncertain(answer.rule for record in said.decided for answer in record.answers):
        output.note(SKIPPED_NOTE)
    output.line(f"answer   {said.rcode or _asked(said)}")
    for text in said.answer:
        output.line(text)


def _state(claim: VisibleClaim) -> str:
    if claim.lingers_until:
        return f"removed, lingers until {claim.lingers_until}"
    return claim.state if claim.served else f"{claim.state}, not served"


def _decision(answer: NameAnswer) -> str:
    holders = " and ".join(map(output.short, answer.endpoints))
    if answer.rcode == "SERVFAIL":
        return f"none of {' and '.join(map(output.short, answer.losers))} (rule: {answer.rule})"
    over = f" over {' and '.join(map(output.short, answer.losers))}" if answer.losers else ""
    rule = f"rule: {answer.rule}" if answer.rule else "the only claim here"
    return f"{answer.type} {', '.join(answer.data)}: {holders}{over} ({rule})" if holders else "records of the zone"


def _asked(said: Lookup) -> str:
    if not said.upstream:
        return "none"
    servers = ", ".join(said.upstream.servers) or "no servers"
    return f"from upstream `{said.upstream.group}` ({servers}), asked for {said.upstream.name}"
