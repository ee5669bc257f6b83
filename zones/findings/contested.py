"""Findings about contests: which endpoints claim one name, which of them won by which rule, and in which networks.

A name has one finding for each code, winner and rule. Who wins is decided in `zones.claims.contest`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import structs

from zones.azure.address import texts
from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_table import SharedBy
from zones.azure.endpoint import NO_RESOURCE, Endpoint, ResourceId
from zones.azure.sharing import widest
from zones.claims.contest import Contender, Rule, Ruling, Verdict
from zones.dns.name import Name, to_text
from zones.findings.checks import in_networks
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
        self.shared: set[SharedBy] = set()
        """Who shares the name, if anyone does."""


def of_name(
    name: Name,
    verdicts: Sequence[Verdict],
    contenders: Sequence[Contender],
    endpoints: Mapping[ResourceId, Endpoint],
    networks: Networks,
    catalogue: Catalogue,
) -> Iterator[Finding]:
    """Findings about a name with several contenders."""
    contests: dict[tuple[type[Contest], ResourceId, Rule], _Rulings] = {}
    claims = {contender.endpoint: contender for contender in contenders}
    for verdict in verdicts:
        for ruling in verdict.rulings:
            if ruling.rule:
                taking_part = [*ruling.winners, *ruling.losers]
                shared = _shared_by(taking_part, claims, endpoints, catalogue)
                kind = SharedGlobalName if shared else _kind([endpoints[key] for key in taking_part])
                rulings = contests.setdefault((kind, _winner(ruling), ruling.rule), _Rulings())
                rulings.mask = NetworkMask(rulings.mask | verdict.mask)
                rulings.winners.update(ruling.winners)
                rulings.losers.update(ruling.losers)
                rulings.shared |= {shared} if shared else set()

    def claimants(keys: Iterable[ResourceId]) -> Listed[Claimant]:
        ordered = sorted(keys)
        return Listed(tuple(_claimant(endpoints[key], claims[key]) for key in ordered[:LISTED]), len(ordered))

    for (kind, winner, rule), rulings in contests.items():
        winners, losers, action = claimants(rulings.winners), claimants(rulings.losers), ACTIONS[rule]
        evidence: Contest
        if rulings.shared:
            names = {claim.public for key in rulings.winners | rulings.losers for claim in claims[key].claims}
            scope = widest(rulings.shared)
            fqdns = tuple(sorted(map(to_text, names)))
            evidence = SharedGlobalName(winners=winners, losers=losers, shared=fqdns, shared_by=scope)
            if rule not in _INTENDED:
                action = f"{action}; {_SHARING[scope]}"
        else:
            evidence = kind(winners=winners, losers=losers)
        fact = structs.replace(
            finding(to_text(name), evidence), action=action, winner=winner and endpoints[winner].id, rule=rule
        )
        fact = structs.replace(fact, severity=Severity.INFO) if rule in _INTENDED else fact
        yield in_networks(fact, networks, rulings.mask)


def _winner(ruling: Ruling) -> ResourceId:
    """The key of the one winner; empty where the conflict policy decided."""
    return NO_RESOURCE if ruling.rule.is_policy else ruling.winners[0]


_INTENDED: Final = (Rule.PIN, Rule.NEAREST)
"""Rules of contests that are intended: a finding about these is information, not a warning."""

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


_TO_DO: Final = (
    "keep one of these endpoints for each network, or choose the one that is served with a pin (`conflicts.pins`)"
)
_SHARING: Final[Mapping[SharedBy, str]] = {
    SharedBy.SERVICE: f"all resources of the service share the name: {_TO_DO}",
    SharedBy.TENANT: f"all resources of the service in the tenant share the name: {_TO_DO}",
    SharedBy.REGION: f"all resources of the service in the region share the name: {_TO_DO}",
}
"""Who shares the name, and what a person can do about it."""


def _shared_by(
    keys: Collection[ResourceId],
    claims: Mapping[ResourceId, Contender],
    endpoints: Mapping[ResourceId, Endpoint],
    catalogue: Catalogue,
) -> SharedBy | None:
    """Return who shares the name by which these endpoints meet; None unless all of them share it."""
    found = set[SharedBy]()
    for key in keys:
        endpoint = endpoints[key]
        names = {form for claim in claims[key].claims for form in (claim.public, catalogue.public(claim.name)) if form}
        by = catalogue.shared.by(endpoint.target_type, endpoint.groups, names)
        if by is None:
            return None
        found.add(by)
    return widest(found)


def _kind(endpoints: Collection[Endpoint]) -> type[Contest]:
    kinds = {(e.target_key, tuple(sorted(group.casefold() for group in e.groups))) for e in endpoints}
    return DuplicateEndpoint if len(kinds) == 1 and min(kinds)[0] else ConflictingAddress


def _claimant(endpoint: Endpoint, contender: Contender) -> Claimant:
    return Claimant(
        endpoint=endpoint.id, target=endpoint.target, groups=endpoint.groups,
        addresses=texts(address for claim in contender.claims for address in claim.addresses),
        names=tuple(sorted({to_text(claim.public) for claim in contender.claims})),
        vnet=endpoint.vnet, first_seen=contender.first_seen, source=endpoint.source, where=endpoint.where,
    )  # fmt: skip
