"""Findings about contests: which endpoints claim one name, who won by which rule, in which networks.

One finding for each code, winner and rule at a name. Judges nothing: that is `contest`'s.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from zones.azure.endpoint import Endpoint
from zones.claims.contest import Contender, Ruling, Verdict
from zones.dns.name import Name, to_text
from zones.findings.checks import bounded, in_networks, resource_type, texts
from zones.findings.finding import Finding, Severity, finding
from zones.networks.network import Networks


class _Contest:
    """The rulings that one finding is about."""

    def __init__(self) -> None:
        self.mask = 0
        self.winners: set[str] = set()
        self.losers: set[str] = set()


def of_name(
    name: Name,
    verdicts: Sequence[Verdict],
    contenders: Sequence[Contender],
    endpoints: Mapping[str, Endpoint],
    networks: Networks,
) -> Iterator[Finding]:
    """The findings on a name that has several contenders."""
    contests: dict[tuple[str, str, str], _Contest] = {}
    for verdict in verdicts:
        for ruling in verdict.rulings:
            if ruling.rule:
                code = _code([endpoints[key] for key in (*ruling.winners, *ruling.losers)])
                contest = contests.setdefault((code, _winner(ruling), ruling.rule), _Contest())
                contest.mask |= verdict.mask
                contest.winners.update(ruling.winners)
                contest.losers.update(ruling.losers)
    claims = {contender.endpoint: contender for contender in contenders}
    for (code, winner, rule), contest in contests.items():
        told = bounded(winners=sorted(contest.winners), losers=sorted(contest.losers))
        told |= {side: [_told(endpoints[key], claims[key]) for key in told[side]] for side in ("winners", "losers")}
        fact = finding(code, to_text(name), ACTIONS[rule], **told)
        severity = Severity.INFO if rule in {"pin", "nearest"} else fact.severity
        named = structs.replace(fact, severity=severity, winner=winner and endpoints[winner].id, rule=rule)
        yield in_networks(named, networks, contest.mask)


def _winner(ruling: Ruling) -> str:
    """The one winner; with `merge` all are, with `refuse` none is."""
    return ruling.winners[0] if ruling.rule not in {"merge", "refuse"} else ""


ACTIONS: Final[Mapping[str, str]] = {
    "pin": "the pinned endpoint is served",
    "nearest": "each network is served the endpoint nearest to it",
    "incumbent": "who held the name before keeps it",
    "oldest": "the endpoint seen first is served",
    "resource-id": "the first by resource id is served, since all were first seen together",
    "merge": "all addresses are served",
    "refuse": "SERVFAIL until one claim is left",
}
"""What is done, by the rule that decided."""


def _code(endpoints: Collection[Endpoint]) -> str:
    if any(map(_is_shared, endpoints)):
        return "shared-global-name"
    kinds = {(e.target_key, tuple(sorted(group.casefold() for group in e.groups))) for e in endpoints}
    return "duplicate-endpoint" if len(kinds) == 1 and min(kinds)[0] else "conflicting-address"


def _is_shared(endpoint: Endpoint) -> bool:
    """Azure Monitor private link scopes and Azure Virtual Desktop's global group share names by design."""
    kind = resource_type(endpoint.target)
    if kind == "microsoft.insights/privatelinkscopes":
        return True
    return kind.startswith("microsoft.desktopvirtualization/") and "global" in map(str.casefold, endpoint.groups)


def _told(endpoint: Endpoint, contender: Contender) -> dict[str, Any]:
    return {
        "endpoint": endpoint.id, "target": endpoint.target, "groups": list(endpoint.groups),
        "addresses": texts(address for claim in contender.claims for address in claim.addresses),
        "names": sorted({to_text(claim.public) for claim in contender.claims}),
        "vnet": endpoint.vnet, "first_seen": contender.first_seen,
        "source": endpoint.source, "where": endpoint.where,
    }  # fmt: skip
