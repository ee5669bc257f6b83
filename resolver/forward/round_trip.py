"""The round-trip times of a server: smoothed, and counted by length. How long a query is waited for (RFC 6298).

Pure: durations are arguments, in seconds.
"""

from collections.abc import Iterable
from typing import Final

UNKNOWN: Final = 0.05
"""Seconds; round-trip time of a server that has not answered yet, for comparisons with other servers."""
FIRST_WAIT: Final = 1.0
"""Seconds to wait for a server that has not answered yet (RFC 6298 §2.1)."""
LEAST_WAIT: Final = 0.4
"""Seconds. A resolver answers a cached name in a millisecond, and a name that it has to look up in several 100 ms."""
_LONGEST: Final = 5.0  # seconds; a server that fails often is no slower than this
_SHORTEST_HEDGE: Final = 0.03  # seconds
LONGEST_HEDGE: Final = 0.3
"""Most seconds before a race starts with a second server."""
_GAIN: Final = 1 / 8  # weight of a new sample in the smoothed time (RFC 6298 §2.3)
_VARIATION_GAIN: Final = 1 / 4
_FAILED: Final = 1.5  # factor of the cost after a failure


_LEAST_BOUND: Final = 0.00025
_STEPS: Final = 16
BOUNDS: Final = tuple(_LEAST_BOUND * 2**step for step in range(_STEPS))
"""Upper bounds in seconds by which round-trip times are counted, from 0.25 ms to 8 s. CoreDNS has the same ones."""


class RoundTrip:
    """The round-trip time of one server. `samples`: its number of answers."""

    __slots__ = ("_penalty", "_variation", "counts", "failures", "samples", "smoothed", "total")

    def __init__(self) -> None:
        self.smoothed = UNKNOWN
        """Seconds."""
        self.samples = 0
        self.total = 0.0
        """Sum of the times of all answers, in seconds."""
        self.counts = [0] * (len(BOUNDS) + 1)
        """Answers by the first of `BOUNDS` that is not below their time, and longer ones at the end."""
        self.failures = 0
        """Number of queries that failed."""
        self._variation = 0.0
        self._penalty = 1.0

    def add(self, seconds: float) -> None:
        """Add the time that an answer took."""
        if self.samples:
            difference = seconds - self.smoothed
            self._variation += _VARIATION_GAIN * (abs(difference) - self._variation)
            self.smoothed += _GAIN * difference
        else:
            self.smoothed, self._variation = seconds, seconds / 2
        self.samples += 1
        self.total += seconds
        step, bound = 0, _LEAST_BOUND
        while step < _STEPS and seconds > bound:
            step += 1
            bound *= 2
        self.counts[step] += 1
        self._penalty = 1.0

    def fail(self) -> None:
        """Add a query that failed: until it answers, the server is slower in comparison with the others."""
        self._penalty *= _FAILED
        self.failures += 1

    def cost(self) -> float:
        """Return the seconds by which servers are compared."""
        return min(self.smoothed * self._penalty, _LONGEST)

    def wait(self) -> float:
        """Return the seconds after which a query is probably lost."""
        return max(self.smoothed + 4 * self._variation, LEAST_WAIT) if self.samples else FIRST_WAIT

    def hedge(self) -> float:
        """Return the seconds after which a race starts with a second server: three round-trip times, 0.03 to 0.3 s."""
        return min(max(3 * self.smoothed, _SHORTEST_HEDGE), LONGEST_HEDGE)


def summed(trips: Iterable[RoundTrip]) -> RoundTrip:
    """Return the counts and the times of several servers, added up."""
    out = RoundTrip()
    for trip in trips:
        out.samples += trip.samples
        out.total += trip.total
        out.failures += trip.failures
        out.counts = [one + other for one, other in zip(out.counts, trip.counts, strict=True)]
    return out
