"""Questions inside a private zone that went to an upstream: counted by zone, name and network, in bounded room.

These are the names that a person may expect to be private. Time is given by the caller's clock, wall seconds.
"""

from collections.abc import Callable
from typing import Final

from resolver.channel import Fallback
from resolver.counters import Counters
from zones.name import Name, to_text

LIMIT: Final = 2_000
"""Distinct (zone, name, network) between two reports; what is beyond is counted by zone alone."""


class Fallbacks:
    """What fell back since the last report. `names` are those of the networks, by index; the last is for none."""

    def __init__(self, names: tuple[str, ...], counters: Counters, clock: Callable[[], float]) -> None:
        self._names = names
        self._counters = counters
        self._clock = clock
        self._noted: dict[tuple[Name, Name, int], list[float]] = {}

    def note(self, zone: Name, name: Name, network: int) -> None:
        """One answer for `name`, missed in `zone`, came from an upstream."""
        self._counters.add("fallback_total", (to_text(zone),))
        now = self._clock()
        there = self._noted.get((zone, name, network))
        if there:
            there[0] += 1
            there[2] = now
        elif len(self._noted) < LIMIT:
            self._noted[zone, name, network] = [1, now, now]

    def report(self) -> list[Fallback]:
        """What was noted since the last call."""
        noted, self._noted = self._noted, {}
        return [
            Fallback(zone, name, self._names[network], int(count), first, last)
            for (zone, name, network), (count, first, last) in noted.items()
        ]
