"""Quotas: a window for queries of Resource Graph, and a token bucket for reads of the Resource Manager.

Pure: the time is an argument.
"""

from typing import NamedTuple


class Limits(NamedTuple):
    """The quotas that Azure publishes. A test of something else uses `UNLIMITED`."""

    queries: int = 15
    window: float = 5
    reads: int = 250
    refill: float = 25
    """Reads per second that each subscription regains."""


UNLIMITED = Limits(queries=1 << 30, reads=1 << 30)


class FakeQuota:
    """The quota for queries of one principal, in a window that starts with the first query."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left, self._until = limits.queries, 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Return whether this query may run, how many may run after it, and the seconds until the window ends."""
        if now >= self._until:
            self._left, self._until = self._limits.queries, now + self._limits.window
        allowed = self._left > 0
        self._left -= allowed
        return allowed, self._left, self._until - now


class Bucket:
    """The quota for reads of one principal in one subscription."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left, self._at = float(limits.reads), 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Return whether this read may run, how many may run after it, and the seconds until the next may."""
        self._left = min(self._limits.reads, self._left + (now - self._at) * self._limits.refill)
        self._at = now
        allowed = self._left >= 1
        self._left -= allowed
        return allowed, int(self._left), max(0.0, (1 - self._left) / self._limits.refill)
