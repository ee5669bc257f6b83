"""Decides what a sync of a remote source changes.

An absent resource may be deleted, or only not visible for a while. It is removed when its absence is certain, and many
resources at once only when an operator agrees. Input: the last good data of the source, a complete reading, the rereads
of absent resources, and the time. Output: the data to publish, or the reasons why the sync is held. Does not know how a
source is read or data is published. Pure.
"""

from collections.abc import Mapping
from typing import Final

from resolver.control.guard.rereads import Rereads, nics_of
from resolver.control.guard.shrink_guard import PartKind, Removal, SourceParts, keys_of, reasons_to_hold, withheld
from resolver.control.guard.sync_state import SyncDecision, SyncState
from resolver.settings import GuardMode
from resolver.sources.reading import Reading
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import WallTime

VANISHED: Final = (
    "it is no longer among the subscriptions that can be read: give the identity its role there again, "
    "or, if the subscription is gone, list in `subscriptions` those that are left"
)


def absent(had: SourceParts, reading: Reading, missing: Mapping[ResourceId, WallTime]) -> list[ResourceId]:
    """Return the keys that a complete reading lacks, those that have been missing longest first.

    A resource in a subscription that the reading could not read is not absent.
    """
    present = {key for part in reading.parts.values() for key in keys_of(part).all}
    lacking = {key for part, before in had.items() if part in reading.parts for key in keys_of(before).all} - present
    return sorted(lacking, key=lambda key: (missing.get(key, float("inf")), key))


def decide(
    had: SourceParts,
    reading: Reading,
    state: SyncState,
    rereads: Rereads,
    now: WallTime,
    *,
    hold_down: float,
    guard: GuardMode,
) -> SyncDecision:
    """Return what a complete reading changes. `had`: the last good data.

    An absent resource is removed if a reread did not find it. A resource that was not reread is removed once it has
    been missing for `hold_down` seconds. A resource whose reread failed stays.
    """
    lacking = {key for key in absent(had, reading, state.missing) if not isinstance(rereads.get(key), Resources)}
    unconfirmed = {key: why for key in lacking if isinstance(why := rereads.get(key), str)}
    missing = {key: state.missing.get(key, now) for key in lacking if key not in rereads}
    lost = _lost(had, reading)
    keys = {part: keys_of(data) for part, data in had.items()}
    reasons = (
        tuple(reasons_to_hold(keys, lacking, reading.parts.keys(), PartKind.SUBSCRIPTION)) if guard == "on" else ()
    )
    if reasons:
        change = Removal({**reading.parts, **_forgotten(had, reading)}, lost, lacking)
        held = withheld(change, reasons, had, state.held, now)
        return SyncDecision({}, lost, _by_id(had, unconfirmed), SyncState(missing, held))
    overdue = {key for key, since in missing.items() if now - since >= hold_down}
    gone = {key for key in lacking if key in rereads and rereads[key] is None} | overdue
    parts = _forgotten(had, reading)
    parts |= {part: _merged(had.get(part), data, gone, rereads) for part, data in reading.parts.items()}
    left = SyncState({key: since for key, since in missing.items() if key not in overdue})
    return SyncDecision(parts, lost, _by_id(had, unconfirmed), left)


def _merged(before: Resources | None, data: Resources, gone: set[ResourceId], rereads: Rereads) -> Resources:
    """Return the new data of a subscription: the reading, and the resources that it lacks but that are not gone."""
    if before is None:
        return data
    present = keys_of(data).all
    kept = {key for key in keys_of(before).all if key not in present and key not in gone}
    if not kept:
        return data
    fresh = [found for key in sorted(kept) if isinstance(found := rereads.get(key), Resources)]
    older = Resources(
        tuple(each for each in before.endpoints if each.key in kept),
        nics_of(before, kept),
        tuple(each for each in before.vnets if each.key in kept),
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
