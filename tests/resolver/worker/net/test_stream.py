"""Connections: their limits, idle time, clients, TLS handshakes and PROXY headers."""

import asyncio
import resource
import socket
import ssl
import struct
from pathlib import Path

import dns.message
import pytest
import trustme

from resolver.settings import WorkerSettings
from resolver.wire import proxy
from resolver.worker.access.edns import ClientTransport
from resolver.worker.net import tcp
from tests.resolver.worker.net.certificates import Pair
from tests.resolver.worker.net.conftest import Listen
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import NAME, Listener, StreamClient, framed, query
from zones.networks.network import Network

TLS = ClientTransport("tls", encrypted=True, idle=10)


async def answered(client: StreamClient) -> None:
    client.send(query(ident=9))
    assert await client.ids(1) == [9]


def served(client: StreamClient) -> str:
    """Return the serial number of the certificate that the client received."""
    return str(client.writer.get_extra_info("peercert")["serialNumber"]).lstrip("0")


# -- limits


async def test_stalled_connections_do_not_exclude_a_new_client(listen: Listen) -> None:
    listener = await listen(limit=200)
    stalled = [await listener.connect() for _ in range(200)]
    for each in stalled[::2]:
        each.send(query()[:-3])
    for _ in range(5):
        await answered(await listener.connect())
    assert len(listener.connections) == 200


async def test_the_connections_of_one_client_can_be_limited(small: Small, listen: Listen) -> None:
    listener = await listen(per_client=2)
    first, second = await listener.connect(), await listener.connect()
    await answered(first)
    await answered(second)
    await answered(await listener.connect())
    assert await first.ended() == b""
    await answered(second)
    assert small.count("dns_connections_closed_total", "tcp", "client_limit") == 1


