"""The log level of all processes while an operator has changed it, until it goes back by itself.

Does not know who changes the level.
"""

import contextlib
import logging
import time

from resolver.process import log, orders
from resolver.settings import LogLevelName
from resolver.supervisor.children import Children
from zones.clocks import SteadyTime

_log = logging.getLogger(__name__)


class RunningLogLevel:
    """The level of these children and of this process. `configured`: that of the configuration."""

    def __init__(self, configured: LogLevelName, children: Children) -> None:
        self._configured = configured
        self._children = children
        self._level: LogLevelName = configured
        self._ends: SteadyTime | None = None
        """When the level goes back; None while it is the configured one."""
        self._informed: int | None = None
        """The pid of the control that knows the level."""

    def next_time(self) -> SteadyTime | None:
        """Return when `look` has something to do; None: it has nothing."""
        return self._ends

    def heard(self, words: list[str]) -> None:
        """Take a message of control."""
        match words:
            case [orders.LOG_LEVEL, level, seconds] if level in log.LEVELS:
                self._set(log.LEVELS[level], int(seconds))

    def look(self) -> None:
        """Go back to the configured level when it is time. Inform a control that has started since the change."""
        if self._ends is not None and self._ends <= time.monotonic():
            self._set(self._configured, 0)
        control = self._children.control
        if self._ends is not None and self._children.control_serves and control.pid != self._informed:
            self._inform()

    def _set(self, level: LogLevelName, seconds: int) -> None:
        changed, self._level = level != self._level, level
        self._ends = SteadyTime(time.monotonic() + seconds) if seconds and level != self._configured else None
        log.set_level(level)
        if changed:
            _log.warning("the log level of all processes is now %s", level)
        self._children.set_log_level(level)
        self._inform()

    def _inform(self) -> None:
        left = 0 if self._ends is None else max(1, round(self._ends - time.monotonic()))
        for each in self._children.all:
            if each.link:
                # A child that does not read its orders has ended, and the next one starts with the level.
                with contextlib.suppress(OSError):
                    orders.send_level(each.link, self._level, left)
        self._informed = self._children.control.pid
