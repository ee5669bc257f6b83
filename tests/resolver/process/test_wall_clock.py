"""The wall clock of a process, while the system's clock is set and the machine sleeps."""

import pytest

from resolver.process.wall_clock import WallClock
from zones.clocks import WallTime

DAY = 86_400.0


class Machine:
    """A machine whose system clock can be set. Both clocks advance by `pass_`."""

    def __init__(self) -> None:
        self.system, self.boot = 1_800_000_000.0, 500.0

    def pass_(self, seconds: float) -> None:
        self.system += seconds
        self.boot += seconds

    def clock(self) -> WallClock:
        return WallClock(lambda: self.system, lambda: self.boot)


@pytest.mark.parametrize("step", [-365 * DAY, -DAY, DAY, 365 * DAY])
def test_ages_and_timers_continue_when_the_clock_is_set(step: float) -> None:
    machine = Machine()
    clock = machine.clock()
    read = clock.now()
    machine.pass_(60)
    machine.system += step
    machine.pass_(60)
    assert clock.now() - read == 120
    assert clock.step() == step
    # People see the system's time: 120 s before the time that the system's clock shows now.
    assert clock.shown(read) == machine.system - 120


def test_slewing_is_no_step() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.system += 0.4
    assert clock.step() == 0
    assert clock.shown(WallTime(7.0)) == WallTime(7.0)
