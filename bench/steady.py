"""Clients that send queries at a steady rate over UDP, TCP, TLS and HTTPS/2, and check every answer.

A client treats the end of a connection as its protocol asks. A query without an answer on a TCP or TLS connection that
ended is sent again on a new one (RFC 7766 §6.2.4), and so is a request that a GOAWAY excludes (RFC 9113 §6.8). A query
that has no answer in `PATIENCE` seconds is lost. Does not know what happens to the server meanwhile.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import dns.message
import h2.config
import h2.connection
import h2.events
import h2.exceptions

PATIENCE: Final = 5.0
"""Seconds that a query may take."""
_TICK: Final = 0.01
"""Seconds between two batches of queries."""
_IDS: Final = 1 << 16
_RCVBUFFORCE: Final = 33  # SO_RCVBUFFORCE of asm-generic/socket.h: above net.core.rmem_max
_BUFFER: Final = 8 << 20
"""Octets of answers that may wait in a socket."""


@dataclass(slots=True)
class Tally:
    """What became of the queries over one transport."""

    sent: int = 0
    right: int = 0
    wrong: int = 0
    """Answers without the address: another address, none, or an error."""
    resent: int = 0
    """Queries that were sent again because their connection ended in order."""
    broken: int = 0
    """Connections that ended by an error."""
    lost: int = 0
    examples: list[str] = field(default_factory=list)
    """Some wrong answers, as text."""


class Clients:
    """Clients of one server, that ask for one name and expect one address."""

    def __init__(self, name: str, address: str, ports: dict[str, int], tls: ssl.SSLContext | None = None) -> None:
        """`ports`: by transport, `udp`, `tcp`, `tls` or `https`."""
        self.tallies = {transport: Tally() for transport in ports}
        self._packet = dns.message.make_query(name, "A", use_edns=-1).to_wire()[2:]
        self._address = bytes(map(int, address.split(".")))
        self._ports = ports
        self._tls = tls

    async def run(self, rates: dict[str, float], until: Callable[[], bool], connections: int = 4) -> None:
        """Send `rates` queries a second over each transport until `until` returns true, and wait for the answers."""
        async with asyncio.TaskGroup() as group:
            for transport, rate in rates.items():
                for _ in range(connections):
                    group.create_task(self._pace(transport, rate / connections, until))

    async def _pace(self, transport: str, rate: float, until: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        client: _Udp | _Stream = _Udp(self, transport) if transport == "udp" else _Stream(self, transport)
        began, count = loop.time(), 0
        while not until():
            due = int((loop.time() - began) * rate) - count
            if due > 0:
                count += due
                await client.ask(due)
            await asyncio.sleep(_TICK)
        deadline = loop.time() + PATIENCE
        while client.pending and loop.time() < deadline:
            await client.ask(0)  # again what a connection left unanswered
            await asyncio.sleep(_TICK)
        self.tallies[transport].lost += len(client.pending)
        await client.close()

    def query(self, number: int) -> bytes:
        """Return the query with this id."""
        return number.to_bytes(2, "big") + self._packet

    def check(self, tally: Tally, reply: bytes) -> None:
        """Count a reply as right or wrong."""
        if len(reply) > 12 and not reply[3] & 15 and reply[-4:] == self._address:
            tally.right += 1
            return
        tally.wrong += 1
        if len(tally.examples) < 3:
            tally.examples.append(str(dns.message.from_wire(reply)))

    async def connect(self, transport: str, protocol: asyncio.Protocol) -> None:
        """Open a connection. Raises OSError: a server that is taken over refuses none."""
        context = self._tls if transport in ("tls", "https") else None
        await asyncio.get_running_loop().create_connection(
            lambda: protocol,
            "127.0.0.1",
            self._ports[transport],
            ssl=context,
            server_hostname="localhost" if context else None,
        )

    async def datagrams(self, transport: str, protocol: asyncio.DatagramProtocol) -> asyncio.DatagramTransport:
        """Open a socket."""
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A client that waits for the processor must not lose answers itself.
        try:
            sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.settimeout(0)
        sock.connect(("127.0.0.1", self._ports[transport]))
        made, _ = await loop.create_datagram_endpoint(lambda: protocol, sock=sock)
        return made


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, clients: Clients, transport: str) -> None:
        self.pending: set[int] = set()
        self._clients, self._tally, self._name = clients, clients.tallies[transport], transport
        self._transport: asyncio.DatagramTransport | None = None
        self._next = 0

    async def ask(self, count: int) -> None:
        if self._transport is None:
            self._transport = await self._clients.datagrams(self._name, self)
        for _ in range(count):
            self._next = (self._next + 1) % _IDS
            if self._next in self.pending:
                self._tally.lost += 1
            self.pending.add(self._next)
            self._tally.sent += 1
            self._transport.sendto(self._clients.query(self._next))

    def datagram_received(self, data: bytes, _: object) -> None:
        self.pending.discard(int.from_bytes(data[:2], "big"))
        self._clients.check(self._tally, data)

    async def close(self) -> None:
        if self._transport:
            self._transport.close()


class _Stream:
    """One connection after the other."""

    def __init__(self, clients: Clients, transport: str) -> None:
        self.pending: set[int] = set()
        self._clients, self._tally, self._name = clients, clients.tallies[transport], transport
        self._session: _TcpSession | _H2Session | None = None
        self._next = 0
        self._again: set[int] = set()

    async def ask(self, count: int) -> None:
        session = self._session
        if session is None or session.ended:
            if session:
                await session.lost.wait()
            session = _H2Session(self) if self._name == "https" else _TcpSession(self)
            await self._clients.connect(self._name, session)
            self._session = session
        if self._again:
            self._tally.resent += len(self._again)
            again, self._again = self._again, set()
            session.send([(number, self._clients.query(number)) for number in again])
        count = min(count, session.room)
        self._tally.sent += count
        new = [(self._next + i) % _IDS for i in range(1, count + 1)]
        self._next = (self._next + count) % _IDS
        self.pending.update(new)
        session.send([(number, self._clients.query(number)) for number in new])

    def take(self, number: int, reply: bytes) -> None:
        self.pending.discard(number)
        self._clients.check(self._tally, reply)

    def ended(self, unanswered: set[int], error: Exception | None) -> None:
        self._again |= unanswered & self.pending
        self._tally.broken += error is not None
        if error and len(self._tally.examples) < 3:
            self._tally.examples.append(repr(error))

    async def close(self) -> None:
        if self._session:
            self._session.close()
            await self._session.lost.wait()


class _TcpSession(asyncio.Protocol):
    def __init__(self, stream: _Stream) -> None:
        self.ended = False
        """Whether the server takes no more queries here."""
        self.lost = asyncio.Event()
        self._stream = stream
        self._pending: set[int] = set()
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport

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
        self._stream.ended(self._pending, error)

    def close(self) -> None:
        self._transport.close()


class _H2Session(asyncio.Protocol):
    def __init__(self, stream: _Stream) -> None:
        self.ended = False
        """Whether the server takes no more queries here."""
        self.lost = asyncio.Event()
        self._stream = stream
        self._streams: dict[int, int] = {}
        self._bodies: dict[int, bytes] = {}
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport
        self._h2.initiate_connection()
        self._flush()

    @property
    def room(self) -> int:
        """How many queries may be sent now: the server limits the streams."""
        return 0 if self.ended else max(0, self._h2.remote_settings.max_concurrent_streams - len(self._streams))

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
        self._stream.ended(set(self._streams.values()), error)

    def close(self) -> None:
        self._transport.close()
