"""A crash loses nothing that was older than 30 seconds: every kind of change makes the saved inventory due."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from resolver import settings
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import inventory_file, schedule, writer
from tests.resolver.control.running import PRIVATE, Running, until, winner, write
from tests.resolver.control.scripted import Scripted, endpoint, part
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import to_text
from zones.findings.board import Topic
from zones.findings.evidence import Listed
from zones.findings.finding import finding
from zones.findings.name_evidence import ZoneUnknown

HOUR = 3600.0
LATER = WallTime(2e9)
Start = Callable[..., Running]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start control on a source of files, and on remote sources that are read once an hour."""
    started: list[Running] = []

    def call(**remotes: Scripted) -> Running:
        (tmp_path / "state").mkdir(exist_ok=True)
        found = [settings.SourceSettings(name, "azure") for name in remotes]
        found.append(settings.SourceSettings("a", "files", str(tmp_path / "a")))
        config = settings.ControlSettings(sources=tuple(found), state_directory=str(tmp_path / "state"))
        started.append(Running(tmp_path, config, remotes))
        return started[-1]

    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4", "two 10.0.0.5")
    yield call
    for each in started:
        if not each._task.done():
            await each.stop()


async def saved(running: Running) -> None:
    """Wait until all is read, and save it."""
    await until(lambda: running.control.feed.complete)
    await running.control.writer.save()
    assert not running.control.writer.is_behind


async def crash(running: Running) -> None:
    """End control as SIGKILL does: nothing is saved."""
    running.close()
    with suppress(BaseException):
        await running._task


async def test_a_crash_loses_no_change_that_was_due(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that is read once an hour, and one that only events change."""
    monkeypatch.setattr(schedule, "LOSS", 0.0)
    running = start(hub=Scripted(endpoint("h", "10.0.0.6"), interval=HOUR))
    await until(lambda: running.control.feed.complete)
    [runner] = running.control.sources._remotes
    runner._take_event("s1", part(endpoint("h", "10.0.0.6"), endpoint("n", "10.0.0.7")))
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    await until(lambda: len(names(tmp_path)) == 3)
    await crash(running)
    (tmp_path / "a").rename(tmp_path / "away")
    hub = Scripted(interval=HOUR)
    hub.error = "Azure is away"
    again = start(hub=hub)
    assert {key.rpartition("/")[2] for key in again.control.estate.ledger.endpoints} == {"one", "h", "n"}
    assert winner(again) == "one"


def names(folder: Path) -> set[str]:
    found = inventory_file.load(str(folder / "state"))
    return {each.rpartition("/")[2] for each, _, _ in found.first_seen} if isinstance(found, SavedInventory) else set()


async def test_every_kind_of_change_makes_the_saved_inventory_due(start: Start, tmp_path: Path) -> None:
    running = start(hub=Scripted(endpoint("h", "10.0.0.6"), interval=HOUR))
    await saved(running)
    estate, written = running.control.estate, running.control.writer
    [runner] = running.control.sources._remotes

    runner._take_event("s1", part(endpoint("n", "10.0.0.7")))
    await due(written, "an event")
    estate.set_operator_pins((Pin(to_text(PRIVATE), endpoint="two", until=LATER),), WallTime(1.0))
    await due(written, "a pin")
    estate.reconsider_pins(WallTime(LATER + 1.0))
    await due(written, "the end of a pin")
    unknown = finding("b.example", ZoneUnknown(endpoints=Listed(), expected_zones=Listed(), resources=Listed()))
    estate.board.replace(Topic.ZONE, "b.example", [unknown], WallTime(7.0))
    await due(written, "a finding, which has a first-seen time")
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.9")
    await until(lambda: written.is_behind)
    await due(written, "a file")


async def due(written: writer.StateWriter, what: str) -> None:
    assert written.is_behind, what
    await written.save()
    assert not written.is_behind


async def test_the_age_of_unchanged_data_is_saved_every_five_minutes(start: Start) -> None:
    running = start(hub=Scripted(endpoint("h", "10.0.0.6"), interval=HOUR))
    await saved(running)
    hub, written = running.control.estate.sources["hub"], running.control.writer
    assert hub.last_success
    hub.last_success = WallTime(hub.last_success + writer.READ_TIMES - 1)
    assert not written.is_behind
    hub.last_success = WallTime(hub.last_success + 1)
    await due(written, "a reading that changed nothing")
