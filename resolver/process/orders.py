"""Orders of the supervisor to a child, and the child's signs of life: one Unix socket for each child.

Both ends are here. What to order is the supervisor's decision.
"""

import array
import contextlib
import os
import select
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from resolver.memory_budget import MemoryState
from resolver.process import handed_files
from resolver.process.handed_files import Contents
from resolver.process.log import LEVELS
from resolver.process.query_log_state import QueryLogState
from resolver.process.reload_state import ConfigurationUpdate
from resolver.settings import LogLevelName

READY: Final = b"ready"
"""What a worker sends once it reads its sockets, and control once it serves the workers."""
ALIVE: Final = b"alive"
"""What a child sends again and again while its event loop runs."""
RELOAD: Final = "reload"
"""The first word of control's request for a reload. The number of the request follows."""
APPLIED: Final = "applied"
"""The first word of control's report that a configuration is in effect. Its serial follows."""
QUERY_LOG: Final = b"query-log "
"""The first word of the query logger's report, which the supervisor passes on to control. The state follows as JSON."""
LOG_LEVEL: Final = "log-level"
"""The first word of control's request for a log level. The level and its seconds follow."""
_MAX_DESCRIPTORS: Final = 253  # SCM_MAX_FD of the kernel
MAX_MESSAGE: Final = 8192
"""Octets of the longest message."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """Read these sockets too. Worker `index` has ended, and the kernel still assigns clients to its sockets."""

    index: int
    sockets: tuple[socket.socket, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Stop reading the sockets adopted from worker `index`, and close them: that worker runs again."""

    index: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """To control: pldns is about to stop, so report that it is not ready."""


@dataclass(frozen=True, slots=True)
class UseFiles:
    """Use these contents of certificates, keys and secrets from now on."""

    contents: Contents


@dataclass(frozen=True, slots=True)
class Reloaded:
    """To control: a reload was decided. `zones` has the zones that its check has parsed, encoded."""

    update: ConfigurationUpdate
    zones: bytes


@dataclass(frozen=True, slots=True)
class UseShare:
    """To a worker: use so many octets of memory in all. `drop`: drop the caches first, because memory is short."""

    octets: int
    drop: bool


@dataclass(frozen=True, slots=True)
class MemoryMeasured:
    """To control: what the processes use."""

    state: MemoryState


@dataclass(frozen=True, slots=True)
class QueryLogReported:
    """To control: the report of the query logger."""

    state: QueryLogState


@dataclass(frozen=True, slots=True)
class UseLogLevel:
    """Log at this level from now on. `seconds`: until it goes back to the configured one; 0: it is that."""

    level: LogLevelName
    seconds: int


Order = Adopt | Release | Stopping | UseFiles | Reloaded | UseShare | MemoryMeasured | UseLogLevel | QueryLogReported


class OrderReceiver:
    """The child's end. Watch `fileno()` for reading, then call `receive`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._sock.fileno()

    def send_ready(self) -> None:
        """Report, once, that this process works. The supervisor then releases a worker's sockets from any sibling."""
        self._sock.send(READY)

    def send_alive(self) -> None:
        """Send a sign of life. Never waits: it is not sent where the supervisor does not read."""
        with contextlib.suppress(OSError):
            self._sock.send(ALIVE, socket.MSG_DONTWAIT)

    def send_reload(self, request: int) -> None:
        """Request a reload; the `Reloaded` that answers has this number or a higher one.

        Raises OSError; never waits.
        """
        self._sock.send(f"{RELOAD} {request}".encode(), socket.MSG_DONTWAIT)

    def send_applied(self, serial: int) -> None:
        """Report that the configuration with this serial is in effect, in control and the workers."""
        with contextlib.suppress(OSError):
            self._sock.send(f"{APPLIED} {serial}".encode(), socket.MSG_DONTWAIT)

    def send_query_log(self, state: QueryLogState) -> None:
        """Report what the query log has written. Never waits."""
        with contextlib.suppress(OSError):
            self._sock.send(query_log_message(state), socket.MSG_DONTWAIT)

    def send_log_level(self, level: LogLevelName, seconds: int) -> None:
        """Request a log level of all processes, for so many seconds; `UseLogLevel` answers. Raises OSError."""
        self._sock.send(f"{LOG_LEVEL} {level} {seconds}".encode(), socket.MSG_DONTWAIT)

    def receive(self) -> list[Order]:
        """Return the orders that arrived since the last call, oldest first. Never waits."""
        orders: list[Order] = []
        while select.select([self._sock], [], [], 0)[0]:
            message, descriptors = _receive(self._sock)
            if not message:
                break
            if message.startswith(QUERY_LOG):
                report = msgspec.json.decode(message[len(QUERY_LOG) :], type=QueryLogState)
                orders.append(QueryLogReported(report))
                continue
            match message.decode().split():
                case ["adopt", index]:
                    orders.append(Adopt(int(index), tuple(socket.socket(fileno=fd) for fd in descriptors)))
                case ["release", index]:
                    orders.append(Release(int(index)))
                case ["files"]:
                    orders.append(UseFiles(handed_files.take(*descriptors)))
                case ["stopping"]:
                    orders.append(Stopping())
                case ["share", octets, *drop]:
                    orders.append(UseShare(int(octets), drop=bool(drop)))
                case ["level", level, seconds]:
                    orders.append(UseLogLevel(LEVELS[level], int(seconds)))
                case ["memory", state]:
                    orders.append(MemoryMeasured(msgspec.json.decode(state, type=MemoryState)))
                case ["reloaded"]:
                    update, zones = map(_content, descriptors)
                    orders.append(Reloaded(msgspec.json.decode(update, type=ConfigurationUpdate), zones))
        return orders


