"""The Unix socket of the admin interface: a file that the daemon's user and one group may use (mode 0660).

The supervisor makes it because control may make no Unix socket, and because it outlives control: requests wait while
control restarts. Does not know who may do what over it (`resolver.admin.access`).
"""

import contextlib
import logging
import os
import socket
import stat
from pathlib import Path
from typing import Final

from resolver.process.sandbox.identity import group_number

MODE: Final = 0o660
_DIRECTORY: Final = 0o755
"""The mode of a directory that is made for the socket, so that the group can reach the socket."""
_BACKLOG: Final = 128

_log = logging.getLogger(__name__)


class AdminSocket:
    """The socket at `path`; an empty path: none. `group`: name or number of the group that may use it, or empty."""

    def __init__(self, path: str, group: str) -> None:
        self.socket: socket.socket | None = None
        """The listening socket; None where there is none, or where it could not be made."""
        self._path = Path(path) if path else None
        self._group = group
        self._inode: tuple[int, int] | None = None

    def open(self) -> None:
        """Listen, in place of any socket that is at the path. An error is logged: DNS is served without it."""
        if self._path is None:
            return
        self._close_socket()
        try:
            self.socket = self._listening(self._path)
        except OSError as error:
            why = os.strerror(error.errno).lower() if error.errno else str(error)
            _log.error("the admin socket %s cannot be made: %s", self._path, why)

    def close(self) -> None:
        """Stop listening, and remove the file unless another process has replaced it."""
        self._close_socket()
        if self._path and self._inode:
            with contextlib.suppress(OSError):
                status = self._path.lstat()
                if (status.st_dev, status.st_ino) == self._inode:
                    self._path.unlink()

    def _close_socket(self) -> None:
        if self.socket:
            self.socket.close()
            self.socket = None

    def _listening(self, path: Path) -> socket.socket:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(_DIRECTORY, parents=True)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.lstat().st_mode):
                raise FileExistsError(None, "a file that is no socket has this name")
        # The socket gets its name last, so that a client that finds it can connect. The path by way of the descriptor
        # is short enough for unix(7), whatever the path of the directory is.
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        fresh = f"/proc/self/fd/{folder}/.{path.name}.{os.getpid()}"
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(fresh)  # noqa: PTH108 - left by a killed process; in a container, the next one has its number
            made.bind(fresh)
            try:
                self._give(fresh)
                made.listen(_BACKLOG)
                made.settimeout(0)
                status = os.lstat(fresh)
                os.rename(fresh, f"/proc/self/fd/{folder}/{path.name}")  # noqa: PTH104 - a path by way of a descriptor
            except OSError:
                os.unlink(fresh)  # noqa: PTH108 - as above
                raise
        except OSError:
            made.close()
            raise
        finally:
            os.close(folder)
        self._inode = status.st_dev, status.st_ino
        return made

    def _give(self, path: str) -> None:
        """Set the group and the mode. A group that cannot be set is logged, and the socket stays the daemon's own."""
        number = group_number(self._group) if self._group else None
        if number is not None:
            try:
                os.chown(path, -1, number)
            except OSError as error:
                why = os.strerror(error.errno or 0).lower()
                advice = "; make the user of pldns a member of it" if isinstance(error, PermissionError) else ""
                _log.error("the admin socket cannot be given to the group %s: %s%s", self._group, why, advice)
        elif self._group:
            _log.error("the admin socket cannot be given to the group %s: there is no such group", self._group)
        os.chmod(path, MODE)  # noqa: PTH101 - a path by way of a descriptor
