"""How one supervisor takes over from another: the Unix socket in the state directory, and the messages on it.

    successor                             predecessor
    take over            ──▶              ends control, which saves its state
                         ◀──              the lock of the state directory, and the listening sockets
    starts its children
    ready                ──▶              stops reading the sockets, answers what is in flight, and ends

Both ends are here. When to do what is the supervisor's decision. The two may be of different versions: a message is
JSON, and its reader ignores keys that it does not know.
"""

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from resolver.process.socket_role import SocketRole
from resolver.settings_change import Lasting
from resolver.supervisor.listen import Listening, names

NAME: Final = "takeover"
"""Of the socket, in the state directory."""
_PATIENCE: Final = 30.0
"""Seconds that a successor waits for a message. The predecessor first ends its control."""
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid
_MOST: Final = 253
"""Descriptors in one message: SCM_MAX_FD of the kernel."""
_LONGEST: Final = 1 << 16
_OTHER_USER: Final = "`user` has changed, and a takeover cannot change the user of pldns; restart pldns"

_log = logging.getLogger(__name__)


class TakeoverRefused(Exception):  # noqa: N818 - reads as a sentence
    """The predecessor cannot be taken over. The message is one line with the reason."""


class _Ask(msgspec.Struct, tag="takeover"):
    """The successor asks for the sockets. `user`: see `owner.meant`; None from an older version."""

    user: int | None = None


class _Refused(msgspec.Struct, tag="refused"):
    """The predecessor refuses, and goes on."""

    reason: str


class _Sockets(msgspec.Struct, tag="sockets"):
    """Follows with the lock of the state directory. Then come the sockets of each worker, in a message each."""

    roles: list[SocketRole]
    workers: int
    shared: bool
    origin: str = ""
    lasting: Lasting = Lasting()
    """A secret: only a process of the same user, or of root, gets it."""


class _Worker(msgspec.Struct, tag="worker"):
    """The sockets of one worker."""


class _Ready(msgspec.Struct, tag="ready"):
    """The successor answers queries."""


class _End(msgspec.Struct, tag="end"):
    """The predecessor was asked to stop before the successor was ready: the successor is to stop too."""


_Message = _Ask | _Refused | _Sockets | _Worker | _Ready | _End


class Offer:
    """The predecessor's end: it listens for a successor, and serves one at a time.

    `lock`: see `preflight.held`. `user`: see `owner.meant`.
    """

    def __init__(self, directory: str, lock: int, user: int) -> None:
        self.link: socket.socket | None = None
        """The connection of the successor."""
        self.pid = 0
        """The process id of the last successor."""
        self._directory = directory
        self._lock = lock
        self._user = user
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    @property
    def is_taken(self) -> bool:
        """Whether a successor is taking over."""
        return self.link is not None

    def open(self) -> bool:
        """Listen in the state directory. Where that is not possible, log it, and return False."""
        try:
            with _short(self._directory) as path:
                Path(path).unlink(missing_ok=True)  # of an earlier supervisor: the lock says that it has ended
                self._listening.bind(path)
            self._listening.listen(1)
            self._listening.settimeout(0)
        except OSError as error:
            _log.warning("nothing can take over from this pldns: %s: %s", self._directory, error.strerror)
            return False
        return True

    def fileno(self) -> int:
        """Return the descriptor to watch for reading; then call `accept`."""
        return self._listening.fileno()

    def accept(self) -> socket.socket | None:
        """Return the connection of a successor; None for any other process, and while another one takes over."""
        try:
            link, _ = self._listening.accept()
        except OSError:
            return None
        link.settimeout(1)  # the successor sends its first message at once
        pid, uid, _ = _CREDENTIALS.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        asked = _received(link)[0]
        if self.is_taken or uid not in (0, os.geteuid()) or not isinstance(asked, _Ask):
            link.close()
            return None
        if asked.user not in (None, self._user):
            _log.warning("the pldns with pid %d cannot take over: its `user` is another one", pid)
            with link, contextlib.suppress(OSError):
                _send(link, _Refused(_OTHER_USER), [])
            return None
        self.link, self.pid = link, pid
        return link

    def hand_over(self, listening: Listening, lasting: Lasting) -> bool:
        """Send the lock, the sockets and what must last. Return False where the successor has ended."""
        assert self.link  # noqa: S101 - after `accept`
        try:
            _send(
                self.link,
                _Sockets(list(listening.roles), len(listening.workers), listening.shared, listening.origin, lasting),
                [self._lock],
            )
            for sockets in listening.workers[:1] if listening.shared else listening.workers:
                _send(self.link, _Worker(), [each.fileno() for each in sockets])
        except OSError:
            return False
        return True

    def is_ready(self) -> bool:
        """Receive a message; return False where the successor has ended instead."""
        return self.link is not None and isinstance(_received(self.link)[0], _Ready)

    def refuse(self) -> None:
        """Have the successor end, if there is one; then call `close`."""
        if self.link:
            with contextlib.suppress(OSError):
                _send(self.link, _End(), [])

    def close(self) -> None:
        """Close the connection of the successor: it has taken over, or it has ended."""
        if self.link:
            self.link.close()
            self.link = None


