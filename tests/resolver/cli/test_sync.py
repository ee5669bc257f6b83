"""`pldns sync` with a real control process and admin interface, and a scripted remote source."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from resolver import settings
from resolver.admin_settings import AdminSettings
from resolver.cli import daemon_address
from resolver.host_port import parse
from tests.resolver.control.running import Running, until
from tests.resolver.control.scripted import Scripted, endpoint, many, part

Run = Callable[..., Any]
Sync = Callable[..., Any]


@pytest.fixture
def hub() -> Scripted:
    return Scripted(*many(10))


@pytest.fixture
async def running(tmp_path: Path, config: Path, hub: Scripted) -> AsyncIterator[Running]:
    """Start control with a remote source `hub` and a `files` source `estate`."""
    admin = parse(daemon_address.admin_url(config, config, {}).removeprefix("http://"))
    sources = (
        settings.SourceSettings("hub", "azure", hold_down=0),
        settings.SourceSettings("estate", "files", str(tmp_path / "endpoints")),
    )
    given = settings.ControlSettings(
        sources=sources, admin=AdminSettings(admin, socket=str(tmp_path / "state" / "admin.sock"))
    )
    control = Running(tmp_path, given, remotes={"hub": hub})
    await until(lambda: len(control.control.estate.ledger.rows) > 10)
    yield control
    await control.stop()


@pytest.fixture
def sync(run: Run, config: Path) -> Sync:
    async def sync(*arguments: str) -> Any:  # noqa: ANN401 - what `run` returns
        return await asyncio.to_thread(run, "sync", *arguments, "-c", config)

    return sync


async def test_status_lists_all_sources(sync: Sync, running: Running) -> None:
    assert running.control.estate.sources["hub"].synced
    ran = await sync("status")
    assert ran.code == 0
    assert re.search(r"^hub +azure +fresh +\S+Z +(\S+Z|under way) +0$", ran.out, re.MULTILINE)
    assert re.search(r"^estate +files +fresh +\S+Z +when it changes +0$", ran.out, re.MULTILINE)
    result = await sync("status", "-o", "json")
    assert [each["name"] for each in result.json] == ["estate", "hub"]


async def test_a_part_that_cannot_be_read_is_shown_with_the_reason(
    sync: Sync, running: Running, hub: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "endpoints" / "broken.yaml").write_text("endpoints: [")
    await until(lambda: running.control.estate.sources["estate"].unreadable)
    ran = await sync("status")
    assert ran.code == 0
    assert re.search(r"^source estate: .*broken\.yaml: line 2, ", ran.out, re.MULTILINE)


async def test_a_held_sync_is_shown_and_accepted(sync: Sync, running: Running, hub: Scripted) -> None:
    ledger = running.control.estate.ledger
    ran = await sync("accept", "hub")
    assert (ran.code, ran.out) == (1, "")
    assert "source `hub` has no held sync to accept" in ran.err
    hub.parts["s1"] = part(endpoint("new", "10.0.0.4"))
    await until(lambda: running.control.estate.sources["hub"].sync_state.held)
    ran = await sync("status")
    assert ran.code == 2
    assert re.search(r"^hub +azure +held ", ran.out, re.MULTILINE)
    assert "it would remove all 10 private endpoints of the source, everything of subscription s1" in ran.out
    assert "E000 (RG), E001 (RG)" in ran.out
    assert "`pldns sync accept hub` publishes it" in ran.out
    ran = await sync("accept", "hub")
    assert (ran.code, ran.out) == (0, "source hub: accepted the held sync: resources that it lacks are removed\n")
    assert {each.name for each in ledger.endpoints.values() if each.source == "hub"} == {"new"}


async def test_a_held_sync_is_dropped(sync: Sync, running: Running, hub: Scripted) -> None:
    hub.every = 3600
    hub.parts["s1"] = part()
    status = running.control.estate.sources["hub"]
    await until(lambda: status.sync_state.held and not status.syncing)
    ran = await sync("drop", "hub", "-o", "json")
    assert ran.code == 0
    assert ran.json["sync"]["held"] is None
    hub.parts["s1"] = part(*many(11))
    assert (await sync("now", "hub")).out == "source hub: a sync begins now\n"
    await until(lambda: status.parts and len(running.control.estate.inventory.of("hub")["s1"].endpoints) == 11)


async def test_an_impossible_request_is_an_error_on_one_line(sync: Sync, running: Running) -> None:
    assert running.control.estate.sources["hub"].synced
    ran = await sync("accept", "estate")
    assert ran.code == 1
    assert "source `estate` has no held sync to accept" in ran.err
    ran = await sync("now", "no/where")
    assert ran.code == 1
    assert "there is no source `no/where`" in ran.err
    assert ran.err.count("\n") == 1


async def test_a_sync_that_is_waited_for_says_what_it_changed(
    sync: Sync, running: Running, hub: Scripted, tmp_path: Path
) -> None:
    hub.every = 3600
    status = running.control.estate.sources["hub"]
    await until(lambda: not status.syncing)
    ran = await sync("now", "hub", "--wait")
    assert (ran.code, ran.out) == (0, "source hub: synced: nothing changed\n")
    hub.parts["s1"] = part(*many(11))
    ran = await sync("now", "hub", "--wait")
    assert ran.code == 0
    assert re.fullmatch(r"source hub: synced: endpoints: 1 added; \d+ names changed\n", ran.out)
    hub.parts["s1"] = part()
    ran = await sync("now", "hub", "--wait")
    assert ran.code == 2
    assert "source hub: a change is held since " in ran.out
    hub.error = "not reachable"
    ran = await sync("now", "hub", "--wait")
    assert (ran.code, ran.err) == (1, "pldns: source hub: the sync failed: not reachable\n")
    file = next((tmp_path / "endpoints").iterdir())
    ran = await sync("now", "estate", "--wait", "-o", "json")
    assert ran.json["result"]["outcome"] == "published", file
    ran = await sync("now", "estate")
    assert ran.out.startswith("source estate: a sync begins now")


async def test_without_a_name_several_sources_are_listed(sync: Sync, running: Running) -> None:
    for action in ("now", "accept", "drop"):
        ran = await sync(action)
        assert (ran.code, ran.out, ran.err) == (1, "", "pldns: name one of the sources: estate, hub\n")


@pytest.mark.live
def test_the_only_source_needs_no_name(run: Run, daemon: Path) -> None:
    assert run("sync", "now", "--no-wait", "-c", daemon).out == "source estate: a sync begins now\n"
    assert "source `estate` has no held sync to accept" in run("sync", "accept", "-c", daemon).err
