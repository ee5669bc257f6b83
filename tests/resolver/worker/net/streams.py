"""Stream listeners and their clients, for the tests of this folder."""

import asyncio
import socket
import ssl

import dns.message

from resolver.settings import Streams
from resolver.worker.access.edns import ClientTransport
from resolver.worker.net import tcp
from resolver.worker.net.connections import Connection, Connections
from resolver.worker.net.stream import MakeSession, StreamListener
from tests.resolver.worker.net.small import OWNED, Small

NAME = OWNED
DEADLINE = 60.0
TCP = ClientTransport("tcp", idle=10)


class StreamClient:
    """A connection to a listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def reply(self) -> dns.message.Message:
        async with asyncio.timeout(DEADLINE):
            size = int.from_bytes(await self.reader.readexactly(2), "big")
            return dns.message.from_wire(await self.reader.readexactly(size))

    async def ids(self, count: int) -> list[int]:
        return [(await self.reply()).id for _ in range(count)]

    async def ended(self) -> bytes:
        """Return the octets that arrive until the server closes."""
        async with asyncio.timeout(DEADLINE):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


class Listener:
    """A stream listener, and its clients. `idle` is in seconds, and may be less than one."""

    def __init__(
        self,
        small: Small,
        host: str = "127.0.0.1",
        *,
        idle: float = 10.0,
        limit: int = 1000,
        per_client: int = 0,
        make: MakeSession = tcp.session,
        transport: ClientTransport = TCP,
        context: ssl.SSLContext | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.connections = Connections(Streams(10, limit, per_client), small.responder, loop, limit)
        self.connections.idle = idle
        self.sock = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.settimeout(0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # so that the kernel buffers little
        self.address = self.sock.getsockname()[:2]
        self.listener = StreamListener(self.sock, self.connections, small.clients, make, transport, context)
        self._clients: list[StreamClient] = []

    @property
    def held(self) -> list[Connection]:
        return list(self.connections._all)

    async def connect(self, tls: ssl.SSLContext | None = None, source: str = "", **options: int) -> StreamClient:
        sock = socket.socket(self.sock.family)
        if source:
            sock.bind((source, 0))
        for option, value in options.items():
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, option), value)
        sock.settimeout(0)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self.address)
        except OSError:
            sock.close()
            raise
        reader, writer = await asyncio.open_connection(sock=sock, ssl=tls, server_hostname="localhost" if tls else None)
        self._clients.append(StreamClient(reader, writer))
        return self._clients[-1]

    async def close(self) -> None:
        for client in self._clients:
            client.writer.transport.abort()
        self.listener.close()
        for connection in self.held:
            connection.close("stop")
        async with asyncio.timeout(DEADLINE):
            while len(asyncio.all_tasks()) > 1 and any(each.task for each in self.held):  # noqa: ASYNC110
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.sock.close()


def packet(name: str = NAME, ident: int = 1) -> bytes:
    return dns.message.make_query(name, "A", use_edns=0, id=ident).to_wire()


def framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def query(name: str = NAME, ident: int = 1) -> bytes:
    return framed(packet(name, ident))
