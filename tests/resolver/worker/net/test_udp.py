"""UDP over real sockets on loopback."""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from resolver.settings import RateLimit, WorkerSettings
from resolver.wire import proxy
from resolver.worker.access.clients import Clients, packed
from resolver.worker.access.edns import ClientTransport
from resolver.worker.access.rate_limit import RateLimiter
from resolver.worker.net import mmsg, udp
from resolver.worker.net.udp import UdpListener
from tests.resolver.worker.net.small import Small
from zones.networks.network import Network, Networks

NAME = "acct.privatelink.blob.core.windows.net"
DEADLINE = 60.0
HOW = {True: "batched", False: "singly"}

Open = Callable[..., socket.socket]


@pytest.fixture
def opened() -> Iterator[Open]:
    """A function that opens UDP sockets, which are closed after the test."""
    with contextlib.ExitStack() as stack:

        def call(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            sock.settimeout(0)
            sock.bind((host, port))
            return sock

        yield call


@pytest.fixture
async def listener(small: Small, opened: Open) -> socket.socket:
    sock = opened()
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    return sock


@pytest.fixture(params=[True, False] if mmsg.AVAILABLE else [False], ids=HOW.get, autouse=True)
def batched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run every test with batches and without."""
    monkeypatch.setattr(mmsg, "AVAILABLE", request.param)
    return bool(request.param)


def query(name: str = NAME, ident: int = 1) -> bytes:
    return dns.message.make_query(name, "A", use_edns=0, id=ident).to_wire()


async def received(client: socket.socket) -> dns.message.Message:
    async with asyncio.timeout(DEADLINE):
        return dns.message.from_wire(await asyncio.get_running_loop().sock_recv(client, 4096))


def addresses(message: dns.message.Message) -> list[str]:
    return [rdata.address for rrset in message.answer for rdata in rrset]


async def test_a_query_gets_its_answer_from_the_address_it_was_sent_to(
    small: Small, listener: socket.socket, opened: Open
) -> None:
    client = opened()
    client.connect(listener.getsockname())  # the kernel drops packets from other addresses
    client.send(query())
    assert addresses(await received(client)) == ["10.0.0.4"]
    assert small.count("dns_requests_total", "udp", "4") == 1


async def test_a_repeated_packet_is_answered_without_the_responder(
    small: Small, listener: socket.socket, opened: Open, monkeypatch: pytest.MonkeyPatch, *, batched: bool
) -> None:
    client = opened()
    client.sendto(query(ident=1), listener.getsockname())
    first = await received(client)
    if batched:  # without batches, all packets go to the responder
        monkeypatch.setattr(small.responder, "fetcher", None)
    client.sendto(query(ident=2), listener.getsockname())
    second = await received(client)
    assert (first.id, second.id) == (1, 2)
    assert first.answer == second.answer
    (answer,) = small.answers
    assert answer.cell[0] == 2


async def test_a_change_removes_the_reply_to_a_repeated_packet(
    small: Small, listener: socket.socket, opened: Open
) -> None:
    client = opened()
    client.sendto(query(), listener.getsockname())
    assert addresses(await received(client)) == ["10.0.0.4"]
    (answer,) = small.answers
    small.answers.evict(answer.deps)
    small.table.apply(answer.deps[0], b"")
    client.sendto(query(), listener.getsockname())
    await small.until(lambda: small.asked)
    small.reply(NAME)
    assert addresses(await received(client)) == ["0.0.0.1"]


async def test_packets_are_read_in_batches_and_the_event_loop_runs_in_between(small: Small, opened: Open) -> None:
    loop = asyncio.get_running_loop()
    sock, client = opened(), opened()
    for ident in range(2 * udp.BATCH + 1):
        client.sendto(query(ident=ident), sock.getsockname())
    turns: list[int] = []

    def turn() -> None:
        turns.append(small.count("dns_requests_total", "udp", "4"))
        if turns[-1] <= 2 * udp.BATCH:
            loop.call_soon(turn)

    UdpListener(sock, small.responder, small.clients, loop)
    loop.call_soon(turn)
    await small.until(lambda: turns and turns[-1] > 2 * udp.BATCH)
    assert sorted(set(turns) - {0}) == [udp.BATCH, 2 * udp.BATCH, 2 * udp.BATCH + 1]
    assert {(await received(client)).id for _ in range(2 * udp.BATCH + 1)} == set(range(2 * udp.BATCH + 1))


async def test_a_slow_answer_does_not_delay_others(small: Small, listener: socket.socket, opened: Open) -> None:
    client = opened()
    client.sendto(query("www.example", 1), listener.getsockname())
    client.sendto(query(NAME, 2), listener.getsockname())
    assert (await received(client)).id == 2
    small.reply("www.example")
    assert (await received(client)).id == 1


@pytest.mark.parametrize(
    "noise", [b"", b"\0" * 11, b"\xff" * 4096, query()[:2] + b"\x84\x00" + query()[4:]],
    ids=["empty", "short", "ones", "response"],
)  # fmt: skip
async def test_octets_that_are_no_query_get_no_reply_and_the_next_query_is_answered(
    small: Small, listener: socket.socket, opened: Open, noise: bytes
) -> None:
    client = opened()
    client.sendto(noise, listener.getsockname())
    client.sendto(query(ident=7), listener.getsockname())
    assert (await received(client)).id == 7
    assert small.count("dns_dropped_total", "malformed") == 1


async def test_the_largest_datagram_is_read_as_one_and_is_malformed(
    small: Small, listener: socket.socket, opened: Open
) -> None:
    client = opened()
    client.sendto(query(ident=1) + b"\0" * 60_000, listener.getsockname())
    assert (await received(client)).rcode() == dns.rcode.FORMERR
    client.sendto(query(ident=2), listener.getsockname())
    assert (await received(client)).id == 2
    assert small.count("dns_requests_total", "udp", "4") == 2


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
async def test_a_packet_from_the_socket_itself_is_never_answered(
    small: Small, opened: Open, host: str, *, repeated: bool
) -> None:
    sock, client = opened(host), opened("::1" if ":" in host else "127.0.0.1")
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    there = ("::1" if ":" in host else "127.0.0.1", sock.getsockname()[1])
    if repeated:
        client.sendto(query(), there)
        await received(client)
    sock.sendto(query(), there)
    await small.until(lambda: small.count("dns_dropped_total", "unanswerable"))
    client.sendto(query(), there)
    await received(client)
    assert small.count("dns_requests_total", "udp", "6" if ":" in host else "4") == 2 + repeated
    assert not small.count("dns_dropped_total", "malformed")  # no reply came back to the socket


async def test_a_client_at_another_address_may_use_the_same_port(small: Small, opened: Open) -> None:
    sock = opened("127.0.0.1")
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client = opened("127.0.0.2", sock.getsockname()[1])
    client.sendto(query(), sock.getsockname())
    assert addresses(await received(client)) == ["10.0.0.4"]


class FromPortZero:
    """A socket whose packets seem to come from port 0. Sending such packets needs a privilege."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.family, self.fileno, self.getsockname = sock.family, sock.fileno, sock.getsockname
        self.sent: list[bytes] = []

    def recvmsg(self, *sizes: int) -> tuple[bytes, list[Any], int, tuple[str, int]]:
        packet, control, flags, (host, _) = self._sock.recvmsg(*sizes)
        return packet, control, flags, (host, 0)

    def sendmsg(self, parts: list[bytes], *_: object) -> None:
        self.sent += parts


@pytest.mark.parametrize("repeated", [False, True])
async def test_a_packet_from_port_0_is_never_answered(
    small: Small, opened: Open, monkeypatch: pytest.MonkeyPatch, *, repeated: bool, batched: bool
) -> None:
    sock, client = opened(), opened()
    if repeated:
        small.responder.take(
            query(), small.clients.peer(packed("127.0.0.1")), ClientTransport("udp", 1232), lambda *_: None
        )
    strange = FromPortZero(sock)
    made = UdpListener(strange, small.responder, small.clients, asyncio.get_running_loop())  # type: ignore[arg-type]
    if batched:
        receive = made._batch._receive

        def from_zero(*arguments: Any) -> Any:  # noqa: ANN401 - the C library's
            count = receive(*arguments)
            made._batch._names[2:4] = bytes(2)
            return count

        monkeypatch.setattr(made._batch, "_receive", from_zero)
        monkeypatch.setattr(made._batch, "_send", lambda *_: strange.sent.append(b""))
    client.sendto(query(), sock.getsockname())
    await small.until(lambda: small.count("dns_dropped_total", "unanswerable"))
    assert not strange.sent


async def test_a_closed_client_does_not_stop_the_reading(small: Small, opened: Open) -> None:
    """A connected socket gets ICMP port unreachable as an error of its next call."""
    sock, client = opened(), opened()
    port = client.getsockname()[1]
    sock.connect(client.getsockname())
    client.sendto(query(ident=1), sock.getsockname())
    client.close()
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    await small.until(lambda: small.count("dns_requests_total", "udp", "4"))
    again = opened(port=port)
    again.sendto(query(ident=2), sock.getsockname())
    assert (await received(again)).id == 2


class Unsending(FromPortZero):
    """A socket with a full send buffer."""

    def recvmsg(self, *sizes: int) -> tuple[bytes, list[Any], int, tuple[str, int]]:
        return self._sock.recvmsg(*sizes)

    def sendmsg(self, *_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "")


async def test_a_reply_that_cannot_be_sent_is_counted_and_the_batch_continues(
    small: Small, opened: Open, monkeypatch: pytest.MonkeyPatch, *, batched: bool
) -> None:
    sock, client = opened(), opened()
    for ident in range(5):
        client.sendto(query(ident=ident), sock.getsockname())
    made = UdpListener(Unsending(sock), small.responder, small.clients, asyncio.get_running_loop())  # type: ignore[arg-type]
    if batched:
        monkeypatch.setattr(made._batch, "_send", lambda *_: -1)
    await small.until(lambda: small.count("dns_requests_total", "udp", "4"))
    assert small.count("dns_requests_total", "udp", "4") == 5
    assert small.count("dns_dropped_total", "unsent") == 5


async def test_a_client_without_permission_is_refused_a_repeated_query_too(small: Small, opened: Open) -> None:
    sock, client, stranger = opened(), opened(), opened("127.0.0.9")
    UdpListener(
        sock, small.responder, Clients(Networks(()), WorkerSettings((), ("127.0.0.1/32",))), asyncio.get_running_loop()
    )
    for each, rcode in ((client, dns.rcode.NOERROR), (stranger, dns.rcode.REFUSED)) * 2:
        each.sendto(query(), sock.getsockname())
        assert (await received(each)).rcode() == rcode


async def test_ipv6_is_counted_separately(small: Small, opened: Open) -> None:
    sock, client = opened("::1"), opened("::1")
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client.sendto(query(), sock.getsockname())
    assert addresses(await received(client)) == ["10.0.0.4"]
    assert small.count("dns_requests_total", "udp", "6") == 1


async def test_a_closed_listener_reads_nothing_and_answers_the_queries_in_flight(small: Small, opened: Open) -> None:
    sock, client = opened(), opened()
    listener = UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client.sendto(query("www.example", 1), sock.getsockname())
    await small.until(lambda: small.asked)
    listener.close()
    client.sendto(query(ident=2), sock.getsockname())
    small.reply("www.example")
    assert (await received(client)).id == 1
    assert sock.recv(4096) == query(ident=2)  # it waits for the next reader of the socket


# -- wildcard sockets, proxies, rate limits


@pytest.mark.parametrize(("host", "asked"), [("0.0.0.0", "127.0.0.77"), ("::", "::1")])
async def test_a_wildcard_socket_replies_from_the_address_the_query_was_sent_to(
    small: Small, opened: Open, host: str, asked: str
) -> None:
    sock = opened(host)
    level, option = (socket.IPPROTO_IP, 8) if host == "0.0.0.0" else (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO)
    sock.setsockopt(level, option, 1)
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client = opened("127.0.0.1" if host == "0.0.0.0" else "::1")
    client.connect((asked, sock.getsockname()[1]))  # replies from other addresses are not received
    for _ in range(3):
        client.send(query())
        assert addresses(await received(client)) == ["10.0.0.4"]
    client.send(query("slow.example"))
    await small.until(lambda: small.asked)
    small.reply("slow.example")
    assert addresses(await received(client)) == ["0.0.0.1"]


def header(address: str, command: int = 0x21) -> bytes:
    packed = socket.inet_aton(address)
    return proxy.SIGNATURE + struct.pack(">BBH", command, 0x12, 12) + packed + packed + struct.pack(">HH", 4711, 53)


@pytest.mark.parametrize(("host", "asked"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.77"), ("::", "::1")])
async def test_replies_of_one_turn_of_the_loop_are_sent_together(
    small: Small, opened: Open, monkeypatch: pytest.MonkeyPatch, host: str, asked: str, *, batched: bool
) -> None:
    level, option = (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO) if ":" in host else (socket.IPPROTO_IP, 8)
    sock, count = opened(host), mmsg.SIZE + 3
    sock.setsockopt(level, option, 1)
    made = UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    clients = [opened("::1" if ":" in host else "127.0.0.1") for _ in range(3)]
    for client in clients:
        client.connect((asked, sock.getsockname()[1]))  # the kernel drops replies from other addresses
    for i in range(count):
        clients[i % 3].send(query(f"n{i}.example", i))
    await small.until(lambda: len(small.asked) == count)
    sent: list[int] = []
    if batched:
        send = made._outbox._send

        def counted(*given: Any) -> int:  # noqa: ANN401 - the C library's
            sent.append(send(*given))
            return sent[-1]

        monkeypatch.setattr(made._outbox, "_send", counted)
    for i in range(count):
        small.reply(f"n{i}.example", 1 + i)
    for i in range(count):
        message = await received(clients[i % 3])
        assert (message.id, len(addresses(message))) == (i, 1 + i) or message.flags & dns.flags.TC
    assert sent == ([mmsg.SIZE, 3] if batched else [])


async def test_a_late_reply_of_a_closed_socket_goes_nowhere(small: Small, opened: Open) -> None:
    """Its descriptor may be another file's by then."""
    sock, client = opened(), opened()
    listener = UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client.sendto(query("www.example", 1), sock.getsockname())
    await small.until(lambda: small.asked)
    listener.close()
    descriptor = sock.fileno()
    sock.close()
    other = opened()
    assert other.fileno() == descriptor
    small.reply("www.example")
    await small.until(lambda: small.count("dns_dropped_total", "unsent"))
    with pytest.raises(BlockingIOError):
        client.recv(4096)


PROXIED = WorkerSettings((), ("10.0.0.0/8", "127.0.0.0/8"), proxy_from=("127.0.0.1/32",), drop_clients=("10.9.0.0/16",))


async def test_the_proxy_header_names_the_client(opened: Open) -> None:
    small, sock, client = Small(PROXIED), opened(), opened()
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client.connect(sock.getsockname())
    for _ in range(2):  # the second time from the compiled answers
        client.send(header("10.1.2.3") + query())
        assert addresses(await received(client)) == ["10.0.0.4"]
    client.send(header("192.0.2.1") + query())
    assert (await received(client)).rcode() == dns.rcode.REFUSED
    client.send(header("0.0.0.0", 0x20) + query(ident=7))
    assert (await received(client)).id == 7


@pytest.mark.parametrize("packet", [query(), b"", b"\0" * 20, header("10.9.0.1") + query(), header("10.1.2.3")])
async def test_a_packet_from_a_proxy_without_a_valid_header_and_query_gets_no_reply(
    opened: Open, packet: bytes
) -> None:
    small, sock, client = Small(PROXIED), opened(), opened()
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop())
    client.connect(sock.getsockname())
    client.send(packet)
    client.send(header("10.1.2.3") + query(ident=9))
    assert (await received(client)).id == 9
    counts = [small.count("dns_dropped_total", reason) for reason in ("proxy", "client", "malformed")]
    assert sum(counts) == 1


async def test_over_the_rate_limit_repeated_packets_are_dropped_or_truncated(opened: Open) -> None:
    small, sock, client = Small(WorkerSettings((), ("127.0.0.0/8",))), opened(), opened()
    limiter = RateLimiter(RateLimit(per_second=1, burst=5, slip=2))
    limiter._exempt = Networks([Network("nobody", ("192.0.2.0/24",))])
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop(), limiter)
    client.connect(sock.getsockname())
    for _ in range(9):
        client.send(query())
    replies = [await received(client) for _ in range(7)]
    assert [bool(reply.flags & dns.flags.TC) for reply in replies] == [False] * 5 + [True] * 2
    assert small.count("dns_rate_limited_total", "dropped") == 2


async def test_each_client_of_a_proxy_has_its_own_rate_limit(opened: Open) -> None:
    small, sock, client = Small(PROXIED), opened(), opened()
    limiter = RateLimiter(RateLimit(per_second=1, burst=1, slip=1))
    UdpListener(sock, small.responder, small.clients, asyncio.get_running_loop(), limiter)
    client.connect(sock.getsockname())
    for address in ("10.1.0.1", "10.2.0.1", "10.1.0.2"):
        client.send(header(address) + query())
    replies = [await received(client) for _ in range(3)]
    assert [bool(reply.flags & dns.flags.TC) for reply in replies] == [False, False, True]
