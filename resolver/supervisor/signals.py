"""The signals that the supervisor handles, as a descriptor that a selector can watch.

No signal that can be handled ends the supervisor silently, and none stays blocked that it inherited as blocked. PID 1
of a container does not even receive a signal without a handler (pid_namespaces(7)).
"""

import signal
import socket
from typing import Final, Self

STOP: Final = frozenset((signal.SIGTERM, signal.SIGINT))
"""Signals that stop pldns in order; a second one ends it at once."""
# Errors of the program itself, job control of the terminal, and what Python ignores.
_DEFAULT: Final = frozenset(
    (
        signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT,
        signal.SIGTRAP, signal.SIGSYS, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCONT,
        signal.SIGWINCH, signal.SIGURG, signal.SIGPIPE, signal.SIGXFSZ,
    )
)  # fmt: skip


class Signals:
    """All signals that a process may handle, within a `with` block. Only the main thread can enter it."""

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.settimeout(0)
        self._write.settimeout(0)
        for number in signal.valid_signals() - _DEFAULT:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        """Return the descriptor to watch for reading."""
        return self._read.fileno()

    def received(self) -> list[int]:
        """Return the signals that arrived since the last call, oldest first, except SIGCHLD."""
        try:
            numbers = self._read.recv(4096)
        except BlockingIOError:
            return []
        return [number for number in numbers if number != signal.SIGCHLD]


def name_of(number: int) -> str:
    """Return the name of a signal; real-time signals have none of their own."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
