"""How many questions may be in progress: in all, to one group of servers, to one server, and for one client.

Where a limit is reached, the question that has waited longest within that limit makes room for the new one. A server
that answers does so within milliseconds, so that the oldest questions are those that nobody answers. Pure.
"""

from typing import Final, NamedTuple

from resolver.forward.exchange import Exchange

_PREFIX: Final = 8  # octets; an IPv6 client can choose any address of its /64


class Limits(NamedTuple):
    """The limits of one worker."""

    questions: int = 8192
    """Most questions in progress. One takes some 2,000 octets."""
    of_one_group: int = 4096
    """Most questions to one group, so that a group whose servers are down leaves room for the others."""
    of_one_server: int = 4096
    """Most questions that are sent to one server first, in all groups that have the server."""
    of_one_client: int = 3072
    """Most questions that one client has caused. 600 names a second that nobody answers are 2,880 questions."""
    waiters: int = 65_536
    """Most clients that wait for a question which another client has asked. They need memory, but no query."""
    sockets: int = 400
    """Most UDP sockets to one server that take new queries."""
    lingering: int = 2048
    """Most failed questions whose late reply is still wanted."""


DEFAULT: Final = Limits()


def within(descriptors: int, servers: int) -> Limits:
    """Return the limits of a worker that may open this many sockets to this many servers, all servers together.

    One server takes twice `Limits.sockets`, because as many sockets may only wait for replies, and two connections.
    """
    return DEFAULT._replace(sockets=max(1, min(DEFAULT.sockets, (descriptors // max(1, servers) - 2) // 2)))


class Admission:
    """The questions in progress, oldest first."""

    __slots__ = ("_clients", "_groups", "_limits", "_servers", "all")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.all: dict[Exchange, None] = {}
        self._groups: dict[str, dict[Exchange, None]] = {}
        self._servers: dict[str, dict[Exchange, None]] = {}
        self._clients: dict[bytes, dict[Exchange, None]] = {}

    def crowded(self, group: str, server: str, client: bytes) -> tuple[Exchange, str] | None:
        """Return the question that must make room for a new one, and the limit. None: there is room.

        `server` is the URI of the server that the new question is sent to first; empty for a group without servers.
        """
        limits = self._limits
        mine = self._clients.get(_client(client))
        if mine is not None and len(mine) >= limits.of_one_client:
            return next(iter(mine)), "too many questions of this client are waiting"
        there = self._groups.get(group)
        if there is not None and len(there) >= limits.of_one_group:
            return next(iter(there)), f"too many questions are waiting for upstream {group}"
        there = self._servers.get(server)
        if there is not None and len(there) >= limits.of_one_server:
            return next(iter(there)), f"too many questions are waiting for {server}"
        if len(self.all) >= limits.questions:
            return next(iter(self.all)), "too many questions are waiting"
        return None

    def add(self, exchange: Exchange) -> None:
        """Count a question."""
        self.all[exchange] = None
        self._groups.setdefault(exchange.key.group, {})[exchange] = None
        self._servers.setdefault(exchange.first, {})[exchange] = None
        self._clients.setdefault(_client(exchange.client), {})[exchange] = None

    def remove(self, exchange: Exchange) -> None:
        """Take a question out."""
        del self.all[exchange]
        del self._groups[exchange.key.group][exchange]
        del self._servers[exchange.first][exchange]
        client = _client(exchange.client)
        mine = self._clients[client]
        del mine[exchange]
        if not mine:
            del self._clients[client]


def _client(address: bytes) -> bytes:
    return address[:_PREFIX] if len(address) == 16 else address
