"""Connected UDP sockets to one upstream server. Each carries several queries at once, with random ids.

The kernel drops packets from other addresses than the server's. It gives every socket a random port, which a forger has
to guess in addition to the id (RFC 5452 §9.2). A query takes a socket at random, and a socket is replaced after a few
queries. Knows no DNS but the id of a message: the query decides whether a packet answers it.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from resolver.forward.client import random_ids
from resolver.forward.client.poller import Poller
from resolver.forward.outstanding_query import Carrier, OutstandingQuery
from resolver.process.connecting import connecting

USES: Final = 8
"""Queries on one socket, before its port has been used too often."""
IDLE: Final = 10.0
"""Seconds between two looks for idle sockets. One without a query since the last look is closed."""
_DATAGRAM: Final = 4096  # octets; a longer packet than the query allows is cut, and then malformed
_MOST_LATE: Final = 64  # ids of one socket whose late replies are known
SHORTAGE: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN))
"""Errors of this machine, not of the server."""


_random: Final = random_ids.RANDOM


class _Socket:
    """An open socket with its outstanding queries by id."""

    __slots__ = ("_pool", "descriptor", "late", "outstanding", "retired", "seen", "socket", "uses")

    def __init__(self, pool: "UdpSockets", connected: socket.socket) -> None:
        self._pool = pool
        self.socket = connected
        self.descriptor = connected.fileno()
        self.uses = 0
        self.seen = 0
        """`uses` at the last look for idle sockets."""
        self.retired = False
        """The socket takes no new queries."""
        self.outstanding: dict[int, OutstandingQuery] = {}
        self.late: set[int] = set()
        """Ids of queries that ended without a reply. Their replies are late, not forged."""

    def readable(self) -> None:
        """Take one packet."""
        try:
            packet = self.socket.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError as error:
            self._pool.broken(self, error)
            return
        number = packet[0] << 8 | packet[1] if len(packet) > 2 else -1
        query = self.outstanding.get(number)
        if query is not None:
            query.arrived(packet)
        elif number in self.late:
            self.late.discard(number)
        else:
            self._pool.unmatched()


class UdpSockets(Carrier):
    """At most `limit` sockets to one server that take new queries.

    Below the limit a new socket is opened, because a port that the kernel chooses among all free ports is harder to
    guess; at the limit a socket is picked at random. A socket that has had `USES` queries takes no new ones, unless
    there are already as many others that only wait for replies.
    """

    def __init__(
        self,
        address: tuple[str, int],
        source: str,
        limit: int,
        poller: Poller,
        loop: asyncio.AbstractEventLoop,
        unmatched: Callable[[], None],
    ) -> None:
        self._address = address
        self._source = source
        self.limit = limit
        """Most sockets that take new queries. More than that end with their queries."""
        self._poller = poller
        self._loop = loop
        self.unmatched = unmatched
        """Called for a packet that is for no query."""
        self._open: list[_Socket] = []
        self._retired: set[_Socket] = set()
        """Sockets that take no new queries."""
        self._looking: asyncio.TimerHandle | None = None
        """Looks for idle sockets while any are open."""

    def __len__(self) -> int:
        """Return the number of open sockets."""
        return len(self._open) + len(self._retired)

    def send(self, query: OutstandingQuery) -> None:
        """Send a query. Raises OSError."""
        sock = self._pick()
        outstanding = sock.outstanding
        number = _random.below(0x10000)
        while number in outstanding or number in sock.late:
            number = _random.below(0x10000)
        try:
            sock.socket.send(number.to_bytes(2, "big") + query.packet)
        except OSError as error:
            if error.errno not in SHORTAGE:
                self.broken(sock, error)
            raise
        outstanding[number] = query
        query.number = number
        query.channel = sock
        query.carrier = self

    def finish(self, query: OutstandingQuery) -> None:
        """Forget a query that has its reply."""
        self._forget(query)

    def stop(self, query: OutstandingQuery) -> None:
        """Forget a query without a reply. A late one is not taken for a forgery."""
        sock = self._forget(query)
        if sock is not None and len(sock.late) < _MOST_LATE:
            sock.late.add(query.number)

    def _forget(self, query: OutstandingQuery) -> _Socket | None:
        """Take a query off its socket. Return the socket; None if the query was not on it any more."""
        sock = query.channel
        if not isinstance(sock, _Socket) or sock.outstanding.pop(query.number, None) is None:
            return None
        if sock.retired and not sock.outstanding:
            self._retired.discard(sock)
            self._discard(sock)
        return sock

    def timed_out(self, query: OutstandingQuery) -> None:
        """Do nothing: the next query takes another socket."""

    def close(self) -> None:
        """Close all sockets and forget all queries."""
        for sock in (*self._open, *self._retired):
            sock.outstanding.clear()
            self._discard(sock)
        self._open.clear()
        self._retired.clear()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def broken(self, sock: _Socket, error: OSError) -> None:
        """Close a socket, for example because the server's port is closed. Its queries fail."""
        if sock in self._retired:
            self._retired.discard(sock)
        elif sock in self._open:
            self._open.remove(sock)
        self._discard(sock)
        queries = list(sock.outstanding.values())
        sock.outstanding.clear()
        for query in queries:
            self._loop.call_soon(_fail, query, error)

    def _pick(self) -> _Socket:
        """Return a socket for one more query. Raises OSError when there is no socket at all."""
        opened = self._open
        if len(opened) < self.limit:
            try:
                sock = self._connected()
            except OSError as error:
                if error.errno not in SHORTAGE or not len(self):
                    raise
                if not opened:
                    return next(iter(self._retired))
            else:
                opened.append(sock)
                sock.uses = 1
                if self._looking is None:
                    self._looking = self._loop.call_later(IDLE, self._close_idle)
                return sock
        at = _random.below(len(opened))
        sock = opened[at]
        sock.uses += 1
        if sock.uses >= USES and len(self._retired) < self.limit:
            opened[at] = opened[-1]
            opened.pop()
            sock.retired = True
            self._retired.add(sock)
        return sock

    def _close_idle(self) -> None:
        """Close the sockets that have had no query since the last look."""
        idle = {sock for sock in self._open if sock.uses == sock.seen and not sock.outstanding}
        for sock in idle:
            self._discard(sock)
        self._open = [sock for sock in self._open if sock not in idle]
        for sock in self._open:
            sock.seen = sock.uses
        self._looking = self._loop.call_later(IDLE, self._close_idle) if self._open else None

    def _connected(self) -> _Socket:
        connected = connecting(socket.SOCK_DGRAM, *self._address, self._source)
        try:
            sock = _Socket(self, connected)
            self._poller.add(sock.descriptor, sock.readable)
        except OSError:
            connected.close()
            raise
        return sock

    def _discard(self, sock: _Socket) -> None:
        self._poller.closed(sock.descriptor)
        sock.socket.close()


def _fail(query: OutstandingQuery, error: OSError) -> None:
    if query.carrier is not None:
        query.carrier = None
        query.failed(error)
