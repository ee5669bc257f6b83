"""What events may remove of a source between two syncs: no more than one sync may unasked.

Each deletion was confirmed by a read, but so many of them may be a lost permission that looks like absence. Pure.
Refuses to know how events come, and what becomes of what is held.
"""

from resolver.control.guard.shrink_guard import KINDS, Parts, too_many
from zones.azure.resource import Resources


class Deletions:
    """Of one source, since its last sync that was published."""

    def __init__(self) -> None:
        self._gone: dict[str, set[str]] = {kind: set() for kind in KINDS}

    def judged(self) -> None:
        """A sync was published: what is gone now is gone by its word."""
        for gone in self._gone.values():
            gone.clear()

    def take(self, had: Parts, part: str, now: Resources) -> str:
        """Why this may not be what a subscription holds now; empty: it may, and what is gone by it is counted.

        `had`: what the source gave before, by subscription.
        """
        lost: dict[str, set[str]] = {}
        for kind, name in KINDS.items():
            present = _keys(now, kind)
            self._gone[kind] -= present  # it came back
            lost[kind] = _keys(had[part], kind) - present
            gone = self._gone[kind] | lost[kind]
            there = sum(len(getattr(each, kind)) for each in had.values())
            if lost[kind] and (why := too_many(len(gone), there + len(self._gone[kind]), name)):
                return why
        if any(lost.values()) and not (now.endpoints or now.vnets):
            return f"everything of subscription {part}"
        for kind in KINDS:
            self._gone[kind] |= lost[kind]
        return ""


def _keys(resources: Resources, kind: str) -> set[str]:
    return {each.key for each in getattr(resources, kind)}
