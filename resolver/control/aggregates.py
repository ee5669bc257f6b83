"""What workers report, added up: counters over restarts of workers, names that fell back, and forwarding loops."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from resolver.channel.frames import FALLBACK_CLIENTS, Fallback, Loop
from zones.dns.name import to_text
from zones.findings.finding import Finding, finding
from zones.findings.name_evidence import ForwardLoop

_LISTED: Final = 10_000
"""Names that are listed; the one seen last longest ago makes room."""
_LABELS: Final = 50_000
"""Counters that are kept of one worker, and of all that are gone: a worker is not trusted to have few."""

_LOOP: Final = 600.0
"""Seconds that a forwarding loop is told of after it was last seen."""
_LOOPING: Final = 5
"""Names that are told of one loop."""

Label = tuple[str, tuple[str, ...]]


class CounterTotals:
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
            if not (name_text(item.zone) and name_text(item.name)):
                continue
            key = (item.zone, item.name, item.network)
            before = self._items.pop(key, None)
            if before:
                first, last = min(before.first, item.first), max(before.last, item.last)
                clients = tuple(dict.fromkeys((*before.clients, *item.clients)))[:FALLBACK_CLIENTS]
                item = Fallback(*key, before.count + item.count, first, last, clients)  # noqa: PLW2901 - the sum of both
            elif len(self._items) >= _LISTED:
                self._items.popitem(last=False)
            self._items[key] = item

    def __iter__(self) -> Iterator[Fallback]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)


class LoopList:
    """Forwarding loops by upstream group. `groups`: those that there are; a worker is not trusted to know."""

    def __init__(self, groups: Iterable[str]) -> None:
        self._groups = frozenset(groups)
        self._found: dict[str, OrderedDict[str, Loop]] = {}
        self._last: dict[str, float] = {}

    def add(self, items: Iterable[Loop], now: float) -> Iterator[tuple[str, Finding]]:
        """Take a worker's report; what is to be told now of each group in it."""
        told = set[str]()
        for item in items:
            name = name_text(item.name)
            if item.group in self._groups and name:
                names = self._found.setdefault(item.group, OrderedDict())
                names[name] = item
                names.move_to_end(name)
                if len(names) > _LOOPING:
                    names.popitem(last=False)
                self._last[item.group] = now
                told.add(item.group)
        for group in sorted(told):
            yield group, self._finding(group)

    def _finding(self, group: str) -> Finding:
        names = self._found[group]
        clients = sorted({shown for item in names.values() if (shown := address_text(item.client))})
        return finding(group, ForwardLoop(names=tuple(names), brought_by=tuple(clients)))

    def over(self, now: float) -> Iterator[str]:
        """Groups whose loop was not seen for a while."""
        for group in [group for group, last in self._last.items() if now - last >= _LOOP]:
            del self._last[group], self._found[group]
            yield group


def address_text(packed: bytes) -> str:
    """Empty for octets that are no address: a worker is not trusted."""
    return str(ip_address(packed)) if len(packed) in {4, 16} else ""


def name_text(wire: bytes) -> str:
    """Empty for octets that are no name."""
    try:
        return to_text(wire)
    except IndexError:
        return ""
