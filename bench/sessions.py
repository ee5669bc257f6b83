"""How queries of a client travel: in datagrams, on TCP and TLS connections, and in HTTP/2 requests.

A client treats the end of a connection as its protocol asks. A query without an answer on a TCP or TLS connection that
ended is sent again on a new one (RFC 7766 §6.2.4), and so is a request that a GOAWAY excludes (RFC 9113 §6.8). A
connection that cannot be made is tried again. Does not know what an answer should be.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, Protocol

import h2.config
import h2.connection
import h2.events

from bench.questions import Question

Pending = tuple[Question, float]
"""A query without an answer, and the time at which the client wanted to send it."""
_IDS: Final = 1 << 16
_PAUSE: Final = 0.05
"""Seconds between two attempts to connect."""
_CONNECT: Final = 2.0
"""Seconds that an attempt may take: a hung server accepts no connection."""


class Owner(Protocol):
    """The clients that a session belongs to."""

    async def connect(self, transport: str, protocol: asyncio.Protocol) -> None:
        """Open a connection. Raises OSError."""

    async def datagrams(self, protocol: asyncio.DatagramProtocol) -> None:
        """Open a socket."""

    def answered(self, transport: str, pending: Pending, reply: bytes) -> None:
        """Take an answer."""

    def ended(self, transport: str, unanswered: int, error: Exception | None) -> None:
        """Take note of the end of a connection, and of the queries on it that are sent again."""


class _Undecided:
    """The queries of a session that have no answer, by id, oldest first."""

    def __init__(self) -> None:
        self.pending: dict[int, Pending] = {}
        self._next = 0

    def oldest(self) -> Iterator[Pending]:
        """Yield the oldest query without an answer, if there is one."""
        return islice(self.pending.values(), 1)

    def expired(self, before: float) -> list[Pending]:
        """Remove and return the queries from before this time."""
        numbers = [number for number, (_, at) in self.pending.items() if at < before]
        return [self.pending.pop(number) for number in numbers]

    def _number(self, question: Pending) -> int:
        """Return an id that no query without an answer has. The rate of a session is far below 65,536 in `PATIENCE`."""
        self._next = (self._next + 1) % _IDS
        self.pending[self._next] = question
        return self._next


class Datagrams(_Undecided, asyncio.DatagramProtocol):
    """Queries over UDP."""

    def __init__(self, owner: Owner, transport: str) -> None:
        super().__init__()
        self._owner, self._name = owner, transport
        self._transport: asyncio.DatagramTransport | None = None
        self._opening: asyncio.Task[None] | None = None
        self._unsent: deque[int] = deque()

    def ask(self, questions: list[Pending]) -> None:
        """Send queries."""
        self._unsent.extend(map(self._number, questions))
        if self._opening is None:
            self._opening = asyncio.create_task(self._owner.datagrams(self))
        if self._transport:
            while self._unsent:
                number = self._unsent.popleft()
                self._transport.sendto(number.to_bytes(2, "big") + self.pending[number][0].packet)

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own type is wider than UDP's
        """Send what was asked before the socket was open."""
        self._transport = transport
        self.ask([])

    def datagram_received(self, data: bytes, _: object) -> None:
        """Take an answer."""
        if pending := self.pending.pop(int.from_bytes(data[:2], "big"), None):
            self._owner.answered(self._name, pending, data)

    async def close(self) -> None:
        """Close the socket."""
        if self._transport:
            self._transport.close()


class Stream(_Undecided):
    """Queries on one connection after the other."""

    def __init__(self, owner: Owner, transport: str) -> None:
        super().__init__()
        self._owner, self._name = owner, transport
        self._session: _Framed | _Http2 | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._unsent: deque[int] = deque()

    def ask(self, questions: list[Pending]) -> None:
        """Send queries now, or when the connection has room."""
        self._unsent.extend(map(self._number, questions))
        if self._session is None:
            self._connecting = self._connecting or asyncio.create_task(self._connect())
        elif not self._session.ended:
            ready: list[tuple[int, bytes]] = []
            room = self._session.room
            while self._unsent and len(ready) < room:
                number = self._unsent.popleft()
                if number in self.pending:  # not given up meanwhile
                    ready.append((number, number.to_bytes(2, "big") + self.pending[number][0].packet))
            if ready:
                self._session.send(ready)

    async def _connect(self) -> None:
        session = _Http2(self) if self._name == "https" else _Framed(self)
        try:
            async with asyncio.timeout(_CONNECT):
                await self._owner.connect(self._name, session)
        except OSError as error:  # TimeoutError is one
            self._owner.ended(self._name, 0, error)
            await asyncio.sleep(_PAUSE)
        else:
            self._session = None if session.lost.is_set() else session
        self._connecting = None
        self.ask([])

    def take(self, number: int, reply: bytes) -> None:
        """Take an answer."""
        if pending := self.pending.pop(number, None):
            self._owner.answered(self._name, pending, reply)

    def ended(self, session: "_Framed | _Http2", unanswered: set[int], error: Exception | None) -> None:
        """Send what the connection left unanswered on another one."""
        again = [number for number in unanswered if number in self.pending]
        self._unsent.extendleft(again)
        if self._session is session:  # otherwise `_connect` reports that it could not be made
            self._session = None
            self._owner.ended(self._name, len(again), error)

    async def close(self) -> None:
        """Close the connection."""
        if self._connecting:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if session := self._session:
            session.close()
            await session.lost.wait()


class _Session(asyncio.Protocol):
    """A connection."""

    def __init__(self, stream: Stream) -> None:
        self.ended = False
        """Whether the server takes no more queries here."""
        self.lost = asyncio.Event()
        self._stream = stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport

    def close(self) -> None:
        self._transport.close()


class _Framed(_Session):
    """Messages with their lengths, over TCP or TLS."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._pending: set[int] = set()
        self._buffer = bytearray()

    @property
    def room(self) -> int:
        """How many queries may be sent now."""
        return _IDS

    def send(self, queries: list[tuple[int, bytes]]) -> None:
        self._pending.update(number for number, _ in queries)
        self._transport.write(b"".join(len(each).to_bytes(2, "big") + each for _, each in queries))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        while len(buffer) > 1 and len(buffer) >= (end := 2 + int.from_bytes(buffer[:2], "big")):
            reply = bytes(buffer[2:end])
            del buffer[:end]
            number = int.from_bytes(reply[:2], "big")
            self._pending.discard(number)
            self._stream.take(number, reply)

    def eof_received(self) -> None:
        self.ended = True  # nothing more is sent here

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True
        self.lost.set()
        self._stream.ended(self, self._pending, error)


class _Http2(_Session):
    """Requests of DNS over HTTPS."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._streams: dict[int, int] = {}
        self._bodies: dict[int, bytes] = {}
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._h2.initiate_connection()
        self._flush()

    @property
    def room(self) -> int:
        """How many queries may be sent now: the server limits the streams."""
        return max(0, self._h2.remote_settings.max_concurrent_streams - len(self._streams))

    def send(self, queries: list[tuple[int, bytes]]) -> None:
        for number, query in queries:
            stream = self._h2.get_next_available_stream_id()
            self._streams[stream], self._bodies[stream] = number, b""
            self._h2.send_headers(
                stream,
                [
                    (":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/dns-query"),
                    ("content-type", "application/dns-message"), ("content-length", str(len(query))),
                ],
            )  # fmt: skip
            self._h2.send_data(stream, query, end_stream=True)
        self._flush()

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self._bodies[event.stream_id] += event.data
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self._stream.take(self._streams.pop(event.stream_id), self._bodies.pop(event.stream_id))
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.ended = True
        if not self.ended:
            self._flush()

    def _flush(self) -> None:
        self._transport.write(self._h2.data_to_send())

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True
        self.lost.set()
        self._stream.ended(self, set(self._streams.values()), error)
