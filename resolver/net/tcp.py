"""TCP for clients (RFC 7766): length-framed, pipelined, answered in any order, closed when idle."""

import asyncio
import socket
from collections import OrderedDict
from typing import Final

from resolver.responder import Clients, Responder

IDLE: Final = 10.0
"""Seconds without a query, after which a connection is closed; what is no query or not whole does not extend it."""
CONNECTIONS: Final = 1_000
"""Of one listener; at the limit the one that has been idle longest makes room."""
PIPELINED: Final = 100
"""Queries of one connection in work; beyond that it is not read."""
_TURN: Final = 64  # queries of one connection in one go; then the loop has its turn
_BACKLOG: Final = 1024  # asyncio sets it anew, to 100 unless told


class Tcp:
    """A listening socket and its connections. `idle` in seconds."""

    def __init__(
        self,
        responder: Responder,
        clients: Clients,
        loop: asyncio.AbstractEventLoop,
        *,
        idle: float = IDLE,
        limit: int = CONNECTIONS,
    ) -> None:
        self.responder = responder
        self.clients = clients
        self.loop = loop
        self.idle = idle
        self.connections: OrderedDict[_Connection, None] = OrderedDict()
        """In the order of their last query."""
        self._limit = limit
        self._server: asyncio.Server | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Accept from a listening socket."""
        self._server = await self.loop.create_server(lambda: _Connection(self), sock=sock, backlog=_BACKLOG)

    def close(self) -> None:
        """Accept no more, and take no more queries; what is in work is still answered."""
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.finish()

    def joined(self, connection: "_Connection") -> None:
        """Count a connection in."""
        if len(self.connections) >= self._limit:
            next(iter(self.connections)).abort()
        self.connections[connection] = None

    def left(self, connection: "_Connection") -> None:
        """Count it out."""
        self.connections.pop(connection, None)


class _Connection(asyncio.Protocol):
    """One client's stream.

    It is read only while there is nothing left to work on: what waits in `_buffer` never grows beyond one read.
    """

    def __init__(self, listener: Tcp) -> None:
        self._listener = listener
        self._loop = listener.loop
        self._transport: asyncio.Transport | None = None
        """None before and after the connection."""
        self._buffer = bytearray()
        self._network = 0
        self._open = 0
        """Queries in work."""
        self._blocked = False
        """The client does not take its answers."""
        self._finishing = False
        """No more queries: the client has sent all, or we stop."""
        self._due = False
        """`_work` is called soon."""
        self._asked = 0.0
        """When the last query came; loop time."""
        self._timer: asyncio.TimerHandle | None = None

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream server makes no other
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if not peer:  # it is gone already
            transport.abort()
            return
        family = "6" if transport.get_extra_info("socket").family == socket.AF_INET6 else "4"
        self._requests = self._listener.responder.counters.cell("dns_requests_total", ("tcp", family))
        self._network = self._listener.clients.find(peer[0])
        self._listener.joined(self)
        self._asked = self._loop.time()
        self._watch(self._listener.idle)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._work()

    def eof_received(self) -> bool:
        self._finishing = True
        return bool(self._open)  # half-closed clients get what they asked for (RFC 7766 §6.2.3)

    def pause_writing(self) -> None:
        self._blocked = True
        self._flow()

    def resume_writing(self) -> None:
        self._blocked = False
        self._work_soon()

    def connection_lost(self, _: Exception | None) -> None:
        self._listener.left(self)
        if self._timer:
            self._timer.cancel()
        self._transport = None
        self._buffer.clear()

    # -- queries

    def _work_soon(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Take the whole queries that are there, as far as they can be worked on."""
        self._due = False
        for _ in range(_TURN):
            packet = self._next()
            if packet is None:
                break
            self._take(packet)
        else:
            self._work_soon()
        self._flow()

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2 or self._is_full():
            return None
        end = 2 + int.from_bytes(buffer[:2], "big")
        if len(buffer) < end:
            return None
        packet = bytes(buffer[2:end])
        del buffer[:end]
        return packet

    def _take(self, packet: bytes) -> None:
        self._requests[0] += 1
        self._open += 1

        def reply(octets: bytes) -> None:
            if self._transport and not self._transport.is_closing():
                self._transport.write(len(octets).to_bytes(2, "big") + octets)
            self._done()

        if self._listener.responder.take(packet, self._network, None, reply):
            self._asked = self._loop.time()
            if self in self._listener.connections:
                self._listener.connections.move_to_end(self)
        else:
            self._done()

    def _done(self) -> None:
        self._open -= 1
        if self._transport is None:
            return
        if self._finishing and not self._open:
            self._transport.close()
        elif not self._transport.is_reading():
            self._work_soon()  # there may be room for the next

    def _is_full(self) -> bool:
        return self._blocked or self._finishing or self._open >= PIPELINED

    def _flow(self) -> None:
        """Read only what can be worked on: a client that does not take its answers gets no more."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._is_full() or self._due:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    # -- the end

    def _watch(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Close what has been idle too long, or never takes its answers."""
        now, idle = self._loop.time(), self._listener.idle
        if self._open:
            self._asked = now
        left = self._asked + idle - now
        if left > 0:
            self._watch(left)
        else:
            self.abort()

    def finish(self) -> None:
        """Answer what is in work, then close."""
        self._finishing = True
        if self._transport and not self._open:
            self._transport.close()
        self._flow()

    def abort(self) -> None:
        """Close at once."""
        self._listener.left(self)
        if self._transport:
            self._transport.abort()
