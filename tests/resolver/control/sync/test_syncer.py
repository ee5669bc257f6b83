"""The syncs of one remote source, without control."""

import asyncio
import time

import pytest

from resolver.control.estate.source_health import SourceStatus
from resolver.control.guard.sync_state import NothingHeld
from resolver.control.sync import syncer
from resolver.control.sync.syncer import CONFIRMED, LONGEST, Syncer, SyncResult, back_off
from resolver.sources.reading import ReadError
from tests.resolver.control.scripted import Scripted, endpoint, key_of, many, part
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources

DEADLINE = 60.0


class SyncedSource:
    """A syncer on a scripted source, and the data that was published."""

    def __init__(self, source: Scripted, hold_down: float = 300.0) -> None:
        self.parts: dict[str, Resources] = {}
        self.status = SourceStatus("hub", "azure", "", "servfail")
        self.syncs = Syncer(source, self.status, hold_down, lambda: self.parts)

    async def sync(self) -> SyncResult:
        sync = await self.syncs.once()
        self.take(sync)
        return sync

    def take(self, sync: SyncResult) -> None:
        if sync.decision:
            self.status.sync_state = sync.decision.sync_state
            for name, given in sync.decision.parts.items():
                self.parts.pop(name, None)
                if given is not None:
                    self.parts[name] = given

    @property
    def names(self) -> set[str]:
        return {each.name for given in self.parts.values() for each in given.endpoints}


async def test_a_sync_publishes_the_reading() -> None:
    source = Scripted(endpoint("a", "10.0.0.4"))
    held = SyncedSource(source)
    before = time.time()
    sync = await held.sync()
    assert before <= sync.read_at <= time.time()
    assert (held.names, held.status.results, source.asked) == ({"a"}, {"published": 1}, [])
    assert held.status.duration is not None


async def test_an_absent_resource_is_read_once_more() -> None:
    a, b, c, d = (endpoint(name, f"10.0.0.{i}") for i, name in enumerate("abcd"))
    source = Scripted(a, b, c, d)
    held = SyncedSource(source)
    await held.sync()
    source.parts["s1"] = part(a)
    source.singles = {c.key: part(endpoint("c", "10.0.0.9")), d.key: ReadError("403: no")}
    sync = await held.sync()
    assert sorted(source.asked) == [b.key, c.key, d.key]
    assert held.names == {"a", "c", "d"}
    assert {each.name: each.records for each in held.parts["s1"].endpoints}["c"] == endpoint("c", "10.0.0.9").records
    assert sync.decision
    assert sync.decision.unconfirmed == {d.id: "403: no"}


async def test_a_limited_number_is_read_once_more_and_the_rest_waits() -> None:
    source = Scripted(*many(1000))
    held = SyncedSource(source)
    await held.sync()
    source.parts["s1"] = part(*many(1000)[: 1000 - CONFIRMED - 20])
    await held.sync()
    assert len(source.asked) == CONFIRMED
    assert len(held.names) == 1000 - CONFIRMED
    assert len(held.status.sync_state.missing) == 20
    await held.sync()
    assert len(held.names) == 1000 - CONFIRMED - 20
    assert not held.status.sync_state.missing


