"""What a sync of a remote source may change: absence is not deletion until it is sure, and much of it is an accident.

Pure: what the source gave before, a complete reading, what was read once more and the time in; what to publish, or why
all of it is held, out. Refuses to know how a source is read, and what becomes of what is published.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from resolver.sources.reading import Reading
from zones.azure.resource import Nic, Resources, subscription

FEW: Final = 5
SHARE: Final = 5
"""A sync that would remove more than `FEW` and more than one in `SHARE` is held."""
KINDS: Final = {"endpoints": "private endpoints", "vnets": "virtual networks"}
"""What is counted, by its field, and what it is called."""
LISTED: Final = 32
"""Ids and subscriptions that are named, at most."""
VANISHED: Final = (
    "it is no longer among the subscriptions that can be read: give the identity its role there again, "
    "or, if the subscription is gone, list in `subscriptions` those that are left"
)

Parts = Mapping[str, Resources]
Told = Mapping[str, Resources | str | None]
"""What reading absent resources once more gave, by key: the resource, none, or why that could not be told."""


Action = Literal["now", "accept", "drop"]
"""What an operator may say of a remote source."""


class NothingHeld(Exception):  # noqa: N818 - what an operator is told
    """No sync of the source is held: there is nothing to accept or drop."""


class Held(msgspec.Struct, frozen=True):
    """A complete sync that would remove too much. Nothing of it is published until an operator accepts it."""

    since: float
    """When a sync was first held; later ones that would remove too much take its place."""
    at: float
    """When this one was read."""
    reading: Reading
    reasons: tuple[str, ...]
    endpoints: int
    """Private endpoints that it would remove."""
    vnets: int
    ids: tuple[str, ...]
    """Some of what it would remove."""


class Standing(msgspec.Struct, frozen=True):
    """What the syncs of a source have left open; it outlives a restart."""

    missing: dict[str, float] = {}
    """Absent resources that are still served, by key, and since when."""
    held: Held | None = None


class Judgement(NamedTuple):
    """What a sync comes to. While it is held, `parts` is empty."""

    parts: dict[str, Resources | None]
    """To be put in place of what these parts hold; None: the part is forgotten."""
    lost: dict[str, str]
    """Subscriptions that could not be read, with the reason: what they gave before is kept."""
    doubtful: dict[str, str]
    """Ids of absent resources that could not be read once more, with the reason: they are kept."""
    standing: Standing


def absent(had: Parts, reading: Reading, missing: Mapping[str, float]) -> list[str]:
    """Keys that a complete reading lacks, in the order in which they are to be read once more.

    Those that were missing longest come first. What an unread subscription gave is not absent.
    """
    present = {key for part in reading.parts.values() for key in _keys(part)}
    lacking = {key for part, before in had.items() if part in reading.parts for key in _keys(before)} - present
    return sorted(lacking, key=lambda key: (missing.get(key, float("inf")), key))


def judge(had: Parts, reading: Reading, standing: Standing, told: Told, now: float, hold_down: float) -> Judgement:
    """What a complete reading may change. `had`: what the source gave before, by subscription.

    An absent resource goes when reading it once more found none, or when it could not be asked for (`told` has no
    word of it) and was missing for `hold_down` seconds. One that could not be read stays.
    """
    lacking = {key for key in absent(had, reading, standing.missing) if not isinstance(told.get(key), Resources)}
    doubts = {key: why for key in lacking if isinstance(why := told.get(key), str)}
    missing = {key: standing.missing.get(key, now) for key in lacking if key not in told}
    reasons = tuple(_shrinks(had, lacking))
    if reasons:
        since = standing.held.since if standing.held else now
        held = Held(since, now, reading, reasons, *_removed(had, lacking))
        return Judgement({}, _lost(had, reading), _by_id(had, doubts), Standing(missing, held))
    over = {key for key, since in missing.items() if now - since >= hold_down}
    gone = {key for key in lacking if key in told and told[key] is None} | over
    parts = _forgotten(had, reading)
    parts |= {part: _merged(had.get(part), given, gone, told) for part, given in reading.parts.items()}
    left = Standing({key: since for key, since in missing.items() if key not in over})
    return Judgement(parts, _lost(had, reading), _by_id(had, doubts), left)


def accept(had: Parts, held: Held) -> Judgement:
    """An operator takes the held sync as it is: what it lacks is gone."""
    parts: dict[str, Resources | None] = {**held.reading.parts, **_forgotten(had, held.reading)}
    return Judgement(parts, _lost(had, held.reading), {}, Standing())


def patched(before: Resources, key: str, found: Resources | None) -> Resources:
    """What a subscription holds when this resource is as it was found; None: it is gone.

    A NIC goes with its endpoint.
    """
    nics = {nic.key for nic in _nics_of(before, {key})}
    rest = Resources(
        tuple(each for each in before.endpoints if each.key != key),
        tuple(each for each in before.nics if each.key not in nics),
        tuple(each for each in before.vnets if each.key != key),
        tuple(fault for fault in before.faults if fault.subject.casefold() not in {key, *nics}),
    )
    return Resources.joined((found, rest)) if found else rest


def corrected(reading: Reading, told: Told) -> Reading:
    """A reading in which these resources are as they were when they were read by themselves, after it began."""
    parts = dict(reading.parts)
    for key, found in told.items():
        if not isinstance(found, str) and (part := subscription(key)) in parts:
            parts[part] = patched(parts[part], key, found)
    return msgspec.structs.replace(reading, parts=parts)


def _keys(resources: Resources) -> Iterator[str]:
    """What is missed when it is absent. A NIC goes with its endpoint."""
    yield from (endpoint.key for endpoint in resources.endpoints)
    yield from (vnet.key for vnet in resources.vnets)


def _shrinks(had: Parts, lacking: set[str]) -> Iterator[str]:
    """Why so much may not be removed unasked."""
    for kind, name in KINDS.items():
        keys = {each.key for resources in had.values() for each in getattr(resources, kind)}
        if why := too_many(len(keys & lacking), len(keys), name):
            yield why
    whole = [part for part, resources in had.items() if (keys := set(_keys(resources))) and keys <= lacking]
    for part in sorted(whole)[:LISTED]:
        yield f"everything of subscription {part}"


def too_many(gone: int, there: int, name: str) -> str:
    """Why so many of those that were there may not be removed unasked; empty: they may."""
    if gone and gone == there:
        return f"all {gone} {name} of the source"
    return f"{gone} of {there} {name}" if gone > FEW and gone * SHARE > there else ""


def _removed(had: Parts, lacking: set[str]) -> tuple[int, int, tuple[str, ...]]:
    """How many endpoints, how many VNets, and some of their ids."""
    endpoints = {each.key: each.id for part in had.values() for each in part.endpoints if each.key in lacking}
    vnets = {each.key: each.id for part in had.values() for each in part.vnets if each.key in lacking}
    return len(endpoints), len(vnets), tuple(sorted((endpoints | vnets).values())[:LISTED])


def _merged(before: Resources | None, given: Resources, gone: set[str], told: Told) -> Resources:
    """What a subscription holds now: the reading, and what is absent from it and not gone."""
    if before is None:
        return given
    present = set(_keys(given))
    kept = {key for key in _keys(before) if key not in present and key not in gone}
    if not kept:
        return given
    fresh = [found for key in sorted(kept) if isinstance(found := told.get(key), Resources)]
    # A fresh word on a resource comes before what was known of it.
    older = Resources(
        tuple(each for each in before.endpoints if each.key in kept),
        _nics_of(before, kept),
        tuple(each for each in before.vnets if each.key in kept),
    )
    return Resources.joined((given, *fresh, older))


def _nics_of(before: Resources, kept: set[str]) -> tuple[Nic, ...]:
    named = {nic for endpoint in before.endpoints if endpoint.key in kept for nic in endpoint.nics}
    return tuple(nic for nic in before.nics if nic.endpoint in kept or nic.key in named)


def _lost(had: Parts, reading: Reading) -> dict[str, str]:
    """Subscriptions that a complete reading could not read, or that vanished from it whole."""
    vanished = {part: VANISHED for part, before in had.items() if before != _NOTHING}
    return {part: why for part, why in (vanished | reading.refused).items() if part not in reading.parts}


def _forgotten(had: Parts, reading: Reading) -> dict[str, Resources | None]:
    """Subscriptions that vanished and had given nothing."""
    known = reading.parts.keys() | reading.refused.keys()
    return {part: None for part, before in had.items() if before == _NOTHING and part not in known}


def _by_id(had: Parts, doubts: Mapping[str, str]) -> dict[str, str]:
    ids = {each.key: each.id for part in had.values() for each in part.endpoints if each.key in doubts}
    ids |= {each.key: each.id for part in had.values() for each in part.vnets if each.key in doubts}
    return {ids[key]: doubts[key] for key in sorted(doubts)}


_NOTHING: Final = Resources()