class Beat:
    """Sends signs of life from an event loop, which must run for that. `every`: seconds; 0: none are sent."""

    def __init__(
        self, orders: OrderReceiver, every: float, call_later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._orders = orders
        self._every = every
        self._call_later = call_later

    def start(self) -> None:
        """Send the first sign of life, and further ones from the event loop."""
        if self._every:
            self._orders.send_alive()
            self._call_later(self._every, self.start)


def query_log_message(state: QueryLogState) -> bytes:
    """Return the message with a report of the query logger."""
    return QUERY_LOG + msgspec.json.encode(state)


def send_adopt(link: socket.socket, index: int, sockets: Sequence[socket.socket]) -> None:
    """Order the worker at the other end to adopt the sockets of worker `index`. Raises OSError; never waits."""
    socket.send_fds(link, [f"adopt {index}".encode()], [sock.fileno() for sock in sockets])


def send_release(link: socket.socket, index: int) -> None:
    """Order the worker at the other end to release the sockets of worker `index`. Raises OSError; never waits."""
    link.send(f"release {index}".encode())


def send_stopping(link: socket.socket) -> None:
    """Have control report that it is not ready. Raises OSError; never waits."""
    link.send(b"stopping")


def send_reloaded(link: socket.socket, update: ConfigurationUpdate, zones: int) -> None:
    """Send control what became of a reload, and the zones that its check wrote to the descriptor `zones`.

    Raises OSError; never waits.
    """
    descriptor = os.memfd_create("update")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(msgspec.json.encode(update))
        socket.send_fds(link, [b"reloaded"], [descriptor, zones])
    finally:
        os.close(descriptor)


def send_share(link: socket.socket, octets: int, *, drop: bool) -> None:
    """Order the worker at the other end to use so much memory. Raises OSError; never waits."""
    link.send(f"share {octets}{' drop' if drop else ''}".encode())


def send_memory(link: socket.socket, state: MemoryState) -> None:
    """Send control what the processes use. Raises OSError; never waits."""
    link.send(b"memory " + msgspec.json.encode(state))


def send_level(link: socket.socket, level: LogLevelName, seconds: int) -> None:
    """Order the process at the other end to log at this level: see `UseLogLevel`. Raises OSError; never waits."""
    link.send(f"level {level} {seconds}".encode(), socket.MSG_DONTWAIT)


def send_files(link: socket.socket, contents: Contents) -> None:
    """Order the worker at the other end to use these contents of files. Raises OSError; never waits."""
    descriptor = handed_files.hand(contents)
    try:
        socket.send_fds(link, [b"files"], [descriptor])
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    """Return what is in a file in memory, and close the descriptor."""
    with open(descriptor, "rb") as file:
        file.seek(0)
        return file.read()


def _receive(sock: socket.socket) -> tuple[bytes, tuple[int, ...]]:
    descriptors = array.array("i")
    size = socket.CMSG_SPACE(_MAX_DESCRIPTORS * descriptors.itemsize)
    message, ancillary, _, _ = sock.recvmsg(MAX_MESSAGE, size, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data)
    return message, tuple(descriptors)
