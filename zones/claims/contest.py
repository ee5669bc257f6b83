"""Whose claim wins: one name, its claims, and for every network the one answer with the rule that decided it.

The rules, in order: 1 one endpoint with several addresses is no contest; 2 a pin; 3 nearest; 4 the incumbent;
5 oldest first-seen, then resource id. Pure arithmetic over masks of networks; knows no JSON, rows or findings.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from zones.dns.name import Name


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Endpoint `endpoint` says that `name` has these addresses. `public` is the FQDN that its NIC gave.

    `zone` is the private zone of `name`, None where the catalogue knows none. `first_seen`: seconds since the epoch.
    """

    endpoint: str
    name: Name
    public: Name
    zone: Name | None
    addresses: tuple[bytes, ...]
    first_seen: float


class Contender(NamedTuple):
    """A served claim with the networks that see it, that have it at home, and that have its region at home."""

    claims: tuple[Claim, ...]
    """All claims of one endpoint on the name; several where two public FQDNs lead to it."""
    sees: int
    home: int
    near: int

    @property
    def endpoint(self) -> str:
        """Key of the endpoint."""
        return self.claims[0].endpoint

    @property
    def first_seen(self) -> float:
        """Oldest sight of the endpoint at this name."""
        return min(claim.first_seen for claim in self.claims)

    def of_family(self, octets: int) -> tuple[bytes, ...]:
        """Addresses of one family over all its claims, sorted, each once."""
        return tuple(sorted({each for claim in self.claims for each in claim.addresses if len(each) == octets}))


class Ruling(NamedTuple):
    """Who answered one address family and why. `rule` is empty, and nobody lost, where nothing had to be decided."""

    winners: tuple[str, ...]
    """None where the policy refuses to decide."""
    losers: tuple[str, ...]
    rule: str


class Verdict(NamedTuple):
    """What a name is in the networks of `mask`. `refused`: SERVFAIL, by the policy `refuse`."""

    mask: int
    a: tuple[bytes, ...]
    aaaa: tuple[bytes, ...]
    publics: tuple[Name, ...]
    refused: bool
    rulings: tuple[Ruling, ...]
    """One for both families where they agree."""


Incumbent = tuple[int, str, str]
"""Networks (a mask), the endpoint that holds the name there, and the rule by which it came to; empty: no contest."""


class Term(NamedTuple):
    """What stands beside the claims: the policy, pins as (mask, endpoint), who holds the name.

    Pins in the order in which they are asked. In one network, who holds A stands before who holds AAAA.
    """

    policy: str
    pins: tuple[tuple[int, str], ...]
    incumbents: tuple[Incumbent, ...]
    homeless: int


def judge(contenders: Sequence[Contender], term: Term) -> list[Verdict]:
    """A verdict for each set of networks that are alike, disjoint, together all that see any of the contenders."""
    if len(contenders) == 1:
        return [_sole(contenders[0])] if contenders[0].sees else []
    verdicts: dict[tuple[object, ...], Verdict] = {}
    for cell in _cells(contenders, term):
        verdict = _decide(cell, [c for c in contenders if c.sees & cell], term)
        same = verdicts.get(verdict[1:])
        verdicts[verdict[1:]] = verdict if same is None else same._replace(mask=same.mask | cell)
    return list(verdicts.values())


def _sole(contender: Contender) -> Verdict:
    ruling = Ruling((contender.endpoint,), (), "")
    a, aaaa = contender.of_family(4), contender.of_family(16)
    return Verdict(contender.sees, a, aaaa, _publics([contender]), refused=False, rulings=(ruling,))


def _publics(contenders: Iterable[Contender]) -> tuple[Name, ...]:
    return tuple(sorted({claim.public for contender in contenders for claim in contender.claims}))


def _cells(contenders: Sequence[Contender], term: Term) -> Iterable[int]:
    """Split the networks that see something into sets that no rule can tell apart."""
    seen = 0
    for contender in contenders:
        seen |= contender.sees
    edges = {mask for c in contenders for mask in (c.sees, c.home, c.near)}
    edges |= {mask for mask, _ in term.pins} | {mask for mask, _, _ in term.incumbents} | {term.homeless}
    cells = [seen] if seen else []
    for edge in edges:
        cells = [part for cell in cells for part in (cell & edge, cell & ~edge) if part]
    return sorted(cells)


def _decide(cell: int, visible: Sequence[Contender], term: Term) -> Verdict:
    left, rule = _narrowed(cell, visible, term)
    out = {c.endpoint for c in visible} - {c.endpoint for c in left}
    rulings: list[Ruling] = []
    addresses: list[tuple[bytes, ...]] = []
    for octets in (4, 16):
        claimants = [c for c in left if c.of_family(octets)]
        winners, why = _winners(octets, claimants, cell, term) if len(claimants) > 1 else (claimants, rule)
        won = tuple(c.endpoint for c in winners)
        ruling = Ruling(won, tuple(sorted(out.union(c.endpoint for c in claimants).difference(won))), why)
        if claimants and ruling not in rulings:
            rulings.append(ruling)
        addresses.append(tuple(sorted({address for c in winners for address in c.of_family(octets)})))
    refused = any(ruling.rule == "refuse" for ruling in rulings)
    a, aaaa = ((), ()) if refused else addresses
    return Verdict(cell, a, aaaa, _publics(visible), refused, tuple(rulings))


def _narrowed(cell: int, visible: Sequence[Contender], term: Term) -> tuple[Sequence[Contender], str]:
    """Rules 2 and 3, judged over both families together: who is left, and the rule that ruled others out."""
    if len(visible) > 1:
        for mask, endpoint in term.pins:
            pinned = [c for c in visible if c.endpoint == endpoint] if mask & cell else []
            if pinned:
                return pinned, "pin"
        if not cell & term.homeless:
            # A home VNet, then a home's region, then the rest.
            distances = [0 if c.home & cell else 1 if c.near & cell else 2 for c in visible]
            nearest = [c for c, distance in zip(visible, distances, strict=True) if distance == min(distances)]
            if len(nearest) < len(visible):
                return nearest, "nearest"
    return visible, ""


def _winners(octets: int, claimants: list[Contender], cell: int, term: Term) -> tuple[list[Contender], str]:
    """What the policy and rules 4 and 5 make of several claimants in one family.

    A contest that rule 5 has decided is told by that rule when it is judged again, as long as the rule stands by it.
    """
    if term.policy == "merge":
        return claimants, "merge"
    if term.policy == "refuse":
        return [], "refuse"
    first, second, *_ = sorted(claimants, key=lambda c: (c.first_seen, c.endpoint.casefold(), c.endpoint))
    age = "oldest" if first.first_seen < second.first_seen else "resource-id"
    held = [(endpoint, how) for mask, endpoint, how in term.incumbents if mask & cell]
    if octets == 16:
        held.reverse()
    for endpoint, how in held:
        for claimant in claimants:
            if claimant.endpoint == endpoint:
                by_age = claimant is first and how in {"oldest", "resource-id"}
                return [claimant], age if by_age else "incumbent"
    return [first], age
