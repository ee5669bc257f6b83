"""From an estate through control's link and encoded frames into a worker's table: what the replica becomes."""

import asyncio
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from resolver.channel import frames as channel
from resolver.channel.frames import Begin, Commit, Down, Rows, Static
from resolver.control.feed import feed
from resolver.wire import render
from resolver.worker import replica
from resolver.worker.answer.compiled import Compiled
from tests.resolver.control.lines import NETWORKS, ZONE, Control, Worker, resources
from tests.zones.findings.test_drift import made, zone
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.dns.name import Name, from_text, reverse, to_text
from zones.dns.record import PTR, A
from zones.table.outcome import Found
from zones.table.table import Table


def contents(table: Table) -> object:
    """All that a table holds, without the generations of its rows."""
    static = {origin: (dict(zone.names), zone.is_open) for origin, zone in table.static.items()}
    rows = {name: row[1:] for name, row in table.each()}
    return rows, static, table.unsynced, table.awaited, [table.zones(network) for network in range(len(NETWORKS))]


def sent(frames: Iterable[Down]) -> set[str]:
    """Names of the rows in frames."""
    return {to_text(Name(name)) for frame in frames if isinstance(frame, Rows) for name, _ in frame.rows}


def addresses(table: Table, fqdn: str, network: int = 0) -> list[bytes]:
    variant = table.endpoints.owned_name(from_text(fqdn), network)
    return list(variant.variant.a) if variant else []


def blob(name: str) -> str:
    return f"{name}.blob.core.windows.net"


def private(name: str) -> str:
    return f"{name}.privatelink.blob.core.windows.net"


