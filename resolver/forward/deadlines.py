"""Deadlines of many queries with one timer: what waits is kept by the tick in which its deadline falls.

Nearly everything that waits ends long before its deadline, so that adding and removing cost one dictionary entry each.
Pure: time is an argument.
"""

from typing import Final

from zones.clocks import SteadyTime

TICK: Final = 0.01
"""Seconds. No deadline is met later than this."""
_PER_SECOND: Final = 1 / TICK


class Waiting:
    """Something that waits for at most some time. It is in one queue of deadlines at a time."""

    __slots__ = ("tick",)

    tick: int
    """The tick of its deadline; 0 outside a queue. A subclass sets it: `super().__init__()` takes too long."""

    def overdue(self, now: SteadyTime) -> None:
        """Take note that the deadline has passed."""
        raise NotImplementedError  # a compiled class cannot have the metaclass of `abc`


class Deadlines:
    """What waits, by deadline."""

    __slots__ = ("_at", "_ticks")

    def __init__(self) -> None:
        self._ticks: dict[int, dict[Waiting, None]] = {}
        self._at = 0

    def __bool__(self) -> bool:
        """Return whether anything waits."""
        return bool(self._ticks)

    def put(self, item: Waiting, deadline: SteadyTime, now: SteadyTime) -> None:
        """Add an item, or change its deadline. `now` is the present time."""
        if item.tick:
            self.drop(item)
        ticks = self._ticks
        if not ticks:
            self._at = int(now * _PER_SECOND)
        tick = item.tick = int(deadline * _PER_SECOND) + 1
        found = ticks.get(tick)
        if found is None:
            ticks[tick] = {item: None}
        else:
            found[item] = None

    def drop(self, item: Waiting) -> None:
        """Remove an item, if it is in the queue."""
        tick = item.tick
        if tick:
            item.tick = 0
            found = self._ticks[tick]
            del found[item]
            if not found:
                del self._ticks[tick]

    def due(self, now: SteadyTime) -> list[Waiting]:
        """Remove the items whose deadline has passed, and return them."""
        present = int(now * _PER_SECOND)
        passed = range(self._at + 1, present + 1)
        if len(passed) > len(self._ticks):  # the process was stopped, or the items are far apart
            ticks = sorted([tick for tick in self._ticks if tick <= present])
        else:
            ticks = [tick for tick in passed if tick in self._ticks]
        found = [item for tick in ticks for item in self._ticks.pop(tick)]
        for item in found:
            item.tick = 0
        self._at = present
        return found
