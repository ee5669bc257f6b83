"""Lines to stdout, whose reader may be slow: lines wait in a buffer of bounded size, and do not stop the process.

Does not know what lines say.
"""

import asyncio
import contextlib
import os
import select
import socket
import stat
from typing import Final

from resolver.process.log_output import is_writable

ROOM: Final = 1 << 20
"""Octets that wait at most."""


class StandardOutput:
    """The descriptor `fd`."""

    def __init__(self, fd: int, loop: asyncio.AbstractEventLoop) -> None:
        self._fd = fd
        self._loop = loop
        mode = os.fstat(fd).st_mode
        self._socket = socket.socket(fileno=os.dup(fd)) if stat.S_ISSOCK(mode) else None
        # `log_output.detach` cannot open a pipe that belongs to another user, as in some containers.
        self._can_block = not stat.S_ISREG(mode) and os.get_blocking(fd)
        self._waiting = b""

    def write(self, lines: bytes) -> None:
        """Write lines now or later. Raises OSError; BlockingIOError if too many wait."""
        if len(self._waiting) + len(lines) > ROOM:
            raise BlockingIOError("its reader is too slow")
        is_first = not self._waiting
        self._waiting += lines
        if is_first:
            self._flush()

    def look(self) -> None:
        """Raise OSError where the reader has gone."""
        if self._waiting:
            self._flush()

    def close(self) -> None:
        """Write what can be written at once."""
        try:
            if self._waiting:
                self._flush()
        finally:
            self._loop.remove_writer(self._fd)
            if self._socket:
                self._socket.close()

    def _flush(self) -> None:
        try:
            written = self._write_at_once(self._waiting)
        except BlockingIOError:
            written = 0
        except OSError:
            self._waiting = b""
            self._loop.remove_writer(self._fd)
            raise
        self._waiting = self._waiting[written:]
        if self._waiting:
            self._loop.add_writer(self._fd, self._later)
        else:
            self._loop.remove_writer(self._fd)

    def _later(self) -> None:
        with contextlib.suppress(OSError):  # the next `write` raises it again
            self._flush()

    def _write_at_once(self, octets: bytes) -> int:
        if self._socket:
            return self._socket.send(octets, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        if not self._can_block:
            return os.write(self._fd, octets)
        written = 0
        while written < len(octets) and is_writable(self._fd):
            written += os.write(self._fd, octets[written : written + select.PIPE_BUF])
        if not written:
            raise BlockingIOError
        return written
