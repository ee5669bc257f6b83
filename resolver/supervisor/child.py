"""A child process of the supervisor: executed, tied to the supervisor by a lifeline, restarted with back-off.

Does not know what a child does. The supervisor decides when to start one.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from resolver.process import systemd
from resolver.process.memory_use import MemoryUse
from resolver.supervisor.heartbeat import Heartbeat
from resolver.supervisor.signals import name_of
from zones.clocks import SteadyTime

FIRST_DELAY: Final = 0.1
"""Seconds before the first restart. Each further restart waits twice as long …"""
LAST_DELAY: Final = 5.0
"""… up to this."""
STEADY: Final = 10.0
"""Seconds. After a child that ran this long, the next restart waits `FIRST_DELAY` again."""

_LOOKS: Final = 5
_LOOK: Final = 0.001  # seconds between two looks for the file with the memory of a child. Python starts in 20 ms

# Variables that libraries read when they are loaded: Python, the locale, OpenSSL. None of them holds a credential.
_KEPT: Final = frozenset(("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"))
_KEPT_PREFIXES: Final = ("LC_", "PYTHON")

_log = logging.getLogger(__name__)


class Child:
    """One child. `due`: when to start it (monotonic seconds), None while it runs."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        settings: bytes,
        environment: Mapping[str, str],
        heartbeat: Heartbeat,
    ) -> None:
        self.name = name
        self.due: SteadyTime | None = SteadyTime(0.0)
        self.link: socket.socket | None = None
        """The supervisor's end of the socket for orders and signs of life, None while no process runs."""
        self.heartbeat = heartbeat
        self._command = tuple(command)
        self.settings = settings
        """What the next process gets."""
        self._environment = dict(environment)
        self._popen: subprocess.Popen[bytes] | None = None
        self._memory: MemoryUse | None = None
        self._lifeline = -1
        self._started = SteadyTime(0.0)
        self._delay = FIRST_DELAY
        self._is_ending = False
        """Whether the end was requested, so that no restart follows."""
        self._is_restarting = False
        """Whether the end was requested for a new start."""

    @property
    def pid(self) -> int | None:
        """The process id, None while the child does not run."""
        return self._popen.pid if self._popen else None

    @property
    def memory(self) -> int:
        """Octets of memory that the process uses; 0 while none runs."""
        return self._memory.octets() if self._memory else 0

    def describe(self, now: SteadyTime) -> str:
        """Return the state of the child for the log."""
        if self._popen:
            return f"{self.name} (pid {self._popen.pid}) has run for {now - self._started:.0f} s"
        return f"{self.name} does not run"

    def start(self, now: SteadyTime, options: Mapping[str, str], descriptors: Sequence[int]) -> socket.socket:
        """Execute the command, with `options` as `--name value`. The child inherits `descriptors` and no others.

        Return the link to the child. Raises OSError where the system cannot start it; then call `failed`.
        """
        pid, self.link = self._execute(options, descriptors)
        self._memory = _memory_of(pid)
        self._started, self.due = now, None
        self.heartbeat.started(pid, now)
        _log.info("%s started (pid %d)", self.name, pid)
        return self.link

    def failed(self, error: OSError, now: SteadyTime) -> None:
        """Log that the child could not be started, and set `due`."""
        self._restart(f"{self.name} could not be started: {error}", now)

    def _execute(self, options: Mapping[str, str], descriptors: Sequence[int]) -> tuple[int, socket.socket]:
        with contextlib.ExitStack() as stack:
            settings = os.memfd_create("settings")
            stack.callback(os.close, settings)
            with open(settings, "wb", closefd=False) as file:
                file.write(self.settings)
            os.lseek(settings, 0, os.SEEK_SET)
            # One pipe for each child: the process that gets SIGIO is a property of the open pipe (fcntl(2) F_SETOWN).
            held, self._lifeline = os.pipe()
            stack.callback(os.close, held)
            own_end, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(child_end.close)
            own_end.settimeout(0)
            own = {
                "settings": str(settings),
                "lifeline": str(held),
                "orders": str(child_end.fileno()),
                "beat": str(self.heartbeat.limit / 3),
                **options,
            }
            words = [word for name, value in own.items() for word in (f"--{name}", value)]
            try:
                with interrupts_blocked():
                    self._popen = subprocess.Popen(  # noqa: S603 - a command of `serve.Commands`
                        [*self._command, *words],
                        pass_fds=(settings, held, child_end.fileno(), *descriptors),
                        stdin=subprocess.DEVNULL,
                        env=self._environment,
                    )
            except OSError:
                own_end.close()
                os.close(self._lifeline)
                raise
            return self._popen.pid, own_end

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Have the child end, and do not start it again."""
        self._is_ending, self.due = True, None
        self.send_signal(number)

    def resume(self, now: SteadyTime) -> None:
        """Start the child again after an `end`."""
        self._is_ending = False
        if not self._popen:
            self.due = now

    def restart(self) -> None:
        """Have the child end in order, and start it again at once. A child that does not run starts anyway."""
        self._is_restarting = self._popen is not None
        self.send_signal(signal.SIGTERM)

    def ended(self, code: int, now: SteadyTime) -> None:
        """Note that the child was reaped, and set `due` unless its end was requested.

        `code` is the exit status, or the negative number of the signal that killed the child.
        """
        if not self._popen:
            return
        self._popen.returncode = code  # so that Popen does not wait for a process that was reaped
        line = f"{self.name} (pid {self._popen.pid}) {_how(code)}"
        self._popen = None
        if self._memory:
            self._memory.close()
            self._memory = None
        self.heartbeat.ended()
        os.close(self._lifeline)
        was_restarting, self._is_restarting = self._is_restarting, False
        if was_restarting and not self._is_ending and code in (0, -signal.SIGTERM):
            self.due = now
        elif not self._is_ending:
            if now - self._started >= STEADY:
                self._delay = FIRST_DELAY
            self._restart(line, now)
        elif code not in (0, -signal.SIGTERM):
            _log.warning(line, extra={"code": "child-ended"})

    def _restart(self, reason: str, now: SteadyTime) -> None:
        _log.warning("%s; restarting in %.1f s", reason, self._delay, extra={"code": "child-restarting"})
        self.due = SteadyTime(now + self._delay)
        self._delay = min(self._delay * 2, LAST_DELAY)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if the child runs. No other process can have its pid: only the supervisor reaps children."""
        if self._popen:
            os.kill(self._popen.pid, number)


def _memory_of(pid: int) -> MemoryUse:
    """Return the memory of a child that was just executed, before it closes itself to debuggers.

    Where the system hides processes, the kernel still hides a program that it is about to start, for some microseconds.
    """
    use = MemoryUse(pid)
    for _ in range(_LOOKS):
        if use.is_open:
            break
        time.sleep(_LOOK)
        use = MemoryUse(pid)
    return use


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that a child is executed with: the variables that cannot hold a credential."""
    return {name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}


def private(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of control: everything except systemd's variables for the main process.

    They may hold secrets, so they are handed over through a descriptor.
    """
    return {name: value for name, value in environ.items() if name not in systemd.VARIABLES}


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Block SIGINT within the block. A child inherits the mask, so Ctrl-C cannot end it before it ignores SIGINT."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _how(code: int) -> str:
    return f"exited with status {code}" if code >= 0 else f"was killed by {name_of(-code)}"
