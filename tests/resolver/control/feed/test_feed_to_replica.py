"""From an estate, through a link and encoded frames, into a worker's table."""

import asyncio
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from resolver.channel import frames as channel
from resolver.channel.frames import Begin, Commit, Down, Rows, Static
from resolver.control import worker_link
from resolver.control.feed import feed
from resolver.wire import render
from resolver.worker import replica
from resolver.worker.answer.compiled import Compiled
from tests.resolver.control.estate_feed import NETWORKS, ZONE, EstateFeed, ReplicaWorker, resources
from tests.zones.findings.test_drift import made, zone
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.clocks import SteadyTime
from zones.dns.name import Name, from_text, reverse, to_text
from zones.dns.record import PTR, A
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


# -- whatever happens, the worker ends up with what control has

endpoints = st.tuples(
    st.sampled_from(["e1", "e2", "e3"]),
    st.sampled_from([blob("a"), blob("b"), blob("*"), "x.a.example", private("a")]),
    st.sampled_from(["10.0.0.4", "10.0.0.5", "fd00::4"]),
    st.sampled_from(["", "weu", "neu"]),
)
provided_zones = st.tuples(
    st.sampled_from(["corp.example", "hand.example", "privatelink.blob.core.windows.net"]),
    st.lists(st.sampled_from("abc"), unique=True),
    st.integers(4, 5),
)
"""A private DNS zone, its names, and the last octet of their addresses."""
operations = st.one_of(
    st.tuples(st.just("take"), st.sampled_from("pqr"), st.none() | st.lists(endpoints, max_size=3)),
    st.tuples(st.just("provide"), st.lists(provided_zones, max_size=2, unique_by=lambda each: each[0])),
    st.tuples(st.just("step"), st.integers(1, 4)),
    st.tuples(st.just("cut")),
    st.tuples(st.just("restart"), st.booleans(), st.booleans()),
    st.tuples(st.just("fail")),
    st.tuples(st.just("sync")),
    st.tuples(st.just("doubt")),
)
QUESTIONS = [
    (from_text(name), rtype)
    for name in (blob("a"), blob("b"), blob("c"), blob("*"), private("a"), private("b"), "a.example", "x.a.example")
    for rtype in (A, 28)
] + [
    (reverse(bytes((10, 0, 0, 4))), PTR),
    *((from_text(name), A) for name in ("www.corp.example", "old.corp.example", "a.hand.example", "z.hand.example")),
]


def outcomes(table: Table) -> list[object]:
    return [table.lookup(name, rtype, NetworkIndex(network)) for name, rtype in QUESTIONS for network in (-1, 0, 1)]


class Story:
    """A feed and a worker in a random sequence of events. The compiled answers of the worker are never wrong."""

    def __init__(self) -> None:
        self.control = EstateFeed({})
        self.parts: dict[str, Resources] = {}
        self.zones: list[PrivateZone] = []
        self.worker = ReplicaWorker()
        self.worker.connect(self.control)
        self.known: dict[bytes, object] = {}

    async def happen(self, what: str, *arguments: object) -> None:
        await getattr(self, what)(*arguments)

    async def take(self, part: str, given: list[tuple[str, str, str, str]] | None) -> None:
        self.parts.pop(part, None)
        if given is not None:
            self.parts[part] = resources(*given)
        self.control.take({part: self.parts.get(part)})

    async def provide(self, given: list[tuple[str, list[str], int]]) -> None:
        self.zones = [
            zone(*(made(name, last, origin=origin) for name in names), key=origin, origin=origin, vnets=("hub",))
            for origin, names, last in given
        ]
        self.control.read_zones(*self.zones)

    async def step(self, count: int) -> None:
        for _ in range(count):
            await self.worker.step()
            self.remember()

    async def cut(self) -> None:
        await self.worker.cut()
        self.worker.connect(self.control)

    async def doubt(self) -> None:
        self.worker.replica.disconnected(resync=True)
        await self.cut()

    async def restart(self, remember: bool, synced: bool) -> None:
        await self.worker.cut()
        if not remember:
            self.parts = {}
        self.control = EstateFeed(self.parts, synced=synced)
        self.control.read_zones(*self.zones)
        self.worker.connect(self.control)
        had = contents(self.worker.table) if self.worker.replica.epoch else None
        await self.worker.step()
        assert synced or had is None or contents(self.worker.table) == had

    async def fail(self) -> None:
        self.control.fail()

    async def sync(self) -> None:
        self.control.sync()

    def remember(self) -> None:
        """Check each compiled answer against the table, and compile one for each question that has none."""
        table, answers = self.worker.table, self.worker.answers
        if self.worker.replica._opening is None and table.awaited:
            return  # before its first commit, the worker has no complete table
        for name, rtype in QUESTIONS:
            for network in (0, 1):
                key = b"%b%d,%d" % (name, rtype, network)
                now = table.lookup(name, rtype, NetworkIndex(network))
                if answers.find(key, SteadyTime(1.0)):
                    assert self.known[key] == now, (to_text(name), rtype, network)
                else:
                    self.known[key] = now
                    body = render.body(name + b"\0\1\0\1", 0, 0)
                    answers.keep(
                        key,
                        Compiled(
                            body,
                            5,
                            now.deps,
                            [0],
                            SteadyTime(0.0),
                            SteadyTime(float("inf")),
                            expendable=False,
                            fallback=None,
                        ),
                    )

    async def end(self) -> None:
        self.control.sync()
        await self.worker.drain()
        self.remember()
        expected = self.control.estate.table()
        assert contents(self.worker.table) == contents(expected)
        assert outcomes(self.worker.table) == outcomes(expected)
        assert self.worker.replica.serial == self.control.feed.serial
        await self.worker.cut()


@pytest.fixture(scope="module")
def tiny() -> Iterator[None]:
    """Lower the limits, so that they are reached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "_ROWS", 1)
        patch.setattr(feed, "_REMEMBERED", 3)
        patch.setattr(replica, "_SLICE", 1)
        yield


@given(events=st.lists(operations, max_size=25))
@hypothesis(max_examples=150, deadline=None)
@pytest.mark.usefixtures("tiny")
def test_a_worker_ends_up_with_what_control_has(events: list[tuple[object, ...]]) -> None:
    async def tell() -> None:
        story = Story()
        for event in events:
            await story.happen(str(event[0]), *event[1:])
        await story.end()

    asyncio.run(tell())
