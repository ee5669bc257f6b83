"""What the passing of time changes: lingering claims and pins end, data becomes stale, a comparison or the log is due.

Does not know what any of these change in the estate.
"""

import asyncio
import logging
from typing import Final

from resolver.control.activity_log import ActivityLog
from resolver.control.estate.estate import Estate
from resolver.control.source_runners import Publish
from resolver.control.worker_reports import WorkerReports
from resolver.process import wall_clock
from zones.claims.policy import Pin
from zones.clocks import WallTime

TICK: Final = 1.0
"""Seconds between two ticks."""

_LOGGED_STEP: Final = 5.0
"""Seconds. A smaller step of the system's clock is not worth a log line."""

_log = logging.getLogger(__name__)


class EstateClock:
    """Updates the estate and the reports, and logs the changes, about once a second."""

    def __init__(self, estate: Estate, reports: WorkerReports, log: ActivityLog, publish: Publish) -> None:
        self._estate = estate
        self._reports = reports
        self._log = log
        self._publish = publish
        self._step = 0.0
        self._pins: tuple[Pin, ...] = ()
        """The pins that `_pin_ends` is from."""
        self._pin_ends: set[WallTime] = set()

    async def run(self) -> None:
        """Tick endlessly."""
        while True:
            self._log_step(wall_clock.step())
            await self.tick(wall_clock.now())
            await asyncio.sleep(TICK)

    def _log_step(self, step: float) -> None:
        """Log once that the system's clock was set, by `step` seconds in all since the start."""
        if abs(step - self._step) >= _LOGGED_STEP:
            by = step - self._step
            way = "forward" if by > 0 else "back"
            _log.warning("the system's clock was set %s by %.0f s; syncs and ages continue", way, abs(by))
            self._step = step

    async def tick(self, now: WallTime) -> None:
        """Apply what has come due by `now`, in seconds since the epoch."""
        estate = self._estate
        changed = estate.expire(now)
        if self._pins != (pins := estate.pins):
            self._pins = pins
            self._pin_ends = {pin.until for pin in pins if pin.until is not None}
        ended = {end for end in self._pin_ends if end <= now}
        if ended:
            self._pin_ends -= ended
            changed |= estate.reconsider_pins(now)
        if compare := estate.comparison(now):
            changed |= estate.take_comparison(await asyncio.to_thread(compare), now)
        if estate.health.update_freshness(now) or changed or ended:
            self._publish(changed)
        self._reports.expire(now)
        self._reports.sample(now)
        self._log.write()
