"""Control with sources of files: readiness, sources, workers."""

import asyncio
import hashlib
import logging
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from resolver import settings
from resolver.admin.metrics import expose
from resolver.channel import frames as channel
from resolver.channel.frames import (
    Applied,
    Begin,
    Commit,
    CounterReport,
    Fallback,
    FallbackReason,
    FallbackReport,
    GaugeReport,
)
from resolver.channel.requests import Pong
from resolver.control import worker_server
from resolver.control.control import Control
from resolver.control.sync.remotes import Remotes
from resolver.process import bootstrap, open_files
from resolver.process.orders import OrderReceiver
from resolver.token_bucket import Quota
from tests.resolver.control.running import DEADLINE, FQDN, PRIVATE, WORKER, Start, hello, start, until, winner, write
from zones.claims.policy import ConflictPolicy, Pin
from zones.clocks import WallTime
from zones.dns.name import from_text, to_text
from zones.dns.parsed_zones import ParsedZones

__all__ = ["start"]

# -- readiness


async def test_missing_lists_the_reasons_until_control_is_ready(start: Start, tmp_path: Path) -> None:
    running = start("hub", "spoke", workers=2)
    missing = running.view.missing
    gone = "No such file or directory"
    workers = ["worker 0: not connected", "worker 1: not connected"]
    assert missing() == ["source hub: not read yet", "source spoke: not read yet", *workers]
    await until(lambda: missing()[:2] == [f"source {each}: {tmp_path / each}: {gone}" for each in ("hub", "spoke")])
    write(tmp_path / "hub" / "a.yaml", "one 10.0.0.4")
    await until(lambda: missing() == [f"source spoke: {tmp_path / 'spoke'}: {gone}", *workers])
    worker = await running.connect(hello())
    assert (await worker.commit()).unsynced
    await until(lambda: missing()[1:] == ["worker 0: has not applied the table yet", workers[1]])
    write(tmp_path / "spoke" / "b.yaml", "two 10.0.0.5", fqdn="b.blob.core.windows.net")
    await until(lambda: missing() == ["worker 0: has not applied the table yet", workers[1]])
    assert not (await worker.commit()).unsynced
    await until(lambda: missing() == [workers[1]])
    assert len(worker.rows) == 2
    worker.writer.close()
    await until(lambda: missing() == workers)


async def test_a_source_of_one_broken_file_is_missing_with_the_reason(start: Start, tmp_path: Path) -> None:
    (tmp_path / "hub.json").write_text('{"value": [')
    running = start("hub.json")
    await until(lambda: "Input data was truncated" in running.view.missing()[0])
    write(tmp_path / "hub.json", "one 10.0.0.4")
    await until(lambda: any("not JSON" in each for each in running.view.missing()))
    (tmp_path / "hub.json").write_text("[]")
    await until(lambda: running.view.missing() == ["worker 0: not connected"])