def one(name: str, address: str = "10.0.0.4", network: str = "") -> Resources:
    return resources((name, blob(name), address, network))


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row in a frame."""
    monkeypatch.setattr(feed, "_ROWS", 1)


# -- what private DNS zones lend


async def test_a_worker_is_told_what_zones_lend_and_when_they_do_no_more() -> None:
    control, worker = Control({"a": one("a")}), Worker()
    worker.connect(control)
    await worker.drain()
    hand = from_text(private("hand"))
    control.read_zones(zone(made("hand", 9), vnets=("hub",)))
    await worker.drain()
    assert worker.table.lookup(hand, A, 0) == control.estate.table().lookup(hand, A, 0)
    found = worker.table.lookup(hand, A, 0)
    assert isinstance(found, Found)
    assert found.rrsets[0].rdatas == (bytes((10, 0, 0, 9)),)
    control.read_zones()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert from_text("privatelink.blob.core.windows.net") not in worker.table.static


async def test_an_endpoint_takes_its_name_from_a_zone_at_once_and_gives_it_back() -> None:
    control, worker = Control({}), Worker()
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


async def test_a_zone_whose_file_cannot_be_read_is_waited_for_and_not_taken_from_azure() -> None:
    control, worker = Control({}, zone=""), Worker()
    control.read_zones(zone(made("www", 9, origin="corp.example"), origin="corp.example", vnets=("hub",)))
    worker.connect(control)
    await worker.drain()
    assert worker.table.awaited == {from_text("corp.example")}
    assert not worker.table.static


# -- snapshots


async def test_an_empty_worker_gets_everything() -> None:
    control = Control({"a": one("a"), "b": one("b", network="neu")})
    worker = Worker()
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert addresses(worker.table, blob("a"), 0) == [bytes((10, 0, 0, 4))]
    assert addresses(worker.table, blob("b"), 0) == []
    assert (worker.replica.epoch, worker.replica.serial) == (control.feed.epoch, control.feed.serial)


async def test_an_empty_worker_gets_at_once_what_there_is_marked_unsynced() -> None:
    control = Control({"a": one("a")}, synced=False)
    worker = Worker()
    worker.connect(control)
    await worker.drain()
    assert addresses(worker.table, blob("a"))
    assert worker.table.unsynced
    assert not worker.table.awaited
    control.sync()
    await worker.drain()
    assert not worker.table.unsynced


@pytest.mark.usefixtures("small_frames")
async def test_what_changes_while_a_snapshot_is_sent_comes_after_it() -> None:
    control = Control({name: one(name) for name in "abcd"})
    worker = Worker()
    worker.connect(control)
    await worker.until(Rows)
    control.take({"a": one("a", "10.0.0.9"), "b": None, "c": None, "d": None, "e": one("e")})
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert worker.replica.serial == control.feed.serial


@pytest.mark.usefixtures("small_frames")
async def test_a_worker_that_loses_its_line_after_a_snapshot_asks_for_what_changed_meanwhile() -> None:
    control = Control({name: one(name) for name in "abc"})
    worker = Worker()
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
async def test_a_worker_that_loses_its_line_after_changes_asks_for_what_changed_meanwhile() -> None:
    control = Control({name: one(name) for name in "abc"})
    worker = Worker()
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
async def test_a_worker_is_not_told_that_all_is_known_before_it_has_it() -> None:
    control = Control({"a": one("a"), "b": one("b")}, synced=False)
    worker = Worker()
    worker.connect(control)
    await worker.until(Rows)
    control.take({"c": one("c")})
    control.sync()
    while await worker.step():
        assert worker.table.unsynced or addresses(worker.table, blob("c"))
    assert not worker.table.unsynced


@pytest.mark.usefixtures("small_frames")
async def test_what_an_aborted_snapshot_brought_is_swept_by_the_next() -> None:
    control = Control({name: one(name) for name in "abc"})
    worker = Worker()
    worker.connect(control)
    await worker.until(Rows)
    await worker.cut()
    (first,) = sent(worker.got)
    control.take({first[0]: None})
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


# -- connecting again


async def test_a_worker_that_was_away_gets_only_what_changed() -> None:
    control = Control({name: one(name) for name in "abcd"})
    worker = Worker()
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
    control = Control({"a": one("a")})
    worker = Worker()
    for expected in ([Begin, channel.Masks, channel.Masks, Rows, Static, Commit], [Commit]):
        worker.connect(control)
        await worker.drain()
        assert [type(frame) for frame in worker.got] == expected
        await worker.cut()


async def test_a_worker_that_missed_more_than_is_remembered_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_REMEMBERED", 2)
    control = Control({"a": one("a")})
    worker = Worker()
    worker.connect(control)
    await worker.drain()
    for away, kinds in ((2, {Rows, channel.Masks, Commit}), (3, {Begin, Rows, channel.Masks, Static, Commit})):
        await worker.cut()
        control.take({name: one(name, f"10.0.0.{away}") for name in "xyz"[:away]})
        worker.connect(control)
        await worker.drain()
        assert {type(frame) for frame in worker.got} | {channel.Masks} == kinds
        assert contents(worker.table) == contents(control.estate.table())


async def test_a_new_control_takes_away_what_it_does_not_know_only_with_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_ROWS", 1)
    worker = Worker()
    worker.connect(Control({name: one(name) for name in "abcd"}))
    await worker.drain()
    await worker.cut()
    control = Control({"a": one("a", "10.0.0.9"), "c": one("c")})
    worker.connect(control)
    while not any(isinstance(frame, Commit) for frame in worker.got):
        assert len(worker.table) == 4
        assert await worker.step()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


async def test_a_worker_with_a_table_keeps_it_until_a_new_control_has_asked_every_source() -> None:
    worker = Worker()
    worker.connect(Control({name: one(name) for name in "abcd"}))
    await worker.drain()
    await worker.cut()
    before = contents(worker.table)
    control = Control({}, synced=False)
    worker.connect(control)
    control.take({"a": one("a", "10.0.0.9")})
    await worker.drain()
    assert worker.got == []
    assert contents(worker.table) == before
    control.sync()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


async def test_classes_mean_the_same_to_every_control() -> None:
    """Rows of one control are swept and changed by another that met the sets of networks in another order."""
    worker = Worker()
    worker.connect(Control({"a": one("a", network="weu"), "b": one("b", network="neu"), "c": one("c")}))
    await worker.drain()
    await worker.cut()
    control = Control({"c": one("c", network="neu"), "b": one("b", "10.0.0.9", network="weu")})
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())
    assert addresses(worker.table, blob("b"), 0)
    assert not addresses(worker.table, blob("b"), 1)


async def test_a_worker_in_doubt_gets_everything_but_not_from_a_control_that_does_not_know_it() -> None:
    control = Control({"a": one("a")})
    worker = Worker()
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


async def test_a_zone_that_control_cannot_read_stays_where_it_is_known_and_is_awaited_where_it_is_not() -> None:
    worker, fresh = Worker(), Worker()
    worker.connect(Control({}))
    await worker.drain()
    await worker.cut()
    before = contents(worker.table)
    control = Control({}, zone="")
    for each in (worker, fresh):
        each.connect(control)
        await each.drain()
    assert contents(worker.table) == before
    assert fresh.table.awaited == {from_text("corp.example")}


async def test_names_that_a_zone_no_longer_has_are_swept() -> None:
    worker = Worker()
    worker.connect(Control({}))
    await worker.drain()
    await worker.cut()
    control = Control({}, zone=ZONE.replace("old", "new"))
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
lendable = st.tuples(
    st.sampled_from(["corp.example", "hand.example", "privatelink.blob.core.windows.net"]),
    st.lists(st.sampled_from("abc"), unique=True),
    st.integers(4, 5),
)
"""A private DNS zone, its names, and the last octet of their addresses."""
operations = st.one_of(
    st.tuples(st.just("take"), st.sampled_from("pqr"), st.none() | st.lists(endpoints, max_size=3)),
    st.tuples(st.just("lend"), st.lists(lendable, max_size=2, unique_by=lambda each: each[0])),
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
    return [table.lookup(name, rtype, network) for name, rtype in QUESTIONS for network in (-1, 0, 1)]


class Story:
    """Control and a worker through a sequence of events; what the worker remembers is never wrong."""

    def __init__(self) -> None:
        self.control = Control({})
        self.parts: dict[str, Resources] = {}
        self.zones: list[PrivateZone] = []
        self.worker = Worker()
        self.worker.connect(self.control)
        self.known: dict[bytes, object] = {}

    async def happen(self, what: str, *arguments: object) -> None:
        await getattr(self, what)(*arguments)

    async def take(self, part: str, given: list[tuple[str, str, str, str]] | None) -> None:
        self.parts.pop(part, None)
        if given is not None:
            self.parts[part] = resources(*given)
        self.control.take({part: self.parts.get(part)})

    async def lend(self, given: list[tuple[str, list[str], int]]) -> None:
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
        self.control = Control(self.parts, synced=synced)
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
        """Every answer that is still there is what the table says; keep one for each question that has none."""
        table, answers = self.worker.table, self.worker.answers
        if self.worker.replica._opening is None and table.awaited:
            return  # before its first commit it has no table to speak of
        for name, rtype in QUESTIONS:
            for network in (0, 1):
                key = b"%b%d,%d" % (name, rtype, network)
                now = table.lookup(name, rtype, network)
                if answers.find(key, 1.0):
                    assert self.known[key] == now, (to_text(name), rtype, network)
                else:
                    self.known[key] = now
                    body = render.body(name + b"\0\1\0\1", 0, 0)
                    answers.keep(
                        key, Compiled(body, 5, now.deps, [0], 0.0, float("inf"), expendable=False, fallback=None)
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
    """Bounds that are reached at once."""
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
