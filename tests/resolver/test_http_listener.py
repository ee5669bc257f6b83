"""The HTTP listeners of control, under clients that hold connections, send slowly or do not read."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from resolver import http_listener
from resolver.host_port import HostPort
from tests.ports import free_port

DEADLINE = 60.0
ESTABLISHED = 1
"""A state of a connection, linux/tcp_states.h."""


class Client:
    """A connection to the listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def get(self, path: str) -> bytes:
        """Return the first line of the response."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        async with asyncio.timeout(DEADLINE):
            return await self._reader.readline()

    async def ended(self, octets: bytes = b"") -> None:
        """Send octets over and over until the server closes; without any, only wait."""
        async with asyncio.timeout(DEADLINE):
            with contextlib.suppress(ConnectionError):
                while not self._reader.at_eof():
                    self._writer.write(octets)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.01):
                            await self._reader.read(1)

    def close(self) -> None:
        self._writer.transport.abort()


class Site:
    """A listener with a small and a large page."""

    def __init__(self) -> None:
        self.port = free_port()
        self.clients: list[Client] = []
        self.application = web.Application()
        self.application.router.add_get("/", self._small)
        self.application.router.add_get("/large", self._large)

    async def _small(self, _: web.Request) -> web.Response:
        return web.Response(text="here")

    async def _large(self, _: web.Request) -> web.Response:
        return web.Response(body=bytes(20 << 20))

    async def connect(self, source: str = "127.0.0.1") -> Client:
        ends = await asyncio.open_connection("127.0.0.1", self.port, limit=1024, local_addr=(source, 0))
        self.clients.append(Client(*ends))
        return self.clients[-1]


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    site = Site()
    address = HostPort("127.0.0.1", site.port)
    async with http_listener.serving(site.application, address, "the test", f"listening on {address}"):
        yield site
        for client in site.clients:
            client.close()


async def test_idle_connections_do_not_exclude_a_client() -> None:
    async with serving() as site:
        held = [await site.connect() for _ in range(3 * http_listener.CONNECTIONS)]
        assert await (await site.connect()).get("/") == b"HTTP/1.1 200 OK\r\n"
        await held[0].ended()


async def test_the_client_with_most_connections_makes_room() -> None:
    async with serving() as site:
        one = await site.connect("127.0.0.2")
        assert await one.get("/")
        for _ in range(2 * http_listener.CONNECTIONS):
            await site.connect()
        assert b"200" in await (await site.connect()).get("/")
        site.clients[0]._reader._buffer.clear()  # type: ignore[attr-defined]  # the rest of the first response
        assert await one.get("/") == b"HTTP/1.1 200 OK\r\n"


async def test_headers_that_never_end_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "IDLE", 0.2)
    async with serving() as site:
        await (await site.connect()).ended(b"x")
        await (await site.connect()).ended()


async def test_a_client_that_does_not_read_its_response_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "STALLED", 0.2)
    async with serving() as site:
        slow = await site.connect()
        assert b"200" in await slow.get("/large")
        sock = slow._writer.get_extra_info("socket")
        async with asyncio.timeout(DEADLINE):  # the client reads nothing, until the kernel has seen the server's reset
            while sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await slow._reader.readexactly(20 << 20)


async def test_without_descriptors_there_is_one_log_line_and_accepting_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_listener, "_PAUSE", 0.01)
    async with serving() as site:
        waiting = socket.create_connection(("127.0.0.1", site.port))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        taken = socket.socket()
        low = taken.fileno()
        taken.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
        try:
            async with asyncio.timeout(DEADLINE):
                while "have to wait" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                    await asyncio.sleep(0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert await (await site.connect()).get("/") == b"HTTP/1.1 200 OK\r\n"
        waiting.close()
    assert caplog.text.count("have to wait") == 1
