"""Writing log lines to stderr without waiting for their reader.

A pipe that nobody reads fills up, and a blocking write to it would stop the process, the handling of SIGTERM included.
So a line that cannot be written at once is lost. The number of lost lines is written before the next line.

Does not know what the lines say.
"""

import contextlib
import logging
import os
import select
import socket
import stat
import time
from typing import Final

from resolver.token_bucket import Quota, TokenBucket
from zones.clocks import SteadyTime

STDOUT: Final = 1
STDERR: Final = 2
QUOTA: Final = Quota(burst=2000, rate=100)
"""Lines at once, and lines per second in the long run, of one process. A fault that repeats must not fill a disk."""

_UNREAD: Final = "%d log lines were lost, because nobody read the log"
_TOO_MANY: Final = f"%d log lines were left out: more than {QUOTA.rate} a second"


def detach(fd: int) -> None:
    """Give stdout or stderr a file description of its own that does not block, where it is a pipe or a terminal.

    Children inherit it. Setting O_NONBLOCK on the description that the process started with would change it for the
    shell too (open(2)). Where `/proc` is missing or the reader of the pipe has gone, the descriptor stays as it is.
    """
    try:
        mode = os.fstat(fd).st_mode
    except OSError:  # a parent has closed stdout
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return
    with contextlib.suppress(OSError):
        own = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        os.dup2(own, fd)
        os.close(own)


class LogOutput(logging.Handler):
    """Writes each event as one line to the file descriptor `fd`, and counts the lines that it cannot write."""

    def __init__(self, fd: int = STDERR) -> None:
        super().__init__()
        self._fd = fd
        mode = os.fstat(fd).st_mode
        self._socket = socket.socket(fileno=os.dup(fd)) if stat.S_ISSOCK(mode) else None
        self._can_block = not stat.S_ISREG(mode) and os.get_blocking(fd)
        self._bucket = TokenBucket(QUOTA)
        self._rest = b""  # of a line that was written in part
        self._unread = 0
        self._too_many = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event, or count it as lost."""
        if not self._bucket.take(QUOTA, SteadyTime(time.monotonic())):
            self._too_many += 1
            return
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a bad argument of a log call must not end the caller
            self.handleError(record)
            return
        if self._rest:
            self._write(b"")
        if self._rest:
            self._unread += 1
            return
        losses = self._losses(record)
        if self._write(losses + line.encode(errors="backslashreplace") + b"\n"):
            if losses:
                self._unread = self._too_many = 0
        else:
            self._unread += 1

    def close(self) -> None:
        """Close what the handler opened. Stderr itself stays open."""
        if self._socket:
            self._socket.close()
        super().close()

    def _losses(self, record: logging.LogRecord) -> bytes:
        """Return the lines that report lost lines, in the form of the line that follows them."""
        lines = b""
        for count, what in ((self._unread, _UNREAD), (self._too_many, _TOO_MANY)):
            if count:
                lost = logging.makeLogRecord({"created": record.created, "msecs": record.msecs, "msg": what})
                lost.levelno, lost.levelname, lost.args = logging.WARNING, "WARNING", (count,)
                lines += self.format(lost).encode() + b"\n"
        return lines

    def _write(self, lines: bytes) -> bool:
        """Write the rest of an earlier line and `lines`. Return False where nothing was written."""
        data = self._rest + lines
        try:
            written = self._write_at_once(data)
        except OSError:  # full, or its reader has gone
            return False
        self._rest = data[written:]
        return True

    def _write_at_once(self, data: bytes) -> int:
        if self._socket:
            return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        if self._can_block and not is_writable(self._fd):
            raise BlockingIOError
        return os.write(self._fd, data)


def is_writable(fd: int) -> bool:
    """Return whether a write of up to PIPE_BUF octets does not block (pipe(7)), unless another process writes first."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))
