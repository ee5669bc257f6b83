"""Control with scripted remote sources, a real state directory, and a real channel with the test as the worker."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.control.guard.sync_guard import VANISHED
from resolver.control.guard.sync_state import NothingHeld
from resolver.control.state import inventory_file
from resolver.sources.reading import ReadError
from tests.resolver.control.running import Running, ScriptedWorker, hello, until, write
from tests.resolver.control.scripted import Scripted, endpoint, key_of, many, part, vnet
from tests.zones.books import shown
from zones.clocks import WallTime
from zones.dns.name import to_text

Start = Callable[..., Running]
ROW = "a.privatelink.blob.core.windows.net"


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start control on remote sources by name; all other sources are files in the test's folder."""
    started: list[Running] = []

    def call(remotes: Mapping[str, Scripted], *files: str, **given: Any) -> Running:  # noqa: ANN401 - fields of settings
        (tmp_path / "state").mkdir(exist_ok=True)
        found = [settings.SourceSettings(name, "azure", **given) for name in remotes]
        found += [settings.SourceSettings(name, "files", str(tmp_path / name)) for name in files]
        config = settings.ControlSettings(sources=tuple(found), state_directory=str(tmp_path / "state"))
        started.append(Running(tmp_path, config, remotes=remotes))
        return started[-1]

    yield call
    for each in started:
        if not each._task.done():
            await each.stop()


def served(running: Running) -> set[str]:
    """Return the first labels of the served names."""
    return {to_text(name).partition(".")[0] for name in running.control.estate.ledger.rows}


def codes(running: Running) -> list[tuple[str, str]]:
    return sorted((fact.code, fact.subject) for fact in running.control.estate.board)


async def done(source: Scripted, times: int = 2) -> None:
    """Wait until so many syncs have begun: all of them but the last are complete."""
    before = source.reads
    await until(lambda: source.reads >= before + times)


