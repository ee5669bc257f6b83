"""What differs between two states of a part, as pieces of bounded size, and the state that such pieces lead to.

Pure. Does not know how pieces are sent.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from resolver.hub.messages import PartDelta, Removed
from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.resource import Nic, PrivateEndpoint, Resources, ZoneGroup

PIECE: Final = 2_000
"""The most resources in one piece: about 500 KiB before compression."""

_R = TypeVar("_R", PrivateEndpoint, Nic, VirtualNetwork, ZoneGroup)


def difference(source: str, part: str, old: Resources | None, new: Resources | None) -> Iterator[PartDelta]:
    """Yield what turns `old` into `new`, at least one piece. None: the part does not exist."""
    if new is None:
        yield PartDelta(source, part, gone=True)
        return
    before = old or _NOTHING
    endpoints, lost_endpoints = _compared(before.endpoints, new.endpoints)
    nics, lost_nics = _compared(before.nics, new.nics)
    vnets, lost_vnets = _compared(before.vnets, new.vnets)
    groups, lost_groups = _compared(before.zone_groups, new.zone_groups)
    removed = Removed(lost_endpoints, lost_nics, lost_vnets, lost_groups)
    faults = new.faults if new.faults != before.faults else None
    for start in range(0, max(1, len(endpoints), len(nics), len(vnets), len(groups)), PIECE):
        end = start + PIECE
        some = Resources(endpoints[start:end], nics[start:end], vnets[start:end], (), groups[start:end])
        yield (
            PartDelta(source, part, changed=some)
            if start
            else PartDelta(source, part, changed=some, removed=removed, faults=faults)
        )


def _compared(old: tuple[_R, ...], new: tuple[_R, ...]) -> tuple[tuple[_R, ...], tuple[ResourceId, ...]]:
    """Return the resources that are new or different, and the keys of those that are gone."""
    before = {each.key: each for each in old}
    changed = tuple(each for each in new if (was := before.pop(each.key, None)) is not each and was != each)
    return changed, tuple(before)


def applied(had: Resources | None, deltas: Iterable[PartDelta]) -> Resources | None:
    """Return a part after these pieces; None where it does not exist any more."""
    made: _Part | None = None if had is None else _Part(had)
    for each in deltas:
        if each.gone:
            made = None
        else:
            made = made or _Part(_NOTHING)
            made.apply(each)
    return made.resources() if made else None


class _Part:
    """A part to which pieces are applied. Resources keep their order, and new ones follow."""

    def __init__(self, had: Resources) -> None:
        self._endpoints = {each.key: each for each in had.endpoints}
        self._nics = {each.key: each for each in had.nics}
        self._vnets = {each.key: each for each in had.vnets}
        self._zone_groups = {each.key: each for each in had.zone_groups}
        self._faults: tuple[Fault, ...] = had.faults

    def apply(self, delta: PartDelta) -> None:
        changed, removed = delta.changed, delta.removed
        _update(self._endpoints, changed.endpoints, removed.endpoints)
        _update(self._nics, changed.nics, removed.nics)
        _update(self._vnets, changed.vnets, removed.vnets)
        _update(self._zone_groups, changed.zone_groups, removed.zone_groups)
        if delta.faults is not None:
            self._faults = delta.faults

    def resources(self) -> Resources:
        return Resources(
            tuple(self._endpoints.values()), tuple(self._nics.values()), tuple(self._vnets.values()), self._faults,
            tuple(self._zone_groups.values()),
        )  # fmt: skip


def _update(table: dict[ResourceId, _R], changed: Iterable[_R], removed: Iterable[ResourceId]) -> None:
    for key in removed:
        table.pop(key, None)
    for each in changed:
        table[each.key] = each


def batches(deltas: Iterable[PartDelta]) -> Iterator[tuple[PartDelta, ...]]:
    """Yield the pieces in groups with about `PIECE` resources each: a registry has one part for each endpoint."""
    some: list[PartDelta] = []
    size = 0
    for each in deltas:
        some.append(each)
        size += 1 + len(each.changed.endpoints) + len(each.changed.vnets) + sum(map(len, _keys(each.removed)))
        if size >= PIECE:
            yield tuple(some)
            some, size = [], 0
    if some:
        yield tuple(some)


def _keys(removed: Removed) -> tuple[tuple[ResourceId, ...], ...]:
    return removed.endpoints, removed.nics, removed.vnets, removed.zone_groups


_NOTHING: Final = Resources()