@dataclass(slots=True, eq=False)
class Predecessor:
    """The successor's end of the connection. The predecessor closes it when it has been replaced."""

    pid: int
    lock: int
    """Descriptor of the locked file in the state directory. The lock belongs to both processes now."""
    listening: Listening
    lasting: Lasting
    link: socket.socket
    has_been_replaced: bool = False
    """Whether the successor has reported that it answers."""

    def fileno(self) -> int:
        """Return the descriptor to watch for reading; then call `wants_end`."""
        return self.link.fileno()

    def replace(self) -> None:
        """Have the predecessor drain and end. An error means that it has died."""
        self.has_been_replaced = True
        with contextlib.suppress(OSError):
            _send(self.link, _Ready(), [])

    def wants_end(self) -> bool:
        """Return whether the predecessor wants both to stop; False: it has been replaced, or it has died."""
        return isinstance(_received(self.link)[0], _End)

    def close(self) -> None:
        """Close the connection."""
        self.link.close()


def claim(directory: str, user: int) -> Predecessor | None:
    """Ask the supervisor that has this state directory for its sockets. None: there is none that could be asked.

    `user`: see `owner.meant`. Waits until its control has saved the state. Raises `TakeoverRefused`.
    """
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _short(directory) as path:
            link.connect(path)
    except OSError:
        link.close()
        return None
    link.settimeout(_PATIENCE)
    pid = _CREDENTIALS.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[0]
    try:
        _send(link, _Ask(user), [])
        head, descriptors = _received(link)
        if isinstance(head, _Refused):
            raise TakeoverRefused(f"cannot take over from the pldns with pid {pid}: {head.reason}")
        if not isinstance(head, _Sockets):
            raise TakeoverRefused(f"the pldns with pid {pid} does not hand over its sockets")
        (lock,) = descriptors
        workers = tuple(_sockets(link) for _ in range(1 if head.shared else head.workers))
    except (OSError, ValueError) as error:
        link.close()
        raise TakeoverRefused(f"the pldns with pid {pid} does not hand over its sockets: {error}") from None
    if head.shared:
        workers *= head.workers
    addresses = names(head.roles, workers[0])
    handed = Listening(addresses, workers, tuple(head.roles), shared=head.shared, origin=head.origin)
    return Predecessor(pid, lock, handed, head.lasting, link)


def _sockets(link: socket.socket) -> tuple[socket.socket, ...]:
    _, descriptors = _received(link)
    sockets = tuple(socket.socket(fileno=each) for each in descriptors)
    for each in sockets:
        each.settimeout(0)
    return sockets


def _send(link: socket.socket, message: _Message, descriptors: list[int]) -> None:
    socket.send_fds(link, [msgspec.json.encode(message)], descriptors)


def _received(link: socket.socket) -> tuple[_Message | None, list[int]]:
    """Return the next message and its descriptors; None at the end of the connection, and for what is no message."""
    try:
        octets, descriptors, _, _ = socket.recv_fds(link, _LONGEST, _MOST, socket.MSG_CMSG_CLOEXEC)
        return msgspec.json.decode(octets, type=_Message), descriptors
    except (OSError, msgspec.MsgspecError):
        return None, []


@contextlib.contextmanager
def _short(directory: str) -> Iterator[str]:
    """Yield a path of the socket that is short enough for unix(7), whatever the path of the directory is."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)
