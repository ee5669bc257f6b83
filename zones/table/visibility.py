"""Which networks see something, counted by name: what makes zones visible and empty non-terminals exist.

A name is counted once for each class of networks that sees it; classes are numbers, for their masks may have thousands
of bits. Refuses to know what the names stand for.
"""

from collections.abc import Iterator, Mapping

import msgspec

from zones.dns.name import Name, parent
from zones.table.sharded_dict import Buckets

Masks = Mapping[int, int]
"""Mask of networks by class number."""


class _Count(msgspec.Struct, gc=False):
    """How often each class is counted, and the union of the masks of those that are."""

    union: int
    classes: dict[int, int]


class Presence:
    """Counts of classes by name. A change tells which names' unions it moved."""

    def __init__(self) -> None:
        self._counts: Buckets[Name, _Count] = Buckets()

    def sees(self, name: Name, network: int) -> bool:
        """True when a class counted at the name holds the network."""
        count = self._counts.get(name)
        return count is not None and bool(count.union >> network & 1)

    def counts(self, name: Name) -> bool:
        """True when any class is counted at the name."""
        return self._counts.get(name) is not None

    def names(self) -> Iterator[Name]:
        """Every name that is counted."""
        return (name for bucket in self._counts for name in bucket)

    def add(self, name: Name, number: int, masks: Masks, moved: set[Name]) -> bool:
        """Count the class once more; True when it was not counted before."""
        bucket = self._counts.of(name)
        count = bucket.get(name)
        if count is None:
            bucket[name] = _Count(masks[number], {number: 1})
            moved.add(name)
            return True
        if number in count.classes:
            count.classes[number] += 1
            return False
        count.classes[number] = 1
        union = count.union | masks[number]
        if union != count.union:
            count.union = union
            moved.add(name)
        return True

    def remove(self, name: Name, number: int, masks: Masks, moved: set[Name]) -> bool:
        """Count the class once less; True when it is no longer counted."""
        bucket = self._counts.of(name)
        count = bucket[name]
        count.classes[number] -= 1
        if count.classes[number]:
            return False
        del count.classes[number]
        union = 0
        for left in count.classes:
            union |= masks[left]
        if union != count.union:
            count.union = union
            moved.add(name)
        if not count.classes:
            del bucket[name]
        return True


class Tree(Presence):
    """What there is below each name. A name counts at its parent; a parent that counts a class at all, at its own."""

    def enter(self, name: Name, number: int, masks: Masks, moved: set[Name]) -> None:
        """Let `name` exist for the networks of a class, once more. The root is not counted: it always exists."""
        at = parent(name)
        while at[0] and self.add(at, number, masks, moved):
            at = parent(at)

    def leave(self, name: Name, number: int, masks: Masks, moved: set[Name]) -> None:
        """Undo one `enter`."""
        at = parent(name)
        while at[0] and self.remove(at, number, masks, moved):
            at = parent(at)
