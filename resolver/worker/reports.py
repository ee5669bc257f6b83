"""What a worker reports to control: counters, gauges, fallbacks and loops. When to report is not decided here."""

import uuid
from collections.abc import Iterator, Sequence
from typing import TypeVar

from resolver.channel.frames import ITEMS, CounterReport, FallbackReport, GaugeReport, LoopReport, Up
from resolver.forward.client.forwarder import Forwarder
from resolver.process.heap import Pauses
from resolver.worker.answer.durations import BUCKETS
from resolver.worker.answer.parts import Parts
from resolver.worker.memory import MemoryBounds
from resolver.worker.replica import Replica


class Reports:
    """Collects reports from the parts of a worker. `instance` names this run of the worker: counters start with it."""

    def __init__(
        self, parts: Parts, forwarder: Forwarder, replica: Replica, pauses: Pauses, memory: MemoryBounds
    ) -> None:
        self.instance = uuid.uuid4().hex
        self._parts = parts
        self._forwarder = forwarder
        self._replica = replica
        self._pauses = pauses
        self._memory = memory
        self._left: list[Up] = []
        """Reports of earlier parts that are not sent yet."""

    def switch(self, parts: Parts, replica: Replica) -> None:
        """Report of these parts from now on. They have the counters of the earlier ones."""
        self._left += self._of_parts()
        self._parts, self._replica = parts, replica

    def frames(self) -> Iterator[Up]:
        """Yield all counters, gauges and uses of memory, and the fallbacks and loops since the last call."""
        self._collect()
        for values in _cut(list(self._parts.counters.values())):
            yield CounterReport(self.instance, values)
        first = True
        for gauges in _cut(list(self._gauges())):
            yield GaugeReport(first, gauges)
            first = False
        yield self._memory.report()
        left, self._left = self._left, []
        yield from (*left, *self._of_parts())

    def _of_parts(self) -> list[Up]:
        """Return the fallbacks and loops since the last call."""
        found: list[Up] = [FallbackReport(items) for items in _cut(self._parts.fallbacks.report())]
        if loops := self._parts.loops.report():
            found.append(LoopReport(loops))
        return found

    def _collect(self) -> None:
        """Copy the counts that parts keep themselves."""
        cache, forwarder = self._parts.cache, self._forwarder
        for metric, value in (
            ("cache_hits_total", cache.hits + self._parts.engine.hits), ("cache_misses_total", cache.misses),
            ("cache_evictions_total", cache.evictions), ("upstream_queries_total", forwarder.queries),
            ("upstream_replies_total", forwarder.replies), ("upstream_timeouts_total", forwarder.timeouts),
            ("upstream_errors_total", forwarder.errors), ("upstream_mismatches_total", forwarder.mismatches),
            ("upstream_tcp_total", forwarder.tcp), ("upstream_shed_total", forwarder.shed),
            ("upstream_late_total", forwarder.late),
            ("gc_long_pauses_total", self._pauses.long), ("answers_evicted_total", self._replica.evicted),
            ("memory_drops_total", self._memory.drops),
        ):  # fmt: skip
            self._parts.counters.set(metric, value)
        self._collect_latencies()

    def _collect_latencies(self) -> None:
        """Copy the round-trip times of each server. Counters are integers, so their sum is in microseconds."""
        counters = self._parts.counters
        for each in self._forwarder.latencies():
            labels = each.group, each.server
            for bound, count in zip(BUCKETS, each.counts, strict=True):
                counters.set("upstream_request_duration_seconds", count, (*labels, bound))
            counters.set("upstream_request_duration_seconds", round(each.total * 1e6), (*labels, "sum"))
            counters.set("upstream_failures_total", each.failures, labels)

    def _gauges(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """Yield what is measured at this moment."""
        replies, answers = self._parts.cache, self._parts.answers
        for name, entries, octets in (
            ("replies", len(replies), replies.octets), ("answers", len(answers), answers.octets),
        ):  # fmt: skip
            yield "cache_entries", (name,), float(entries)
            yield "cache_octets", (name,), float(octets)
        for server in self._forwarder.report():
            yield "upstream_up", (server.group, server.server), float(server.up)


_T = TypeVar("_T")


def _cut(items: Sequence[_T]) -> Iterator[list[_T]]:
    return (list(items[start : start + ITEMS]) for start in range(0, len(items), ITEMS))
