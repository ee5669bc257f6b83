"""The contested names that the clients of one network ask for, and who wins there.

Pure: time is an argument.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from resolver.admin.estate_map.census import SEVERITIES
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ResourceId
from zones.claims.contest import Verdict
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.findings.board import Topic
from zones.findings.evidence import Severity
from zones.findings.name_evidence import Contest
from zones.networks.network import NetworkMask

LISTED: Final = 24
"""Most contested names that are listed."""
READ: Final = 500
"""Most contests that are read, the most severe first."""


class ContestedName(NamedTuple):
    """A name that several endpoints claim, as one network gets it. Addresses are packed."""

    name: Name
    severity: Severity
    winners: tuple[ResourceId, ...]
    """Keys of endpoints; empty with `is_refused`."""
    losers: int
    """Endpoints that this network sees and that are not served to it. 0: only one endpoint is visible here."""
    rule: str
    addresses: tuple[bytes, ...]
    is_refused: bool


def contested_in(estate: Estate, network: NetworkMask, now: WallTime) -> tuple[list[ContestedName], int]:
    """Return the first `LISTED` contested names with an answer in a network, and how many there are, up to `READ`."""
    found = list(_read(estate, network, now))
    found.sort(key=lambda each: (not each.losers, SEVERITIES.index(each.severity), each.name))
    return found[:LISTED], len(found)


def _read(estate: Estate, network: NetworkMask, now: WallTime) -> Iterator[ContestedName]:
    contests = [
        (SEVERITIES.index(fact.severity), name)
        for name, facts in estate.board.of(Topic.CONTEST).items()
        for fact in facts[:1]
        if isinstance(name, bytes) and isinstance(fact.evidence, Contest)
    ]
    contests.sort()
    for rank, name in islice(contests, READ):
        for verdict in estate.ledger.verdicts(Name(name), now):
            if verdict.mask & network:
                yield _as_seen(Name(name), SEVERITIES[rank], verdict)


def _as_seen(name: Name, severity: Severity, verdict: Verdict) -> ContestedName:
    rulings = verdict.rulings
    winners = tuple(dict.fromkeys(key for ruling in rulings for key in ruling.winners))
    losers = {key for ruling in rulings for key in ruling.losers} - set(winners)
    rule = rulings[0].rule.value if losers and rulings else ""
    return ContestedName(name, severity, winners, len(losers), rule, verdict.a + verdict.aaaa, verdict.refused)
