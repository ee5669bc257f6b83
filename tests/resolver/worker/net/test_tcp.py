"""TCP over real sockets on loopback."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import dns.message
import dns.rcode
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.settings import WorkerSettings
from resolver.worker.net import tcp
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import DEADLINE, NAME, Listener, framed, packet, query

Listen = Callable[..., Awaitable[Listener]]


RESPONSE = packet()[:2] + b"\x84\x00" + packet()[4:]


async def test_a_query_gets_its_answer(small: Small, listen: Listen) -> None:
    client = await (await listen()).connect()
    client.send(query())
    reply = await client.reply()
    assert [rdata.address for rrset in reply.answer for rdata in rrset] == ["10.0.0.4"]
    assert small.count("dns_requests_total", "tcp", "4") == 1


async def test_ipv6_is_counted_separately(small: Small, listen: Listen) -> None:
    client = await (await listen("::1")).connect()
    client.send(query())
    assert (await client.reply()).id == 1
    assert small.count("dns_requests_total", "tcp", "6") == 1


async def test_many_queries_in_one_segment_are_all_answered(listen: Listen) -> None:
    client = await (await listen()).connect()
    client.send(b"".join(query(ident=ident) for ident in range(3 * tcp.PIPELINED)))
    assert await client.ids(3 * tcp.PIPELINED) == list(range(3 * tcp.PIPELINED))


async def test_a_query_can_arrive_octet_by_octet(listen: Listen) -> None:
    client = await (await listen()).connect(TCP_NODELAY=0)
    for octet in query(ident=1) + query(ident=2):
        client.send(bytes((octet,)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await client.ids(2) == [1, 2]


@given(sizes=st.lists(st.integers(1, 80), max_size=30))
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
def test_the_answers_do_not_depend_on_how_the_stream_is_cut(sizes: list[int], small_of: Callable[[], Small]) -> None:
    async def run() -> None:
        listener = Listener(small_of())
        client = await listener.connect()
        stream = query(ident=1) + framed(b"") + query(ident=2) + framed(RESPONSE) + query(ident=3)
        for size in (*sizes, len(stream)):
            client.send(stream[:size])
            stream = stream[size:]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert await client.ids(3) == [1, 2, 3]
        await listener.close()

    asyncio.run(run())


async def test_answers_are_sent_as_soon_as_they_are_known(small: Small, listen: Listen) -> None:
    client = await (await listen()).connect()
    client.send(query("one.example", 1) + query("two.example", 2) + query(NAME, 3))
    assert await client.ids(1) == [3]
    small.reply("two.example")
    assert await client.ids(1) == [2]
    small.reply("one.example")
    assert await client.ids(1) == [1]


async def test_an_answer_too_long_for_udp_is_complete(small: Small, listen: Listen) -> None:
    client = await (await listen()).connect()
    client.send(query("many.example"))
    await small.until(lambda: small.asked)
    small.reply("many.example", 3_000)
    reply = await client.reply()
    assert len(reply.answer[0]) == 3_000


@pytest.mark.parametrize(
    "noise", [b"", b"\0" * 11, b"\xff" * 65535, RESPONSE], ids=["empty", "short", "long", "response"]
)
async def test_octets_that_are_no_query_get_no_reply_and_the_stream_continues(
    small: Small, listen: Listen, noise: bytes
) -> None:
    client = await (await listen()).connect()
    client.send(framed(noise) + query(ident=7))
    assert await client.ids(1) == [7]
    assert small.count("dns_dropped_total", "malformed") == 1


async def test_an_idle_connection_is_closed(listen: Listen) -> None:
    client = await (await listen(idle=0.05)).connect()
    assert await client.ended() == b""


@pytest.mark.parametrize("trickle", [framed(b""), framed(RESPONSE), packet()[:1]], ids=["empty", "response", "piece"])
async def test_an_incomplete_query_does_not_keep_a_connection_open(listen: Listen, trickle: bytes) -> None:
    client = await (await listen(idle=0.1)).connect()

    async def send() -> None:
        while True:
            client.send(trickle)
            await asyncio.sleep(0.01)

    sending = asyncio.create_task(send())
    assert await client.ended() == b""
    sending.cancel()


async def test_queries_keep_a_connection_open(small: Small, listen: Listen) -> None:
    listener = await listen(idle=0.3)
    client = await listener.connect()
    for ident in range(40):
        client.send(query(ident=ident))
        assert await client.ids(1) == [ident]
        await asyncio.sleep(0.01)
    assert len(listener.connections) == 1


async def test_a_connection_with_queries_in_flight_is_not_idle(small: Small, listen: Listen) -> None:
    listener = await listen(idle=0.05)
    client, other = await listener.connect(), await listener.connect()
    client.send(query("slow.example"))
    await small.until(lambda: small.asked)
    await other.ended()
    small.reply("slow.example")
    assert await client.ids(1) == [1]
    assert await client.ended() == b""


async def test_a_half_closed_client_gets_its_answers(small: Small, listen: Listen) -> None:
    listener = await listen()
    client = await listener.connect()
    client.send(b"".join(query(ident=ident) for ident in range(2 * tcp.PIPELINED)) + query("slow.example", 999))
    client.writer.write_eof()
    assert await client.ids(2 * tcp.PIPELINED) == list(range(2 * tcp.PIPELINED))
    await small.until(lambda: small.asked)
    small.reply("slow.example")
    assert await client.ids(1) == [999]
    assert await client.ended() == b""
    assert not listener.connections


async def test_a_half_closed_client_gets_answers_to_more_queries_than_may_be_in_flight(
    small: Small, listen: Listen
) -> None:
    client = await (await listen()).connect()
    names = [f"n{number}.example" for number in range(tcp.PIPELINED + 30)]
    client.send(b"".join(query(name, ident) for ident, name in enumerate(names)))
    client.writer.write_eof()
    await small.until(lambda: len(small.asked) == tcp.PIPELINED)
    for number, name in enumerate(names):
        await small.until(lambda: len(small.asked) >= min(tcp.PIPELINED, len(names) - number))  # noqa: B023 - awaited here
        small.reply(name)
    assert await client.ids(len(names)) == list(range(len(names)))
    assert await client.ended() == b""


async def test_a_client_that_ends_within_a_query_is_closed(listen: Listen) -> None:
    client = await (await listen()).connect()
    client.send(query(ident=1) + query(ident=2)[:-5])
    client.writer.write_eof()
    assert await client.ids(1) == [1]
    assert await client.ended() == b""


async def test_the_queries_in_flight_of_a_connection_are_limited(small: Small, listen: Listen) -> None:
    listener = await listen()
    client, other = await listener.connect(), await listener.connect()
    client.send(b"".join(query(f"n{number}.example", number) for number in range(tcp.PIPELINED + 1)))
    await small.until(lambda: len(small.asked) == tcp.PIPELINED)
    client.send(query(ident=5000))
    other.send(query())
    assert await other.ids(1) == [1]
    assert len(small.asked) == tcp.PIPELINED
    small.reply("n0.example")
    assert await client.ids(1) == [0]
    await small.until(lambda: len(small.asked) == tcp.PIPELINED)  # the next query takes the free place
    small.reply("n1.example")
    assert set(await client.ids(2)) == {1, 5000}


async def test_a_client_that_does_not_read_its_answers_is_not_read(small: Small, listen: Listen) -> None:
    listener = await listen()
    client = await listener.connect(SO_RCVBUF=4096)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.send(query("big.example", 0))
    await small.until(lambda: small.asked)
    small.reply("big.example", 3_000)
    client.send(b"".join(query("big.example", ident) for ident in range(1, 2_000)))
    (held,) = listener.held
    await small.until(lambda: held.session and held.session._blocked)  # type: ignore[attr-defined]
    connection: Any = held.session
    read = small.count("dns_requests_total", "tcp", "4")
    assert read < 20  # about 64 KiB of answers, and the buffers of the kernel
    assert connection._transport
    assert connection._transport.get_write_buffer_size() < 4 * 65_536
    assert len(connection._buffer) <= 2 * 262_144
    assert not connection._transport.is_reading()
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert await client.ids(read) == list(range(read))


async def test_a_client_that_never_reads_its_answers_is_closed(small: Small, listen: Listen) -> None:
    listener = await listen(idle=0.05)
    client = await listener.connect(SO_RCVBUF=4096)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.send(query("big.example", 0))
    await small.until(lambda: small.asked)
    small.reply("big.example", 3_000)
    client.send(b"".join(query("big.example", ident) for ident in range(1, 200)))
    client.writer.write_eof()
    await small.until(lambda: not listener.connections)


async def test_at_the_limit_the_connection_with_the_oldest_query_is_closed(small: Small, listen: Listen) -> None:
    listener = await listen(limit=3)
    clients = []
    for ident in range(3):
        clients.append(await listener.connect())
        clients[-1].send(query(ident=ident))
        await clients[-1].ids(1)
    clients[0].send(query(ident=10))
    await clients[0].ids(1)
    fourth = await listener.connect()
    fourth.send(query(ident=4))
    assert await fourth.ids(1) == [4]
    assert await clients[1].ended() == b""
    assert len(listener.connections) == 3
    for client in (clients[0], clients[2], fourth):
        client.send(query(ident=20))
        assert await client.ids(1) == [20]


async def test_the_queries_of_a_client_that_closed_are_dropped(small: Small, listen: Listen) -> None:
    listener = await listen()
    client = await listener.connect()
    client.send(b"".join(query(f"n{number}.example", number) for number in range(tcp.PIPELINED + 20)))
    await small.until(lambda: len(small.asked) == tcp.PIPELINED)
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await small.until(lambda: _is_gone(small, listener))
    for name in list(small.asked):
        small.reply(name)
    await asyncio.sleep(0)
    assert not small.asked  # no waiting query was forwarded after the client closed
    assert small.responder.pending == 0


def _is_gone(small: Small, listener: Listener) -> bool:
    """A connection that is not read learns of its end from a write."""
    if small.asked and listener.connections:
        small.reply(next(iter(small.asked)))
    return not listener.connections


async def test_a_stopping_listener_ends_a_connection_in_order_although_a_query_is_unread(listen: Listen) -> None:
    """A reset would destroy answers that the client has not read, and look like a fault."""
    running = await listen()
    client = await running.connect()
    client.send(query())
    await client.reply()
    client.send(query(ident=2))  # in the receive buffer of the worker's socket now
    running.listener.close()
    async with asyncio.timeout(DEADLINE):
        assert await client.reader.read() == b""


async def test_a_stopping_listener_answers_the_queries_in_flight_and_accepts_no_connection(
    small: Small, listen: Listen
) -> None:
    listener = await listen()
    busy, idle = await listener.connect(), await listener.connect()
    busy.send(query("slow.example", 1))
    idle.send(query())
    await idle.ids(1)
    await small.until(lambda: small.asked)
    listener.listener.close()
    assert await idle.ended() == b""
    with pytest.raises(BlockingIOError):  # the supervisor keeps the socket open, and no one accepts
        listener.sock.accept()
    busy.send(query(ident=2))
    small.reply("slow.example")
    assert await busy.ids(1) == [1]
    assert await busy.ended() == b""
    for client in (busy, idle):
        client.writer.close()
    await small.until(lambda: not listener.connections)


async def test_a_client_without_permission_is_refused() -> None:
    listener = Listener(Small(WorkerSettings((), ("10.0.0.0/8",))))
    client = await listener.connect()
    client.send(query())
    assert (await client.reply()).rcode() == dns.rcode.REFUSED
    await listener.close()
