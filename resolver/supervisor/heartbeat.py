"""The heartbeat of a child: whether the process still works, or hangs and has to be replaced.

A child's event loop sends a sign of life three times per `limit`. A child without one hangs if it does nothing at all
for `limit` seconds (stopped, or waiting inside a call), or if it has used too much processor time since its last sign
(an endless loop). The processor time of the process shows which of the two it is, because silence alone proves nothing:

- Control may compute for seconds without a turn of its event loop, when a sync changes many endpoints. So control may
  use `BUSY` times the limit.
- On an overloaded machine a child gets little processor time. The child is slow then, but it does not hang.
- After a pause of the whole machine, or of all processes, everything was silent. `resumed` starts the count again.
"""

import time
from typing import Final

from zones.clocks import SteadyTime

BUSY: Final = 20
"""How much longer than the limit control may compute without a sign of life: 60 s with the default of 3 s."""
_STARTING: Final = 10
"""How much longer than the limit a child may wait before its first sign of life: it imports and reads files."""


class Heartbeat:
    """The signs of life of one process at a time.

    `limit`: seconds without any work; 0: the process is not watched. `busy`: seconds of processor time without a sign.
    """

    def __init__(self, limit: float, busy: float) -> None:
        self.limit = limit
        self._busy = busy
        self._pid: int | None = None
        self._is_beating = False
        self._worked = SteadyTime(0.0)
        """When the process was last known to do something."""
        self._used = self._used_at_sign = 0.0
        """Processor time: at the last look, and at the last sign of life."""

    def started(self, pid: int, now: SteadyTime) -> None:
        """Watch a new process."""
        self._pid, self._is_beating = pid, False
        self._worked, self._used, self._used_at_sign = now, 0.0, 0.0

    def ended(self) -> None:
        """Watch nothing, until the next start."""
        self._pid = None

    def heard(self, now: SteadyTime) -> None:
        """Note a sign of life."""
        if self._pid is not None:
            self._is_beating, self._worked = True, now
            self._used = self._used_at_sign = _processor_time(self._pid)

    def resumed(self, now: SteadyTime) -> None:
        """Note that no process could work until now."""
        self._worked = now

    def fault(self, now: SteadyTime) -> str:
        """Return why the process is taken to hang; empty while it works."""
        if self._pid is None or not self.limit:
            return ""
        used = _processor_time(self._pid)
        if used > self._used:
            self._used, self._worked = used, now
        if self._is_beating and used - self._used_at_sign >= self._busy:
            return f"it computed for {used - self._used_at_sign:.1f} s without a sign of life"
        if now - self._worked >= (self.limit if self._is_beating else self.limit * _STARTING):
            return f"it has done nothing for {now - self._worked:.1f} s"
        return ""


def _processor_time(pid: int) -> float:
    """Return the seconds of processor time of a child, which must not have been reaped.

    The clock of another process needs no permission, unlike /proc (clock_getcpuclockid(3), linux/posix-timers.h).
    """
    return time.clock_gettime(~pid << 3 | 2)
