"""systemd's two small protocols: sockets handed over (sd_listen_fds(3)) and readiness told (sd_notify(3))."""

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Final

VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET")
"""Addressed to the main process alone; children must not see them."""
_FIRST: Final = 3  # SD_LISTEN_FDS_START


def inherited(environ: Mapping[str, str]) -> list[socket.socket]:
    """The sockets that systemd opened for this process, none where the variables are absent or another's.

    Raises OSError for a descriptor that is no socket.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = environ.get("LISTEN_FDS", "")
    sockets = [socket.socket(fileno=fd) for fd in range(_FIRST, _FIRST + (int(count) if count.isdecimal() else 0))]
    for each in sockets:
        each.set_inheritable(False)
    return sockets


def notify(state: str) -> None:
    """Tell `state` (such as `READY=1`) to the service manager, if there is one. That it is deaf is not our trouble."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.sendto(state.encode(), address)
