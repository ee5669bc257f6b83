"""Which process is which worker: the supervisor writes it to a pipe, and control admits only these to its channel."""

import os
import socket
import struct
from typing import Final

_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


def announce(pipe: int, index: int, pid: int) -> None:
    """Announce to control that process `pid` is worker `index`. Raises OSError where the pipe is full or broken."""
    os.write(pipe, f"{index} {pid}\n".encode())


class WorkerPids:
    """Control's end of the pipe."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._partial = b""
        self._pids: dict[int, int] = {}

    def admit(self, connection: socket.socket) -> int | None:
        """Return the index of the worker at the other end of this Unix connection, None for any other process.

        The kernel names the process (unix(7) SO_PEERCRED). A worker that connects before it was announced is refused
        as well; it connects again.
        """
        self._update()
        octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(octets)
        if uid != os.getuid():
            return None
        return next((index for index, known in self._pids.items() if known == pid), None)

    def _update(self) -> None:
        try:
            while data := os.read(self._pipe, 4096):
                *lines, self._partial = (self._partial + data).split(b"\n")
                for line in lines:
                    index, pid = line.split()
                    self._pids[int(index)] = int(pid)
        except BlockingIOError:
            return
