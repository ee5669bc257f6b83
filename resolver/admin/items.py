"""Endpoints, zones, records, claims and findings as `models` say them. Shared with the tools that need no daemon.

Decides nothing: who wins is the ledger's word. Time is an argument.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from math import isfinite
from typing import Any, Final, Literal

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from resolver.admin import models
from resolver.channel.frames import Fallback
from resolver.channel.requests import CacheStats
from resolver.control.aggregates import address_text
from resolver.control.estate.estate import Estate, SourceStatus
from resolver.control.guard.shrink_guard import Held
from zones.claims import contest
from zones.dns.name import Name, canonical_key, is_under, to_text
from zones.dns.record import AAAA, A, RRset
from zones.findings.board import Board
from zones.findings.checks import LISTED
from zones.findings.finding import Finding, Severity
from zones.networks.network import Network


def endpoint(estate: Estate, key: str) -> models.Endpoint | None:
    """One endpoint by its key; None where there is none (any more)."""
    found = estate.ledger.endpoints.get(key)
    if found is None:
        return None
    networks, total = _networks(estate, estate.networks.sees(found))
    return models.Endpoint(
        id=found.id, name=found.name, state=found.state, provisioning=found.provisioning, served=found.served,
        target=found.target, groups=list(found.groups), region=found.region, vnet=found.vnet,
        networks=networks, networks_total=total,
        records=[
            models.EndpointRecord(
                fqdn=to_text(record.fqdn), addresses=_addresses(record.addresses),
                group=record.group, member=record.member,
            )
            for record in found.records
        ],
        source=found.source, where=found.where,
    )  # fmt: skip


def record(estate: Estate, name: Name, now: float, mask: int = -1) -> models.Record | None:
    """A private name as it is answered: by a zone file, else by the endpoints that claim it; None by neither.

    `mask`: the networks that matter; all, if not given.
    """
    file = estate.static.get(_file_of(estate, name) or name)
    if file and name in file.names:
        answers = [_file_answer(estate, rrset) for rrset in file.names[name]]
        return models.Record(name=to_text(name), source=_kind(estate, file.origin), public=[], answers=answers)
    verdicts = [verdict for verdict in estate.ledger.judged(name, now) if verdict.mask & mask]
    if not verdicts:
        return None
    public = {public for verdict in verdicts for public in verdict.publics} - {name}
    return models.Record(
        name=to_text(name), source="endpoints", public=[to_text(each) for each in sorted(public, key=canonical_key)],
        answers=[answer for verdict in verdicts for answer in _answers(estate, name, verdict)],
    )  # fmt: skip


def _file_answer(estate: Estate, rrset: RRset) -> models.Answer:
    networks, total = _networks(estate, estate.networks.all)
    return models.Answer(
        networks=networks, networks_total=total, rcode="NOERROR", type=dns.rdatatype.to_text(_type(rrset.type)),
        ttl=rrset.ttl, data=rdata_texts(rrset), endpoints=[], losers=[], rule="",
    )  # fmt: skip


def _answers(estate: Estate, name: Name, verdict: contest.Verdict) -> Iterator[models.Answer]:
    """One for each type; where the policy refuses to decide, one for all of them."""
    if verdict.refused:
        refused = next(ruling for ruling in verdict.rulings if ruling.rule == "refuse")
        yield _answer(estate, name, verdict, refused, None, ())
        return
    # The rulings are in the order of the families, one where they agree.
    for rtype, addresses, at in ((A, verdict.a, 0), (AAAA, verdict.aaaa, -1)):
        if addresses:
            yield _answer(estate, name, verdict, verdict.rulings[at], rtype, addresses)


def _answer(
    estate: Estate, name: Name, verdict: contest.Verdict, ruling: contest.Ruling, rtype: int | None,
    addresses: Sequence[bytes],
) -> models.Answer:  # fmt: skip
    networks, total = _networks(estate, verdict.mask)
    id_of = {key: estate.ledger.holder(key).id for key in (*ruling.winners, *ruling.losers)}
    return models.Answer(
        networks=networks, networks_total=total, rcode="NOERROR" if rtype else "SERVFAIL",
        type=dns.rdatatype.to_text(_type(rtype)) if rtype else None,
        ttl=estate.policies.of(estate.ledger.catalogue.zone_of(name)).ttl if rtype else None,
        data=_addresses(addresses),
        endpoints=[id_of[key] for key in ruling.winners], losers=[id_of[key] for key in ruling.losers],
        rule=ruling.rule,
    )  # fmt: skip


def claims(estate: Estate, name: Name, now: float) -> models.Claims:
    """All claims on a public or private name, and what was made of each private name that they are about."""
    found = estate.ledger.find(name)
    private = dict.fromkeys(claim.name for claim in found)
    records = (record(estate, each, now) for each in private)
    return models.Claims(
        items=[_claim(estate, claim) for claim in found], records=[each for each in records if each is not None]
    )


def _claim(estate: Estate, claim: contest.Claim) -> models.Claim:
    holder, lingers = estate.ledger.holder(claim.endpoint), estate.ledger.tombstones.until(claim)
    networks, total = _networks(estate, estate.networks.sees(holder))
    return models.Claim(
        name=to_text(claim.name), public=to_text(claim.public), zone=to_text(claim.zone) if claim.zone else None,
        endpoint=holder.id, addresses=_addresses(claim.addresses), state=holder.state, served=holder.served,
        networks=networks, networks_total=total, first_seen=time(claim.first_seen),
        lingers_until=None if lingers is None else time(lingers), source=holder.source, where=holder.where,
    )  # fmt: skip


def finding(board: Board, fact: Finding, now: float) -> models.Finding:
    """One finding, with its age."""
    first_seen = board.first_seen(fact)
    since = now if first_seen is None else first_seen
    return models.Finding(
        id=fact.id, code=fact.code, severity=fact.severity, networks=list(fact.networks), subject=fact.subject,
        evidence=_told(fact.evidence), winner=fact.winner, rule=fact.rule, action=fact.action,
        first_seen=time(since), age=round(max(now - since, 0), 3),
    )  # fmt: skip


def gravest_first(fact: Finding) -> tuple[str, ...]:
    """The order of findings: by severity, then as one looks for them."""
    return (_RANKS[fact.severity], fact.code, fact.subject, fact.winner, fact.rule)


_RANKS: Final = {severity: str(rank) for rank, severity in enumerate(Severity)}


def _told(evidence: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Evidence holds times as the ledger does, in seconds; people read dates."""
    if isinstance(evidence, dict):
        return {
            key: time(value) if key in {"first_seen", "held_since"} and isinstance(value, float) else _told(value)
            for key, value in evidence.items()
        }
    return [_told(each) for each in evidence] if isinstance(evidence, list) else evidence


