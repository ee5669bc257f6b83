"""What every child does first, and its lines to the supervisor.

A child is executed anew with descriptors named in its arguments. Before anything else it ties its life to the
supervisor's, closes itself to debuggers and to new privileges, and reads the settings that are its own.
"""

import array
import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from resolver import settings
from resolver.process import log

_PR_SET_DUMPABLE: Final = 4  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS: Final = 38
_MAX_DESCRIPTORS: Final = 253  # SCM_MAX_FD of the kernel
_NICE: Final = 5
"""A third of a worker's share of a core that both want (sched(7)): less, and changes would wait for quiet times."""
_LINE: Final = 64
"""Octets, more than any message on a link has."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker begins with. `sockets` are UDP and listening TCP, non-blocking; see `Link` for more of them."""

    settings: settings.WorkerSettings
    index: int
    channel: str
    """Path of the Unix socket on which control listens. A connect succeeds while control restarts, and waits."""
    sockets: tuple[socket.socket, ...]
    roles: tuple[str, ...]
    """What is spoken on each of them, and on each that is adopted (`sockets.Role`)."""
    link: "Link"
    headstart: int | None = None
    """Descriptor of what was served last (`headstart.frames`)."""


@dataclass(frozen=True, slots=True)
class Control:
    """What control begins with. `channel` listens, non-blocking; it and those waiting in it outlive this process."""

    settings: settings.ControlSettings
    channel: socket.socket
    workers: "Announced"


def begin_worker(arguments: Sequence[str]) -> Worker:
    """Begin as a worker; `arguments` are `sys.argv[1:]`. Raises OSError or ValueError: nothing can be done then."""
    options = _options(arguments)
    _begin(f"worker/{options['worker']}", options)
    return Worker(
        settings=msgspec.json.decode(_read(options), type=settings.WorkerSettings),
        index=int(options["worker"]),
        channel=options["channel"],
        sockets=tuple(_socket(fd) for fd in options["sockets"].split(",") if fd),
        roles=tuple(options["roles"].split(",")),
        link=Link(_socket(options["link"])),
        headstart=int(options["headstart"]) if "headstart" in options else None,
    )


def begin_control(arguments: Sequence[str]) -> Control:
    """Begin as control; as `begin_worker`. Where they share a core, clients come before what control reads."""
    options = _options(arguments)
    os.nice(_NICE)
    _begin("control", options)
    return Control(
        settings=msgspec.json.decode(_read(options), type=settings.ControlSettings),
        channel=_socket(options["channel"]),
        workers=Announced(int(options["workers"])),
    )


@dataclass(frozen=True, slots=True)
class Adopt:
    """Read these sockets too, at once: worker `index` is dead, and the kernel goes on sending clients to them."""

    index: int
    sockets: tuple[socket.socket, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Stop reading the sockets adopted from worker `index`, and close them: it is back."""

    index: int


class Link:
    """A worker's line to the supervisor. Watch `fileno()` for reading and then call `receive`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._sock.fileno()

    def ready(self) -> None:
        """Say once that this worker reads its sockets now; the supervisor takes them back from whoever adopted them."""
        self._sock.send(b"ready")

    def receive(self) -> list[Adopt | Release]:
        """What the supervisor asked since the last call, in order; never waits."""
        orders: list[Adopt | Release] = []
        while select.select([self._sock], [], [], 0)[0]:
            message, sockets = _receive(self._sock)
            if not message:
                break
            verb, _, index = message.decode().partition(" ")
            orders.append(Adopt(int(index), sockets) if verb == "adopt" else Release(int(index)))
        return orders


class Announced:
    """Which process is which worker, as the supervisor alone can say."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._partial = b""
        self._pids: dict[int, int] = {}

    def admit(self, connection: socket.socket) -> int | None:
        """The index of the worker at the other end of this Unix connection, None for anyone else (unix(7) SO_PEERCRED).

        A worker that was faster than its announcement is refused too; it connects again.
        """
        self._update()
        size = struct.calcsize("3i")
        pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
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


def _begin(process: str, options: dict[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; only the supervisor decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _hold_lifeline(int(options["lifeline"]))
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    log.setup(process)


def _hold_lifeline(pipe: int) -> None:
    """End this process as soon as the supervisor, which alone holds the other end, is gone, however it went.

    The kernel does it: end of file raises SIGIO, whose default action is to terminate (fcntl(2) O_ASYNC). An event
    loop or a thread would be late while a long call holds the interpreter.
    """
    os.set_inheritable(pipe, False)  # noqa: FBT003 - it takes no keyword
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        sys.exit(1)  # it went before we asked for the signal


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _options(arguments: Sequence[str]) -> dict[str, str]:
    return {name.removeprefix("--"): value for name, value in zip(arguments[::2], arguments[1::2], strict=True)}


def _read(options: dict[str, str]) -> bytes:
    with open(int(options["settings"]), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return file.read()


def _socket(fd: str) -> socket.socket:
    sock = socket.socket(fileno=int(fd))
    sock.set_inheritable(False)
    return sock


def _receive(sock: socket.socket) -> tuple[bytes, tuple[socket.socket, ...]]:
    descriptors = array.array("i")
    size = socket.CMSG_SPACE(_MAX_DESCRIPTORS * descriptors.itemsize)
    message, ancillary, _, _ = sock.recvmsg(_LINE, size, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data)
    return message, tuple(socket.socket(fileno=fd) for fd in descriptors)
