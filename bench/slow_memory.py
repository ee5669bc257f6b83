"""Spells in which memory is slow for every program on a virtual machine.

A hypervisor that tracks or moves a guest's pages makes the first access to each page slow, here for 20 to 50 ms about
every 1.5 seconds. A program that uses many pages per query, as an interpreter does, has its slowest percent in these
spells. `SlowMemory` finds them: it touches the same pages again and again and compares the times. It does not know what
else is measured.
"""

import mmap
import statistics
import time
from typing import Final

PAGES: Final = 512
_SLOW: Final = 4.0  # times the median: a touch that an interrupt delays takes less than that
_MARGIN: Final = 0.010  # seconds before and after a slow touch that belong to its spell; a backlog is gone by then


class SlowMemory:
    """The spells of one measurement, in seconds since the epoch."""

    def __init__(self) -> None:
        self._pages = mmap.mmap(-1, PAGES * mmap.PAGESIZE)
        self._touches: list[tuple[float, float]] = []
        for place in range(0, len(self._pages), mmap.PAGESIZE):
            self._pages[place] = 1

    def touch(self) -> None:
        """Read each page once (about 40 microseconds) and remember how long that took."""
        began = time.perf_counter()
        pages = self._pages
        for place in range(0, PAGES * mmap.PAGESIZE, mmap.PAGESIZE):
            pages[place]
        self._touches.append((time.time(), time.perf_counter() - began))

    def spells(self) -> list[tuple[float, float]]:
        """Return the spells as (begin, end), in order and not overlapping."""
        if not self._touches:
            return []
        slow = _SLOW * statistics.median(taken for _, taken in self._touches)
        spells: list[tuple[float, float]] = []
        for end, taken in self._touches:
            if taken < slow:
                continue
            begin = end - taken - _MARGIN
            if spells and begin <= spells[-1][1]:
                begin = spells.pop()[0]
            spells.append((begin, end + _MARGIN))
        return spells


def outside(spells: list[tuple[float, float]], begin: float, end: float) -> bool:
    """Return whether no spell overlaps the time from `begin` to `end`, in seconds since the epoch."""
    return all(end < first or begin > last for first, last in spells)