def source(status: SourceStatus, now: float) -> models.Source:
    """How one source is."""
    last = status.last_success
    return models.Source(
        name=status.name, type=status.type, path=status.path, on_unsynced=status.on_unsynced, synced=status.synced,
        saved=status.saved, last_success=None if last is None else time(last),
        age=None if last is None else round(max(now - last, 0), 3), freshness=status.freshness(now),
        last_error=status.last_error, parts=status.parts, unreadable=status.unreadable,
        sync=_syncs(status) if status.remote else None,
    )  # fmt: skip


def degraded(estate: Estate) -> dict[str, Any]:
    """What is wrong with sources that are served, bounded, and how much there is of it."""
    found = estate.degraded()
    listed = [models.Degraded(source=name, scope=scope, message=message) for name, scope, message in found[:LISTED]]
    return {"degraded": listed, "degraded_total": len(found)}


def _syncs(status: SourceStatus) -> models.Syncs:
    return models.Syncs(
        syncing=status.syncing, next=None if status.next_sync is None else time(status.next_sync),
        interval=round(status.interval, 3) if isfinite(status.interval) else None,
        duration=None if status.duration is None else round(status.duration, 3),
        failures=status.failures, results=dict(status.results),
        calls_per_hour=status.requests.per_hour if status.requests else None, absent=len(status.standing.missing),
        held=_held(status.standing.held) if status.standing.held else None,
    )  # fmt: skip


