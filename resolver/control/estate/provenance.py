"""Where an answer comes from: every claim on a name, and why it won or lost in the network of a client.

The ledger decides; this file only reads the decision. Does not know how workers answer. Pure: time is an argument.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ResourceId
from zones.claims.contest import Claim, Rule, Ruling, Verdict
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.networks.network import NO_NETWORKS, NetworkMask
from zones.networks.prefixes import NONE, NetworkIndex


class Standing(StrEnum):
    """What became of a claim in one network."""

    WON = "won"
    LOST = "lost"
    UNDECIDED = "undecided"
    """The conflict policy `refuse` answers SERVFAIL."""
    ELSEWHERE = "elsewhere"
    """The claim has its private name, but the public FQDN leads to another private name."""
    SHADOWED = "shadowed"
    """A zone file or a private DNS zone has the name."""
    DISPLACED = "displaced"
    """The claim was removed and lingers, but a live claim has its name or one of its addresses."""
    EXCEPTED = "excepted"
    """`except` of the network hides the endpoint or the name."""
    NOT_VISIBLE = "not-visible"
    """The endpoint is visible to other networks only, or to none."""
    NOT_SERVED = "not-served"
    """The connection of the endpoint is not approved, or the endpoint is being deleted."""


class ClaimStanding(NamedTuple):
    """One claim, and what became of it."""

    claim: Claim
    standing: Standing
    rule: Rule = Rule.NONE
    others: tuple[ResourceId, ...] = ()
    """The endpoints that lost against a claim that won, and those that won against one that lost."""
    pin: Pin | None = None
    """The pin that decided, for `Rule.PIN`."""


class Place(NamedTuple):
    """A name at which claims are looked for."""

    name: Name
    stars: tuple[Name, ...] = ()
    """Wildcards that could cover the name."""
    private: Name | None = None
    """The private name that the name leads to in the client's network."""
    is_static: bool = False
    """A zone file or a private DNS zone answers for the name."""


def standings(
    estate: Estate, places: Iterable[Place], network: NetworkIndex, now: WallTime
) -> Iterator[tuple[Name, ClaimStanding]]:
    """Yield every claim at these places once, as (name of the place, claim), in the order of the places.

    A claim on several places is yielded at its own private name, or else at the first of them.
    """
    found = list(places)
    own = {place.name for place in found}
    seen: set[Claim] = set()
    for place in found:
        for claim in (claim for at in (place.name, *place.stars) for claim in estate.ledger.find(at)):
            if claim in seen or (claim.name != place.name and claim.name in own):
                continue
            seen.add(claim)
            yield place.name, _standing(estate, claim, found, network, now)


def _standing(estate: Estate, claim: Claim, places: list[Place], network: NetworkIndex, now: WallTime) -> ClaimStanding:
    ledger, bit = estate.ledger, NO_NETWORKS if network == NONE else NetworkMask(1 << network)
    lingers = ledger.tombstones.until(claim) is not None
    if not lingers and not ledger.holder(claim.endpoint).served:
        return ClaimStanding(claim, Standing.NOT_SERVED)
    if ledger.excepts(claim) & bit:
        return ClaimStanding(claim, Standing.EXCEPTED)
    if not ledger.sees(claim) & bit:
        return ClaimStanding(claim, Standing.NOT_VISIBLE)
    if any(place.is_static and claim.name == place.name for place in places):
        return ClaimStanding(claim, Standing.SHADOWED)
    verdict = next((each for each in ledger.verdicts(claim.name, now) if each.mask & bit), None)
    ruling = _ruling(verdict, claim)
    if ruling is None:
        return ClaimStanding(claim, Standing.DISPLACED)
    if verdict is not None and verdict.refused:
        return ClaimStanding(claim, Standing.UNDECIDED, Rule.REFUSE, _without(ruling.losers, claim))
    if claim.endpoint not in ruling.winners:
        return ClaimStanding(claim, Standing.LOST, ruling.rule, ruling.winners, _pin(estate, ruling, claim, bit, now))
    if away := _led_away(claim, places):
        return _elsewhere(estate, claim, away, bit, now)
    others = (*_without(ruling.winners, claim), *ruling.losers)
    return ClaimStanding(claim, Standing.WON, ruling.rule, others, _pin(estate, ruling, claim, bit, now))


def _ruling(verdict: Verdict | None, claim: Claim) -> Ruling | None:
    """Return the ruling about a claim: one that it won, else one that it lost."""
    rulings = verdict.rulings if verdict else ()
    won = (each for each in rulings if claim.endpoint in each.winners)
    lost = (each for each in rulings if claim.endpoint in each.losers)
    return next(won, None) or next(lost, None)


def _without(keys: tuple[ResourceId, ...], claim: Claim) -> tuple[ResourceId, ...]:
    return tuple(key for key in keys if key != claim.endpoint)


def _led_away(claim: Claim, places: list[Place]) -> Name | None:
    """Return the FQDN of the claim if it leads to another private name in this network."""
    led = (
        place.name
        for place in places
        if place.name == claim.public and place.private and claim.name not in {place.private, place.name}
    )
    return next(led, None)


def _elsewhere(estate: Estate, claim: Claim, public: Name, bit: NetworkMask, now: WallTime) -> ClaimStanding:
    for verdict in estate.ledger.public_verdicts(public, now):
        for ruling in verdict.rulings if verdict.mask & bit else ():
            pin = _pin(estate, ruling, claim, bit, now)
            return ClaimStanding(claim, Standing.ELSEWHERE, ruling.rule, ruling.winners, pin)
    return ClaimStanding(claim, Standing.ELSEWHERE)


def _pin(estate: Estate, ruling: Ruling, claim: Claim, bit: NetworkMask, now: WallTime) -> Pin | None:
    """Return the pin by which an endpoint won."""
    if ruling.rule is not Rule.PIN:
        return None
    ledger, names = estate.ledger, {claim.name, claim.public}
    names.update(each.public for each in ledger.find(claim.name))
    pins = ledger.conflicts.pinned(now, *names)
    return next((pin for pin in pins if pin.key in ruling.winners and estate.networks.named(pin.network) & bit), None)