@pytest.mark.parametrize("how", ["error", "exception"])
async def test_a_failed_sync_changes_nothing_and_has_an_error(how: str, caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted(endpoint("a", "10.0.0.4"))
    held = SyncedSource(source)
    await held.sync()
    source.parts = {}
    if how == "error":
        source.error = "Resource Graph: page 3 is missing"
    else:
        source.breaks = ZeroDivisionError("by zero")
    sync = await held.sync()
    assert sync.decision is None
    assert sync.error == (
        "Resource Graph: page 3 is missing" if how == "error" else "internal error: ZeroDivisionError('by zero')"
    )
    assert (held.names, held.status.results) == ({"a"}, {"published": 1, "failed": 1})
    assert ("internal error" in caplog.text) is (how == "exception")


async def test_an_internal_error_of_a_reread_fails_only_that_sync() -> None:
    source = Scripted(endpoint("a", "10.0.0.4"), endpoint("b", "10.0.0.5"))
    held = SyncedSource(source)
    await held.sync()
    source.parts["s1"] = part(endpoint("a", "10.0.0.4"))
    source.singles[key_of("b")] = ValueError("no JSON")
    assert (await held.sync()).error == "internal error: ValueError('no JSON')"
    assert held.names == {"a", "b"}


async def test_a_change_during_the_rereads_is_not_overwritten() -> None:
    """A resource that was removed between a reading and its decision must not return."""
    a, b = endpoint("a", "10.0.0.4"), endpoint("b", "10.0.0.5")
    source = Scripted(a, b)
    held = SyncedSource(source)
    await held.sync()
    source.parts["s1"] = part(a)
    source.singles[b.key] = part(b)
    source.open.clear()
    sync = asyncio.create_task(held.syncs.once())
    while source.reads < 2:  # noqa: ASYNC110 - a count has no event
        await asyncio.sleep(0)
    held.parts["s1"] = part(a)
    source.open.set()
    async with asyncio.timeout(DEADLINE):
        held.take(await sync)
    assert held.names == {"a"}


async def test_accepting_publishes_the_held_sync_and_clears_it() -> None:
    source = Scripted(*many(10))
    held = SyncedSource(source)
    with pytest.raises(NothingHeld):
        held.syncs.accept()
    await held.sync()
    source.parts["s1"] = part(*many(2))
    sync = await held.sync()
    assert (len(held.names), held.status.results) == (10, {"published": 1, "held": 1})
    accepted = held.syncs.accept()
    assert accepted.read_at >= sync.read_at
    held.take(accepted)
    assert len(held.names) == 2
    with pytest.raises(NothingHeld):
        held.syncs.accept()


# -- when


async def test_syncs_repeat_and_now_does_not_wait() -> None:
    source = Scripted(endpoint("a", "10.0.0.4"), interval=3600)
    held = SyncedSource(source)
    syncs = held.syncs.run()
    async with asyncio.timeout(DEADLINE):
        held.take(await anext(syncs))
        following = asyncio.create_task(anext(syncs))
        while held.status.next_sync is None:  # noqa: ASYNC110 - a time has no event
            await asyncio.sleep(0.001)
        assert 3590 < held.status.next_sync - time.time() <= 3600
        source.parts["s1"] = part(endpoint("a", "10.0.0.4"), endpoint("b", "10.0.0.5"))
        held.syncs.now()
        held.take(await following)
    assert held.names == {"a", "b"}
    await syncs.aclose()


async def test_now_during_a_sync_starts_another_sync() -> None:
    source = Scripted(interval=3600)
    held = SyncedSource(source)
    source.open.clear()
    syncs = held.syncs.run()
    async with asyncio.timeout(DEADLINE):
        first = asyncio.create_task(anext(syncs))
        while not held.status.syncing:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        held.syncs.now()
        source.open.set()
        await first
        await anext(syncs)
    assert source.reads == 2
    await syncs.aclose()


def test_repeated_failures_lengthen_the_interval() -> None:
    assert [back_off(60, failures) for failures in range(7)] == [60, 60, 120, 240, 480, LONGEST, LONGEST]
    assert back_off(60, 10_000) == LONGEST
    assert [back_off(3600, failures) for failures in (0, 1, 9)] == [3600] * 3


async def test_failures_in_a_row_are_counted_and_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncer, "LONGEST", 0.01)
    source = Scripted(endpoint("a", "10.0.0.4"), interval=0.01)
    held = SyncedSource(source)
    source.error = "no"
    syncs = held.syncs.run()
    async with asyncio.timeout(DEADLINE):
        for failures in (1, 2, 3):
            await anext(syncs)
            assert held.status.failures == failures
        source.error = ""
        await anext(syncs)
    assert held.status.failures == 0
    await syncs.aclose()


class Events:
    """Events as the syncer knows them: hinted resources, and those found since."""

    def __init__(self, *hinted: str) -> None:
        self.hinted = list(map(ResourceId, hinted))
        self.found_since: dict[ResourceId, Resources | None] = {}
        self.syncs = 0
        """Number of published syncs."""

    def since(self, _: float) -> list[ResourceId]:
        return self.hinted

    def found(self, _: float) -> dict[ResourceId, Resources | None]:
        return self.found_since

    def sync_published(self) -> None:
        self.syncs += 1


async def test_a_sync_that_lags_behind_does_not_undo_an_event() -> None:
    old, new = endpoint("a", "10.0.0.4"), endpoint("a", "10.0.0.9")
    source = Scripted(old, endpoint("gone", "10.0.0.5"))
    source.singles = {new.key: part(new), key_of("gone"): None}
    status = SourceStatus("hub", "azure", "", "servfail")
    syncs = Syncer(source, status, 300.0, lambda: {"s1": part(new)}, Events(new.key, key_of("gone")))
    sync = await syncs.once()
    assert sync.decision
    assert sync.decision.parts == {"s1": part(new)}


async def test_events_are_notified_of_published_syncs_alone() -> None:
    source, events = Scripted(), Events()
    status = SourceStatus("hub", "azure", "", "servfail")
    syncs = Syncer(source, status, 300.0, lambda: {"s1": part(*many(10))}, events)
    source.error = "503"
    await syncs.once()
    source.error = ""
    held = (await syncs.once()).decision
    assert held
    status.sync_state = held.sync_state
    assert (status.results, events.syncs) == ({"failed": 1, "held": 1}, 0)
    syncs.accept()
    assert events.syncs == 1
    source.parts["s1"] = part(*many(10))
    await syncs.once()
    assert events.syncs == 2


async def test_an_event_during_the_rereads_is_not_undone() -> None:
    old, new, absent = endpoint("a", "10.0.0.4"), endpoint("a", "10.0.0.9"), endpoint("absent", "10.0.0.6")
    source, events = Scripted(old, endpoint("gone", "10.0.0.5")), Events()
    had = {"s1": part(old, absent)}
    status = SourceStatus("hub", "azure", "", "servfail")

    class Late(Scripted):
        """During the reread of the absent resource, events arrive about the others and about a new one."""

        async def read_one(self, key: str) -> Resources | None:
            assert key == absent.key
            events.found_since = {
                new.key: part(new),
                ResourceId(key_of("gone")): None,
                ResourceId(key_of("fresh")): part(endpoint("fresh", "10.0.0.7")),
            }
            had["s1"] = part(new, absent, endpoint("fresh", "10.0.0.7"))
            return part(absent)

    late = Late()
    late.parts = source.parts
    sync = await Syncer(late, status, 300.0, lambda: had, events).once()
    assert sync.decision
    (given,) = sync.decision.parts.values()
    assert given
    assert set(given.endpoints) == {new, absent, endpoint("fresh", "10.0.0.7")}
    assert not sync.decision.sync_state.missing