def _held(held: Held) -> models.HeldSync:
    return models.HeldSync(
        since=time(held.since), read=time(held.at), reasons=list(held.reasons), endpoints=held.endpoints,
        vnets=held.vnets, ids=list(held.ids),
    )  # fmt: skip


def fallback(item: Fallback) -> models.Fallback:
    """One name that fell back to an upstream."""
    return models.Fallback(
        zone=to_text(item.zone), name=to_text(item.name), network=item.network, count=item.count,
        clients=[shown for address in item.clients if (shown := address_text(address))],
        first=time(item.first), last=time(item.last),
    )  # fmt: skip


def cache(worker: int, stats: CacheStats) -> models.Cache:
    """The sizes of one worker's caches."""
    return models.Cache(
        worker=worker, replies=stats.replies, octets=stats.reply_octets, answers=stats.answers,
        answer_octets=stats.answer_octets,
    )  # fmt: skip


def zone(estate: Estate, origin: Name, names: int, mask: int) -> models.Zone:
    """One zone. `names` and `mask`: how many names endpoints alone hold in it, and which networks see those."""
    file = estate.static.get(origin)
    policies = estate.policies
    terms = policies.of_file(origin, is_open=origin in estate.open) if file else policies.of(origin)
    named = origin in estate.policies.named
    networks, total = _networks(estate, estate.networks.all if file or named else mask)
    return models.Zone(
        zone=to_text(origin),
        source=_kind(estate, origin) if file else "endpoints" if names else "configuration",
        names=names + (len(file.names) if file else 0), networks=networks, networks_total=total,
        ttl=terms.ttl, negative_ttl=terms.negative_ttl, on_miss=terms.on_miss, chain=terms.chain,
    )  # fmt: skip


def _kind(estate: Estate, origin: Name) -> Literal["file", "private-dns"]:
    return "private-dns" if estate.is_lent(origin) else "file"


def zone_of(estate: Estate, name: Name) -> Name | None:
    """The zone that a name of ours is in: of the catalogue or of a file, whichever is longer."""
    file, derived = _file_of(estate, name), estate.ledger.catalogue.zone_of(name)
    return max((zone for zone in (file, derived) if zone), key=len, default=None)


def _file_of(estate: Estate, name: Name) -> Name | None:
    """The longest zone of a file at or above the name."""
    return max((origin for origin in estate.static if is_under(name, origin)), key=len, default=None)


def network(estate: Estate, it: Network) -> models.Network:
    """One network."""
    networks = estate.networks
    origin: Literal["auto", "configured", "default"] = "configured" if it in networks.configured else "auto"
    return models.Network(
        name=it.name, origin="default" if networks.implicit else origin,
        clients=list(it.clients), vnets=list(it.vnets), reach=list(it.reach),
        listeners=[address for address, name in estate.settings.listeners.items() if name == it.name],
    )  # fmt: skip


def counts(estate: Estate) -> models.Counts:
    """How much there is."""
    ledger = estate.ledger
    severities = dict.fromkeys(Severity, 0)
    for (_, severity), count in estate.board.counts.items():
        severities[severity] += count
    return models.Counts(
        endpoints=len(ledger.endpoints), served=ledger.census.served, claims=ledger.census.records,
        names=len(ledger.rows), vnets=len(ledger.vnets), networks=estate.networks.all.bit_count(),
        zone_files=estate.zone_files, findings=severities,
    )  # fmt: skip


def rdata_texts(rrset: RRset) -> list[str]:
    """The records of a set in presentation form, without owner, TTL and type."""
    return [
        dns.rdata.from_wire(dns.rdataclass.IN, _type(rrset.type), rdata, 0, len(rdata)).to_text()
        for rdata in rrset.rdatas
    ]


def time(epoch: float) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _type(number: int) -> dns.rdatatype.RdataType:
    return dns.rdatatype.RdataType.make(number)


def _networks(estate: Estate, mask: int) -> tuple[list[str], int]:
    """The first of the networks in a mask, and how many they are."""
    names = estate.networks.listed(mask)
    return list(names[:LISTED]), len(names)


def _addresses(packed: Iterable[bytes]) -> list[str]:
    return [str(ip_address(address)) for address in packed]
