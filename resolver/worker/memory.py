"""Keeps a worker within its share of the memory budget: bounds its caches and the buffers of connections.

Measures about once a second, never for a packet. A bound is lowered in steps, so that queries are answered between two
steps. CPython returns memory to the system only where a whole arena of 1 MiB is free. After the removal of a part of
the caches hardly any arena is: the process keeps that memory, and uses it for other things. So when memory is short,
the caches are dropped as a whole, which returns most of it within seconds. Does not know how the budget is divided
(`memory_budget`).
"""

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Final

from resolver.channel.frames import MemoryReport
from resolver.memory_budget import MemoryParts, WorkerMemory, bounds
from resolver.process import heap
from resolver.process.memory_use import MemoryUse
from resolver.worker.net.connections import Connections
from resolver.worker.setup import Setup

INTERVAL: Final = 1.0
"""Seconds between two measurements."""
_SOON: Final = 0.02  # seconds until the next step while a bound is being lowered
_STEP: Final = 2 << 20  # octets that one step removes from each cache: some 3,000 answers, which takes about 5 ms
_MUCH: Final = 8 << 20  # octets of caches: to drop less would return hardly anything
_QUIET: Final = 60.0  # seconds for which a lower bound is not logged again

_log = logging.getLogger(__name__)


class MemoryBounds:
    """The bounds of the caches of one worker. `setup` returns what the worker answers with now."""

    def __init__(
        self, share: int, setup: Callable[[], Setup], connections: Connections, loop: asyncio.AbstractEventLoop
    ) -> None:
        """`share`: octets that this process may use in all."""
        self.drops = 0
        """How often the caches were dropped because memory was short."""
        self._share = share
        self._setup = setup
        self._connections = connections
        self._loop = loop
        self._use = MemoryUse()
        self._peak = 0
        """The most octets of both caches since their memory was returned to the system."""
        self._bounds = MemoryParts(0, 0, 0)
        self._log_after = 0.0

    def run(self) -> None:
        """Set the bounds now, and again about once a second."""
        self._loop.call_later(INTERVAL if self.update() else _SOON, self.run)

    def take(self, share: int, *, drop: bool) -> None:
        """Keep to another share from now on. `drop`: memory is short, so drop the caches if they have much."""
        self._share = share
        parts = self._setup().parts
        if drop and max(self._peak, parts.cache.octets + parts.answers.octets) > _MUCH:
            self.drops += 1
            parts.answers.clear()  # 180 MiB of both caches take 0.13 s
            parts.cache.clear()
            self._peak = 0
            gc.collect()
            heap.give_back()
        self.update()

    def update(self) -> bool:
        """Set the bounds. Return whether the caches are within them: otherwise another step is needed."""
        settings, parts = self._setup().settings, self._setup().parts
        cache, answers, connections = parts.cache, parts.answers, self._connections
        self._peak = max(self._peak, cache.octets + answers.octets)
        wanted = MemoryParts(settings.cache.size, settings.cache.answers, connections.wanted)
        use = WorkerMemory(self._use.octets(), self._peak, connections.octets)
        self._bounds = found = bounds(self._share, use, wanted)
        cache.limit(max(found.replies, cache.octets - _STEP), settings.cache.stale)
        answers.limit(max(found.answers, answers.octets - _STEP))
        connections.bound(found.streams)
        if found.replies + found.answers < wanted.replies + wanted.answers:
            self._announce(found, wanted)
        return cache.octets <= found.replies and answers.octets <= found.answers

    def report(self) -> MemoryReport:
        """Return what this process uses, and the bounds, for control."""
        parts = self._setup().parts
        return MemoryReport(
            self._use.octets(), parts.cache.octets, parts.answers.octets, self._connections.octets, *self._bounds
        )

    def _announce(self, found: MemoryParts, wanted: MemoryParts) -> None:
        if self._loop.time() >= self._log_after:
            _log.warning(
                "memory: the caches may have %d and %d MiB instead of %d (cache.size) and %d MiB (cache.answers): this "
                "worker may use %d MiB in all",
                found.replies >> 20, found.answers >> 20, wanted.replies >> 20, wanted.answers >> 20, self._share >> 20,
            )  # fmt: skip
        self._log_after = self._loop.time() + _QUIET
