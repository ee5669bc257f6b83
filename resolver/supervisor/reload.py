"""The accepted configuration of a running pldns, and the check of a new one, in a process of its own.

Every child that starts gets the configuration that was accepted last, whatever the file says by then. A check reads the
file, the zone files, certificates and resolv.conf as a start does. A new configuration is accepted whole or refused
whole. Does not know how children apply it.
"""

import json
import logging
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import structs

from resolver import settings_change
from resolver.process import wall_clock
from resolver.process.reload_state import ConfigurationUpdate, ReloadOutcome, ReloadState
from resolver.settings import Accepted
from resolver.supervisor.child import interrupts_blocked
from zones.clocks import SteadyTime

PATIENCE: Final = 60.0
"""Seconds that a check may take, for example because a file system does not answer."""

_log = logging.getLogger(__name__)


class Configuration:
    """The accepted configuration, and the check of the next one. `command`: that of the check process."""

    def __init__(self, accepted: Accepted, path: Path, flags: Mapping[str, str], command: Sequence[str]) -> None:
        self.accepted = accepted
        self.state = ReloadState(loaded=wall_clock.now())
        self.due: SteadyTime | None = None
        """When a running check has taken too long."""
        self._path = path
        self._flags = dict(flags)
        self._command = tuple(command)
        self._check: _Check | None = None
        self._is_wanted = False
        """Another reload was requested during the check: the files may have changed since they were read."""
        self._request = 0

    @property
    def update(self) -> ConfigurationUpdate:
        """The configuration and the state, for a control that starts."""
        return ConfigurationUpdate(self.state, self.accepted)

    @property
    def pid(self) -> int | None:
        """The process id of the check, None while none runs."""
        return self._check.popen.pid if self._check else None

    def request(self, now: SteadyTime, number: int = 0) -> None:
        """Start a check, or another one after the running one. `number`: of control's request; 0 for a signal."""
        self._request = max(self._request, number)
        if self._check:
            self._is_wanted = True
            return
        _log.info("reload: checking %s", self._path)
        try:
            self._check = _Check(self._command, self._path, self._flags, self._request)
        except OSError as error:
            self._decide(ReloadOutcome.REFUSED, (f"the check could not be started: {error}",), self._request)
            return
        self.due = SteadyTime(now + PATIENCE)

    def expire(self, now: SteadyTime) -> None:
        """Kill a check that takes too long."""
        if self._check and self.due is not None and self.due <= now:
            self.due = None
            self._check.popen.kill()

    def control_started(self) -> None:
        """Note that the requests of an earlier control are answered by nobody: the new one counts from 1 again."""
        self._request = 0
        if self._check:
            self._check.request = 0
        self.state = structs.replace(self.state, request=0)

    def ended(self, code: int, now: SteadyTime) -> tuple[ConfigurationUpdate, BinaryIO]:
        """Decide after the end of the check. Return the result, and the zones that the check has parsed."""
        check, self._check = self._check, None
        assert check is not None  # noqa: S101 - only called for the process id of a check
        check.popen.returncode = code  # so that Popen does not wait for a process that was reaped
        killed, self.due = self.due is None, None
        accepted = self._judge(check, code, killed=killed)
        update = ConfigurationUpdate(self.state, accepted)
        if self._is_wanted:
            self._is_wanted = False
            self.request(now)
        return update, check.zones

    def _judge(self, check: "_Check", code: int, *, killed: bool) -> Accepted | None:
        """Return the accepted configuration, None where it is refused."""
        request = check.request
        if code:
            lines = tuple(line for line in check.errors().splitlines() if line)
            why = f"the check took longer than {PATIENCE:.0f} s" if killed else f"the check ended with status {code}"
            self._decide(ReloadOutcome.REFUSED, lines or (why,), request)
            return None
        new = settings_change.continued(settings_change.lasting(self.accepted), check.accepted())
        before, after = settings_change.of_start(self.accepted), settings_change.of_start(new)
        if mistakes := settings_change.restart_needed(before, after):
            self._decide(ReloadOutcome.REFUSED, tuple(mistakes.values()), request)
            return None
        is_same = settings_change.same(self.accepted, new)
        self.accepted = new
        for warning in new.warnings:
            _log.warning(warning, extra={"code": "configuration-warning"})
        self._decide(ReloadOutcome.UNCHANGED if is_same else ReloadOutcome.APPLIED, (), request)
        return new

    def _decide(self, outcome: ReloadOutcome, mistakes: tuple[str, ...], request: int) -> None:
        before, now = self.state, wall_clock.now()
        applied = outcome is ReloadOutcome.APPLIED
        self.state = ReloadState(
            serial=before.serial + applied,
            loaded=before.loaded if outcome is ReloadOutcome.REFUSED else now,
            request=request,
            outcome=outcome,
            at=now,
            mistakes=mistakes,
            counts={**before.counts, outcome: before.counts.get(outcome, 0) + 1},
        )
        for line in mistakes:
            _log.error("reload refused: %s", line)
        if mistakes:
            _log.error("reload refused: configuration %d stays in effect", before.serial)
        elif applied:
            _log.info("reload: configuration %d is accepted", self.state.serial)
        else:
            _log.info("reload: the configuration says the same as before; its files are read again")


class _Check:
    """A running check. What it writes goes to files in memory, so nobody has to read while it runs."""

    def __init__(self, command: Sequence[str], path: Path, flags: Mapping[str, str], request: int) -> None:
        self.request = request
        self.zones = _memory("zones")
        self._out, self._errors = _memory("accepted"), _memory("errors")
        with _memory("request") as asked:
            text = json.dumps({"path": str(path), "flags": flags, "zones": self.zones.fileno()})
            asked.write(text.encode())
            asked.seek(0)
            with interrupts_blocked():
                self.popen = subprocess.Popen(  # noqa: S603 - a command of `serve.Commands`
                    command, stdin=asked, stdout=self._out, stderr=self._errors, pass_fds=(self.zones.fileno(),)
                )

    def accepted(self) -> Accepted:
        """Return the settings that the check wrote."""
        with self._out as file:
            file.seek(0)
            return msgspec.json.decode(file.read(), type=Accepted)

    def errors(self) -> str:
        """Return the mistakes that the check wrote."""
        with self._errors as file:
            file.seek(0)
            return file.read().decode(errors="replace")


def _memory(name: str) -> BinaryIO:
    return open(os.memfd_create(name), "r+b")  # noqa: PTH123 - a descriptor, and the caller closes it
