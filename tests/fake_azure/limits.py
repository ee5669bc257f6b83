"""How much may be asked: Resource Graph's queries in a window, Resource Manager's reads from a bucket.

Time is an argument.
"""

from typing import NamedTuple


class Limits(NamedTuple):
    """Azure's numbers as it publishes them; a test that is about something else takes `UNLIMITED`."""

    queries: int = 15
    window: float = 5
    reads: int = 250
    refill: float = 25
    """Reads that come back in a second, for each subscription."""


UNLIMITED = Limits(queries=1 << 30, reads=1 << 30)


class Quota:
    """Queries of one principal: so many in a window that starts with the first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left, self._until = limits.queries, 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Whether this query may run, how many may after it, and the seconds until all are back."""
        if now >= self._until:
            self._left, self._until = self._limits.queries, now + self._limits.window
        allowed = self._left > 0
        self._left -= allowed
        return allowed, self._left, self._until - now


class Bucket:
    """Reads of one principal in one subscription."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left, self._at = float(limits.reads), 0.0

    def take(self, now: float) -> tuple[bool, int, float]:
        """Whether this read may run, how many may after it, and the seconds until one may."""
        self._left = min(self._limits.reads, self._left + (now - self._at) * self._limits.refill)
        self._at = now
        allowed = self._left >= 1
        self._left -= allowed
        return allowed, int(self._left), max(0.0, (1 - self._left) / self._limits.refill)
