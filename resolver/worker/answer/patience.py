"""The queries that wait for upstreams, and one timer for all of them.

Does not know what a query does when its time has passed.
"""

from resolver.forward.deadlines import TICK, Deadlines, Waiting
from resolver.worker.answer.clock import Clock, Timer
from zones.clocks import SteadyTime


class Patience:
    """Calls `overdue` of a query when it has waited long enough."""

    __slots__ = ("_deadlines", "_later", "_steady", "_timer")

    def __init__(self, clock: Clock) -> None:
        self._steady, self._later = clock.steady, clock.later
        self._deadlines = Deadlines()
        self._timer: Timer | None = None

    def wait(self, query: Waiting, seconds: float) -> None:
        """Let a query wait from now on, at most `seconds`."""
        now = self._steady()
        self._deadlines.put(query, SteadyTime(now + seconds), now)
        if self._timer is None:
            self._timer = self._later(TICK, self._tick)

    def stop(self, query: Waiting) -> None:
        """End the wait of a query."""
        self._deadlines.drop(query)

    def _tick(self) -> None:
        now = self._steady()
        for query in self._deadlines.due(now):
            query.overdue(now)
        self._timer = self._later(TICK, self._tick) if self._deadlines else None
