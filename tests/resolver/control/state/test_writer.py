"""The state directory: what control writes, and a restart that answers from it at once."""

from pathlib import Path

import pytest

from resolver import settings
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import inventory_file
from tests.resolver.control.running import PRIVATE, Start, start, until, winner, write
from zones.dns.name import from_text
from zones.findings.state_evidence import StateSetAside

__all__ = ["start"]


def saved_in(state: Path) -> SavedInventory:
    saved = inventory_file.read(str(state))
    assert isinstance(saved, SavedInventory)
    return saved


async def test_a_restart_answers_at_once_from_the_saved_inventory_and_changes_no_winner(
    start: Start, tmp_path: Path
) -> None:
    write(tmp_path / "a" / "b.yaml", "y 10.0.0.4")
    running = start("a", "empty")
    (tmp_path / "empty").mkdir()
    await until(lambda: running.control.feed.complete)
    write(tmp_path / "a" / "c.yaml", "x 10.0.0.5")
    await until(lambda: len(running.control.estate.ledger.find(PRIVATE)) == 2)
    assert winner(running) == "y"
    seen = {claim.endpoint: claim.first_seen for claim in running.control.estate.ledger.find(PRIVATE)}
    last = running.control.estate.sources["a"].last_success
    await running.stop()

    (tmp_path / "a").rename(tmp_path / "away")
    again = start("a", "empty")
    status = again.control.estate.sources
    assert winner(again) == "y"
    assert again.control.feed.complete
    assert (status["a"].saved, status["a"].last_success, status["empty"].saved) == (True, last, True)
    await until(lambda: status["a"].last_error)
    assert again.view.missing() == ["worker 0: not connected"]
    (tmp_path / "away").rename(tmp_path / "a")
    await until(lambda: not status["a"].saved)
    assert winner(again) == "y"
    assert {claim.endpoint: claim.first_seen for claim in again.control.estate.ledger.find(PRIVATE)} == seen


async def test_a_source_is_saved_although_another_was_not_read(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a", "missing")
    await until(lambda: running.control.estate.sources["a"].synced)
    await running.stop()
    again = start("a", "missing")
    assert PRIVATE in again.control.estate.ledger.rows
    assert not again.control.feed.complete
    assert [status.saved for status in again.control.estate.sources.values()] == [True, False]


async def test_a_change_that_changes_no_row_is_saved(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    await running.control.writer.save()
    write(tmp_path / "a" / "pending.yaml", "two 10.0.0.5", state="Pending")
    await until(lambda: "two" in running.control.estate.ledger.endpoints)
    await running.stop()
    saved = saved_in(tmp_path / "state")
    assert {endpoint for endpoint, _, _ in saved.first_seen} == {"one", "two"}


async def test_an_unchanged_estate_is_not_written_again(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    await running.control.writer.save()
    (tmp_path / "state" / inventory_file.FORMAT.name).unlink()
    await running.stop()
    assert not (tmp_path / "state" / inventory_file.FORMAT.name).exists()


async def test_a_state_directory_that_is_removed_is_made_again(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    (tmp_path / "state").rmdir()
    await running.control.writer.save()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert {each.name for each in (tmp_path / "state").iterdir()} == {"inventory.v3", "served.v1"}


async def test_a_save_that_fails_is_a_finding_until_it_succeeds(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    state = tmp_path / "state"
    state.rmdir()
    state.write_text("in the way")
    estate, writer = running.control.estate, running.control.writer
    for _ in range(3):
        await writer.save()
    files = [str(state / "inventory.v3"), str(state / "served.v1")]
    await until(lambda: files[1] in caplog.text)
    assert [line for line in caplog.messages if "state-unwritable" in line] == [
        f'finding opened: code=state-unwritable severity=error subject={file} message="File exists"' for file in files
    ]
    assert sorted((each.code, each.subject) for each in estate.board) == [("state-unwritable", file) for file in files]
    assert estate.state.degraded() == [("", file, "cannot be written: File exists") for file in files]
    state.unlink()
    await writer.save()
    assert not list(estate.board)
    assert not estate.state.degraded()
    await running.stop()
    assert saved_in(state).parts


async def test_a_broken_inventory_is_set_aside_and_every_source_is_read(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    state = tmp_path / "state"
    state.mkdir()
    (state / inventory_file.FORMAT.name).write_bytes(b"noise")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    [fact] = running.control.estate.board
    assert (fact.code, fact.subject) == ("state-set-aside", str(state / "inventory.v3"))
    assert fact.evidence == StateSetAside(
        message="it is damaged, or another version wrote it", kept_as=str(state / "inventory.broken")
    )
    await running.stop()
    assert (state / "inventory.broken").read_bytes() == b"noise"
    assert saved_in(state).parts
    again = start("a")
    assert not list(again.control.estate.board)


async def test_a_missing_zone_file_is_served_from_its_saved_text(start: Start, tmp_path: Path) -> None:
    zone = tmp_path / "corp.zone"
    zone.write_text("$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\nwww 60 A 192.0.2.1\n")
    zones = settings.Zones(files=(str(zone),), origins=("corp.example",), patterns=(str(zone),))
    (tmp_path / "a").mkdir()
    running = start("a", zones=zones)
    await until(lambda: running.control.feed.complete)
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    await until(lambda: running.control.estate.ledger.rows)
    await running.stop()
    zone.unlink()
    again = start("a", zones=zones)
    assert set(again.control.estate.static) == {from_text("corp.example")}
    assert [fact.subject for fact in again.control.estate.board] == [str(zone)]
