"""What connections cost: memory during and after handshakes, the number of handshakes, and the suites."""

import asyncio
import gc
import ssl
import tracemalloc
from collections import Counter
from collections.abc import Iterator

import h2.connection
import pytest

from resolver.process import certificate
from resolver.worker.access.edns import ClientTransport
from resolver.worker.net import connections, doh, http1, http2, tcp
from resolver.worker.net.connections import Connection
from resolver.worker.net.tls import TlsLayer
from resolver.worker.net.transport import SocketTransport
from tests.resolver.worker.net.certificates import Pair
from tests.resolver.worker.net.conftest import Listen
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import Listener, query

TLS = ClientTransport("tls", encrypted=True, idle=10)
HTTPS = ClientTransport("https", encrypted=True)
OURS = (TlsLayer, SocketTransport, Connection, http1.Http1, http2.Http2, tcp._Session)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No collection of reference cycles."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> Counter[str]:
    """Return the number of objects that connections of the server consist of."""
    return Counter(
        type(each).__name__ for each in gc.get_objects() if isinstance(each, (*OURS, h2.connection.H2Connection))
    )


async def hello(client: ssl.SSLContext, listener: Listener) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Send the first flight of a handshake, and read the server's."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    reader, writer = await asyncio.open_connection(*listener.address)
    writer.write(outgoing.read())
    assert await reader.read(1)
    return writer, reader


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_a_connection_is_freed_when_it_ends(small: Small, listen: Listen, pair: Pair, secure: bool) -> None:
    listener = await listen(transport=TLS, context=pair.context if secure else None)
    for number in range(10):
        client = await listener.connect(pair.client if secure else None)
        if number % 2:
            client.send(query())
            await client.ids(1)
        client.writer.close()
        probe = await listener.connect()
        probe.writer.close()
        probe = await listener.connect()
        probe.send(b"\x16\x03\x01 what")
        probe.writer.write_eof()
        await probe.ended()
    await small.until(lambda: not listener.connections)
    await small.until(lambda: not alive())


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
async def test_a_connection_over_https_is_freed_when_it_ends(
    small: Small, listen: Listen, pair: Pair, alpn: str
) -> None:
    context = certificate.context(certificate.DOH)
    pair.load(context)
    listener = await listen(make=doh.sessions("/"), transport=HTTPS, context=context)
    pair.client.set_alpn_protocols([alpn])
    for _ in range(5):
        client = await listener.connect(pair.client)
        client.send(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" if alpn == "h2" else b"GET / HTTP/1.1\r\n\r\n"
        )
        assert await client.reader.read(1)
        client.writer.close()
    await small.until(lambda: not listener.connections)
    await small.until(lambda: not alive())


async def test_an_incomplete_handshake_takes_little_memory(listen: Listen, pair: Pair) -> None:
    listener = await listen(transport=TLS, context=pair.context)
    held = [await hello(pair.client, listener)]
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        held += [await hello(pair.client, listener) for _ in range(20)]
        taken = (tracemalloc.get_traced_memory()[0] - before) / 20
    finally:
        tracemalloc.stop()
    assert taken < 65_536  # with the client's side
    for writer, _ in held:
        writer.close()


async def test_incomplete_handshakes_are_few(small: Small, listen: Listen, pair: Pair) -> None:
    listener = await listen(transport=TLS, context=pair.context, limit=40)
    held = [await hello(pair.client, listener) for _ in range(30)]
    assert len(listener.connections) == 10
    assert small.count("dns_connections_closed_total", "tls", "handshake") == 20
    client = await listener.connect(pair.client)
    client.send(query())
    assert await client.ids(1) == [1]
    for writer, _ in held:
        writer.close()


async def test_an_incomplete_handshake_ends_before_an_idle_connection(
    small: Small, listen: Listen, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HANDSHAKE", 0.05)
    listener = await listen(transport=TLS, context=pair.context, idle=1.0)
    writer, reader = await hello(pair.client, listener)
    await reader.read()
    assert small.count("dns_connections_closed_total", "tls", "idle") == 1
    writer.close()


async def test_octets_that_the_client_does_not_read_are_limited_in_all(small: Small, listen: Listen) -> None:
    listener = await listen()
    listener.connections._most_waiting = 1 << 18
    slow = [await listener.connect(SO_RCVBUF=4096) for _ in range(5)]
    for number, client in enumerate(slow):
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a socket has it
        for index in range(number + 1):
            client.send(query(f"{index}.{number}.example"))
    await small.until(lambda: len(small.asked) == 15)
    for name in list(small.asked):
        small.reply(name, 4000)
    closed = small.count("dns_connections_closed_total", "tcp", "memory")
    assert 0 < closed < 5
    assert sum(each.waiting for each in listener.held) == listener.connections._waiting <= 1 << 18
    assert len(listener.held) == 5 - closed
    good = await listener.connect()
    good.send(query())
    assert await good.ids(1) == [1]


async def test_the_client_with_most_connections_makes_room(listen: Listen) -> None:
    listener = await listen("127.0.0.1", limit=20)
    one = await listener.connect(source="127.0.0.2")
    one.send(query())
    await one.ids(1)
    many = [await listener.connect() for _ in range(40)]
    for each in many[-5:]:
        each.send(query(ident=2))
        await each.ids(1)
    one.send(query(ident=3))
    assert await one.ids(1) == [3]
    assert len(listener.held) == 20


def suites(context: ssl.SSLContext) -> set[str]:
    return {each["name"] for each in context.get_ciphers()}


@pytest.mark.parametrize("alpn", [certificate.DOT, certificate.DOH])
def test_every_suite_has_forward_secrecy_and_authenticated_encryption(alpn: tuple[str, ...]) -> None:
    context = certificate.context(alpn)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    for name in suites(context):
        assert name.startswith(("TLS_", "ECDHE-")), name
        assert "GCM" in name or "CHACHA20" in name, name


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"])
async def test_a_client_with_an_old_suite_is_refused(listen: Listen, pair: Pair, suite: str) -> None:
    listener = await listen(transport=TLS, context=pair.context)
    pair.client.maximum_version = ssl.TLSVersion.TLSv1_2
    pair.client.set_ciphers(suite)
    with pytest.raises(OSError, match=r"(?i)handshake|ssl|eof"):
        await listener.connect(pair.client)
    pair.client.set_ciphers("ECDHE+AESGCM")
    client = await listener.connect(pair.client)
    client.send(query())
    assert await client.ids(1) == [1]
