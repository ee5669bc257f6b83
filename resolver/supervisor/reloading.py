"""Reloads of a running pldns: from the request to what the supervisor, control and the workers have of it.

Does not know how a configuration is checked (`reload`), or who requests a reload: a signal, or control for an operator.
"""

import contextlib
import logging
import os
import time
from typing import BinaryIO, Final

from resolver.process import orders, systemd
from resolver.process.reload_state import ConfigurationUpdate, ReloadOutcome
from resolver.supervisor.children import Children
from resolver.supervisor.reload import Configuration
from zones.clocks import SteadyTime

PATIENCE: Final = 10.0
"""Seconds after which a reload is over for systemd, also where control has not reported its end."""

_log = logging.getLogger(__name__)


class Reloading:
    """The reloads of these children."""

    def __init__(self, configuration: Configuration, children: Children) -> None:
        self._configuration = configuration
        self._children = children
        self._over_at: SteadyTime | None = None
        """When systemd hears of the end of a reload, although control has not reported it. None: no reload goes on."""

    def next_time(self) -> SteadyTime | None:
        """Return when `look` has something to do; None: it has nothing."""
        return min((at for at in (self._configuration.due, self._over_at) if at is not None), default=None)

    def request(self, number: int = 0) -> None:
        """Have a new configuration checked. `number`: of control's request; 0 for a signal."""
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._configuration.request(SteadyTime(time.monotonic()), number)
        if self._configuration.pid is None:  # no process could be started: control has to know
            with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - needs no path
                self._send(ConfigurationUpdate(self._configuration.state), nothing)

    def heard(self, words: list[str]) -> None:
        """Take a message of control."""
        match words:
            case [orders.RELOAD, number]:
                self.request(int(number))
            case [orders.APPLIED, serial] if self._configuration.pid is None:
                if self._configuration.state.outcome is ReloadOutcome.APPLIED:
                    _log.info("configuration %s is in effect", serial)
                self._end()

    def ended(self, pid: int, code: int) -> None:
        """Note that a process was reaped, perhaps a check: apply an accepted configuration, and inform control."""
        if pid != self._configuration.pid:
            return
        update, zones = self._configuration.ended(code, SteadyTime(time.monotonic()))
        with zones:
            if update.accepted is not None:
                self._children.configure(update.accepted)
            self._send(update, zones)

    def _send(self, update: ConfigurationUpdate, zones: BinaryIO) -> None:
        self._over_at = SteadyTime(time.monotonic() + PATIENCE)
        # A control that is absent gets the configuration, and the state of reloads, when it starts.
        with contextlib.suppress(OSError):
            if self._children.control.link:
                orders.send_reloaded(self._children.control.link, update, zones.fileno())

    def look(self) -> None:
        """Kill a check that takes too long, and end a reload that control has not reported as applied."""
        now = SteadyTime(time.monotonic())
        self._configuration.expire(now)
        if self._over_at is not None and self._over_at <= now:
            self._end()

    def _end(self) -> None:
        if self._over_at is not None:
            self._children.renew_control()  # only now: the control that runs has answered who asked for the reload
        self._over_at = None
        systemd.notify("READY=1")
