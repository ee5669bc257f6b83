"""What workers report, added up: counters over restarts of workers, and the names that fell back to an upstream."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from resolver.channel import Fallback

_LISTED: Final = 10_000
"""Names that are listed; the one seen last longest ago makes room."""
_LABELS: Final = 50_000
"""Counters that are kept of one worker, and of all that are gone: a worker is not trusted to have few."""

Label = tuple[str, tuple[str, ...]]


class Totals:
    """Counters by metric and label values. A worker reports what it counted since it started."""

    def __init__(self) -> None:
        self._gone: dict[Label, int] = {}
        self._living: dict[int, tuple[str, dict[Label, int]]] = {}

    def report(self, worker: int, instance: str, values: Iterable[tuple[str, tuple[str, ...], int]]) -> None:
        """Take counters of one worker, all or some; another instance than before: that one is gone, its counts stay."""
        before, counts = self._living.get(worker, (instance, {}))
        if before != instance:
            for label, count in counts.items():
                if label in self._gone or len(self._gone) < _LABELS:
                    self._gone[label] = self._gone.get(label, 0) + count
            counts = {}
        for metric, labels, count in values:
            if (metric, labels) in counts or len(counts) < _LABELS:
                counts[metric, labels] = count
        self._living[worker] = (instance, counts)

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        total = dict(self._gone)
        for _, values in self._living.values():
            for label, count in values.items():
                total[label] = total.get(label, 0) + count
        for (metric, labels), count in sorted(total.items()):
            yield metric, labels, count


class FallbackList:
    """Names inside private zones that upstreams answered, by zone, name and network, the one seen last at the end."""

    def __init__(self) -> None:
        self._items: OrderedDict[tuple[bytes, bytes, str], Fallback] = OrderedDict()

    def add(self, items: Iterable[Fallback]) -> None:
        """Take a worker's report: what it counted since the one before."""
        for item in items:
            key = (item.zone, item.name, item.network)
            before = self._items.pop(key, None)
            if before:
                first, last = min(before.first, item.first), max(before.last, item.last)
                item = Fallback(*key, before.count + item.count, first, last)  # noqa: PLW2901 - the sum of both
            elif len(self._items) >= _LISTED:
                self._items.popitem(last=False)
            self._items[key] = item

    def __iter__(self) -> Iterator[Fallback]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)
