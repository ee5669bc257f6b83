"""DNS over TCP and TLS (RFC 7766, RFC 7858): framed by length, pipelined, answered in any order."""

import asyncio
from typing import Final

from resolver.worker.answer.compiled import Compiled
from resolver.worker.net.connections import Connection
from resolver.worker.net.transport import SocketTransport

PIPELINED: Final = 100
"""Queries of one connection in flight, at most. At the limit, the connection is not read."""
_GATHERED: Final = 16_384
"""Octets of replies after which they are sent together."""
_TURN: Final = 64  # queries of one connection before it is the turn of another one
_CHECKED: Final = 8  # queries between two looks at the clock


def session(connection: Connection) -> asyncio.Protocol:
    """Return the session of a connection for plain DNS and DNS over TLS."""
    return _Session(connection)


class _Session(asyncio.Protocol):
    """The session of one connection.

    The connection is read only while no received query waits, so `_buffer` never grows beyond one read.
    """

    __slots__ = ("_blocked", "_buffer", "_connection", "_due", "_finishing", "_open", "_ready", "_time", "_transport")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._time = connection.listener.connections.time
        self._transport: asyncio.Transport | None = None
        """None before the connection is made and after it is lost."""
        self._buffer = bytearray()
        self._ready: bytearray | None = None
        """Replies to send together; None while no received query is being processed."""
        self._open = 0
        """Queries in flight."""
        self._blocked = False
        """Whether the client does not read its answers."""
        self._finishing = False
        """Whether no more queries are read: the client has sent all of them, or the worker stops."""
        self._due = False
        """Whether `work` is called in a later turn."""

    @property
    def busy(self) -> bool:
        """Whether queries are in flight."""
        return bool(self._open)

    # -- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._connection.session_started(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self.work()

    def eof_received(self) -> bool:
        self._finishing = True
        # A half-closed client gets its answers (RFC 7766 §6.2.3). With TLS, a connection cannot be half closed.
        return bool(self._open) and not self._connection.listener.transport.encrypted

    def pause_writing(self) -> None:
        self._blocked = True
        self._flow()

    def resume_writing(self) -> None:
        self._blocked = False
        self._work_soon()

    def connection_lost(self, _: Exception | None) -> None:
        self._connection.session_ended()
        self._transport = None
        self._buffer.clear()

    # -- queries

    def _work_soon(self) -> None:
        if not self._due:
            self._due = True
            self._time.later(self)

    def work(self) -> None:
        """Process complete queries, within the limits, and send the immediate replies together."""
        self._due, self._ready = False, bytearray()
        for number in range(1, _TURN + 1):
            packet = self._next()
            if packet is None:
                break
            self._take(packet)
            if number == _TURN or (number % _CHECKED == 0 and self._time.is_over):
                self._work_soon()
                break
        ready, self._ready = self._ready, None
        if ready:
            self._write(ready)
            if self._finishing and not self._open:
                self._end()
        self._flow()

    def _write(self, octets: bytes | bytearray) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(octets)

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
        self._open += 1
        if not self._connection.take(packet, self._reply):
            self._done()

    def _reply(self, octets: bytes, _: Compiled | None) -> None:
        framed = len(octets).to_bytes(2, "big") + octets
        if self._ready is None:
            self._write(framed)
        else:
            self._ready += framed
            if len(self._ready) >= _GATHERED:
                ready, self._ready = self._ready, bytearray()
                self._write(ready)
        self._done()

    def _done(self) -> None:
        self._open -= 1
        if self._transport is None:
            return
        if self._finishing and not self._open:
            if self._ready is None:
                self._end()
        elif not self._transport.is_reading():
            self._work_soon()  # the next query may be within the limits now

    def _is_full(self) -> bool:
        return self._blocked or self._finishing or self._open >= PIPELINED

    def _flow(self) -> None:
        """Read only within the limits: a client that does not read its answers is not read either."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._is_full() or self._due:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    # -- the end

    def finish(self) -> None:
        """Answer the queries in flight, then close."""
        self._finishing = True
        if not self._open:
            self._end()
        self._flow()

    def _end(self) -> None:
        """Close after what was sent. The client may have sent more, which nobody answers here."""
        if isinstance(self._transport, SocketTransport):
            self._transport.finish()
        elif self._transport:
            self._transport.close()  # the end of TLS waits for the client too
