"""Contests: for one private name and its claims, the answer in every network and the rule that decided it.

The rules, in order:

1. One endpoint with several addresses is no contest.
2. A pin.
3. The nearest endpoint.
4. The incumbent: the endpoint that already has the name.
5. The endpoint that was seen first, then the resource id.

Pure arithmetic over masks of networks. Knows no JSON, rows or findings.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from zones.azure.endpoint import ResourceId
from zones.claims.policy import ConflictPolicy
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.networks.network import NetworkMask


class Rule(StrEnum):
    """What decided a contest."""

    NONE = ""
    """Nothing had to be decided."""
    PIN = "pin"
    NEAREST = "nearest"
    INCUMBENT = "incumbent"
    OLDEST = "oldest"
    RESOURCE_ID = "resource-id"
    MERGE = "merge"
    """The conflict policy serves all addresses: no endpoint wins."""
    REFUSE = "refuse"
    """The conflict policy answers SERVFAIL: no endpoint wins."""

    @property
    def is_policy(self) -> bool:
        """The conflict policy decided, so there is no single winner."""
        return self in _POLICIES


_POLICIES: Final = (Rule.MERGE, Rule.REFUSE)
_BY_AGE: Final = (Rule.OLDEST, Rule.RESOURCE_ID)
_NO_RULE: Final = Rule.NONE


class Claim(msgspec.Struct, frozen=True, gc=False):
    """The endpoint with the key `endpoint` claims these addresses for the private name `name`.

    `public` is the FQDN on the endpoint's NIC, or `name` itself where the endpoint claims no public name. `zone` is the
    private zone of `name`; None for a name in no private-link zone. `addresses` are packed, 4 or 16 octets each.
    `first_seen` is in seconds since the epoch.
    """

    endpoint: ResourceId
    name: Name
    public: Name
    zone: Name | None
    addresses: tuple[bytes, ...]
    first_seen: WallTime


class Contender(NamedTuple):
    """One endpoint's claims on a name, with three masks of networks."""

    claims: tuple[Claim, ...]
    """All claims of the endpoint on the name: several where several public FQDNs lead to the name."""
    sees: NetworkMask
    """Networks that the endpoint is visible to."""
    home: NetworkMask
    """Networks with the endpoint's VNet as a home VNet."""
    near: NetworkMask
    """Networks with a home VNet in the endpoint's region."""

    @property
    def endpoint(self) -> ResourceId:
        """Key of the endpoint."""
        return self.claims[0].endpoint

    @property
    def first_seen(self) -> WallTime:
        """When the endpoint was first seen at this name, in seconds since the epoch."""
        return min(claim.first_seen for claim in self.claims)

    def of_family(self, octets: int) -> tuple[bytes, ...]:
        """Return the addresses of one family (4 or 16 octets) of all claims, sorted, without duplicates."""
        return tuple(sorted({each for claim in self.claims for each in claim.addresses if len(each) == octets}))


class Ruling(NamedTuple):
    """Who won one address family, and by which rule. With `Rule.NONE` nobody lost."""

    winners: tuple[ResourceId, ...]
    """Keys of endpoints; empty where the policy refuses to decide."""
    losers: tuple[ResourceId, ...]
    rule: Rule


class Verdict(NamedTuple):
    """The state of a name in the networks of `mask`. `refused`: the policy `refuse` answers SERVFAIL."""

    mask: NetworkMask
    a: tuple[bytes, ...]
    aaaa: tuple[bytes, ...]
    publics: tuple[Name, ...]
    """Public FQDNs that lead to the name: those of every contender, winner or not."""
    refused: bool
    rulings: tuple[Ruling, ...]
    """One per address family, IPv4 first; a single one where both are alike."""


Incumbent = tuple[NetworkMask, ResourceId, Rule]
"""Networks (a mask), the endpoint that has the name there, and the rule by which the endpoint won it."""


class Conditions(NamedTuple):
    """Everything beside the claims that decides a contest."""

    policy: ConflictPolicy
    pins: tuple[tuple[NetworkMask, ResourceId], ...]
    """(mask of networks, endpoint key), the first that applies decides."""
    incumbents: tuple[Incumbent, ...]
    """In one network, the incumbent of A comes before the incumbent of AAAA."""
    homeless: NetworkMask
    """Networks without a home VNet, for which no endpoint is near."""


