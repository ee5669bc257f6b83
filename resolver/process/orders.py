"""Orders of the supervisor to a worker, and the worker's report that it is ready: one Unix socket for each worker.

Both ends are here. Which worker reads which sockets is the supervisor's decision.
"""

import array
import os
import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from resolver.process import handed_files
from resolver.process.handed_files import Contents

READY: Final = b"ready"
"""What a worker sends once it reads its sockets."""
_MAX_DESCRIPTORS: Final = 253  # SCM_MAX_FD of the kernel
_MAX_MESSAGE: Final = 64  # octets; an order is shorter


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
class UseFiles:
    """Use these contents of certificates, keys and secrets from now on."""

    contents: Contents


Order = Adopt | Release | UseFiles


class OrderReceiver:
    """The worker's end. Watch `fileno()` for reading, then call `receive`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._sock.fileno()

    def send_ready(self) -> None:
        """Report, once, that this worker reads its sockets. The supervisor then releases them from any sibling."""
        self._sock.send(READY)

    def receive(self) -> list[Order]:
        """Return the orders that arrived since the last call, oldest first. Never waits."""
        orders: list[Order] = []
        while select.select([self._sock], [], [], 0)[0]:
            message, descriptors = _receive(self._sock)
            if not message:
                break
            match message.decode().split():
                case ["adopt", index]:
                    orders.append(Adopt(int(index), tuple(socket.socket(fileno=fd) for fd in descriptors)))
                case ["release", index]:
                    orders.append(Release(int(index)))
                case ["files"]:
                    orders.append(UseFiles(handed_files.take(*descriptors)))
        return orders


def send_adopt(link: socket.socket, index: int, sockets: Sequence[socket.socket]) -> None:
    """Order the worker at the other end to adopt the sockets of worker `index`. Raises OSError; never waits."""
    socket.send_fds(link, [f"adopt {index}".encode()], [sock.fileno() for sock in sockets])


def send_release(link: socket.socket, index: int) -> None:
    """Order the worker at the other end to release the sockets of worker `index`. Raises OSError; never waits."""
    link.send(f"release {index}".encode())


def send_files(link: socket.socket, contents: Contents) -> None:
    """Order the worker at the other end to use these contents of files. Raises OSError; never waits."""
    descriptor = handed_files.hand(contents)
    try:
        socket.send_fds(link, [b"files"], [descriptor])
    finally:
        os.close(descriptor)


def _receive(sock: socket.socket) -> tuple[bytes, tuple[int, ...]]:
    descriptors = array.array("i")
    size = socket.CMSG_SPACE(_MAX_DESCRIPTORS * descriptors.itemsize)
    message, ancillary, _, _ = sock.recvmsg(_MAX_MESSAGE, size, socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data)
    return message, tuple(descriptors)
