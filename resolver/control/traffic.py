"""Queries per second and the share of cache hits over the last minute, from counters that only grow.

Does not know where the counters come from. Pure; times are in seconds of one clock.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from zones.clocks import WallTime

WINDOW: Final = 60.0
"""Seconds."""
_EVERY: Final = 5.0
"""Seconds between two samples."""


class Rates(NamedTuple):
    """The traffic of the last `seconds`, at most `WINDOW`. `hit_ratio`: None where the cache was not asked."""

    queries_per_second: float
    hit_ratio: float | None
    seconds: float


class _Sample(NamedTuple):
    at: WallTime
    queries: int
    hits: int
    misses: int


class Traffic:
    """Samples of the counters over the last minute."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def is_due(self, now: WallTime) -> bool:
        """Return whether it is time for the next sample."""
        return not self._samples or now - self._samples[-1].at >= _EVERY

    def sample(self, now: WallTime, totals: Iterable[tuple[str, tuple[str, ...], int]]) -> None:
        """Remember the counters: (metric, label values, count)."""
        sums = dict.fromkeys(("dns_requests_total", "cache_hits_total", "cache_misses_total"), 0)
        for metric, _, count in totals:
            if metric in sums:
                sums[metric] += count
        self._samples.append(_Sample(now, *sums.values()))
        while len(self._samples) > 2 and now - self._samples[1].at >= WINDOW:
            self._samples.popleft()

    def rates(self) -> Rates:
        """Return the rates between the oldest and the newest sample."""
        if len(self._samples) < 2:
            return Rates(0.0, None, 0.0)
        first, last = self._samples[0], self._samples[-1]
        seconds, hits = last.at - first.at, max(last.hits - first.hits, 0)
        asked = hits + max(last.misses - first.misses, 0)
        queries = max(last.queries - first.queries, 0) / seconds if seconds else 0.0
        return Rates(queries, hits / asked if asked else None, seconds)
