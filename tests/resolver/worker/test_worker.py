"""A worker in this process, with real sockets for clients. The test is its control, over a real channel."""

import asyncio
import os
import socket
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from resolver.channel import frames as channel
from resolver.channel import warm_start
from resolver.channel.frames import (
    Applied,
    Begin,
    Commit,
    CounterReport,
    FallbackReason,
    FallbackReport,
    Masks,
    ReplyFrame,
    RequestFrame,
    Rows,
)
from resolver.channel.requests import CacheFlushed, CacheStats, FlushCache, ReadCacheStats
from resolver.forward.cache import Key
from resolver.wire.relay import Message
from resolver.worker import control_link, listeners
from tests.resolver.worker.running import DEADLINE, FQDN, PRIVATE, Running, rows, until
from zones.claims.row import ClassNumber
from zones.clocks import SteadyTime
from zones.dns.name import Name, from_text
from zones.dns.record import RRset
from zones.networks.prefixes import NetworkIndex


def served_last(folder: Path, *frames: channel.Down, spoilt: bool = False) -> int:
    """Return a descriptor of a warm-start file with these frames. `spoilt`: with a wrong checksum."""
    with warm_start.FORMAT.replacing(folder, bytes(32)) as file:
        file.write(b"".join(map(channel.encode, frames)))
        if spoilt:
            file.checksum.update(b"more")
    found = warm_start.opened(str(folder), bytes(32))
    assert found is not None
    return found


async def test_a_worker_answers_from_the_warm_start_file_before_control_runs(tmp_path: Path) -> None:
    frames = (Begin("e0", 1), Masks([(ClassNumber(1), b"\x01")]), rows(4, 1), Commit(7, unsynced=False))
    running = Running(tmp_path, served_last(tmp_path, *frames))
    await until(running.answers)
    assert await running.address() == "10.0.0.4"
    await running.listen()
    line, hello = await running.line()
    assert (hello.epoch, hello.serial, hello.generation) == ("e0", 7, 1)
    line.send(Begin("e1", 2), Masks([(ClassNumber(1), b"\x01")]), rows(5, 2), Commit(1, unsynced=False))
    await line.get(Applied)
    assert await running.address() == "10.0.0.5"
    await running.close()


async def test_a_warm_start_file_with_a_wrong_checksum_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = (Begin("e0", 1), Masks([(ClassNumber(1), b"\x01")]), rows(4, 1), Commit(7, unsynced=False))
    running = Running(tmp_path, served_last(tmp_path, *frames, spoilt=True))
    await running.listen()
    _, hello = await running.line()
    assert hello.epoch == ""
    assert "the warm-start file is not used: its checksum is wrong" in caplog.text
    await running.close()


async def test_a_worker_says_hello_applies_frames_and_answers(running: Running) -> None:
    line, hello = await running.line()
    assert (hello.worker, hello.pid, hello.epoch, hello.serial) == (0, os.getpid(), "", 0)
    assert (await running.ask()).rcode() == dns.rcode.SERVFAIL
    line.send(Begin("e1", 1), Masks([(ClassNumber(1), b"\x01")]), rows(4, 1), Commit(1, unsynced=False))
    assert (await line.get(Applied)).serial == 1
    assert await running.address() == "10.0.0.4"
    line.send(rows(5), Commit(2, unsynced=False))
    assert (await line.get(Applied)).serial == 2
    assert await running.address() == "10.0.0.5"
    assert running.link.recv(16) == b"ready"


async def test_a_worker_answers_without_control_and_reconnects_with_its_serial(running: Running) -> None:
    line = await running.loaded()
    line.writer.close()
    assert await running.address() == "10.0.0.4"
    _, hello = await running.line()
    assert (hello.epoch, hello.serial, hello.generation) == ("e1", 1, 1)


async def test_a_connection_that_breaks_in_the_first_snapshot_leaves_no_snapshot_open(running: Running) -> None:
    line, _ = await running.line()
    line.send(Begin("e1", 1), Masks([(ClassNumber(1), b"\x01")]), rows(4, 1))
    await line.writer.drain()
    line.writer.close()
    again, hello = await running.line()
    assert (hello.epoch, hello.generation) == ("", 1)
    again.send(Begin("e2", 2), Commit(1, unsynced=False))
    await again.get(Applied)
    assert len(running.worker._parts.table) == 0


@pytest.mark.parametrize("octets", [b"\xff" * 9, b"\0\0\0\1\xc1"], ids=["long", "noise"])
async def test_octets_that_are_no_frame_end_the_connection_and_the_worker_reconnects(
    running: Running, octets: bytes
) -> None:
    line = await running.loaded()
    line.writer.write(octets)
    _, hello = await running.line()
    assert (hello.epoch, hello.serial) == ("e1", 1)
    assert await running.address() == "10.0.0.4"


