"""From an estate, through a link and encoded frames, into a worker's table."""

from collections.abc import Iterable

import pytest

from resolver.channel import frames as channel
from resolver.channel.frames import Begin, Commit, Down, Rows, Static
from resolver.control import worker_link
from resolver.control.feed import feed
from tests.resolver.control.estate_feed import NETWORKS, ZONE, EstateFeed, ReplicaWorker, resources
from tests.zones.findings.test_drift import made, zone
from zones.azure.resource import Resources
from zones.dns.name import Name, from_text, to_text
from zones.dns.record import A
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Found
from zones.table.table import Table


def contents(table: Table) -> object:
    """Return the content of a table, without the generations of its rows."""
    static = {origin: (dict(zone.names), zone.is_open) for origin, zone in table.static.items()}
    rows = {name: row[1:] for name, row in table.each()}
    return (
        rows,
        static,
        table.unsynced,
        table.awaited,
        [table.zones(NetworkIndex(network)) for network in range(len(NETWORKS))],
    )


def sent(frames: Iterable[Down]) -> set[str]:
    """Return the names of the rows in these frames."""
    return {to_text(Name(name)) for frame in frames if isinstance(frame, Rows) for name, _ in frame.rows}


def addresses(table: Table, fqdn: str, network: int = 0) -> list[bytes]:
    variant = table.endpoints.owned_name(from_text(fqdn), NetworkIndex(network))
    return list(variant.variant.a) if variant else []


def blob(name: str) -> str:
    return f"{name}.blob.core.windows.net"


def private(name: str) -> str:
    return f"{name}.privatelink.blob.core.windows.net"


