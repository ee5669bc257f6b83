"""A child as the supervisor holds it: executed anew, tied by a lifeline, started again with back-off.

What a child is for, and when it may start, is the supervisor's business.
"""

import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resolver.process import systemd

FIRST_DELAY: Final = 0.1
LAST_DELAY: Final = 5.0
STEADY: Final = 10.0
"""Seconds of life after which the next restart is prompt again."""

# Python and the locale need these; nothing that could hold a credential passes.
_KEPT: Final = frozenset(("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH"))
_KEPT_PREFIXES: Final = ("LC_", "PYTHON")

_log = logging.getLogger(__name__)


class Process:
    """One child, living or to be started again. `due` is when (monotonic seconds), None while it lives."""

    def __init__(self, name: str, command: Sequence[str], settings: bytes, environment: Mapping[str, str]) -> None:
        self.name = name
        self.due: float | None = 0.0
        self._command = tuple(command)
        self._settings = settings
        self._environment = dict(environment)
        self._popen: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self._started = 0.0
        self._delay = FIRST_DELAY

    @property
    def pid(self) -> int | None:
        """Process id, None when it is not running."""
        return self._popen.pid if self._popen else None

    def start(self, now: float, options: Mapping[str, str], descriptors: Sequence[int]) -> None:
        """Execute the command with `options` as `--name value`; it inherits `descriptors` and no others.

        Raises OSError where the system has no room for it: see `failed`.
        """
        self._execute(options, descriptors)
        self._started, self.due = now, None
        _log.info("%s started (pid %d)", self.name, self.pid)

    def failed(self, error: OSError, now: float) -> None:
        """It could not be started: that is logged, and `due` set."""
        self._again(f"{self.name} could not be started: {error}", now)

    def _execute(self, options: Mapping[str, str], descriptors: Sequence[int]) -> None:
        with contextlib.ExitStack() as stack:
            settings = os.memfd_create("settings")
            stack.callback(os.close, settings)
            with open(settings, "wb", closefd=False) as file:
                file.write(self._settings)
            os.lseek(settings, 0, os.SEEK_SET)
            # A pipe for each child: who is told of its end is a property of the open pipe (fcntl(2) F_SETOWN).
            held, self._lifeline = os.pipe()
            stack.callback(os.close, held)
            own = {"settings": str(settings), "lifeline": str(held), **options}
            words = [word for name, value in own.items() for word in (f"--{name}", value)]
            try:
                with interrupts_blocked():
                    self._popen = subprocess.Popen(  # noqa: S603 - our own modules
                        [*self._command, *words],
                        pass_fds=(settings, held, *descriptors),
                        stdin=subprocess.DEVNULL,
                        env=self._environment,
                    )
            except OSError:
                os.close(self._lifeline)
                raise

    def ended(self, code: int, now: float, *, expected: bool) -> None:
        """It was reaped, with the exit status or the negative signal number `code`; sets `due` unless expected."""
        if not self._popen:
            return
        self._popen.returncode = code  # so that Popen does not wait for a process that is gone
        told = f"{self.name} (pid {self._popen.pid}) {_how(code)}"
        self._popen = None
        os.close(self._lifeline)
        if not expected:
            if now - self._started >= STEADY:
                self._delay = FIRST_DELAY
            self._again(told, now)
        elif code not in (0, -signal.SIGTERM):
            _log.warning(told)

    def _again(self, told: str, now: float) -> None:
        _log.warning("%s; starting again in %.1f s", told, self._delay)
        self.due = now + self._delay
        self._delay = min(self._delay * 2, LAST_DELAY)

    def send_signal(self, number: signal.Signals) -> None:
        """Signal it if it runs. Its pid cannot be another's: only the supervisor reaps it."""
        if self._popen:
            os.kill(self._popen.pid, number)


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker may know of the environment: no credentials."""
    return {name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}


def private(environ: Mapping[str, str]) -> dict[str, str]:
    """What control gets: all but systemd's words to its main process."""
    return {name: value for name, value in environ.items() if name not in systemd.VARIABLES}


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Children inherit the mask, so that Ctrl-C cannot hit one before it ignores SIGINT."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _how(code: int) -> str:
    if code >= 0:
        return f"exited with status {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
