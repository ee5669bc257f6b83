"""The state directory: what control writes, and a restart that answers from it at once."""

from pathlib import Path

import pytest

from resolver import settings
from resolver.control.state import inventory_file
from tests.resolver.control.running import PRIVATE, Start, start, until, winner, write
from zones.dns.name import from_text

__all__ = ["start"]


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
    saved = inventory_file.read(str(tmp_path / "state"))
    assert saved
    assert {endpoint for endpoint, _, _ in saved.first_seen} == {"one", "two"}


async def test_an_unchanged_estate_is_not_written_again(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    await running.control.writer.save()
    (tmp_path / "state" / inventory_file.FORMAT.name).unlink()
    await running.stop()
    assert not (tmp_path / "state" / inventory_file.FORMAT.name).exists()


async def test_a_save_that_fails_is_tried_again(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    (tmp_path / "state").rmdir()
    await running.control.writer.save()
    assert f"{tmp_path / 'state'} cannot be written: No such file" in caplog.text
    (tmp_path / "state").mkdir()
    await running.stop()
    assert inventory_file.read(str(tmp_path / "state"))


async def test_a_broken_inventory_is_set_aside_and_every_source_is_read(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "a" / "e.yaml", "one 10.0.0.4")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / inventory_file.FORMAT.name).write_bytes(b"noise")
    running = start("a")
    await until(lambda: running.control.feed.complete)
    await running.stop()
    assert (tmp_path / "state" / "inventory.broken").read_bytes() == b"noise"
    assert inventory_file.read(str(tmp_path / "state"))


async def test_a_missing_zone_file_is_served_from_its_saved_text(start: Start, tmp_path: Path) -> None:
    zone = tmp_path / "corp.zone"
    zone.write_text("$ORIGIN corp.example.\n@ 60 SOA ns admin 1 2 3 4 5\nwww 60 A 192.0.2.1\n")
    zones = settings.Zones(files=(str(zone),), origins=("corp.example",))
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
