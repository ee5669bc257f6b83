"""Decides what a whole copy from a hub changes, and a change after which the hub has a source no more.

The hub's own guard has decided about each reading of its sources. This guard is for what that one cannot see: a hub
that starts without its state, or whose configuration has lost a source. Input: the last good data, the new data, and
what an earlier copy left open. Does not know how a copy arrives or data is published. Pure.
"""

from collections.abc import Mapping
from typing import Final

from resolver.control.guard.shrink_guard import (
    PartKeys,
    PartKind,
    Removal,
    SourceParts,
    keys_of,
    reasons_to_hold,
    withheld,
)
from resolver.control.guard.sync_state import SyncDecision, SyncState
from resolver.settings import GuardMode
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import WallTime

_BETWEEN: Final = ": "


def part_name(source: str, part: str) -> str:
    """Return the name that a spoke gives to a part of a source of its hub."""
    return f"{source}{_BETWEEN}{part}"


def source_of(part: str) -> str:
    """Return the source of the hub that a part of a spoke belongs to."""
    return part.partition(_BETWEEN)[0]


def decide(
    had: SourceParts,
    changes: Mapping[str, Resources | None],
    lost: dict[str, str],
    state: SyncState,
    guard: GuardMode,
    now: WallTime,
) -> SyncDecision:
    """Return what new data of parts changes; None for a part that is gone.

    `had`: the last good data by part. `lost`: the reason by part, for those that the hub cannot read now. The changes
    of a held copy are decided again together with these.
    """
    waiting: Mapping[str, Resources | None] = state.held.parts if state.held else {}
    parts = {part: data for part, data in {**waiting, **changes}.items() if data != had.get(part)}
    lacking = _lacking(had, parts) if guard == "on" else frozenset()
    changed = {source_of(part) for part in parts}
    reasons = tuple(reasons_to_hold(_by_source(had), lacking, changed, PartKind.SOURCE)) if lacking else ()
    if reasons:
        held = withheld(Removal(parts, lost, lacking), reasons, had, state.held, now)
        return SyncDecision({}, lost, {}, SyncState(held=held))
    return SyncDecision(parts, lost, {}, SyncState())


def _lacking(had: SourceParts, parts: Mapping[str, Resources | None]) -> frozenset[ResourceId]:
    """Return the keys of the resources that no part would have any more."""
    before = {key for part in parts if (data := had.get(part)) for key in keys_of(data).all}
    lacking = before - {key for data in parts.values() if data for key in keys_of(data).all}
    if lacking:
        lacking -= {key for part, data in had.items() if part not in parts for key in keys_of(data).all}
    return frozenset(lacking)


def _by_source(had: SourceParts) -> dict[str, PartKeys]:
    found: dict[str, tuple[set[ResourceId], set[ResourceId], set[ResourceId]]] = {}
    for part, data in had.items():
        for all_keys, keys in zip(found.setdefault(source_of(part), (set(), set(), set())), keys_of(data), strict=True):
            all_keys.update(keys)
    return {source: PartKeys(*keys) for source, keys in found.items()}
