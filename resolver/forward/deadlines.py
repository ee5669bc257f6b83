"""Deadlines of many questions with one timer: questions are kept by the tick in which their deadline falls.

Nearly all questions are answered long before their deadline. One is therefore cheap to add and is never taken out: the
caller ignores those that have ended. Pure: time is an argument.
"""

from typing import Final, Generic, TypeVar

from zones.clocks import SteadyTime

TICK: Final = 0.01
"""Seconds. No deadline is met later than this."""

Item = TypeVar("Item")


class Deadlines(Generic[Item]):
    """Items by deadline."""

    __slots__ = ("_at", "_ticks")

    def __init__(self) -> None:
        self._ticks: dict[int, list[Item]] = {}
        self._at = 0

    def __bool__(self) -> bool:
        """Return whether there are items."""
        return bool(self._ticks)

    def add(self, item: Item, deadline: SteadyTime, now: SteadyTime) -> None:
        """Add an item. `now` is the present time."""
        if not self._ticks:
            self._at = int(now / TICK)
        tick = int(deadline / TICK) + 1
        found = self._ticks.get(tick)
        if found is None:
            self._ticks[tick] = [item]
        else:
            found.append(item)

    def due(self, now: SteadyTime) -> list[Item]:
        """Remove the items whose deadline has passed, and return them."""
        present, found = int(now / TICK), list[Item]()
        if present - self._at > len(self._ticks):  # the process was stopped, or the items are far apart
            for tick in sorted(tick for tick in self._ticks if tick <= present):
                found += self._ticks.pop(tick)
        else:
            for tick in range(self._at + 1, present + 1):
                found += self._ticks.pop(tick, ())
        self._at = present
        return found