async def test_after_a_frame_that_cannot_be_applied_the_worker_answers_and_requests_a_snapshot(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control_link, "_RESYNC", 0.01)
    line = await running.loaded()
    line.send(rows(9, number=77))  # of a visibility class without a mask
    again, hello = await running.line()
    assert "cannot be applied" in caplog.text
    assert (hello.epoch, hello.serial, hello.generation) == ("e1", -1, 1)
    assert await running.address() == "10.0.0.4"
    again.send(Begin("e1", 2), Masks([(ClassNumber(77), b"\x01")]), rows(9, 2, 77), Commit(5, unsynced=False))
    assert (await again.get(Applied)).serial == 5
    assert await running.address() == "10.0.0.9"


async def test_requests_are_answered_while_rows_arrive(running: Running) -> None:
    line = await running.loaded()
    many = [(Name(bytes((3,)) + b"%03d" % number + PRIVATE[5:]), rows(4).rows[0][1]) for number in range(900)]
    line.send(Rows(many), RequestFrame(7, ReadCacheStats()), Commit(2, unsynced=False))
    reply = await line.get(ReplyFrame)
    assert (reply.id, type(reply.body)) == (7, CacheStats)
    assert (await line.get(Applied)).serial == 2


async def test_a_flush_removes_upstream_replies_and_the_answers_compiled_from_them(running: Running) -> None:
    line = await running.loaded()
    name = from_text("www.example")
    reply = Message(0, aa=False, ad=False, ra=True, tc=False, answer=(RRset(name, 1, 300, (bytes(4),)),))
    running.worker._parts.cache.put(Key("public", name, 1), reply, SteadyTime(asyncio.get_running_loop().time()))
    assert (await running.ask("www.example")).answer[0][0].to_text() == "0.0.0.0"
    assert len(running.worker._parts.answers) == 1
    line.send(RequestFrame(1, FlushCache(from_text("example"), subtree=True, rtype=None)))
    assert (await line.get(ReplyFrame)).body == CacheFlushed(1)
    assert len(running.worker._parts.answers) == 0
    assert (await running.ask("www.example")).rcode() == dns.rcode.SERVFAIL


async def test_reports_are_cut_into_frames_that_control_accepts(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_link, "REPORT", 0.02)
    line = await running.loaded()
    names = [Name(bytes((60,)) + b"%060d" % number + b"\x3f" + b"x" * 63 + PRIVATE) for number in range(2_000)]
    for name in names:
        running.worker._parts.fallbacks.note(name, name, FallbackReason.MISS_POLICY, NetworkIndex(0), bytes(16))
    for number in range(1_500):
        running.worker._parts.counters.add("made_up_total", (str(number), "x" * 300))
    items = [item for _ in range(2) for item in (await line.get(FallbackReport)).items]
    assert {item.name for item in items} == set(names)
    counted: set[str] = set()
    while len(counted) < 1_500:
        counted |= {
            labels[0] for metric, labels, _ in (await line.get(CounterReport)).values if metric == "made_up_total"
        }


async def test_a_worker_reads_adopted_sockets_until_they_are_released(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "DRAIN", 0.0)
    await running.loaded()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server(("127.0.0.1", 0)) as tcp:
        udp.bind(("127.0.0.1", 0))
        for each in (udp, tcp):
            each.settimeout(0)
        socket.send_fds(running.link, [b"adopt 1"], [udp.fileno(), tcp.fileno()])
        assert (await running.ask(sock=udp)).rcode() == dns.rcode.NOERROR
        running.link.send(b"release 1")

        async def is_released() -> bool:
            return running.worker._listeners.workers == {0}

        await until(is_released)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"for the owner of the socket", udp.getsockname())
        assert udp.recv(100) == b"for the owner of the socket"
        assert await running.address() == "10.0.0.4"


async def test_a_stopping_worker_answers_the_queries_in_flight(running: Running) -> None:
    await running.loaded()
    reader, writer = await asyncio.open_connection(*running.tcp.getsockname())
    packet = dns.message.make_query(FQDN, "A", use_edns=0).to_wire()
    writer.write((len(packet).to_bytes(2, "big") + packet) * 50)
    await reader.readexactly(2)
    running.worker.stop()
    rest = await asyncio.wait_for(reader.read(), DEADLINE)
    assert len(rest) > 0
    writer.close()
    await asyncio.wait_for(running.task, DEADLINE)


async def test_an_unexpected_error_ends_the_worker_after_the_queries_in_flight(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.loaded()

    def broken(_: int, adopted: tuple[socket.socket, ...]) -> None:
        for each in adopted:
            each.close()
        raise KeyError("x")

    monkeypatch.setattr(running.worker._listeners, "open", broken)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        socket.send_fds(running.link, [b"adopt 1"], [udp.fileno()])
        with pytest.raises(KeyError):
            await asyncio.wait_for(running.task, DEADLINE)
