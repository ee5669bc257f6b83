"""Counts what changes in each source, until someone takes the counts.

Does not know who takes them, or how often. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from zones.azure.endpoint import Endpoint, ResourceId, VirtualNetwork
from zones.azure.inventory import InventoryChange
from zones.ledger.ledger import Ledger


@dataclass(slots=True)
class Tally:
    """Numbers of resources of one kind that were added, changed and removed."""

    added: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(slots=True)
class SourceActivity:
    """The changes of one source. `parts`: the files or subscriptions with new data."""

    parts: set[str] = field(default_factory=set)
    endpoints: Tally = field(default_factory=Tally)
    vnets: Tally = field(default_factory=Tally)


class Activity:
    """The changes of all sources since the last `take`."""

    def __init__(self) -> None:
        self._sources: dict[str, SourceActivity] = {}
        self._last: dict[str, SourceActivity] = {}

    def record(self, parts: Iterable[tuple[str, str]], change: InventoryChange, before: Ledger) -> None:
        """Count a change of these parts, each given with its source. `before`: the ledger without the change."""
        self._last = {}
        for source, part in parts:
            for each in self._of(source):
                each.parts.add(part)
        for source, counted in _moves(change.endpoints, before.endpoints):
            for each in self._of(source):
                _count(each.endpoints, *counted)
        for source, counted in _moves(change.vnets, before.vnets):
            for each in self._of(source):
                _count(each.vnets, *counted)

    def last(self, source: str) -> SourceActivity:
        """Return what the last recorded change had of a source."""
        return self._last.get(source, SourceActivity())

    def take(self) -> dict[str, SourceActivity]:
        """Return the changes by source, and count from 0 again."""
        taken, self._sources = self._sources, {}
        return taken

    def _of(self, source: str) -> tuple[SourceActivity, SourceActivity]:
        """Return the counts of a source since the last `take`, and those of the present change."""
        return (
            self._sources.setdefault(source, SourceActivity()),
            self._last.setdefault(source, SourceActivity()),
        )


_R = TypeVar("_R", Endpoint, VirtualNetwork)


def _moves(
    new: Mapping[ResourceId, _R | None], old: Mapping[ResourceId, _R]
) -> Iterator[tuple[str, tuple[bool, bool]]]:
    """Yield for each changed resource its source, and whether the resource was there before and is there now."""
    for key, now in new.items():
        before = old.get(key)
        if some := now or before:
            yield some.source, (before is not None, now is not None)


def _count(tally: Tally, was: bool, is_now: bool) -> None:
    if was and is_now:
        tally.changed += 1
    elif is_now:
        tally.added += 1
    else:
        tally.removed += 1
