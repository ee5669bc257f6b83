"""Decides what a sync of a remote source may change.

An absent resource may be deleted, or only not visible for a while. It is removed when its absence is certain, and many
resources at once only when an operator agrees. Input: the last good data of the source, a complete reading, the rereads
of absent resources, and the time. Output: the data to publish, or the reasons why the sync is held. Does not know how a
source is read or data is published. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from resolver.control.guard.rereads import Rereads, nics_of
from resolver.control.guard.sync_state import SyncDecision, SyncState, WithheldSync
from resolver.sources.reading import Reading
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.findings.evidence import LISTED

FEW: Final = 5
SHARE: Final = 5
"""A sync that would remove more than `FEW` resources and more than one in `SHARE` is held."""
KINDS: Final = {"endpoints": "private endpoints", "vnets": "virtual networks"}
"""The kinds of resources that are counted: the field of `Resources`, and the words for operators."""
VANISHED: Final = (
    "it is no longer among the subscriptions that can be read: give the identity its role there again, "
    "or, if the subscription is gone, list in `subscriptions` those that are left"
)

SourceParts = Mapping[str, Resources]
"""Data by subscription."""


def absent(had: SourceParts, reading: Reading, missing: Mapping[ResourceId, WallTime]) -> list[ResourceId]:
    """Return the keys that a complete reading lacks, those that have been missing longest first.

    A resource in a subscription that the reading could not read is not absent.
    """
    present = {key for part in reading.parts.values() for key in _keys(part)}
    lacking = {key for part, before in had.items() if part in reading.parts for key in _keys(before)} - present
    return sorted(lacking, key=lambda key: (missing.get(key, float("inf")), key))


def decide(
    had: SourceParts, reading: Reading, state: SyncState, rereads: Rereads, now: WallTime, hold_down: float
) -> SyncDecision:
    """Return what a complete reading changes. `had`: the last good data.

    An absent resource is removed if a reread did not find it. A resource that was not reread is removed once it has
    been missing for `hold_down` seconds. A resource whose reread failed stays.
    """
    lacking = {key for key in absent(had, reading, state.missing) if not isinstance(rereads.get(key), Resources)}
    unconfirmed = {key: why for key in lacking if isinstance(why := rereads.get(key), str)}
    missing = {key: state.missing.get(key, now) for key in lacking if key not in rereads}
    reasons = tuple(_reasons_to_hold(had, lacking))
    if reasons:
        since = state.held.since if state.held else now
        held = WithheldSync(since, now, reading, reasons, *_removed(had, lacking))
        return SyncDecision({}, _lost(had, reading), _by_id(had, unconfirmed), SyncState(missing, held))
    overdue = {key for key, since in missing.items() if now - since >= hold_down}
    gone = {key for key in lacking if key in rereads and rereads[key] is None} | overdue
    parts = _forgotten(had, reading)
    parts |= {part: _merged(had.get(part), data, gone, rereads) for part, data in reading.parts.items()}
    left = SyncState({key: since for key, since in missing.items() if key not in overdue})
    return SyncDecision(parts, _lost(had, reading), _by_id(had, unconfirmed), left)


def accept(had: SourceParts, held: WithheldSync) -> SyncDecision:
    """Return the decision to publish a held sync as it is: each resource that it lacks is removed."""
    parts: dict[str, Resources | None] = {**held.reading.parts, **_forgotten(had, held.reading)}
    return SyncDecision(parts, _lost(had, held.reading), {}, SyncState())


def too_many(gone: int, there: int, kind: str) -> str:
    """Return why `gone` of `there` resources may not be removed without an operator; empty if they may."""
    if gone and gone == there:
        return f"all {gone} {kind} of the source"
    return f"{gone} of {there} {kind}" if gone > FEW and gone * SHARE > there else ""


def _keys(data: Resources) -> Iterator[ResourceId]:
    """Yield the keys of the resources whose absence counts. A NIC is removed with its endpoint."""
    yield from (endpoint.key for endpoint in data.endpoints)
    yield from (vnet.key for vnet in data.vnets)


def _reasons_to_hold(had: SourceParts, lacking: set[ResourceId]) -> Iterator[str]:
    for field, kind in KINDS.items():
        keys = {each.key for data in had.values() for each in getattr(data, field)}
        if why := too_many(len(keys & lacking), len(keys), kind):
            yield why
    whole = [part for part, data in had.items() if (keys := set(_keys(data))) and keys <= lacking]
    for part in sorted(whole)[:LISTED]:
        yield f"everything of subscription {part}"


def _removed(had: SourceParts, lacking: set[ResourceId]) -> tuple[int, int, tuple[str, ...]]:
    """Return the number of endpoints, the number of VNets, and some of their ids."""
    endpoints = {each.key: each.id for part in had.values() for each in part.endpoints if each.key in lacking}
    vnets = {each.key: each.id for part in had.values() for each in part.vnets if each.key in lacking}
    return len(endpoints), len(vnets), tuple(sorted((endpoints | vnets).values())[:LISTED])


def _merged(before: Resources | None, data: Resources, gone: set[ResourceId], rereads: Rereads) -> Resources:
    """Return the new data of a subscription: the reading, and the resources that it lacks but that are not gone."""
    if before is None:
        return data
    present = set(_keys(data))
    kept = {key for key in _keys(before) if key not in present and key not in gone}
    if not kept:
        return data
    fresh = [found for key in sorted(kept) if isinstance(found := rereads.get(key), Resources)]
    older = Resources(
        tuple(each for each in before.endpoints if each.key in kept),
        nics_of(before, kept),
        tuple(each for each in before.vnets if each.key in kept),
        zone_groups=tuple(each for each in before.zone_groups if each.key in kept),
    )
    return Resources.joined((data, *fresh, older))  # where two have a resource, the first counts


def _lost(had: SourceParts, reading: Reading) -> dict[str, str]:
    """Return the subscriptions that a complete reading could not read, or that it no longer knows, with the reason."""
    vanished = {part: VANISHED for part, before in had.items() if before != _NOTHING}
    return {part: why for part, why in (vanished | reading.refused).items() if part not in reading.parts}


def _forgotten(had: SourceParts, reading: Reading) -> dict[str, Resources | None]:
    """Return the subscriptions that the reading no longer knows and that had no resources."""
    known = reading.parts.keys() | reading.refused.keys()
    return {part: None for part, before in had.items() if before == _NOTHING and part not in known}


def _by_id(had: SourceParts, reasons: Mapping[ResourceId, str]) -> dict[str, str]:
    ids = {each.key: each.id for part in had.values() for each in part.endpoints if each.key in reasons}
    ids |= {each.key: each.id for part in had.values() for each in part.vnets if each.key in reasons}
    return {ids[key]: reasons[key] for key in sorted(reasons)}


_NOTHING: Final = Resources()
