"""Which networks see a name, counted by class. Decides which zones are visible and which empty non-terminals exist.

A name is counted once for each row and class of networks that sees it. Classes are numbers, because their masks may
have thousands of bits. Does not know what the names are.
"""

from collections.abc import Iterator, Mapping

import msgspec

from zones.claims.row import ClassNumber
from zones.dns.name import Name, parent
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NetworkIndex
from zones.table.sharded_dict import ShardedDict

ClassMasks = Mapping[ClassNumber, NetworkMask]
"""Mask of networks by class number."""


class _Count(msgspec.Struct, gc=False):
    """The count of each class, and the union of the masks of the counted classes."""

    union: int
    classes: dict[ClassNumber, int]


class Visibility:
    """Counts of classes by name. A change adds the names whose union it changed to `moved`."""

    def __init__(self) -> None:
        self._counts: ShardedDict[Name, _Count] = ShardedDict()

    def sees(self, name: Name, network: NetworkIndex) -> bool:
        """Return whether a class that is counted at the name has the network."""
        count = self._counts.get(name)
        return count is not None and bool(count.union >> network & 1)

    def counts(self, name: Name) -> bool:
        """Return whether any class is counted at the name."""
        return self._counts.get(name) is not None

    def names(self) -> Iterator[Name]:
        """Every name with a count, in no order."""
        return (name for shard in self._counts.shards() for name in shard)

    def add(self, name: Name, number: ClassNumber, masks: ClassMasks, moved: set[Name]) -> bool:
        """Count a class once more. Return whether the class was not counted before."""
        shard = self._counts.shard(name)
        count = shard.get(name)
        if count is None:
            shard[name] = _Count(masks[number], {number: 1})
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

    def remove(self, name: Name, number: ClassNumber, masks: ClassMasks, moved: set[Name]) -> bool:
        """Count a class once less. Return whether the class is no longer counted."""
        shard = self._counts.shard(name)
        count = shard[name]
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
            del shard[name]
        return True


class NameTree(Visibility):
    """Which networks have a name below each name.

    A name is counted at its parent. A parent with any count of a class is counted once at its own parent.
    """

    def enter(self, name: Name, number: ClassNumber, masks: ClassMasks, moved: set[Name]) -> None:
        """Let `name` exist once more for the networks of a class. The root always exists, so it has no count."""
        at = parent(name)
        while at[0] and self.add(at, number, masks, moved):
            at = parent(at)

    def leave(self, name: Name, number: ClassNumber, masks: ClassMasks, moved: set[Name]) -> None:
        """Undo one `enter`."""
        at = parent(name)
        while at[0] and self.remove(at, number, masks, moved):
            at = parent(at)
