"""Requests of a worker for a connection, and the supervisor's replies: over one Unix socket for each worker.

A worker makes no connection itself, so that one which is taken over reaches nothing else. Both ends of the exchange are
here. Which connections are permitted is decided by the supervisor.
"""

import array
import errno
import os
import socket
import struct
from typing import Final

import msgspec

GREETING: Final = struct.Struct("!II")
"""What the supervisor sends first on a connection to control: the index and the process id of the worker."""
_ERROR: Final = struct.Struct("!I")
_LONGEST: Final = 512  # octets of a request


class DialControl(msgspec.Struct, frozen=True, tag="control"):
    """A connection to control."""


class DialUpstream(msgspec.Struct, frozen=True, tag="upstream"):
    """A TCP connection to an upstream server. `source`: the address to connect from; empty: the system chooses."""

    address: str
    port: int
    source: str = ""


Request = DialControl | DialUpstream


def request(link: socket.socket, wanted: Request) -> None:
    """Request a connection. Replies come in the order of the requests. Raises OSError; never waits."""
    link.send(msgspec.json.encode(wanted))


def received_request(link: socket.socket) -> Request | None:
    """Return the next request; None where the worker has ended. Raises OSError, and ValueError for a bad request."""
    message = link.recv(_LONGEST)
    return msgspec.json.decode(message, type=Request) if message else None


def reply(link: socket.socket, connection: socket.socket) -> None:
    """Send a connection, which may not be established yet. Raises OSError; never waits."""
    socket.send_fds(link, [_ERROR.pack(0)], [connection.fileno()])


def refuse(link: socket.socket, error: int) -> None:
    """Send the number of an error instead of a connection. Raises OSError; never waits."""
    link.send(_ERROR.pack(error))


def received(link: socket.socket) -> socket.socket | OSError:
    """Return the reply to the oldest request: a non-blocking socket, or the error. Raises OSError."""
    descriptors = array.array("i")
    message, ancillary, _, _ = link.recvmsg(
        _ERROR.size, socket.CMSG_SPACE(descriptors.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data)
    if descriptors:
        connection = socket.socket(fileno=descriptors[0])
        connection.setblocking(False)  # noqa: FBT003 - it takes no keyword
        return connection
    number = _ERROR.unpack(message)[0] if message else errno.EPIPE
    return OSError(number, os.strerror(number))