async def test_the_log_names_each_fault_of_a_file_or_path_once_and_its_end(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder, file = tmp_path / "hub", tmp_path / "hub" / "b.json"
    running = start("hub")
    status = running.control.estate.sources["hub"]
    await until(lambda: status.last_error)
    write(folder / "a.yaml", "one 10.0.0.4")
    await until(lambda: status.synced)
    (folder / ".new").write_text('{"value": [')
    (folder / ".new").rename(file)  # control may read a file that is being written
    await until(lambda: status.unreadable)
    read_at = status.last_success
    await until(lambda: status.last_success != read_at)
    file.unlink()
    await until(lambda: not status.unreadable)
    folder.rename(tmp_path / "away")
    await until(lambda: status.last_error)
    why = 'message="line 1, column 12: Input data was truncated"'
    unreadable = f"code=source-unreadable severity=warning subject={file}"
    await until(lambda: f"finding closed: {unreadable}" in caplog.messages)
    assert [message for message in caplog.messages if "source hub" in message and "changed" not in message] == [
        f"source hub: {folder}: No such file or directory; it has not provided data yet",
        "source hub can be read again",
        f"source hub: {folder}: No such file or directory; its last good data is kept",
    ]
    assert [message for message in caplog.messages if unreadable in message] == [
        f"finding opened: {unreadable} {why}",
        f"finding closed: {unreadable}",
    ]


async def test_without_sources_control_is_ready_once_a_worker_has_the_table(start: Start) -> None:
    running = start()
    assert running.view.missing() == ["worker 0: not connected"]
    worker = await running.connect(hello())
    await until(lambda: running.view.missing() == ["worker 0: has not applied the table yet"])
    assert not (await worker.commit()).unsynced
    await until(lambda: not running.view.missing())


def test_zones_of_the_configuration_check_are_not_parsed_again(tmp_path: Path) -> None:
    text = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n"
    (tmp_path / "corp.zone").write_text(text)
    parsed = ParsedZones()
    other = parsed.parse(f"{text}a A 10.0.0.4\n", "corp.zone")
    digest, wanted = (hashlib.sha256(each.encode()).digest() for each in (f"{text}a A 10.0.0.4\n", text))
    zones = os.memfd_create("zones")
    os.pwrite(zones, parsed.encoded().replace(digest, wanted), 0)  # now the zone shows where it comes from
    file = str(tmp_path / "corp.zone")
    config = settings.ControlSettings(zones=settings.Zones(files=(file,), origins=("corp.example",), patterns=(file,)))
    with socket.socket(socket.AF_UNIX) as channel:
        orders, accepted = OrderReceiver(channel), settings.Accepted("", WORKER, config)
        begun = bootstrap.ControlStart(accepted, channel, os.getpid(), orders, beat=0, zones=zones)
        control = Control(begun, Remotes())
    assert list(control.estate.static.files.values()) == [other]


async def test_a_change_reaches_a_worker(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "hub" / "a.yaml", "one 10.0.0.4")
    running = start("hub")
    worker = await running.connect(hello())
    await worker.commit()
    write(tmp_path / "hub" / "a.yaml", "one 10.0.0.9")
    while bytes((10, 0, 0, 9)) not in worker.rows.get(to_text(PRIVATE), b""):
        await worker.commit()
    write(tmp_path / "hub" / "b.yaml", "two 10.0.0.5", fqdn="b.blob.core.windows.net")
    while to_text(from_text("b.privatelink.blob.core.windows.net")) not in worker.rows:
        await worker.commit()
    (tmp_path / "hub" / "a.yaml").unlink()
    while worker.rows[to_text(PRIVATE)]:
        await worker.commit()


# -- sources


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_all_sources_are_read_as_one_change(start: Start, tmp_path: Path, order: str) -> None:
    write(tmp_path / "a" / "e.yaml", "y 10.0.0.4")
    write(tmp_path / "b" / "e.yaml", "x 10.0.0.5")
    running = start(*order)
    await until(lambda: running.control.feed.complete)
    assert winner(running) == "x"  # by its id: both were first seen at the same time
    assert len({claim.first_seen for claim in running.control.estate.ledger.find(PRIVATE)}) == 1


async def test_a_source_that_appears_later_is_served(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a", "b")
    worker = await running.connect(hello())
    while not worker.rows:
        assert (await worker.commit()).unsynced
    (tmp_path / "b").mkdir()
    while (await worker.commit()).unsynced:
        pass
    assert running.control.feed.complete


async def test_a_source_that_goes_away_later_changes_nothing(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    (tmp_path / "a").rename(tmp_path / "away")
    status = running.control.estate.sources["a"]
    await until(lambda: status.last_error)
    assert PRIVATE in running.control.estate.ledger.rows
    assert running.view.missing() == ["worker 0: not connected"]
    (tmp_path / "away").rename(tmp_path / "a")
    await until(lambda: not status.last_error)


async def test_a_pin_ends_at_its_time(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "x 10.0.0.4", "y 10.0.0.5")
    end = time.time() + 3600
    pins = (Pin(FQDN, "y", until=WallTime(end)),)
    running = start("a", conflicts=settings.ConflictSettings(pins=pins, policy=ConflictPolicy.MERGE))
    await until(lambda: running.control.feed.complete)
    rows = running.control.estate.ledger.rows
    before = rows[PRIVATE]
    await running.tick(end - 1)
    assert rows[PRIVATE] == before
    serial = running.view.serial
    await running.tick(end)
    assert rows[PRIVATE] != before
    assert running.view.serial > serial


# -- workers


async def test_a_worker_with_a_table_loses_nothing_until_every_source_has_data(start: Start, tmp_path: Path) -> None:
    running = start("a")
    worker = await running.connect(hello("another", 9, generation=7))
    await until(lambda: running.view.workers[0].connected)
    await worker.commit()
    assert worker.got[0] == Begin(running.control.feed.epoch, 8, partial=True)
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    while Begin(running.control.feed.epoch, 9) not in worker.got or not isinstance(worker.got[-1], Commit):
        await worker.read()
    assert set(worker.rows) == {to_text(PRIVATE)}
    assert running.control.feed.complete


async def test_a_worker_that_reconnects_gets_the_changes_it_missed(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    worker = await running.connect(hello())
    serial = (await worker.commit()).serial
    worker.writer.close()
    await until(running.view.missing)
    again = await running.connect(hello(running.control.feed.epoch, serial, generation=1))
    assert (await again.commit()).serial == serial
    assert [type(frame) for frame in again.got] == [Commit]
    await until(lambda: not running.view.missing())


async def test_connections_that_the_supervisor_did_not_make_are_refused(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(supervisor=1)
    stranger = await running.connect(hello())
    await stranger.ended()
    assert not running.view.workers[0].connected
    assert "turned away" in caplog.text


async def test_another_pldns_may_look_whether_the_channel_is_in_use(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(supervisor=1)
    _, writer = await asyncio.open_unix_connection(running._path)
    writer.close()
    stranger = await running.connect(hello())
    await stranger.ended()
    assert caplog.text.count("turned away") == 1


@pytest.mark.parametrize(
    "octets",
    [b"\xff" * 8, b"\0\0\0\1\xc1", channel.encode(hello()) * 2, channel.encode(Applied(1))[:3] + b"\xff" * 300],
    ids=["long", "noise", "two greetings", "no frame"],
)
async def test_a_worker_that_breaks_the_protocol_is_disconnected(
    start: Start, octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_server, "_PENALTY", 0.0)
    running = start()
    worker = await running.connect(hello())
    await worker.commit()
    worker.writer.write(octets)
    await worker.ended()
    await until(lambda: not running.view.workers[0].connected)
    await (await running.connect(hello())).commit()


async def test_a_worker_that_was_taken_over_cannot_make_the_metrics_grow(start: Start) -> None:
    running = start()
    worker = await running.connect(hello())
    await worker.commit()
    for number in range(16):
        labels = [(f"{number} {index} {'x' * 900}", "z", "n", "o") for index in range(1_000)]
        worker.send(CounterReport("i1", [("dns_responses_total", each, 1) for each in labels]))
        await worker.writer.drain()
    worker.send(CounterReport("i1", [("cache_hits_total", (), 7)]))
    await until(lambda: ("cache_hits_total", (), 7) in set(running.view.totals()))
    assert len(expose(running.view, "")[0]) < 8 << 20


async def test_a_worker_has_few_connections(start: Start) -> None:
    running = start()
    before = open_files.held()
    for _ in range(50):
        await running.connect()
    last = await running.connect(hello())
    await last.commit()
    assert open_files.held() - before < 60  # 51 ends of the test, and few of control
    assert running.view.workers[0].connected


async def test_a_worker_is_read_no_faster_than_it_may_report(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_server, "PACE", Quota(1 << 20, 1.0))
    running = start()
    worker = await running.connect(hello())
    await worker.commit()
    frame = channel.encode(CounterReport("i1", [("x", ("y" * 1_000,), 1)] * 500))
    for _ in range(20):
        worker.writer.write(frame)
    await until(lambda: list(running.view.totals()))
    for _ in range(500):
        await asyncio.sleep(0)
    assert worker.writer.transport.get_write_buffer_size() > 0  # the rest waits in the worker


async def test_frames_before_a_greeting_are_ignored(start: Start) -> None:
    running = start()
    worker = await running.connect()
    worker.send(Applied(9))
    worker.send(CounterReport("i1", [("x", (), 1)]))
    worker.send(hello())
    await worker.commit(answer=False)
    assert running.view.workers[0].serial == 0
    assert not list(running.view.totals())


async def test_a_worker_that_cannot_be_sent_a_frame_is_disconnected_and_may_return(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = start()
    with monkeypatch.context() as patch:
        patch.setattr(channel, "DOWN_LIMIT", 10)
        await (await running.connect(hello())).ended()
        await until(lambda: not running.view.workers[0].connected)
    assert "the state cannot be sent to worker 0" in caplog.text
    await (await running.connect(hello())).commit()


async def test_reports_of_a_connection_with_a_successor_are_ignored(start: Start) -> None:
    running = start()
    old = await running.connect(hello(instance="i1"))
    await old.commit()
    old.send(CounterReport("i1", [("x", (), 2)]))
    await until(lambda: list(running.view.totals()) == [("x", (), 2)])
    new = await running.connect(hello(instance="i2"))
    await new.commit()
    new.send(CounterReport("i2", [("x", (), 1)]))
    await until(lambda: list(running.view.totals()) == [("x", (), 3)])
    old.send(CounterReport("i1", [("x", (), 50)]))
    old.send(Applied(99))
    old.writer.close()
    new.send(
        FallbackReport(
            [Fallback(b"\4zone\0", b"\4name\0", "weu", FallbackReason.MISS_POLICY, 1, WallTime(1.0), WallTime(2.0))]
        )
    )
    await until(lambda: list(running.view.fallbacks()))
    await until(lambda: len(running.control.workers._links) == 1)
    assert list(running.view.totals()) == [("x", (), 3)]
    assert running.view.workers[0].connected
    assert running.view.workers[0].serial != 99
    new.send(GaugeReport(True, [("cache_entries", ("replies",), 7.0)]))  # noqa: FBT003 - a frame has no keywords
    await until(lambda: ("cache_entries", ("replies", "0"), 7.0) in running.view.gauges())
    gauges = {(name, labels): value for name, labels, value in running.view.gauges()}
    assert (gauges["workers_connected", ()], gauges["worker_restarts_total", ("0",)]) == (1.0, 1.0)
    assert running.view.workers[0].restarted is not None
    new.writer.close()
    await until(lambda: not running.view.workers[0].connected)
    assert ("cache_entries", ("replies", "0"), 7.0) not in running.view.gauges()


async def test_a_ping_is_answered_by_any_worker(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_server, "PING_PATIENCE", 0.2)
    running = start()
    assert not await running.view.ping()
    worker = await running.connect(hello())
    await worker.commit()
    assert not await running.view.ping()  # the worker does not answer
    asking = asyncio.create_task(running.view.ping())
    while not asking.done():
        for frame in await worker.read():
            if isinstance(frame, channel.RequestFrame):
                worker.send(channel.ReplyFrame(frame.id, Pong()))
        await asyncio.sleep(0.01)
    assert await asking


async def test_an_internal_error_ends_the_process(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor restarts control. The saved state is unchanged."""

    def broken(*_: Iterable[object]) -> None:
        raise KeyError("x")

    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    monkeypatch.setattr(running.control.estate, "take", broken)
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.5")
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(running._task, DEADLINE)
    assert caught.group_contains(KeyError)
    running.close()
