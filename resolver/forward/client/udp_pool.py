"""Connected UDP sockets to one upstream server, with one query in flight on each.

The kernel drops what comes from elsewhere than the server, and gives every socket a random port, which a forger has to
guess beside the id (RFC 5452 §9.2). Refuses to know DNS: a query is octets, and whoever asked judges what comes back.
"""

import asyncio
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from resolver.forward.client import random_ids

USES: Final = 8  # of one socket, before its port has been seen too often
_DATAGRAM: Final = 4096  # octets; what is longer than we asked for is cut, and then malformed
SHORTAGE: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN))
"""Errors for which no server can be blamed."""

Asker = TypeVar("Asker")


class _Socket(Generic[Asker]):
    """An open socket. `asker` is None while it is idle."""

    __slots__ = ("asker", "socket", "uses")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.uses = 0
        self.asker: Asker | None = None


class UdpPool(Generic[Asker]):
    """At most `limit` sockets to `address`; queries beyond that wait for one in order.

    A new socket is opened as long as there are fewer, since the kernel's choice among all its free ports is the harder
    to guess; then an idle one is picked at random. `received(asker, packet)` hears of every datagram, with None for one
    that came to an idle socket; `failed(asker, reason)` of an error on the way. After both the asker calls `stop`
    unless it waits on.
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
        channel = self._take()
        if channel is None:
            self._waiting[asker] = packet
            return
        try:
            channel.socket.send(packet)
        except OSError:
            self._discard(channel)
            raise
        channel.uses += 1
        channel.asker = asker
        self._busy[asker] = channel

    def stop(self, asker: Asker, *, keep: bool) -> None:
        """`asker` waits no longer. `keep`: its query was answered, so that its socket may serve another."""
        self._waiting.pop(asker, None)
        channel = self._busy.pop(asker, None)
        if channel is None:
            return
        if keep and channel.uses < USES:
            channel.asker = None
            self._idle.append(channel)
        else:
            self._discard(channel)
        while self._waiting and len(self._busy) < self._limit:
            following, packet = self._waiting.popitem(last=False)
            try:
                self.ask(following, packet)
            except OSError as error:
                self._failed(following, error)
            if following in self._waiting:
                return

    def close(self) -> None:
        """Close all sockets and forget who waits."""
        for channel in (*self._idle, *self._busy.values()):
            self._discard(channel)
        self._idle.clear()
        self._busy.clear()
        self._waiting.clear()

    def _take(self) -> _Socket[Asker] | None:
        """A socket that nobody uses; None when there is none, and one that is in use will be free again."""
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
        channel: _Socket[Asker] = _Socket(connected)
        self._loop.add_reader(connected, self._readable, channel)
        return channel

    def _discard(self, channel: _Socket[Asker]) -> None:
        self._loop.remove_reader(channel.socket)
        channel.socket.close()

    def _readable(self, channel: _Socket[Asker]) -> None:
        try:
            packet = channel.socket.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError as error:
            if channel.asker is not None:
                self._failed(channel.asker, error)
            else:
                self._idle.remove(channel)
                self._discard(channel)
            return
        self._received(channel.asker, packet)
