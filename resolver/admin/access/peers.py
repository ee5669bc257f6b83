"""Who is at the other end of a Unix socket: the user and groups that the kernel reports (unix(7)).

The mode of the socket's file (0660) already refuses others. The kernel's report also holds where that mode was changed.
"""

import os
import pwd
import socket
import struct
from typing import Final, NamedTuple, Protocol

from resolver.admin.access.identity import Identity, Role

_CREDENTIALS: Final = struct.Struct("iII")  # struct ucred: process, user, group
_PEER_GROUPS: Final = 59  # SO_PEERGROUPS of linux/socket.h; the module `socket` has no name for it
_LONGEST: Final = 1024  # octets, the most that Python's getsockopt takes; a group has 4


class PeerSocket(Protocol):
    """A connected Unix socket."""

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes: ...  # noqa: D102 - as of a socket


class Peer(NamedTuple):
    """The user of a process, by number, and its groups."""

    user: int
    groups: frozenset[int]


def peer(connected: PeerSocket) -> Peer:
    """Return the user of the process that connected. Raises OSError."""
    _, user, group = _CREDENTIALS.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        octets = connected.getsockopt(socket.SOL_SOCKET, _PEER_GROUPS, _LONGEST)
    except OSError:  # an old kernel, or more groups than fit: the first group counts alone
        octets = b""
    return Peer(user, frozenset((group, *struct.unpack(f"{len(octets) // 4}I", octets))))


def identity(of: Peer, group: int | None) -> Identity | None:
    """Return the identity of root, of the user of this process, and of members of `group`; None for all others."""
    if of.user not in {0, os.geteuid()} and (group is None or group not in of.groups):
        return None
    return Identity(f"user {_name(of.user)}", Role.ADMIN)


def _name(user: int) -> str:
    try:
        return f"{pwd.getpwuid(user).pw_name} ({user})"
    except KeyError:
        return str(user)
