"""Protocols of systemd: socket activation (sd_listen_fds(3)), notification (sd_notify(3)), sd_watchdog_enabled(3)."""

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Final

VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
"""Environment variables for the main process only. They are not passed on to children."""
OF_ONE_PROCESS: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID")
"""Those that do not hold for a process that becomes the main process later."""
_FIRST: Final = 3  # SD_LISTEN_FDS_START


def inherited(environ: Mapping[str, str]) -> list[socket.socket]:
    """Return the sockets that systemd opened for this process. Empty where the variables are absent or name another.

    Raises OSError for a descriptor that is not a socket.
    """
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = environ.get("LISTEN_FDS", "")
    sockets = [socket.socket(fileno=fd) for fd in range(_FIRST, _FIRST + (int(count) if count.isdecimal() else 0))]
    for each in sockets:
        each.set_inheritable(False)
    return sockets


def watchdog(environ: Mapping[str, str]) -> float | None:
    """Return the seconds between two `WATCHDOG=1`: half of the time after which systemd acts. None: it does not."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()) or not microseconds.isdecimal():
        return None
    return int(microseconds) / 2_000_000 or None


def notify(state: str) -> None:
    """Send `state` (such as `READY=1`) to the service manager, if there is one. Errors are ignored."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.sendto(state.encode(), address)
