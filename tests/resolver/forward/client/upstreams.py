"""Upstream servers on loopback that a test controls, and helpers to ask them."""

import asyncio
import ssl
from collections.abc import Callable

import dnslib
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.client.forwarder import Forwarder
from resolver.settings import Server
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply, Reply
from resolver.wire.relay import Message
from tests.ports import pair
from zones.dns import record
from zones.dns.name import from_text

Respond = Callable[[dnslib.DNSRecord, str], list[bytes]]
ADDRESS = bytes((192, 0, 2, 80))
DEADLINE = 60.0


def answer(query: dnslib.DNSRecord, rcode: int = codes.NOERROR, *, tc: bool = False, records: int = 1) -> bytes:
    reply = query.reply(ra=1)
    reply.header.rcode = rcode
    reply.header.tc = int(tc)
    if rcode == codes.NOERROR and not tc:
        for i in range(records):
            reply.add_answer(dnslib.RR(query.q.qname, ttl=60, rdata=dnslib.A(f"192.0.{2 + i // 256}.{(80 + i) % 256}")))
    return bytes(reply.pack())


class FakeUpstream(asyncio.DatagramProtocol):
    """Answers with the result of `respond`, over UDP and streams on one port. Records each query and its source port.

    A stream is closed after `closes_after` queries; 0: never by it.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.respond: Respond = lambda query, _: [answer(query)]
        self.asked: list[dnslib.DNSRecord] = []
        self.ports: list[int] = []
        self.hosts: list[str] = []
        self.connections = 0
        self.closes_after = 1
        self._tls = tls
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def server(self) -> Server:
        return Server("udp", "127.0.0.1", self.port)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        tcp, udp = pair()
        self.tcp = await asyncio.start_server(self.converse, sock=tcp, ssl=self._tls)
        self.port: int = tcp.getsockname()[1]
        self.udp, _ = await loop.create_datagram_endpoint(lambda: self, sock=udp)

    async def close(self) -> None:
        self.udp.close()
        self.tcp.close()
        self.hang_up()
        await self.tcp.wait_closed()

    def write(self, connection: int, packet: bytes) -> None:
        """Send a message on a connection, counted from 0."""
        self._writers[connection].write(len(packet).to_bytes(2) + packet)

    def hang_up(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dnslib.DNSRecord.parse(data)
        self.asked.append(query)
        self.ports.append(addr[1])
        self.hosts.append(addr[0])
        for packet in self.respond(query, "udp"):
            self.udp.sendto(packet, addr)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        self.hosts.append(writer.get_extra_info("peername")[0])
        count = 0
        try:
            while not self.closes_after or count < self.closes_after:
                size = int.from_bytes(await reader.readexactly(2))
                query = dnslib.DNSRecord.parse(await reader.readexactly(size))
                count += 1
                for packet in self.respond(query, "tcp"):
                    writer.write(len(packet).to_bytes(2) + packet)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def _well(body: bytes) -> tuple[int, bytes]:
    return 200, answer(dnslib.DNSRecord.parse(body))


class FakeHttps(asyncio.Protocol):
    """One HTTP/2 connection of a DoH server. `respond` returns a status and a body, or None for no answer."""

    def __init__(self, server: "FakeHttpsServer") -> None:
        self.server = server
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        limit = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: server.streams}
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values=limit)
        self.bodies: dict[int, bytes] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.append(self)
        self.h2.initiate_connection()
        transport.write(self.h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            match event:
                case h2.events.RequestReceived(stream_id=int(at), headers=list(headers)):
                    self.bodies[at] = b""
                    self.server.headers.append({str(name): str(value) for name, value in headers})
                case h2.events.DataReceived(stream_id=int(at), data=bytes(part)):
                    self.bodies[at] += part
                case h2.events.StreamEnded(stream_id=int(at)):
                    self._respond(at)
                case h2.events.StreamReset(stream_id=int(at)):
                    self.server.resets.append(at)
        self.transport.write(self.h2.data_to_send())

    def _respond(self, at: int) -> None:
        self.server.asked.append(self.bodies[at])
        response = self.server.respond(self.bodies[at])
        if response is None:
            return
        status, body = response
        self.h2.send_headers(at, [(":status", str(status)), ("content-type", self.server.type)])
        self.h2.send_data(at, body, end_stream=True)

    def say_goodbye(self) -> None:
        self.h2.close_connection(h2.errors.ErrorCodes.NO_ERROR)
        self.transport.write(self.h2.data_to_send())
        self.transport.close()


class FakeHttpsServer:
    """A server that accepts DoH connections."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.respond: Callable[[bytes], tuple[int, bytes] | None] = lambda body: (
            200,
            answer(dnslib.DNSRecord.parse(body)),
        )
        self.asked: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.resets: list[int] = []
        self.connections: list[FakeHttps] = []
        self.streams = 100
        self.type = "application/dns-message"
        self._tls = tls

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: FakeHttps(self), "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for connection in self.connections:
            connection.transport.abort()
        await self._server.wait_closed()


# -- asking


def key(name: str = "www.example.com", group: str = "public") -> Key:
    return Key(group, from_text(name), record.A)


def asking(resolver: Forwarder, question: Key, client: bytes = b"") -> asyncio.Future[Message | UpstreamFailure]:
    """Ask, and wait for the result. A second call of `done` raises InvalidStateError in the loop and fails the test."""
    result: asyncio.Future[Message | UpstreamFailure] = asyncio.get_running_loop().create_future()
    resolver.ask(question, lambda _, reply: result.set_result(read(reply)), client)
    assert not result.done()
    return result


def read(reply: Reply | UpstreamFailure) -> Message | UpstreamFailure:
    """Return a reply with its records."""
    return reply.message() if isinstance(reply, PlainReply) else reply


async def ask(resolver: Forwarder, question: Key | None = None) -> Message | UpstreamFailure:
    async with asyncio.timeout(DEADLINE):
        return await asking(resolver, question or key())


def address(result: Message | UpstreamFailure) -> bytes:
    assert isinstance(result, Message), result
    return result.answer[0].rdatas[0]


async def settle() -> None:
    """Let the loop run everything that is due."""
    for _ in range(5):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until the condition is true."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - a condition has no event
            await asyncio.sleep(0.001)
