"""Whatever happens between control and a worker, the worker ends with what control has."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from resolver.control.feed import feed
from resolver.wire import render
from resolver.worker import replica
from resolver.worker.answer.compiled import Compiled
from tests.resolver.control.estate_feed import EstateFeed, ReplicaWorker, resources
from tests.resolver.control.feed.test_feed_to_replica import blob, contents, private
from tests.zones.findings.test_drift import made, zone
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.clocks import SteadyTime
from zones.dns.name import from_text, reverse, to_text
from zones.dns.record import PTR, A
from zones.networks.prefixes import NetworkIndex
from zones.table.table import Table

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
