"""Totals of what workers report: counters over restarts of workers, fallbacks, and forwarding loops.

Workers read packets from anyone, so their reports are not trusted: each total has a limit, and names and addresses are
checked. Does not know how reports arrive.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from resolver.channel.frames import FALLBACK_CLIENTS, Fallback, FallbackReason, Loop
from zones.clocks import WallTime
from zones.dns.name import to_text
from zones.findings.finding import Finding, finding
from zones.findings.name_evidence import ForwardLoop

_LISTED: Final = 10_000
"""Fallbacks that are kept. A further one replaces the one that was reported least recently."""
_OCTETS: Final = 2 << 20
"""Octets of label values that are kept of one worker, and of all earlier workers together: some 40,000 counters."""
OTHER: Final = "other"
"""The label value of what is counted beyond that limit."""

_LOOP: Final = 600.0
"""Seconds after the last report until the finding about a forwarding loop ends."""
_LOOPING: Final = 5
"""Names that the finding about one loop lists."""

CounterKey = tuple[str, tuple[str, ...]]


class _Counts:
    """The counters of one worker, or of all earlier workers."""

    __slots__ = ("_octets", "by_key")

    def __init__(self) -> None:
        self.by_key: dict[CounterKey, int] = {}
        self._octets = 0

    def key(self, metric: str, labels: tuple[str, ...]) -> CounterKey:
        """Return the key to count under: the given one, or `other` where there is no room for it."""
        key = metric, labels
        if key in self.by_key:
            return key
        octets = len(metric) + sum(map(len, labels))
        if self._octets + octets > _OCTETS:
            return metric, (OTHER,) * len(labels)
        self._octets += octets
        return key


class CounterTotals:
    """Counters by metric and label values. A worker reports its counts since it started."""

    def __init__(self) -> None:
        self._gone = _Counts()
        self._living: dict[int, tuple[str, _Counts]] = {}

    def report(self, worker: int, instance: str, values: Iterable[tuple[str, tuple[str, ...], int]]) -> None:
        """Add counters of one worker, all or some. The counts of an earlier instance of the worker are kept."""
        before, counts = self._living.get(worker, (instance, _Counts()))
        if before != instance:
            for (metric, labels), count in counts.by_key.items():
                key = self._gone.key(metric, labels)
                self._gone.by_key[key] = self._gone.by_key.get(key, 0) + count
            counts = _Counts()
        for metric, labels, count in values:
            key = counts.key(metric, labels)
            # What is counted as `other` has lost its labels; the largest of these counts never goes back.
            counts.by_key[key] = count if key[1] == labels else max(count, counts.by_key.get(key, 0))
        self._living[worker] = (instance, counts)

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        total = dict(self._gone.by_key)
        for _, counts in self._living.values():
            for label, count in counts.by_key.items():
                total[label] = total.get(label, 0) + count
        for (metric, labels), count in total.items():
            yield metric, labels, count


class Gauges:
    """The last gauges of each worker that is connected, by metric and label values."""

    def __init__(self) -> None:
        self._counts: dict[int, _Counts] = {}
        self._values: dict[int, dict[CounterKey, float]] = {}

    def report(self, worker: int, values: Iterable[tuple[str, tuple[str, ...], float]], *, first: bool) -> None:
        """Add gauges of one worker. The `first` of a report replace those of the report before."""
        if first:
            self.forget(worker)
        counts, own = self._counts.setdefault(worker, _Counts()), self._values.setdefault(worker, {})
        for metric, labels, value in values:
            key = counts.key(metric, labels)
            counts.by_key[key] = 0
            own[key] = value

    def forget(self, worker: int) -> None:
        """Note that a worker is not connected any more."""
        self._counts.pop(worker, None)
        self._values.pop(worker, None)

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """Yield each gauge, with the index of the worker as its last label value."""
        for worker, own in sorted(self._values.items()):
            for (metric, labels), value in own.items():
                yield metric, (*labels, str(worker)), value


class FallbackList:
    """Names that no endpoint answered, by zone, name, network and reason, the most recent at the end."""

    def __init__(self) -> None:
        self._items: OrderedDict[tuple[bytes, bytes, str, FallbackReason], Fallback] = OrderedDict()

    def add(self, items: Iterable[Fallback]) -> None:
        """Add a worker's report, which counts since its previous report."""
        for item in items:
            if not (name_text(item.zone) and name_text(item.name)):
                continue
            key = (item.zone, item.name, item.network, item.reason)
            before = self._items.pop(key, None)
            if before:
                first, last = min(before.first, item.first), max(before.last, item.last)
                clients = tuple(dict.fromkeys((*before.clients, *item.clients)))[:FALLBACK_CLIENTS]
                item = Fallback(*key, before.count + item.count, first, last, clients)  # noqa: PLW2901 - the sum of the two
            elif len(self._items) >= _LISTED:
                self._items.popitem(last=False)
            self._items[key] = item

    def __iter__(self) -> Iterator[Fallback]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)


class LoopList:
    """Forwarding loops by upstream group. `groups`: those of the configuration; reports about others are ignored."""

    def __init__(self, groups: Iterable[str]) -> None:
        self._groups = frozenset(groups)
        self._found: dict[str, OrderedDict[str, Loop]] = {}
        self._last: dict[str, WallTime] = {}

    def add(self, items: Iterable[Loop], now: WallTime) -> Iterator[tuple[str, Finding]]:
        """Add a worker's report. Yields each group in it, with its new finding."""
        groups = set[str]()
        for item in items:
            name = name_text(item.name)
            if item.group in self._groups and name:
                names = self._found.setdefault(item.group, OrderedDict())
                names[name] = item
                names.move_to_end(name)
                if len(names) > _LOOPING:
                    names.popitem(last=False)
                self._last[item.group] = now
                groups.add(item.group)
        for group in sorted(groups):
            yield group, self._finding(group)

    def configure(self, groups: Iterable[str]) -> Iterator[tuple[str, Finding]]:
        """Replace the groups. Yields each group that still loops, with its finding; loops of others are forgotten."""
        self._groups = frozenset(groups)
        for group in self._last.keys() - self._groups:
            del self._last[group], self._found[group]
        for group in sorted(self._last):
            yield group, self._finding(group)

    def _finding(self, group: str) -> Finding:
        names = self._found[group]
        clients = sorted({shown for item in names.values() if (shown := address_text(item.client))})
        return finding(group, ForwardLoop(names=tuple(names), brought_by=tuple(clients)))

    def expire(self, now: WallTime) -> Iterator[str]:
        """Remove the groups whose loop has ended, and yield their names."""
        for group in [group for group, last in self._last.items() if now - last >= _LOOP]:
            del self._last[group], self._found[group]
            yield group


def address_text(packed: bytes) -> str:
    """Return the address as text; empty for octets that are not an address."""
    return str(ip_address(packed)) if len(packed) in {4, 16} else ""


def name_text(wire: bytes) -> str:
    """Return the name as text; empty for octets that are not a name."""
    try:
        return to_text(wire)
    except IndexError:
        return ""