def octets(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


async def answer(worker: ScriptedWorker, address: str) -> None:
    """Wait until the worker has received this address of the name."""
    while octets(address) not in worker.rows.get(ROW, b""):
        await worker.commit()


async def test_a_remote_source_is_served_and_followed(start: Start) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"))
    running = start({"hub": hub})
    assert running.view.missing()[0] == "source hub: not read yet"
    worker = await running.connect(hello())
    await answer(worker, "10.0.0.4")
    await until(lambda: not running.view.missing())
    hub.parts["s1"] = part(endpoint("a", "10.0.0.9"))
    await answer(worker, "10.0.0.9")
    status = running.control.estate.sources["hub"]
    assert (status.synced, status.saved, status.parts, status.last_error) == (True, False, 1, "")


async def test_a_source_that_cannot_be_read_at_first_is_missing_with_the_reason(start: Start) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"))
    hub.error = "no identity: give the machine a managed identity"
    running = start({"hub": hub})
    await until(lambda: running.view.missing()[0] == f"source hub: {hub.error}")
    assert codes(running) == [("source-unreadable", "hub")]
    hub.error = ""
    await until(lambda: served(running) == {"a"} and not codes(running))


async def test_a_source_that_hangs_does_not_delay_the_others(start: Start, tmp_path: Path) -> None:
    hub = Scripted()
    hub.open.clear()
    write(tmp_path / "files" / "a.yaml", "one 10.0.0.4")
    running = start({"hub": hub, "spoke": Scripted(endpoint("a", "10.0.0.4"))}, "files")
    await until(lambda: served(running) == {"a", "acct"})


async def test_a_sync_that_fails_changes_nothing_and_it_recovers(start: Start) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"))
    running = start({"hub": hub})
    await until(lambda: served(running) == {"a"})
    hub.parts, hub.error = {}, "429 for 10 minutes"
    status = running.control.estate.sources["hub"]
    await until(lambda: status.last_error)
    assert served(running) == {"a"}
    assert running.view.missing() == ["worker 0: not connected"]
    hub.parts, hub.error = {"s1": part(endpoint("b", "10.0.0.5"), endpoint("a", "10.0.0.4"))}, ""
    await until(lambda: served(running) == {"a", "b"})
    assert not status.last_error


async def test_a_lost_subscription_keeps_its_data_and_is_reported(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hub = Scripted(endpoint("a", "10.0.0.4"))
    hub.parts["s2"] = part(endpoint("b", "10.0.0.5", sub="s2"))
    running = start({"hub": hub})
    await until(lambda: served(running) == {"a", "b"})
    del hub.parts["s2"]
    hub.parts["s1"] = part(endpoint("a", "10.0.0.4"), endpoint("c", "10.0.0.6"))
    await until(lambda: served(running) == {"a", "b", "c"})
    assert codes(running) == [("source-unreadable", "s2")]
    assert running.control.estate.sources["hub"].unreadable == 1
    await done(hub)
    hub.parts["s2"] = part(endpoint("b", "10.0.0.5", sub="s2"))
    await until(lambda: not codes(running))
    assert [record.message for record in caplog.records if ": subscription" in record.message] == [
        f"source hub: subscription s2: {VANISHED}; its last good data is kept",
        "source hub: subscription s2 can be read again",
    ]


async def test_a_sync_that_loses_every_subscription_is_not_a_good_one(start: Start) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"))
    running = start({"hub": hub})
    await until(lambda: served(running) == {"a"})
    status = running.control.estate.sources["hub"]
    hub.parts, hub.refused = {}, {"s1": "403: give the identity the role Reader on /subscriptions/s1"}
    await until(lambda: status.last_error)
    last = status.last_success
    await done(hub)
    assert status.last_success == last
    assert served(running) == {"a"}


async def test_an_absent_resource_whose_reread_fails_is_kept_and_reported(start: Start) -> None:
    a, b = endpoint("a", "10.0.0.4"), endpoint("b", "10.0.0.5")
    hub = Scripted(a, b)
    running = start({"hub": hub}, hold_down=0)
    await until(lambda: served(running) == {"a", "b"})
    hub.singles[b.key] = ReadError("403: Reader on the resource group")
    hub.parts["s1"] = part(a)
    await until(lambda: codes(running) == [("source-unreadable", b.id)])
    assert served(running) == {"a", "b"}
    del hub.singles[b.key]
    await until(lambda: served(running) == {"a"} and not codes(running))


# -- what is gone


async def test_a_removed_endpoint_lingers_and_a_rejected_one_does_not(start: Start) -> None:
    a, b = endpoint("a", "10.0.0.4"), endpoint("b", "10.0.0.5")
    hub = Scripted(a, b, endpoint("c", "10.0.0.6"))
    running = start({"hub": hub}, hold_down=3600)
    await until(lambda: served(running) == {"a", "b", "c"})
    hub.parts["s1"] = part(a, endpoint("b", "10.0.0.5", state="Rejected"))
    ledger = running.control.estate.ledger
    await until(lambda: key_of("c") not in ledger.endpoints)
    assert served(running) == {"a", "c"}
    end = ledger.tombstones.next_end
    assert end is not None
    await running.tick(end - 1)
    assert served(running) == {"a", "c"}
    await running.tick(end)
    assert served(running) == {"a"}


# -- held


async def test_a_sync_that_removes_too_much_is_held_until_it_is_accepted(start: Start) -> None:
    hub = Scripted(*many(10))
    running = start({"hub": hub}, hold_down=0)
    with pytest.raises(NothingHeld):
        running.view.sync("hub", "accept")
    await until(lambda: len(served(running)) == 10)
    hub.parts["s1"] = part(endpoint("new", "10.0.0.4"))
    await until(lambda: codes(running) == [("sync-held", "hub")])
    (fact,) = running.control.estate.board
    assert shown(fact.evidence)["reasons"] == [
        "all 10 private endpoints of the source",
        "everything of subscription s1",
    ]
    assert (shown(fact.evidence)["endpoints"], len(shown(fact.evidence)["would_remove"])) == (10, 10)
    assert len(served(running)) == 10
    status = running.control.estate.sources["hub"]
    assert status.results["held"] >= 1
    running.view.sync("hub", "accept")
    assert served(running) == {"new"}
    assert not codes(running)
    assert status.sync_state.held is None


async def test_networks_and_endpoints_are_held_together(start: Start) -> None:
    hub = Scripted()
    hub.parts["s1"] = part(*many(2), vnets=[vnet(f"v{i}") for i in range(10)])
    running = start({"hub": hub}, hold_down=0)
    await until(lambda: len(served(running)) == 2)
    hub.parts["s1"] = part(*many(3), vnets=[vnet("v0")])
    await until(lambda: codes(running) == [("sync-held", "hub")])
    assert len(served(running)) == 2
    assert len(running.control.estate.ledger.vnets) == 10


async def test_a_dropped_sync_is_forgotten_and_the_next_one_is_decided_without_it(start: Start) -> None:
    hub = Scripted(*many(10))
    running = start({"hub": hub}, hold_down=0)
    await until(lambda: len(served(running)) == 10)
    hub.parts["s1"] = part()
    await until(lambda: codes(running) == [("sync-held", "hub")])
    status = running.control.estate.sources["hub"]
    assert status.sync_state.held
    since = status.sync_state.held.since
    running.view.sync("hub", "drop")
    assert not codes(running)
    with pytest.raises(NothingHeld):
        running.view.sync("hub", "drop")
    await until(lambda: codes(running) == [("sync-held", "hub")])
    assert status.sync_state.held.since > since
    hub.parts["s1"] = part(*many(11))
    await until(lambda: len(served(running)) == 11)
    assert not codes(running)


async def test_sync_now_does_not_wait(start: Start) -> None:
    hub = Scripted(interval=3600)
    running = start({"hub": hub})
    await until(lambda: running.control.estate.sources["hub"].next_sync)
    hub.parts["s1"] = part(endpoint("a", "10.0.0.4"))
    running.view.sync("hub", "now")
    await until(lambda: served(running) == {"a"})


# -- stale


async def test_workers_are_notified_when_data_becomes_stale_and_when_it_is_fresh_again(start: Start) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"), interval=0.1)
    running = start({"hub": hub}, expire=1)
    worker = await running.connect(hello())
    await answer(worker, "10.0.0.4")
    status = running.control.estate.sources["hub"]
    hub.error = "no route"
    while not (await worker.commit()).stale:
        pass
    assert status.freshness(WallTime(time.time())) in {"stale", "expired"}
    assert not running.view.missing()
    assert status.last_success
    assert status.freshness(WallTime(status.last_success + 1)) == "expired"
    hub.error = ""
    while (await worker.commit()).stale:
        pass
    assert served(running) == {"a"}


# -- over a restart


async def test_a_restart_answers_from_the_saved_inventory_before_a_source_is_read(start: Start, tmp_path: Path) -> None:
    hub = Scripted(*many(20), endpoint("x", "10.0.0.4"), endpoint("y", "10.0.0.5"))
    running = start({"hub": hub})
    await until(lambda: len(served(running)) == 22)
    hub.parts["s1"] = part(*many(20), endpoint("y", "10.0.0.5"))  # x is removed, and lingers
    await until(lambda: key_of("x") not in running.control.estate.ledger.endpoints)
    hub.parts["s1"] = part(*many(3))
    await until(lambda: codes(running) == [("sync-held", "hub")])
    held = running.control.estate.sources["hub"].sync_state.held
    assert held
    ends = running.control.estate.ledger.tombstones.next_end
    since = {fact.code: running.control.estate.board.first_seen(fact) for fact in running.control.estate.board}
    await running.stop()

    hub.open.clear()
    again = start({"hub": hub})
    estate = again.control.estate
    assert len(served(again)) == 22
    assert estate.ledger.tombstones.next_end == ends
    assert codes(again) == [("sync-held", "hub")]
    assert {fact.code: estate.board.first_seen(fact) for fact in estate.board} == since
    status = estate.sources["hub"]
    assert (status.synced, status.saved) == (True, True)
    assert status.sync_state.held
    assert status.sync_state.held.parts == held.parts
    again.view.sync("hub", "accept")
    assert served(again) == {"x", "y"} | {each.name for each in many(20)}  # removed endpoints linger
    assert len(estate.ledger.endpoints) == 3


async def test_the_time_of_an_absence_survives_a_restart(start: Start) -> None:
    hub = Scripted(*many(400))
    running = start({"hub": hub})
    await until(lambda: len(served(running)) == 400)
    hub.parts["s1"] = part(*many(400)[:330])
    hub.singles = {each.key: ReadError("no") for each in many(400)}
    await until(lambda: running.control.estate.sources["hub"].sync_state.missing)
    missing = running.control.estate.sources["hub"].sync_state.missing
    await running.stop()
    saved = inventory_file.load(str(Path(running._path).parent / "state"))
    assert saved
    assert saved.sync_states["hub"].missing == missing


async def test_a_subscription_that_is_no_longer_listed_is_gone_after_a_restart(start: Start) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"))
    hub.parts["s2"] = part(endpoint("b", "10.0.0.5", sub="s2"))
    running = start({"hub": hub})
    await until(lambda: served(running) == {"a", "b"})
    await running.stop()
    del hub.parts["s2"]
    again = start({"hub": hub}, azure=AzureSettings(("s1",)))
    assert served(again) == {"a"}
    await done(hub)
    assert not codes(again)


async def test_claims_of_a_source_that_is_no_longer_remote_do_not_linger(start: Start, tmp_path: Path) -> None:
    hub = Scripted(endpoint("a", "10.0.0.4"), endpoint("b", "10.0.0.5"))
    running = start({"hub": hub})
    await until(lambda: served(running) == {"a", "b"})
    hub.parts["s1"] = part(endpoint("a", "10.0.0.4"))
    await until(lambda: key_of("b") not in running.control.estate.ledger.endpoints)
    await running.stop()
    again = start({}, "hub")
    assert served(again) == {"a"}
