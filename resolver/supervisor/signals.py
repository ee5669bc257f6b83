"""The signals that the supervisor handles, as a descriptor that a selector can watch."""

import signal
import socket
from typing import Self


class Signals:
    """SIGTERM, SIGINT and SIGCHLD, within a `with` block (signal.set_wakeup_fd). Only the main thread can enter it."""

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.settimeout(0)
        self._write.settimeout(0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        """Return the descriptor to watch for reading."""
        return self._read.fileno()

    def stop_requested(self) -> bool:
        """Forget the signals that arrived since the last call; return whether SIGTERM or SIGINT was among them."""
        try:
            numbers = self._read.recv(4096)
        except BlockingIOError:
            return False
        return signal.SIGTERM in numbers or signal.SIGINT in numbers