async def test_where_memory_is_scarce_the_idlest_connections_are_closed(small: Small, listen: Listen) -> None:
    listener = await listen(limit=100)
    first, second, third = [await listener.connect() for _ in range(3)]
    for each in (first, second, third):
        await answered(each)
    wanted = listener.connections.wanted
    listener.connections.bound(wanted // 49)  # two of 100 connections
    assert await first.ended() == b""
    await answered(second)
    await answered(third)
    assert small.count("dns_connections_closed_total", "tcp", "memory") == 1
    listener.connections.bound(wanted)
    await answered(await listener.connect())
    await answered(second)
    assert len(listener.held) == 3


async def test_a_connection_with_a_query_in_flight_is_closed_last(small: Small, listen: Listen) -> None:
    listener = await listen(limit=2)
    busy = await listener.connect()
    busy.send(query("slow.example", 1))
    await small.until(lambda: small.asked)
    idle = await listener.connect()
    await answered(idle)
    await answered(await listener.connect())
    assert await idle.ended() == b""
    small.reply("slow.example")
    assert await busy.ids(1) == [1]


async def test_a_connection_outlives_a_change_of_networks(small: Small, listen: Listen) -> None:
    client = await (await listen()).connect()
    await answered(client)
    small.clients.networks.implicit = False
    small.clients.replace((Network("elsewhere", ("10.0.0.0/8",)),))
    client.send(query(ident=9))
    await small.until(lambda: NAME in small.asked)  # a client outside all networks does not see the private name
    small.clients.replace((Network("here", ("127.0.0.0/8",), key="default"),))
    client.send(query(ident=8))
    assert await client.ids(1) == [8]


async def test_connections_are_counted_when_they_open_and_close(small: Small, listen: Listen) -> None:
    listener = await listen(idle=0.05)
    client = await listener.connect()
    await answered(client)
    client.writer.close()
    idle = await listener.connect()
    assert await idle.ended() == b""
    await small.until(lambda: not listener.connections)
    assert small.count("dns_connections_total", "tcp") == 2
    assert small.count("dns_connections_closed_total", "tcp", "ended") == 1
    assert small.count("dns_connections_closed_total", "tcp", "idle") == 1


async def test_a_dropped_client_is_closed_without_being_read() -> None:
    small = Small(WorkerSettings((), ("127.0.0.0/8",), drop_clients=("127.0.0.1/32",)))
    listener = Listener(small)
    client = await listener.connect()
    assert await client.ended() == b""
    assert not listener.connections
    await listener.close()


async def test_without_descriptors_the_idlest_connection_is_closed_and_accepting_continues(
    small: Small, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await listen()
    idle = await listener.connect()
    await answered(idle)
    waiting = socket.create_connection(listener.address)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = socket.socket()
    low = taken.fileno()
    taken.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    try:
        await small.until(lambda: small.count("dns_connections_waiting_total", "tcp"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "have to wait" in caplog.text
    assert await idle.ended() == b""
    loop = asyncio.get_running_loop()
    waiting.settimeout(0)
    await loop.sock_sendall(waiting, query(ident=3))
    async with asyncio.timeout(60):
        assert (await loop.sock_recv(waiting, 4096))[2:4] == b"\0\3"
    waiting.close()


# -- TLS


async def test_dns_over_tls_gets_the_same_answers(small: Small, listen: Listen, pair: Pair) -> None:
    listener = await listen(transport=TLS, context=pair.context)
    pair.client.set_alpn_protocols(["dot"])
    client = await listener.connect(pair.client)
    assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "dot"
    await answered(client)
    client.send(b"".join(query(ident=ident) for ident in range(50)))
    assert await client.ids(50) == list(range(50))
    assert small.count("dns_requests_total", "tls", "4") == 51


async def test_a_failed_handshake_is_counted_and_not_logged(
    small: Small, listen: Listen, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await listen(transport=TLS, context=pair.context, idle=0.3)
    plain = await listener.connect()
    plain.send(query())
    assert await plain.ended() != framed(b"")
    leaving = await listener.connect()
    leaving.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    leaving.send(b"\x16\x03\x01")
    leaving.writer.transport.abort()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)ssl|eof|alert|version"):
        await listener.connect(old)
    silent = await listener.connect()
    assert await silent.ended() == b""
    await small.until(lambda: not listener.connections)
    assert small.count("dns_connections_closed_total", "tls", "handshake") >= 2
    await answered(await listener.connect(pair.client))
    assert caplog.text == ""


async def test_stalled_handshakes_do_not_exclude_a_new_client(listen: Listen, pair: Pair) -> None:
    listener = await listen(transport=TLS, context=pair.context, limit=20)
    for index in range(40):
        stalled = await listener.connect()
        if index % 2:
            stalled.send(b"\x16\x03\x01\x02\x00")
    await answered(await listener.connect(pair.client))


async def test_a_new_certificate_is_used_without_a_restart(listen: Listen, pair: Pair) -> None:
    listener = await listen(transport=TLS, context=pair.context)
    before = await listener.connect(pair.client)
    serial = pair.issue()
    pair.check()
    after = await listener.connect(pair.client)
    assert served(after) == serial != served(before)
    await answered(before)
    await answered(after)


@pytest.mark.parametrize("damage", ["empty", "other key", "gone"])
async def test_an_unusable_certificate_leaves_the_old_one_in_use(
    listen: Listen, pair: Pair, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await listen(transport=TLS, context=pair.context)
    if damage == "empty":
        Path(pair.tls.certificate).write_text("")
    elif damage == "gone":
        Path(pair.tls.key).unlink()
    else:
        Path(pair.tls.key).write_bytes(trustme.CA().issue_cert("localhost").private_key_pem.bytes())
    for _ in range(3):
        pair.check()
    assert len(caplog.records) == 1
    assert "stays in use" in caplog.text
    await answered(await listener.connect(pair.client))
    serial = pair.issue()
    pair.check()
    assert served(await listener.connect(pair.client)) == serial


async def test_a_mounted_secret_changes_when_its_link_is_replaced(listen: Listen, pair: Pair, tmp_path: Path) -> None:
    listener = await listen(transport=TLS, context=pair.context)
    first = tmp_path / "first"
    first.mkdir()
    for path in (pair.tls.certificate, pair.tls.key):
        Path(path).rename(first / Path(path).name)
        Path(path).symlink_to(first / Path(path).name)
    pair.check()
    await answered(await listener.connect(pair.client))
    for path in (pair.tls.certificate, pair.tls.key):
        Path(path).unlink()
    serial = pair.issue()
    pair.check()
    assert served(await listener.connect(pair.client)) == serial


# -- the PROXY protocol


def header(address: str, command: int = 0x21) -> bytes:
    packed = socket.inet_aton(address)
    return proxy.SIGNATURE + struct.pack(">BBH", command, 0x11, 12) + packed + packed + struct.pack(">HH", 4711, 53)


PROXIED = WorkerSettings((), ("10.0.0.0/8", "127.0.0.0/8"), proxy_from=("127.0.0.1/32",), drop_clients=("10.9.0.0/16",))


@pytest.mark.parametrize(
    ("client", "rcode"), [("10.1.2.3", dns.rcode.NOERROR), ("192.0.2.1", dns.rcode.REFUSED)], ids=["allowed", "refused"]
)
async def test_access_is_decided_by_the_client_in_the_proxy_header(client: str, rcode: dns.rcode.Rcode) -> None:
    listener = Listener(Small(PROXIED))
    stream = await listener.connect()
    octets = header(client) + query()
    for start in range(0, len(octets), 7):
        stream.send(octets[start : start + 7])
        await asyncio.sleep(0)
    assert (await stream.reply()).rcode() == rcode
    (held,) = listener.held
    assert held.client.address == socket.inet_aton(client)
    await listener.close()


async def test_the_proxy_header_precedes_the_handshake(pair: Pair) -> None:
    listener = Listener(Small(PROXIED), transport=TLS, context=pair.context)
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.settimeout(0)
    await loop.sock_connect(sock, listener.address)
    await loop.sock_sendall(sock, header("10.1.2.3"))
    reader, writer = await asyncio.open_connection(sock=sock, ssl=pair.client, server_hostname="localhost")
    client = StreamClient(reader, writer)
    await answered(client)
    writer.transport.abort()
    await listener.close()


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (query(), "proxy"),
        (header("10.1.2.3")[:-1] + b"", "idle"),
        (b"PROXY TCP4 10.1.2.3 10.1.2.4 1 2\r\n", "proxy"),
        (header("10.9.1.1"), "dropped"),
    ],
    ids=["no header", "unfinished", "version 1", "a dropped client"],
)
async def test_a_connection_from_a_proxy_without_a_valid_header_is_closed(octets: bytes, reason: str) -> None:
    small = Small(PROXIED)
    listener = Listener(small, idle=0.2)
    client = await listener.connect()
    client.send(octets)
    assert await client.ended() == b""
    assert small.count("dns_connections_closed_total", "tcp", reason) == 1
    assert small.count("dns_requests_total", "tcp", "4") == 0
    await listener.close()


async def test_a_proxy_can_query_for_itself_with_the_local_command() -> None:
    listener = Listener(Small(PROXIED))
    client = await listener.connect()
    client.send(header("10.9.9.9", 0x20) + query(NAME, 5))
    assert await client.ids(1) == [5]
    await listener.close()


async def test_stalled_proxy_headers_do_not_exclude_a_new_client() -> None:
    listener = Listener(Small(PROXIED), limit=10)
    for _ in range(20):
        (await listener.connect()).send(proxy.SIGNATURE)
    client = await listener.connect()
    client.send(header("10.1.2.3") + query(ident=6))
    assert await client.ids(1) == [6]
    assert len(listener.connections) == 3
    await listener.close()


async def test_a_header_from_a_client_that_is_no_proxy_is_not_read(small: Small, listen: Listen) -> None:
    client = await (await listen(idle=0.2)).connect()
    client.send(header("10.1.2.3") + query())
    assert await client.ended() == b""
    assert small.count("dns_connections_closed_total", "tcp", "idle") == 1


async def test_the_kernel_keeps_little_for_one_connection(listen: Listen) -> None:
    listener = await listen()
    await answered(await listener.connect())
    (held,) = listener.held
    assert held.transport
    sock = held.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 131_072
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 262_144


async def test_an_open_connection_has_no_task(listen: Listen) -> None:
    listener = await listen(make=tcp.session)
    for _ in range(20):
        await answered(await listener.connect())
    assert all(each.task is None and each.sock is None for each in listener.held)
