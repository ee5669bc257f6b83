"""The two kinds of time, so that the type checker keeps them apart. Both are plain floats when the program runs.

Durations are `float` in seconds. Does not read a clock: the time is an argument wherever code is pure.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NewType, cast

if TYPE_CHECKING:
    WallTime = NewType("WallTime", float)
    """Seconds since the epoch. Only this kind of time is saved or shown. An administrator may set the clock back."""
    SteadyTime = NewType("SteadyTime", float)
    """Seconds of a monotonic clock since an arbitrary moment, which is another one after a restart of the process."""
else:  # a call of a NewType runs Python code, a dozen times for each query
    WallTime = SteadyTime = float


def wall_clock(clock: Callable[[], float]) -> Callable[[], WallTime]:
    """Return `clock` itself, typed as one that returns seconds since the epoch."""
    return cast("Callable[[], WallTime]", clock)


def steady_clock(clock: Callable[[], float]) -> Callable[[], SteadyTime]:
    """Return `clock` itself, typed as one that returns monotonic seconds."""
    return cast("Callable[[], SteadyTime]", clock)
