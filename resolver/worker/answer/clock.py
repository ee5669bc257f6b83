"""Time, as an argument: the answering code reads no clock of its own, so that tests can move it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from zones.clocks import SteadyTime, WallTime


class Timer(Protocol):
    """A call that is due later. `asyncio.TimerHandle` is one."""

    def cancel(self) -> None:
        """Drop the call."""


class Clock(NamedTuple):
    """The two clocks and the timer of a process."""

    steady: Callable[[], SteadyTime]
    """Return seconds that never go back."""
    wall: Callable[[], WallTime]
    """Return the seconds since the epoch."""
    later: Callable[[float, Callable[[], None]], Timer]
    """Call a function after some seconds."""
