"""The wall clock of this process. It does not jump when the system's clock is set.

Ages, hold-downs and the times of findings are differences of wall times. If these followed a clock that is set back by
a day, no source would be read, and no claim would expire, for a day. So the system's clock is read once, when the
process starts. After that this clock advances with CLOCK_BOOTTIME, which also advances while the machine is suspended
(clock_gettime(2)). A pin that ends at a date ends by this clock.

`shown` corrects a time for people: it follows the system's clock. Does not know who uses the times.
"""

import time
from collections.abc import Callable
from typing import Final

from zones.clocks import WallTime

_SMALLEST_STEP: Final = 1.0
"""Seconds. A smaller difference comes from reading two clocks one after the other, or from slewing (adjtime(3))."""


def _boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class WallClock:
    """A wall clock that is set once. `system` returns seconds since the epoch, `steady` seconds of any steady clock."""

    def __init__(self, system: Callable[[], float] = time.time, steady: Callable[[], float] = _boot_time) -> None:
        self._system = system
        self._steady = steady
        self._start = system() - steady()

    def now(self) -> WallTime:
        """Return seconds since the epoch, by the system's clock as it was at the start."""
        return WallTime(self._steady() + self._start)

    def step(self) -> float:
        """Return the seconds by which the system's clock was set since the start; negative where it was set back."""
        step = self._system() - self.now()
        return step if abs(step) >= _SMALLEST_STEP else 0.0

    def shown(self, when: WallTime) -> WallTime:
        """Return a time of this clock as the system's clock has it now."""
        return WallTime(when + self.step())


_CLOCK: Final = WallClock()
now: Final = _CLOCK.now
step: Final = _CLOCK.step
shown: Final = _CLOCK.shown
