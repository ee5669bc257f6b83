"""The states that the history compares: of names, findings and sources, as the estate has them now.

A state is the shortest JSON from which a person learns what changed. Everything that only the passing of time changes
is left out. Does not know what the state was before. Pure.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import msgspec

from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import SourceStatus
from resolver.control.history.entry import ABSENT, Kind, State
from zones.claims.contest import Verdict
from zones.clocks import WallTime
from zones.dns.name import Name, is_under, to_text
from zones.findings.finding import Finding
from zones.networks.network import NetworkMask

_NETWORKS: Final = 20
"""Names of networks in one answer. An answer counts all of its networks."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer in some networks. Without `networks` it is the answer in all."""

    data: tuple[str, ...] = ()
    """Addresses, or records of a zone file; empty where the conflict policy refuses to answer."""
    networks: tuple[str, ...] = ()
    networks_total: int = 0
    endpoints: tuple[str, ...] = ()
    """Ids of the endpoints that have the name."""
    rule: str = ""


class NameState(msgspec.Struct, frozen=True):
    """The answers for a name."""

    answers: tuple[Answer, ...]


class FindingState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open finding."""

    code: str
    severity: str
    subject: str
    winner: str = ""
    rule: str = ""


class SourceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a source can be read, and what is wrong if not."""

    state: str
    error: str = ""
    endpoints: int = 0


def of_name(estate: Estate, name: Name, at: WallTime) -> State:
    """Return the state of a private name: as a zone file or private DNS zone has it, else as endpoints make it."""
    text = to_text(name)
    origin = max((each for each in estate.static if is_under(name, each)), key=len, default=None)
    static = estate.static[origin].names.get(name) if origin is not None else None
    if static is not None:
        records = tuple(
            f"{dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rrset.type))} {_record(rrset.type, rdata)}"
            for rrset in static
            for rdata in rrset.rdatas
        )
        return State(Kind.NAME, text, text, _json(NameState((Answer(records),))), at)
    verdicts = estate.ledger.verdicts(name, at)
    answers = tuple(answer for verdict in verdicts for answer in _answers(estate, verdict))
    publics = {public for verdict in verdicts for public in verdict.publics} - {name}
    value = _json(NameState(answers)) if answers else ABSENT
    return State(Kind.NAME, text, text, value, at, tuple(sorted(map(to_text, publics))))


def _answers(estate: Estate, verdict: Verdict) -> Iterator[Answer]:
    networks, total = _networks(estate, verdict.mask)
    for ruling, addresses in zip(
        verdict.rulings, (verdict.a, verdict.aaaa) if len(verdict.rulings) > 1 else (verdict.a + verdict.aaaa,),
        strict=False,
    ):  # fmt: skip
        ids = tuple(estate.ledger.holder(key).id for key in ruling.winners)
        data = () if verdict.refused else tuple(str(ip_address(each)) for each in addresses)
        yield Answer(data, networks, total, ids, ruling.rule.value)


def _networks(estate: Estate, mask: NetworkMask) -> tuple[tuple[str, ...], int]:
    everyone = estate.networks.all
    if estate.networks.implicit or mask & everyone == everyone:
        return (), 0
    names = estate.networks.listed(mask)
    return names[:_NETWORKS], len(names)


def _record(rtype: int, rdata: bytes) -> str:
    made = dns.rdatatype.RdataType.make(rtype)
    return dns.rdata.from_wire(dns.rdataclass.IN, made, rdata, 0, len(rdata)).to_text()


def of_finding(finding: Finding, at: WallTime, *, is_open: bool = True) -> State:
    """Return the state of a finding."""
    state = FindingState(
        finding.code, finding.severity.value, finding.subject, finding.winner, finding.rule.value
    )  # fmt: skip
    return State(Kind.FINDING, finding.id, finding.subject, _json(state) if is_open else ABSENT, at)


def of_source(estate: Estate, status: SourceStatus, at: WallTime) -> State:
    """Return the state of a source."""
    word: str = "waits" if not status.synced else status.freshness(at) or "fresh"
    if status.sync_state.held is not None:
        word = "held"
    elif status.last_error:
        word = "failed"
    count = sum(len(each.endpoints) for each in estate.inventory.of(status.name).values())
    return State(
        Kind.SOURCE, status.name, status.name, _json(SourceState(word, status.last_error, count)), at
    )  # fmt: skip


def _json(state: msgspec.Struct) -> str:
    return msgspec.json.encode(state).decode()