def decide(contenders: Sequence[Contender], conditions: Conditions) -> list[Verdict]:
    """Return one verdict for each set of networks with the same answer.

    The sets are disjoint. Together they are all networks that any contender is visible to.
    """
    if len(contenders) == 1:
        return [_sole(contenders[0])] if contenders[0].sees else []
    verdicts: dict[tuple[object, ...], Verdict] = {}
    for cell in _cells(contenders, conditions):
        verdict = _decide_cell(cell, [c for c in contenders if c.sees & cell], conditions)
        same = verdicts.get(verdict[1:])
        verdicts[verdict[1:]] = verdict if same is None else same._replace(mask=NetworkMask(same.mask | cell))
    return list(verdicts.values())


def _sole(contender: Contender) -> Verdict:
    ruling = Ruling((contender.endpoint,), (), _NO_RULE)
    a, aaaa = contender.of_family(4), contender.of_family(16)
    return Verdict(contender.sees, a, aaaa, _publics([contender]), refused=False, rulings=(ruling,))


def _publics(contenders: Iterable[Contender]) -> tuple[Name, ...]:
    return tuple(sorted({claim.public for contender in contenders for claim in contender.claims}))


def _cells(contenders: Sequence[Contender], conditions: Conditions) -> Iterable[NetworkMask]:
    """Split the networks that see any contender into sets that no rule can tell apart."""
    seen = 0
    for contender in contenders:
        seen |= contender.sees
    edges = {mask for c in contenders for mask in (c.sees, c.home, c.near)}
    edges |= (
        {mask for mask, _ in conditions.pins} | {mask for mask, _, _ in conditions.incumbents} | {conditions.homeless}
    )
    cells = [seen] if seen else []
    for edge in edges:
        cells = [part for cell in cells for part in (cell & edge, cell & ~edge) if part]
    return map(NetworkMask, sorted(cells))


def _decide_cell(cell: NetworkMask, visible: Sequence[Contender], conditions: Conditions) -> Verdict:
    left, rule = _narrowed(cell, visible, conditions)
    out = {c.endpoint for c in visible} - {c.endpoint for c in left}
    rulings: list[Ruling] = []
    addresses: list[tuple[bytes, ...]] = []
    for octets in (4, 16):
        claimants = [c for c in left if c.of_family(octets)]
        winners, why = _winners(octets, claimants, cell, conditions) if len(claimants) > 1 else (claimants, rule)
        won = tuple(c.endpoint for c in winners)
        ruling = Ruling(won, tuple(sorted(out.union(c.endpoint for c in claimants).difference(won))), why)
        if claimants and ruling not in rulings:
            rulings.append(ruling)
        addresses.append(tuple(sorted({address for c in winners for address in c.of_family(octets)})))
    refused = any(ruling.rule is Rule.REFUSE for ruling in rulings)
    a, aaaa = ((), ()) if refused else addresses
    return Verdict(cell, a, aaaa, _publics(visible), refused, tuple(rulings))


def _narrowed(
    cell: NetworkMask, visible: Sequence[Contender], conditions: Conditions
) -> tuple[Sequence[Contender], Rule]:
    """Apply the rules that decide both families together: pins and nearness. Return who is left, and the rule."""
    if len(visible) > 1:
        for mask, endpoint in conditions.pins:
            pinned = [c for c in visible if c.endpoint == endpoint] if mask & cell else []
            if pinned:
                return pinned, Rule.PIN
        if not cell & conditions.homeless:
            # A home VNet is nearest, then the region of a home VNet, then the rest.
            distances = [0 if c.home & cell else 1 if c.near & cell else 2 for c in visible]
            nearest = [c for c, distance in zip(visible, distances, strict=True) if distance == min(distances)]
            if len(nearest) < len(visible):
                return nearest, Rule.NEAREST
    return visible, _NO_RULE


def _winners(
    octets: int, claimants: list[Contender], cell: NetworkMask, conditions: Conditions
) -> tuple[list[Contender], Rule]:
    """Apply the conflict policy, then incumbency, then age to several claimants of one family.

    A contest that age decided keeps that rule when it is evaluated again, as long as the same endpoint is the oldest.
    """
    if conditions.policy is ConflictPolicy.MERGE:
        return claimants, Rule.MERGE
    if conditions.policy is ConflictPolicy.REFUSE:
        return [], Rule.REFUSE
    first, second, *_ = sorted(claimants, key=lambda c: (c.first_seen, c.endpoint.casefold(), c.endpoint))
    age = Rule.OLDEST if first.first_seen < second.first_seen else Rule.RESOURCE_ID
    held = [(endpoint, how) for mask, endpoint, how in conditions.incumbents if mask & cell]
    if octets == 16:
        held.reverse()
    for endpoint, how in held:
        for claimant in claimants:
            if claimant.endpoint == endpoint:
                by_age = claimant is first and how in _BY_AGE
                return [claimant], age if by_age else Rule.INCUMBENT
    return [first], age
