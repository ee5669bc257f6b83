"""Limits what events may remove from a source between two syncs: no more than one sync may without an operator.

A read has confirmed each deletion, but many deletions may be a lost permission that reads as absence. Does not know how
events arrive, or what becomes of a change that is held. Pure.
"""

from resolver.control.guard.shrink_guard import KINDS, SourceParts, keys_of, too_many
from resolver.settings import GuardMode
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources


class EventGuard:
    """Counts the removals of one source since its last published sync. With the mode `off`, nothing is held."""

    def __init__(self, mode: GuardMode) -> None:
        self._mode = mode
        self._removed: dict[str, set[ResourceId]] = {kind: set() for kind in KINDS}

    def sync_published(self) -> None:
        """Count from 0 again: the published sync has confirmed the removals."""
        for removed in self._removed.values():
            removed.clear()

    def check(self, had: SourceParts, part: str, data: Resources) -> str:
        """Return why a subscription may not change to this data. Empty if it may; its removals are then counted.

        `had`: the last good data of the source, by subscription.
        """
        if self._mode == "off":
            return ""
        lost: dict[str, set[ResourceId]] = {}
        for field in KINDS:
            present = _keys(data, field)
            self._removed[field] -= present  # removed before, and back now
            lost[field] = _keys(had[part], field) - present
            removed = self._removed[field] | lost[field]
            there = sum(len(getattr(each, field)) for each in had.values())
            if lost[field] and (why := too_many(len(removed), there + len(self._removed[field]), field)):
                return why
        if any(lost.values()) and not (data.endpoints or data.vnets):
            return f"everything of subscription {part}"
        for field in KINDS:
            self._removed[field] |= lost[field]
        return ""


def _keys(data: Resources, field: str) -> set[ResourceId]:
    keys: set[ResourceId] = getattr(keys_of(data), field)
    return keys
