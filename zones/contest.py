"""Whose claim wins: one name, its claims, and for every network the one answer with the rule that decided it.

The rules, in order: one endpoint with several addresses is no contest; a pin; nearest; the incumbent; oldest
first-seen, then resource id. Pure arithmetic over masks of networks; knows no JSON, rows or findings.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from zones.name import Name


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

    def of_family(self, octets: int) -> tuple[bytes, ...]:
        """Its addresses of 4 (A) or 16 (AAAA) octets."""
        return tuple(address for address in self.addresses if len(address) == octets)


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
        return tuple(sorted({address for claim in self.claims for address in claim.of_family(octets)}))


class Ruling(NamedTuple):
    """Who answered one address family and why. `rule` is empty where nothing had to be decided."""

    winners: tuple[str, ...]
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


class Term(NamedTuple):
    """What stands beside the claims: the policy, pins as (mask, endpoint), incumbents as (mask, endpoint)."""

    policy: str
    pins: tuple[tuple[int, str], ...]
    incumbents: tuple[tuple[int, str], ...]
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
    publics = tuple(sorted({claim.public for claim in contender.claims}))
    return Verdict(contender.sees, contender.of_family(4), contender.of_family(16), publics, False, (ruling,))  # noqa: FBT003 - a field


def _cells(contenders: Sequence[Contender], term: Term) -> Iterable[int]:
    """Split the networks that see something into sets that no rule can tell apart."""
    cells = [0]
    for contender in contenders:
        cells[0] |= contender.sees
    edges = [mask for c in contenders for mask in (c.sees, c.home, c.near)]
    edges += [mask for mask, _ in term.pins + term.incumbents]
    edges.append(term.homeless)
    for edge in edges:
        cells = [part for cell in cells for part in (cell & edge, cell & ~edge) if part]
    return cells


def _decide(cell: int, visible: Sequence[Contender], term: Term) -> Verdict:
    left, rule = list(visible), ""
    pinned = [c for mask, endpoint in term.pins if mask & cell for c in visible if c.endpoint == endpoint]
    if len(visible) > 1:
        if pinned:
            left, rule = pinned[:1], "pin"
        elif not cell & term.homeless:
            left = _nearest(cell, visible)
            rule = "nearest" if len(left) < len(visible) else ""
    families = [_family(octets, left, cell, rule, term) for octets in (4, 16)]
    losers = [c.endpoint for c in visible]
    rulings = []
    for winners, why, _ in families:
        if winners:
            names = tuple(c.endpoint for c in winners)
            ruling = Ruling(names, tuple(key for key in losers if key not in names), why)
            if ruling not in rulings:
                rulings.append(ruling)
    a, aaaa = (
        tuple(sorted({address for c in winners for address in c.of_family(octets)}))
        for (winners, _, _), octets in zip(families, (4, 16), strict=True)
    )
    publics = tuple(sorted({claim.public for c in visible for claim in c.claims}))
    refused = any(refuse for _, _, refuse in families)
    return Verdict(cell, () if refused else a, () if refused else aaaa, publics, refused, tuple(rulings))


def _nearest(cell: int, visible: Sequence[Contender]) -> list[Contender]:
    """Rule 3, judged over both families together: a home VNet, then a home's region, then the rest."""
    distances = [0 if c.home & cell else 1 if c.near & cell else 2 for c in visible]
    return [c for c, distance in zip(visible, distances, strict=True) if distance == min(distances)]


def _family(
    octets: int, left: Sequence[Contender], cell: int, rule: str, term: Term
) -> tuple[list[Contender], str, bool]:
    """Winners in one family, the rule that decided, and whether the policy refuses to decide."""
    claimants = [c for c in left if c.of_family(octets)]
    if len(claimants) <= 1:
        return claimants, rule, False
    if term.policy == "merge":
        return claimants, "merge", False
    if term.policy == "refuse":
        return claimants, "refuse", True
    held = {endpoint for mask, endpoint in term.incumbents if mask & cell}
    incumbents = [c for c in claimants if c.endpoint in held]
    if incumbents:
        return incumbents[:1], "incumbent", False
    first, second, *_ = sorted(claimants, key=lambda c: (c.first_seen, c.endpoint))
    return [first], "oldest" if first.first_seen < second.first_seen else "resource-id", False
