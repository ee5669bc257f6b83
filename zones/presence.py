"""Which networks see something, counted by name: what makes zones visible and empty non-terminals exist.

A name is counted once for each mask of networks that sees it. Refuses to know what the names stand for.
"""

from collections.abc import Iterator

import msgspec

from zones.buckets import Buckets
from zones.name import Name, parent


class _Count(msgspec.Struct, gc=False):
    """How often each mask is counted, and the union of those that are."""

    union: int
    masks: dict[int, int]


class Presence:
    """Counts of masks by name. A change tells which names' unions it moved."""

    def __init__(self) -> None:
        self._counts: Buckets[Name, _Count] = Buckets()

    def sees(self, name: Name, network: int) -> bool:
        """True when a mask counted at the name holds the network."""
        count = self._counts.get(name)
        return count is not None and bool(count.union >> network & 1)

    def counts(self, name: Name) -> bool:
        """True when any mask is counted at the name."""
        return self._counts.get(name) is not None

    def names(self) -> Iterator[Name]:
        """Every name that is counted."""
        return (name for bucket in self._counts for name in bucket)

    def add(self, name: Name, mask: int, moved: set[Name]) -> bool:
        """Count the mask once more; True when it was not counted before."""
        bucket = self._counts.of(name)
        count = bucket.get(name)
        if count is None:
            bucket[name] = _Count(mask, {mask: 1})
            moved.add(name)
            return True
        if mask in count.masks:
            count.masks[mask] += 1
            return False
        count.masks[mask] = 1
        if mask | count.union != count.union:
            count.union |= mask
            moved.add(name)
        return True

    def remove(self, name: Name, mask: int, moved: set[Name]) -> bool:
        """Count the mask once less; True when it is no longer counted."""
        bucket = self._counts.of(name)
        count = bucket[name]
        count.masks[mask] -= 1
        if count.masks[mask]:
            return False
        del count.masks[mask]
        before, count.union = count.union, 0
        for left in count.masks:
            count.union |= left
        if before != count.union:
            moved.add(name)
        if not count.masks:
            del bucket[name]
        return True


class Tree(Presence):
    """What there is below each name. A name counts at its parent; a parent that counts a mask at all, at its own."""

    def enter(self, name: Name, mask: int, moved: set[Name]) -> None:
        """Let `name` exist for the networks of `mask`, once more. The root is not counted: it always exists."""
        at = parent(name)
        while at[0] and self.add(at, mask, moved):
            at = parent(at)

    def leave(self, name: Name, mask: int, moved: set[Name]) -> None:
        """Undo one `enter`."""
        at = parent(name)
        while at[0] and self.remove(at, mask, moved):
            at = parent(at)
