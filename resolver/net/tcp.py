"""TCP for clients (RFC 7766): length-framed, pipelined, answered in any order, closed when idle."""

import asyncio
import socket
from typing import Final

from resolver.responder import Clients, Responder

IDLE: Final = 10.0
"""Seconds without a whole query, after which a connection is closed; an unfinished message does not extend it."""
CONNECTIONS: Final = 1_000
"""In all; at the limit the one that has been idle longest makes room."""
PIPELINED: Final = 100
"""Queries of one connection in work; beyond that it is not read."""


class Tcp:
    """A listening socket and its connections."""

    def __init__(self, responder: Responder, clients: Clients, loop: asyncio.AbstractEventLoop) -> None:
        self.responder = responder
        self.clients = clients
        self.loop = loop
        self.connections: dict[_Connection, None] = {}
        """In the order of their last whole query."""
        self._server: asyncio.Server | None = None

    async def listen(self, sock: socket.socket) -> None:
        """Accept from a listening socket."""
        self._server = await self.loop.create_server(lambda: _Connection(self), sock=sock, start_serving=True)

    def close(self) -> None:
        """Accept no more, and take no more queries; what is in work is still answered."""
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.finish()

    def joined(self, connection: "_Connection") -> None:
        """Count a connection in."""
        if len(self.connections) >= CONNECTIONS:
            next(iter(self.connections)).abort()
        self.connections[connection] = None


class _Connection(asyncio.Protocol):
    """One client's stream."""

    def __init__(self, listener: Tcp) -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._network = 0
        self._open = 0
        self._blocked = False
        self._finishing = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream server makes no other
        self._transport = transport
        peer = transport.get_extra_info("peername")
        family = "6" if transport.get_extra_info("socket").family == socket.AF_INET6 else "4"
        self._requests = self._listener.responder.counters.cell("dns_requests_total", ("tcp", family))
        if not peer:
            transport.abort()
            return
        self._network = self._listener.clients.find(peer[0])
        self._listener.joined(self)
        self._rest()

    def _rest(self) -> None:
        """A whole query came: the idle time starts anew."""
        if self._timer:
            self._timer.cancel()
        self._timer = self._listener.loop.call_later(IDLE, self._idle)
        connections = self._listener.connections
        connections.pop(self, None)
        connections[self] = None

    def _idle(self) -> None:
        if self._open:
            self._rest()
        else:
            self.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._work()

    def _work(self) -> None:
        buffer = self._buffer
        while len(buffer) >= 2 and not self._full() and not self._finishing:
            size = int.from_bytes(buffer[:2], "big")
            if len(buffer) < 2 + size:
                break
            packet = bytes(buffer[2 : 2 + size])
            del buffer[: 2 + size]
            self._requests[0] += 1
            self._rest()
            self._take(packet)
        self._flow()

    def _take(self, packet: bytes) -> None:
        self._open += 1

        def reply(octets: bytes) -> None:
            if self._transport and not self._transport.is_closing():
                self._transport.write(len(octets).to_bytes(2, "big") + octets)
            self._done()

        if not self._listener.responder.take(packet, self._network, None, reply):
            self._done()

    def _done(self) -> None:
        self._open -= 1
        if self._finishing and not self._open and self._transport:
            self._transport.close()
        elif self._buffer and not self._full():
            self._listener.loop.call_soon(self._work)
        else:
            self._flow()

    def _full(self) -> bool:
        return self._blocked or self._open >= PIPELINED

    def _flow(self) -> None:
        """Read only what can be worked on: a client that does not take its answers gets no more."""
        if not self._transport or self._transport.is_closing():
            return
        if self._full() or self._finishing:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._blocked = True
        self._flow()

    def resume_writing(self) -> None:
        self._blocked = False
        self._work()

    def eof_received(self) -> bool:
        self._finishing = True
        return bool(self._open)  # half-closed clients get what they asked for (RFC 7766 §6.2.3)

    def finish(self) -> None:
        """Answer what is in work, then close."""
        self._finishing = True
        if self._transport and not self._open:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._listener.connections.pop(self, None)
        if self._transport:
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self._listener.connections.pop(self, None)
        if self._timer:
            self._timer.cancel()
        self._transport = None
