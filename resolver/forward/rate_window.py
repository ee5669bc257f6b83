"""A strict limit of queries in any second, for servers that count each second (Azure's 168.63.129.16).

A token bucket would allow up to twice the rate in one second. Pure: time is an argument, in seconds on a steady clock.
"""

from collections import deque

from zones.clocks import SteadyTime


class RateWindow:
    """The times of the last `rate` queries."""

    __slots__ = ("_sent", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._sent = deque[SteadyTime](maxlen=rate)

    def allows(self, now: SteadyTime) -> bool:
        """Return whether one more query may be sent now."""
        return len(self._sent) < self.rate or now - self._sent[0] >= 1

    def count(self, now: SteadyTime) -> None:
        """Count a query that is sent now."""
        self._sent.append(now)
