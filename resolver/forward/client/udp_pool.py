"""Connected UDP sockets to one upstream server, with one query in flight on each.

The kernel drops packets from other addresses than the server's. It gives every socket a random port, which a forger has
to guess in addition to the id (RFC 5452 §9.2). Knows no DNS: the asker decides whether a packet answers its query.
"""

import asyncio
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from resolver.forward.client import random_ids

USES: Final = 8  # queries on one socket, before its port has been used too often
_DATAGRAM: Final = 4096  # octets; a longer packet than the query allows is cut, and then malformed
SHORTAGE: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN))
"""Errors of this machine, not of the server."""

Asker = TypeVar("Asker")


class _Socket(Generic[Asker]):
    """An open socket. `asker` is None while the socket is idle."""

    __slots__ = ("asker", "socket", "uses")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.uses = 0
        self.asker: Asker | None = None


class UdpPool(Generic[Asker]):
    """At most `limit` sockets to `address`; queries beyond that wait for one in order.

    Below the limit a new socket is opened, because a port that the kernel chooses among all free ports is harder to
    guess; at the limit an idle socket is picked at random. `received(asker, packet)` is called for every datagram, with
    None for one that came to an idle socket, and `failed(asker, error)` for an error. After either, the asker calls
    `stop` unless it keeps waiting.
    """

    def __init__(
        self,
        address: tuple[str, int],
        limit: int,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[Asker | None, bytes], None],
        failed: Callable[[Asker, OSError], None],
    ) -> None:
        self._address = address
        self._family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._limit = limit
        self._loop = loop
        self._received = received
        self._failed = failed
        self._idle: list[_Socket[Asker]] = []
        self._busy: dict[Asker, _Socket[Asker]] = {}
        self._waiting: OrderedDict[Asker, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._idle) + len(self._busy)

    def ask(self, asker: Asker, packet: bytes) -> None:
        """Send `packet`, at once or when a socket is free. Raises OSError if it cannot be sent."""
        sock = self._take()
        if sock is None:
            self._waiting[asker] = packet
            return
        try:
            sock.socket.send(packet)
        except OSError:
            self._discard(sock)
            raise
        sock.uses += 1
        sock.asker = asker
        self._busy[asker] = sock

    def stop(self, asker: Asker, *, keep: bool) -> None:
        """Stop waiting for the answer to `asker`. `keep`: the query was answered, and its socket may be reused."""
        self._waiting.pop(asker, None)
        sock = self._busy.pop(asker, None)
        if sock is None:
            return
        if keep and sock.uses < USES:
            sock.asker = None
            self._idle.append(sock)
        else:
            self._discard(sock)
        while self._waiting and len(self._busy) < self._limit:
            following, packet = self._waiting.popitem(last=False)
            try:
                self.ask(following, packet)
            except OSError as error:
                self._failed(following, error)
            if following in self._waiting:
                return

    def close(self) -> None:
        """Close all sockets and forget all askers."""
        for sock in (*self._idle, *self._busy.values()):
            self._discard(sock)
        self._idle.clear()
        self._busy.clear()
        self._waiting.clear()

    def _take(self) -> _Socket[Asker] | None:
        """Return a free socket, or None when all are in use. Raises OSError when there is no socket at all."""
        if len(self) < self._limit:
            try:
                return self._open()
            except OSError as error:
                if error.errno not in SHORTAGE or not len(self):
                    raise
        if not self._idle:
            return None
        pick = random_ids.below(len(self._idle))
        self._idle[pick], self._idle[-1] = self._idle[-1], self._idle[pick]
        return self._idle.pop()

    def _open(self) -> _Socket[Asker]:
        connected = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            connected.connect(self._address)
        except OSError:
            connected.close()
            raise
        sock: _Socket[Asker] = _Socket(connected)
        self._loop.add_reader(connected, self._readable, sock)
        return sock

    def _discard(self, sock: _Socket[Asker]) -> None:
        self._loop.remove_reader(sock.socket)
        sock.socket.close()

    def _readable(self, sock: _Socket[Asker]) -> None:
        try:
            packet = sock.socket.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError as error:
            if sock.asker is not None:
                self._failed(sock.asker, error)
            else:
                self._idle.remove(sock)
                self._discard(sock)
            return
        self._received(sock.asker, packet)
