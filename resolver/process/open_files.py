"""How a process divides its descriptors: connections of clients, and sockets to upstream servers.

The limit is that of RLIMIT_NOFILE, which the supervisor has raised as far as the system permits. The shares are
computed once, at the start. Each part of the process keeps to its share, so that the connections of clients cannot take
the descriptors that forwarding needs. Does not know how a share is used.
"""

import os
import resource
from typing import Final, NamedTuple

_FILES: Final = 8
"""Descriptors that stay free: certificates that are read again, the channel to control, a socket that is being
accepted."""
_UPSTREAM: Final = 3 / 8
"""Part of the free descriptors that upstream sockets have for themselves, where there are not enough for everyone."""


class OpenFiles(NamedTuple):
    """The shares of one process. Each is at least 1."""

    clients: int
    """Most connections of clients."""
    upstream: int
    """Most sockets to upstream servers, all servers together."""


def shares(limit: int, held: int, clients: int) -> OpenFiles:
    """Return the shares of a process that may open `limit` descriptors and keeps `held` of them for other uses.

    `clients`: the most connections of clients that are useful. Upstream sockets get what the clients do not need.
    """
    free = max(2, limit - held - _FILES)
    for_clients = max(1, min(clients, free - max(1, int(free * _UPSTREAM))))
    return OpenFiles(for_clients, max(1, free - for_clients))


def limit() -> int:
    """Return how many descriptors this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def held() -> int:
    """Return how many descriptors this process has open."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - the listing itself takes a descriptor
    except OSError:
        return sum(_is_open(number) for number in range(min(limit(), 256)))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
