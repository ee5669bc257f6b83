"""A collector of dnstap messages that misbehaves: queries are dropped and counted, the fault is logged once."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from resolver.channel.query_records import AnsweredQueries, QueryBatch
from resolver.query_log import collector as module
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log.collector import Collector
from resolver.query_log.dnstap import CONTENT_TYPE
from resolver.query_log.frame_streams import ControlFrame, control
from resolver.query_log_settings import AddressMask, DnstapSettings
from zones.clocks import WallTime

BATCH = QueryBatch({0: "weu"}, [AnsweredQueries(WallTime(1.5), 0.5, "udp", [(bytes(17), bytes(4), 0, 0, bytes(10))])])
Make = Callable[..., Awaitable[Collector]]
ACCEPT = control(ControlFrame.ACCEPT, CONTENT_TYPE)


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Start a collector that reads READY, answers with some octets, and closes the connection or `stays`."""
    over = asyncio.Event()
    ended: list[asyncio.Event] = []
    started: list[tuple[asyncio.Server, Collector]] = []

    async def call(octets: bytes, *, stays: bool = False) -> Collector:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ended.append(end := asyncio.Event())
            with contextlib.suppress(asyncio.IncompleteReadError):
                await reader.readexactly(len(control(ControlFrame.READY, CONTENT_TYPE)))
                writer.write(octets)
                if octets.startswith(ACCEPT):
                    await reader.readexactly(len(control(ControlFrame.START, CONTENT_TYPE)))
                if stays:
                    await over.wait()
            writer.close()
            end.set()

        path = str(tmp_path / "socket")
        server = await asyncio.start_unix_server(serve, path)
        settings = DnstapSettings(("client_response",), "ns1", "pldns", path)
        collector = Collector(settings, ClientAddresses(AddressMask()))
        started.append((server, collector))
        await collector.open()
        return collector

    yield call
    over.set()
    for server, collector in started:
        await collector.close()
        server.close()
    for each in ended:
        await each.wait()


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"", "the collector has closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the collector does not speak Frame Streams"),
        (bytes(4) + struct.pack("!I", 1 << 30), "the collector does not speak Frame Streams"),
        (control(ControlFrame.FINISH), "the collector does not accept dnstap"),
        (control(ControlFrame.ACCEPT, b"protobuf:other"), "the collector does not accept dnstap"),
        (bytes(4) + struct.pack("!III", 8, 1, 1), "the collector sends a control frame that ends too early"),
        (ACCEPT, "the collector has closed the connection"),
        (ACCEPT + control(ControlFrame.FINISH), "the collector has ended the stream"),
    ],
)
async def test_what_a_bad_collector_leads_to(
    make: Make, caplog: pytest.LogCaptureFixture, octets: bytes, fault: str
) -> None:
    collector = await make(octets)
    async with asyncio.timeout(60):
        while not collector.state.fault:  # noqa: ASYNC110 - a state has no event
            await asyncio.sleep(0)
    for _ in range(2):
        collector.write(BATCH)
        collector.look()
    assert (collector.state.fault, collector.state.dropped) == (fault, 2)
    assert caplog.text.count("queries are dropped") == 1


async def test_a_collector_that_does_not_answer(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    collector = await make(b"", stays=True)
    assert collector.state.fault == "the collector does not answer within 0 s"


async def test_a_collector_that_does_not_read_costs_bounded_memory(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOM", 10_000)
    collector = await make(ACCEPT, stays=True)
    while not collector.state.dropped:
        collector.write(BATCH)
    assert collector.state.fault == "the collector reads too slowly"


async def test_a_collector_that_is_absent(tmp_path: Path) -> None:
    settings = DnstapSettings(("client_query",), "", "", str(tmp_path / "none"))
    collector = Collector(settings, ClientAddresses(AddressMask()))
    await collector.open()
    assert collector.state.fault == "No such file or directory"
    await collector.close()
