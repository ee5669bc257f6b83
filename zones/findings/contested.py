"""Findings about contests: which endpoints claim one name, which of them won by which rule, and in which networks.

A name has one finding for each code, winner and rule. Who wins is decided in `zones.claims.contest`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import structs

from zones.azure.endpoint import NO_RESOURCE, Endpoint, ResourceId
from zones.claims.contest import Contender, Rule, Ruling, Verdict
from zones.dns.name import Name, to_text
from zones.findings.checks import in_networks, resource_type, texts
from zones.findings.evidence import LISTED, Listed, Severity
from zones.findings.finding import Finding, finding
from zones.findings.name_evidence import Claimant, ConflictingAddress, Contest, DuplicateEndpoint, SharedGlobalName
from zones.networks.network import NO_NETWORKS, NetworkMask, Networks


class _Rulings:
    """The rulings that one finding is about."""

    def __init__(self) -> None:
        self.mask = NO_NETWORKS
        self.winners: set[ResourceId] = set()
        self.losers: set[ResourceId] = set()


def of_name(
    name: Name,
    verdicts: Sequence[Verdict],
    contenders: Sequence[Contender],
    endpoints: Mapping[ResourceId, Endpoint],
    networks: Networks,
) -> Iterator[Finding]:
    """Findings about a name with several contenders."""
    contests: dict[tuple[type[Contest], ResourceId, Rule], _Rulings] = {}
    for verdict in verdicts:
        for ruling in verdict.rulings:
            if ruling.rule:
                kind = _kind([endpoints[key] for key in (*ruling.winners, *ruling.losers)])
                rulings = contests.setdefault((kind, _winner(ruling), ruling.rule), _Rulings())
                rulings.mask = NetworkMask(rulings.mask | verdict.mask)
                rulings.winners.update(ruling.winners)
                rulings.losers.update(ruling.losers)
    claims = {contender.endpoint: contender for contender in contenders}

    def claimants(keys: Iterable[ResourceId]) -> Listed[Claimant]:
        ordered = sorted(keys)
        return Listed(tuple(_claimant(endpoints[key], claims[key]) for key in ordered[:LISTED]), len(ordered))

    for (kind, winner, rule), rulings in contests.items():
        fact = finding(to_text(name), kind(winners=claimants(rulings.winners), losers=claimants(rulings.losers)))
        fact = structs.replace(
            fact, severity=Severity.INFO if rule in _INTENDED else fact.severity, action=ACTIONS[rule],
            winner=winner and endpoints[winner].id, rule=rule,
        )  # fmt: skip
        yield in_networks(fact, networks, rulings.mask)


def _winner(ruling: Ruling) -> ResourceId:
    """The key of the one winner; empty where the conflict policy decided."""
    return NO_RESOURCE if ruling.rule.is_policy else ruling.winners[0]


_INTENDED: Final = (Rule.PIN, Rule.NEAREST)
"""Rules that show that somebody meant the contest to be: it is no warning."""

ACTIONS: Final[Mapping[Rule, str]] = {
    Rule.PIN: "the pinned endpoint is served",
    Rule.NEAREST: "each network is served the endpoint nearest to it",
    Rule.INCUMBENT: "the endpoint that had the name before keeps it",
    Rule.OLDEST: "the endpoint that was seen first is served",
    Rule.RESOURCE_ID: "the first endpoint by resource id is served, because all were first seen together",
    Rule.MERGE: "all addresses are served",
    Rule.REFUSE: "SERVFAIL until only one claim is left",
}
"""What pldns does, by the rule that decided."""


def _kind(endpoints: Collection[Endpoint]) -> type[Contest]:
    if any(map(_is_shared, endpoints)):
        return SharedGlobalName
    kinds = {(e.target_key, tuple(sorted(group.casefold() for group in e.groups))) for e in endpoints}
    return DuplicateEndpoint if len(kinds) == 1 and min(kinds)[0] else ConflictingAddress


def _is_shared(endpoint: Endpoint) -> bool:
    """Azure Monitor private link scopes and the `global` group of Azure Virtual Desktop share names by design."""
    kind = resource_type(endpoint.target)
    if kind == "microsoft.insights/privatelinkscopes":
        return True
    return kind.startswith("microsoft.desktopvirtualization/") and "global" in map(str.casefold, endpoint.groups)


def _claimant(endpoint: Endpoint, contender: Contender) -> Claimant:
    return Claimant(
        endpoint=endpoint.id, target=endpoint.target, groups=endpoint.groups,
        addresses=texts(address for claim in contender.claims for address in claim.addresses),
        names=tuple(sorted({to_text(claim.public) for claim in contender.claims})),
        vnet=endpoint.vnet, first_seen=contender.first_seen, source=endpoint.source, where=endpoint.where,
    )  # fmt: skip