def one(name: str, address: str = "10.0.0.4", network: str = "") -> Resources:
    return resources((name, blob(name), address, network))


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one row into each frame, and send each frame alone."""
    monkeypatch.setattr(feed, "_ROWS", 1)
    monkeypatch.setattr(worker_link, "_SEND", 1)


# -- provided records


async def test_a_worker_receives_provided_records_and_their_removal() -> None:
    control, worker = EstateFeed({"a": one("a")}), ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    hand = from_text(private("hand"))
    control.read_zones(zone(made("hand", 9), vnets=("hub",)))
    await worker.drain()
    assert worker.table.lookup(hand, A, NetworkIndex(0)) == control.estate.table().lookup(hand, A, NetworkIndex(0))
    found = worker.table.lookup(hand, A, NetworkIndex(0))
    assert isinstance(found, Found)
    assert found.rrsets[0].rdatas == (bytes((10, 0, 0, 9)),)
    control.read_zones()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert from_text("privatelink.blob.core.windows.net") not in worker.table.static


async def test_an_endpoint_replaces_a_provided_record_and_its_removal_restores_it() -> None:
    control, worker = EstateFeed({}), ReplicaWorker()
    control.read_zones(zone(made("a", 9), vnets=("hub",)))
    worker.connect(control)
    await worker.drain()
    assert from_text(private("a")) in worker.table.static[from_text("privatelink.blob.core.windows.net")].names
    control.take({"a": one("a")})
    await worker.drain()
    assert not worker.table.static.get(from_text("privatelink.blob.core.windows.net"))
    assert addresses(worker.table, blob("a")) == [bytes((10, 0, 0, 4))]
    control.take({"a": None})
    await worker.drain()
    assert from_text(private("a")) in worker.table.static[from_text("privatelink.blob.core.windows.net")].names


async def test_a_zone_with_an_unreadable_file_is_awaited_and_not_provided() -> None:
    control, worker = EstateFeed({}, zone=""), ReplicaWorker()
    control.read_zones(zone(made("www", 9, origin="corp.example"), origin="corp.example", vnets=("hub",)))
    worker.connect(control)
    await worker.drain()
    assert worker.table.awaited == {from_text("corp.example")}
    assert not worker.table.static


# -- snapshots


async def test_an_empty_worker_gets_a_snapshot() -> None:
    control = EstateFeed({"a": one("a"), "b": one("b", network="neu")})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert addresses(worker.table, blob("a"), 0) == [bytes((10, 0, 0, 4))]
    assert addresses(worker.table, blob("b"), 0) == []
    assert (worker.replica.epoch, worker.replica.serial) == (control.feed.epoch, control.feed.serial)


async def test_an_empty_worker_gets_an_unsynced_snapshot_at_once() -> None:
    control = EstateFeed({"a": one("a")}, synced=False)
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    assert addresses(worker.table, blob("a"))
    assert worker.table.unsynced
    assert not worker.table.awaited
    control.sync()
    await worker.drain()
    assert not worker.table.unsynced


@pytest.mark.usefixtures("small_frames")
async def test_a_change_during_a_snapshot_follows_it() -> None:
    control = EstateFeed({name: one(name) for name in "abcd"})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.until(Rows)
    control.take({"a": one("a", "10.0.0.9"), "b": None, "c": None, "d": None, "e": one("e")})
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert worker.replica.serial == control.feed.serial


@pytest.mark.usefixtures("small_frames")
async def test_a_worker_that_reconnects_after_a_snapshot_gets_the_changes_made_during_it() -> None:
    control = EstateFeed({name: one(name) for name in "abc"})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.until(Rows)
    control.take({"a": one("a", "10.0.0.9")})
    await worker.until(Commit)
    await worker.cut()
    worker.connect(control)
    await worker.drain()
    assert sent(worker.got) == {private("a")}
    assert contents(worker.table) == contents(control.estate.table())


@pytest.mark.usefixtures("small_frames")
async def test_a_worker_that_reconnects_after_changes_gets_the_changes_made_during_them() -> None:
    control = EstateFeed({name: one(name) for name in "abc"})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    worker.got.clear()
    control.take({"a": one("a", "10.0.0.8"), "b": one("b", "10.0.0.8")})
    await worker.until(Rows)
    control.take({"c": one("c", "10.0.0.9")})
    await worker.until(Commit)
    await worker.cut()
    worker.connect(control)
    await worker.drain()
    assert sent(worker.got) == {private("c")}
    assert contents(worker.table) == contents(control.estate.table())


@pytest.mark.usefixtures("small_frames")
async def test_a_worker_is_synced_only_after_the_last_rows() -> None:
    control = EstateFeed({"a": one("a"), "b": one("b")}, synced=False)
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.until(Rows)
    control.take({"c": one("c")})
    control.sync()
    while await worker.step():
        assert worker.table.unsynced or addresses(worker.table, blob("c"))
    assert not worker.table.unsynced


@pytest.mark.usefixtures("small_frames")
async def test_rows_of_an_aborted_snapshot_are_swept_by_the_next_one() -> None:
    control = EstateFeed({name: one(name) for name in "abc"})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.until(Rows)
    await worker.cut()
    (first,) = sent(worker.got)
    control.take({first[0]: None})
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


# -- connecting again


async def test_a_worker_that_was_away_gets_only_the_changes() -> None:
    control = EstateFeed({name: one(name) for name in "abcd"})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    await worker.cut()
    control.take({"b": one("b", "10.0.0.9"), "c": None})
    worker.connect(control)
    await worker.drain()
    assert [type(frame) for frame in worker.got] == [channel.Masks, channel.Masks, Rows, Commit]
    assert sent(worker.got) == {private("b"), private("c")}
    assert contents(worker.table) == contents(control.estate.table())


async def test_a_worker_that_missed_nothing_gets_a_commit() -> None:
    control = EstateFeed({"a": one("a")})
    worker = ReplicaWorker()
    for expected in ([Begin, channel.Masks, channel.Masks, Rows, Static, Commit], [Commit]):
        worker.connect(control)
        await worker.drain()
        assert [type(frame) for frame in worker.got] == expected
        await worker.cut()


async def test_a_worker_that_missed_too_many_changes_gets_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_REMEMBERED", 2)
    control = EstateFeed({"a": one("a")})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    for away, kinds in ((2, {Rows, channel.Masks, Commit}), (3, {Begin, Rows, channel.Masks, Static, Commit})):
        await worker.cut()
        control.take({name: one(name, f"10.0.0.{away}") for name in "xyz"[:away]})
        worker.connect(control)
        await worker.drain()
        assert {type(frame) for frame in worker.got} | {channel.Masks} == kinds
        assert contents(worker.table) == contents(control.estate.table())


async def test_a_new_control_removes_unknown_names_only_with_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_ROWS", 1)
    worker = ReplicaWorker()
    worker.connect(EstateFeed({name: one(name) for name in "abcd"}))
    await worker.drain()
    await worker.cut()
    control = EstateFeed({"a": one("a", "10.0.0.9"), "c": one("c")})
    worker.connect(control)
    while not any(isinstance(frame, Commit) for frame in worker.got):
        assert len(worker.table) == 4
        assert await worker.step()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


async def test_a_worker_keeps_its_table_until_a_new_control_has_read_every_source() -> None:
    worker = ReplicaWorker()
    worker.connect(EstateFeed({name: one(name) for name in "abcd"}))
    await worker.drain()
    await worker.cut()
    before = contents(worker.table)
    control = EstateFeed({}, synced=False)
    worker.connect(control)
    control.take({"a": one("a", "10.0.0.9")})
    await worker.drain()
    assert worker.got == []
    assert contents(worker.table) == before
    control.sync()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


async def test_classes_mean_the_same_to_every_control() -> None:
    """Another control numbers the sets of networks in another order, and sweeps and changes the rows of the first."""
    worker = ReplicaWorker()
    worker.connect(EstateFeed({"a": one("a", network="weu"), "b": one("b", network="neu"), "c": one("c")}))
    await worker.drain()
    await worker.cut()
    control = EstateFeed({"c": one("c", network="neu"), "b": one("b", "10.0.0.9", network="weu")})
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert addresses(worker.table, blob("b"), 0)
    assert not addresses(worker.table, blob("b"), 1)


async def test_a_worker_that_asks_for_a_snapshot_waits_until_every_source_has_data() -> None:
    control = EstateFeed({"a": one("a")})
    worker = ReplicaWorker()
    worker.connect(control)
    await worker.drain()
    await worker.cut()
    worker.replica.disconnected(resync=True)
    control.estate.sources["estate"].synced = False
    control.feed.changed()
    worker.connect(control)
    await worker.drain()
    assert worker.got == []
    control.sync()
    await worker.drain()
    assert isinstance(worker.got[0], Begin)


# -- zone files


async def test_a_zone_that_control_cannot_read_is_kept_by_workers_that_have_it_and_awaited_by_others() -> None:
    worker, fresh = ReplicaWorker(), ReplicaWorker()
    worker.connect(EstateFeed({}))
    await worker.drain()
    await worker.cut()
    before = contents(worker.table)
    control = EstateFeed({}, zone="")
    for each in (worker, fresh):
        each.connect(control)
        await each.drain()
    assert contents(worker.table) == before
    assert fresh.table.awaited == {from_text("corp.example")}


async def test_names_that_a_zone_no_longer_has_are_swept() -> None:
    worker = ReplicaWorker()
    worker.connect(EstateFeed({}))
    await worker.drain()
    await worker.cut()
    control = EstateFeed({}, zone=ZONE.replace("old", "new"))
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
