"""A file of lines that begins again when it is full. Earlier files have the suffixes `.1`, the newest, to `.N`.

Another program may move or remove the file at any time: `look` then begins a new one. Does not know what lines say.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path


class LogFile:
    """The file at `path`. All methods raise OSError.

    `size`: octets at most. `files`: how many earlier files are kept.
    """

    def __init__(self, path: str, size: int, files: int) -> None:
        self._path = path
        self._limit = size
        self._files = files
        self._fd: int | None = None
        self._size = 0
        self._rest = b""
        """Of a line that was written in part, because the disk was full."""

    def write(self, lines: bytes) -> None:
        """Append whole lines. When this raises, none of them is in the file, or the first ones are."""
        if self._fd is not None and self._size and self._size + len(lines) > self._limit:
            self._rotate()
        if self._fd is None:
            self._open()
        if self._rest:
            self._append(b"")
        self._append(lines)

    def look(self) -> None:
        """Open the file again where it was moved or removed, or could not be opened before."""
        if self._fd is not None:
            try:
                if os.path.samestat(os.fstat(self._fd), os.stat(self._path)):  # noqa: PTH116 - as fstat
                    return
            except FileNotFoundError:
                pass
            except OSError:
                return  # the path cannot be searched now, but the file that is open can be written
            self.close()
        self._open()

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd, self._rest = None, b""

    def _open(self) -> None:
        # Not blocking: a pipe at this path would wait for its reader.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self._path, flags, 0o640)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "is not a file")
        self._fd, self._size = fd, status.st_size

    def _append(self, lines: bytes) -> None:
        if self._fd is None:
            return
        octets = self._rest + lines
        written = os.write(self._fd, octets)
        self._size += written
        if written < len(octets):  # the next write will say why
            self._rest = octets[written : octets.find(b"\n", written) + 1]
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._rest = b""

    def _rotate(self) -> None:
        self.close()
        path = Path(self._path)
        names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, self._files + 1))]
        with contextlib.suppress(FileNotFoundError):
            names[-1].unlink()
        for newer, older in zip(names[-2::-1], names[:0:-1], strict=True):
            with contextlib.suppress(FileNotFoundError):
                newer.rename(older)
