"""`pldns sync` against control with remote sources: the real admin interface over a scripted source."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from resolver import settings
from resolver.cli import place
from tests.resolver.control.scripted import Scripted, endpoint, many, part
from tests.resolver.control.test_control import Running, until

Run = Callable[..., Any]
Said = Callable[..., Any]


@pytest.fixture
def hub() -> Scripted:
    return Scripted(*many(10))


@pytest.fixture
async def running(tmp_path: Path, config: Path, hub: Scripted) -> AsyncIterator[Running]:
    """Control with a remote source `hub` and a folder `estate`."""
    admin = place.admin(config, config, {}).removeprefix("http://")
    sources = (
        settings.SourceSettings("hub", "azure", hold_down=0),
        settings.SourceSettings("estate", "files", str(tmp_path / "endpoints")),
    )
    control = Running(tmp_path, settings.ControlSettings(sources=sources, admin=admin), remotes={"hub": hub})
    await until(lambda: len(control.control.estate.ledger.rows) > 10)
    yield control
    await control.stop()


@pytest.fixture
def say(run: Run, config: Path) -> Said:
    async def say(*arguments: str) -> Any:  # noqa: ANN401 - what `run` gives
        return await asyncio.to_thread(run, "sync", *arguments, "-c", config)

    return say


async def test_the_state_of_all_sources(say: Said, running: Running) -> None:
    assert running.control.estate.sources["hub"].synced
    ran = await say("status")
    assert ran.code == 0
    assert re.search(r"^hub +azure +fresh +\S+Z +(\S+Z|under way) +0$", ran.out, re.MULTILINE)
    assert re.search(r"^estate +files +fresh +\S+Z +when it changes$", ran.out, re.MULTILINE)
    told = await say("status", "-o", "json")
    assert [each["name"] for each in told.json] == ["estate", "hub"]


async def test_a_part_that_cannot_be_read_is_shown_with_the_reason(
    say: Said, running: Running, hub: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "endpoints" / "broken.yaml").write_text("endpoints: [")
    await until(lambda: running.control.estate.sources["estate"].unreadable)
    ran = await say("status")
    assert ran.code == 0
    assert re.search(r"^source estate: .*broken\.yaml: line 2, ", ran.out, re.MULTILINE)


async def test_a_held_sync_is_shown_and_accepted(say: Said, running: Running, hub: Scripted) -> None:
    ledger = running.control.estate.ledger
    ran = await say("accept", "hub")
    assert (ran.code, ran.out) == (1, "")
    assert "source `hub` has no held sync to accept" in ran.err
    hub.parts["s1"] = part(endpoint("new", "10.0.0.4"))
    await until(lambda: running.control.estate.sources["hub"].standing.held)
    ran = await say("status")
    assert ran.code == 2
    assert re.search(r"^hub +azure +held ", ran.out, re.MULTILINE)
    assert "it would remove all 10 private endpoints of the source, everything of subscription s1" in ran.out
    assert "E000 (RG), E001 (RG)" in ran.out
    assert "`pldns sync accept hub` takes it" in ran.out
    ran = await say("accept", "hub")
    assert (ran.code, ran.out) == (0, "source hub: the held sync is accepted: what it lacks is gone\n")
    assert {each.name for each in ledger.endpoints.values() if each.source == "hub"} == {"new"}


async def test_a_held_sync_is_dropped(say: Said, running: Running, hub: Scripted) -> None:
    hub.every = 3600
    hub.parts["s1"] = part()
    status = running.control.estate.sources["hub"]
    await until(lambda: status.standing.held and not status.syncing)
    ran = await say("drop", "hub", "-o", "json")
    assert ran.code == 0
    assert ran.json["sync"]["held"] is None
    hub.parts["s1"] = part(*many(11))
    assert (await say("now", "hub")).out == "source hub: a sync begins\n"
    await until(lambda: status.parts and len(running.control.estate.inventory.of("hub")["s1"].endpoints) == 11)


async def test_what_cannot_be_done_is_said_in_a_line(say: Said, running: Running) -> None:
    assert running.control.estate.sources["hub"].synced
    ran = await say("now", "estate")
    assert ran.code == 1
    assert "source `estate` has the type `files`" in ran.err
    ran = await say("now", "no/where")
    assert ran.code == 1
    assert "there is no source `no/where`" in ran.err
    assert ran.err.count("\n") == 1
