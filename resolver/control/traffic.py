"""Rates of queries from counters that only grow: of the last minute, and a point for each half minute of the last hour.

Does not know where the counters come from. Pure; times are in seconds of one clock.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from resolver.worker.answer.response import ReplyOrigin
from zones.clocks import WallTime
from zones.table.outcome import DataOrigin

WINDOW: Final = 60.0
"""Seconds."""
STEP: Final = 30.0
"""Seconds that one point of the last hour is about."""
POINTS: Final = 120
"""Points that are kept: an hour."""
_EVERY: Final = 5.0
"""Seconds between two samples."""
_PRIVATE: Final = frozenset((DataOrigin.PRIVATE, DataOrigin.STATIC, DataOrigin.PTR, DataOrigin.POLICY))
_PUBLIC: Final = frozenset((ReplyOrigin.PUBLIC, ReplyOrigin.FORWARD))


class Tally(NamedTuple):
    """Counts of queries and answers."""

    queries: int = 0
    private: int = 0
    """Answers from endpoints, zone files and private DNS zones."""
    public: int = 0
    """Answers of upstream servers."""
    failed: int = 0
    """Answers with the rcode SERVFAIL."""
    hits: int = 0
    """Questions to the cache of upstream replies that the cache answered."""
    misses: int = 0

    def since(self, before: "Tally") -> "Tally":
        """Return what was counted since an earlier tally; 0 for a counter that went back."""
        return Tally(*(max(now - then, 0) for now, then in zip(self, before, strict=True)))

    @property
    def hit_ratio(self) -> float | None:
        """Share of the questions to the cache that the cache answered; None without any."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


class Rates(NamedTuple):
    """The traffic of the last `seconds`, at most `WINDOW`. `hit_ratio`: None where the cache was not asked."""

    queries_per_second: float
    hit_ratio: float | None
    seconds: float
    private_per_second: float = 0.0
    public_per_second: float = 0.0
    failed_per_second: float = 0.0


class Point(NamedTuple):
    """What was counted in the `seconds` before `at`."""

    at: WallTime
    seconds: float
    counted: Tally


class _Sample(NamedTuple):
    at: WallTime
    tally: Tally


class Traffic:
    """Samples of the counters over the last minute, and points of the last hour."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self.points: deque[Point] = deque(maxlen=POINTS)
        """The whole points of the last hour, the newest at the end."""
        self._begun: _Sample | None = None
        """Where the next point begins."""

    def is_due(self, now: WallTime) -> bool:
        """Return whether it is time for the next sample."""
        return not self._samples or now - self._samples[-1].at >= _EVERY

    def sample(self, now: WallTime, totals: Iterable[tuple[str, tuple[str, ...], int]]) -> None:
        """Remember the counters: (metric, label values, count)."""
        sample = _Sample(now, _tally(totals))
        self._samples.append(sample)
        while len(self._samples) > 2 and now - self._samples[1].at >= WINDOW:
            self._samples.popleft()
        if self._begun is None or now < self._begun.at:
            self._begun = sample
        elif now - self._begun.at >= STEP:
            self.points.append(Point(now, now - self._begun.at, sample.tally.since(self._begun.tally)))
            self._begun = sample

    def last_hour(self) -> list[Point]:
        """Return the points of the last hour, the newest at the end. The last one may be shorter than `STEP`."""
        begun, last = self._begun, self._samples[-1] if self._samples else None
        if begun is None or last is None or last.at <= begun.at:
            return list(self.points)
        return [*self.points, Point(last.at, last.at - begun.at, last.tally.since(begun.tally))]

    def rates(self) -> Rates:
        """Return the rates between the oldest and the newest sample."""
        if len(self._samples) < 2:
            return Rates(0.0, None, 0.0)
        first, last = self._samples[0], self._samples[-1]
        seconds, counted = last.at - first.at, last.tally.since(first.tally)
        each = [count / seconds if seconds else 0.0 for count in counted]
        return Rates(each[0], counted.hit_ratio, seconds, *each[1:4])


def _tally(totals: Iterable[tuple[str, tuple[str, ...], int]]) -> Tally:
    queries = private = public = failed = hits = misses = 0
    for metric, labels, count in totals:
        if metric == "dns_responses_total":
            rcode, origin = labels[0], labels[-1]
            private += count if origin in _PRIVATE else 0
            public += count if origin in _PUBLIC else 0
            failed += count if rcode == "SERVFAIL" else 0
        elif metric == "dns_requests_total":
            queries += count
        elif metric == "cache_hits_total":
            hits += count
        elif metric == "cache_misses_total":
            misses += count
    return Tally(queries, private, public, failed, hits, misses)
