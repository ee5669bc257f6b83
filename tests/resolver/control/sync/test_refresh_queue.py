"""The refresh queue: when and how often a resource is read, and which resources a sync must reread."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from resolver.control.sync import refresh_queue
from resolver.control.sync.refresh_queue import LAG, TRIES, WAITING, RefreshQueue
from resolver.sources.reading import ReadError
from tests.resolver.control.scripted import Scripted, endpoint, key_of, part
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import SteadyTime, steady_clock

A = key_of("a")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what changes it says nothing
            await asyncio.sleep(0)


class Watched:
    """A refresh queue on a scripted source, and its results."""

    def __init__(self) -> None:
        self.source = Scripted()
        self.taken: list[tuple[str, Resources | None]] = []
        self.syncs = 0
        self.hints = RefreshQueue(
            "hub", self.source.read_one, lambda key, found: self.taken.append((key, found)), self._sync
        )

    def _sync(self) -> None:
        self.syncs += 1

    async def until(self, count: int) -> None:
        await until(lambda: len(self.taken) >= count)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(refresh_queue, "_AGAIN", 0.001)
    made = Watched()
    running = asyncio.create_task(made.hints.run())
    yield made
    running.cancel()
    await asyncio.wait([running])


async def test_a_hinted_resource_is_read_and_handed_on(watched: Watched) -> None:
    found = part(endpoint("a", "10.0.0.4"))
    watched.source.singles[A] = found
    watched.hints.put(ResourceId(A))
    watched.hints.put(ResourceId(key_of("gone")))
    await watched.until(2)
    assert sorted(watched.taken, key=str) == sorted([(A, found), (key_of("gone"), None)], key=str)
    assert watched.hints.counts == {"read": 2}


async def test_several_hints_before_a_read_cause_one_read(watched: Watched) -> None:
    for _ in range(5):
        watched.hints.put(ResourceId(A))
    await watched.until(1)
    assert watched.source.asked == [A]


async def test_a_hint_during_a_read_causes_one_more_read(watched: Watched) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def read(key: str) -> Resources | None:
        reading.set()
        await go_on.wait()
        return await Scripted.read_one(watched.source, key)

    watched.hints._read = read
    watched.hints.put(ResourceId(A))
    await reading.wait()
    watched.hints.put(ResourceId(A))
    watched.hints.put(ResourceId(A))
    go_on.set()
    await watched.until(2)
    assert watched.source.asked == [A, A]


async def test_seconds_count_from_the_first_hint_of_a_read() -> None:
    now = [100.0]

    async def read(key: str) -> None:
        now[0] += 2
        if now[0] == 105.0:
            given.put(ResourceId(A))  # during the read

    given = RefreshQueue("hub", read, lambda *_: None, lambda: None, steady_clock(lambda: now[0]))
    given.put(ResourceId(A))
    now[0] += 3
    given.put(ResourceId(A))
    running = asyncio.create_task(given.run())
    await until(lambda: given.counts["read"] == 2)
    running.cancel()
    await asyncio.wait([running])
    assert given.seconds == 5 + 2
    given.put(ResourceId(A), at=SteadyTime(90.0))
    assert given.since(SteadyTime(90.0 + LAG)) == [A]
    assert given.since(SteadyTime(91.0 + LAG)) == []


async def test_a_resource_that_cannot_be_read_is_retried_and_then_left(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    watched.source.singles[A] = ReadError("503: busy")
    watched.hints.put(ResourceId(A))
    watched.hints.put(ResourceId(key_of("b")))
    await until(lambda: watched.hints.counts["failed"] and watched.taken)
    assert watched.source.asked.count(A) == TRIES
    assert [key for key, _ in watched.taken] == [key_of("b")]
    assert "source hub: an event is left to the next sync: 503: busy" in caplog.text


async def test_too_many_waiting_resources_start_a_sync() -> None:
    watched = Watched()  # the queue is not running
    for i in range(WAITING + 1):
        watched.hints.put(ResourceId(key_of(f"e{i}")))
    assert (watched.syncs, watched.hints.counts["overflow"]) == (1, 1)
    watched.hints.put(ResourceId(A))
    assert watched.syncs == 1


async def test_a_sync_rereads_the_resources_of_recent_hints() -> None:
    now = iter((1000.0, 1000.0 + LAG))
    given = RefreshQueue("hub", Scripted().read_one, lambda *_: None, lambda: None, steady_clock(lambda: next(now)))
    given.put(ResourceId(key_of("old")))
    given.put(ResourceId(A))
    assert given.since(SteadyTime(1000.0 + LAG)) == [A, key_of("old")]
    assert given.since(SteadyTime(1001.0 + LAG)) == [A]
    assert given.since(SteadyTime(1001.0 + 2 * LAG)) == []
