"""The recorder in a running control: names, findings and sources, over restarts, and with faults of its file."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from resolver.control.history import recorder
from resolver.control.history.entry import Entry, Kind, State
from resolver.control.history.journal import FILE, Journal, Search
from resolver.process import wall_clock
from tests.resolver.control.running import DEADLINE, FQDN, PRIVATE, Running, Start, start, until, write
from zones.dns.name import from_text, to_text

__all__ = ["start"]
NAME = to_text(PRIVATE)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "INTERVAL", 0.02)
    monkeypatch.setattr(recorder, "_RETRY", 0.02)


async def entries(running: Running, **wanted: Any) -> list[Entry]:  # noqa: ANN401 - fields of `Search`
    return await running.control.history.search(Search(**wanted))


async def begun(running: Running) -> Running:
    """Wait until the recorder has read everything once."""
    await until(lambda: running.control.history._journal)
    journal = running.control.history._journal
    assert journal
    await until(lambda: all(journal.has_begun(kind) for kind in Kind))
    return running


async def written(running: Running, count: int, **wanted: Any) -> list[Entry]:  # noqa: ANN401 - as above
    """Wait for this number of entries, and return them."""
    while True:
        news = running.control.history.next_news()
        if len(found := await entries(running, **wanted)) >= count:
            return found
        await news.wait()


def answers(text: str) -> list[tuple[list[str], list[str]]]:
    return [(each.get("data", []), each.get("endpoints", [])) for each in json.loads(text)["answers"]]


async def test_a_changed_address_is_an_entry_with_both_answers(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running = await begun(start("lab"))
    assert await entries(running) == []  # what was there at the first start is no change
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.5")
    (entry,) = await written(running, 1, kinds=(Kind.NAME,))
    assert (entry.subject, entry.change) == (NAME, "changed")
    assert answers(entry.before) == [(["10.0.0.4"], ["one"])]
    assert answers(entry.after) == [(["10.0.0.5"], ["one"])]
    assert await entries(running, names=(FQDN,), kinds=(Kind.NAME,)) == [entry]  # the public FQDN leads there too


async def test_findings_open_and_close(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running = await begun(start("lab"))
    write(tmp_path / "lab" / "b.yaml", "two 10.0.0.5")
    opened = await written(running, 1, kinds=(Kind.FINDING,), names=(NAME,))
    assert json.loads(opened[0].after)["code"] == "conflicting-address"
    (tmp_path / "lab" / "b.yaml").unlink()
    found = await written(running, 2, kinds=(Kind.FINDING,), names=(NAME,))
    assert [each.change for each in found if each.key == opened[0].key] == ["added", "removed"]


async def test_what_changed_while_pldns_was_stopped_is_recorded_at_the_next_start(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    first = await begun(start("lab"))
    await first.stop()
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.9")
    second = start("lab")
    (entry,) = await written(second, 1, kinds=(Kind.NAME,))
    assert answers(entry.after) == [(["10.0.0.9"], ["one"])]


async def test_a_source_that_fails_and_recovers_is_recorded(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running = await begun(start("lab"))
    (tmp_path / "lab").rename(tmp_path / "away")
    found = await written(running, 1, kinds=(Kind.SOURCE,))
    assert json.loads(found[-1].after)["state"] == "failed"
    (tmp_path / "away").rename(tmp_path / "lab")
    found = await written(running, 2, kinds=(Kind.SOURCE,))
    assert json.loads(found[-1].after)["state"] == "fresh"


async def test_a_damaged_journal_is_set_aside_and_a_new_one_begins(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE).write_bytes(b"no database" * 1000)
    running = await begun(start("lab"))
    assert (tmp_path / "state" / "history.v1.broken").read_bytes() == b"no database" * 1000
    codes = {each.code for each in running.control.estate.board}
    assert "state-set-aside" in codes
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.5")
    assert await written(running, 1, kinds=(Kind.NAME,))


async def test_a_journal_that_cannot_be_written_is_a_finding_until_it_can(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    (tmp_path / "state" / FILE).mkdir(parents=True)
    running = start("lab")
    await until(lambda: str(tmp_path / "state" / FILE) in running.control.estate.state.unwritable)
    (tmp_path / "state" / FILE).rmdir()
    await begun(running)
    await until(lambda: not running.control.estate.state.unwritable)


async def test_changes_that_are_too_many_to_wait_for_the_journal_become_one_difference(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_WAITING", 2)
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running = await begun(start("lab"))
    history, file = running.control.history, tmp_path / "state" / FILE
    for path in (tmp_path / "state").glob("history.*"):
        path.rename(path.with_name(f"kept-{path.name}"))
    file.mkdir()
    await until(lambda: str(file) in running.control.estate.state.unwritable)
    for round_ in range(20):
        names = [from_text(f"n{round_}-{number}.example") for number in range(10)]
        history.names_changed(names)
        assert len(history._names) <= 10 + 1 + 2 + 10
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.5")
    file.rmdir()
    for path in (tmp_path / "state").glob("kept-*"):
        path.rename(path.with_name(path.name.removeprefix("kept-")))
    (entry,) = await written(running, 1, kinds=(Kind.NAME,))
    assert answers(entry.after) == [(["10.0.0.5"], ["one"])]


async def test_a_removed_journal_is_made_again(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running = await begun(start("lab"))
    for file in (tmp_path / "state").glob("history.*"):
        file.unlink()
    await until((tmp_path / "state" / FILE).exists)
    await begun(running)
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.5")
    (entry,) = await written(running, 1, kinds=(Kind.NAME,))
    assert entry.change == "changed"  # the new journal knows the name


async def test_without_a_state_directory_the_history_is_in_memory(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running = await begun(start("lab", state_directory=""))
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.5")
    assert await written(running, 1, kinds=(Kind.NAME,))


class Pause:
    """Holds one access to the journal, as a slow disk does."""

    def __init__(self) -> None:
        self.reached, self._released = threading.Event(), threading.Event()

    def hold(self) -> None:
        """Wait for `release`; at the first call only."""
        if not self.reached.is_set():
            self.reached.set()
            self._released.wait(DEADLINE)

    def release(self) -> None:
        self._released.set()


async def test_a_name_that_changes_while_its_state_is_written_is_read_again(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running, pause, record = await begun(start("lab")), Pause(), Journal.record

    def slow(journal: Journal, found: Sequence[State]) -> int:
        if any(each.kind is Kind.NAME for each in found):
            pause.hold()
        return record(journal, found)

    monkeypatch.setattr(Journal, "record", slow)
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.5")
    await until(pause.reached.is_set)
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.6")
    await until(lambda: b"\x0a\0\0\6" in running.control.estate.ledger.verdicts(PRIVATE, wall_clock.now())[0].a)
    pause.release()
    found = await written(running, 2, kinds=(Kind.NAME,))
    assert [answers(each.after)[0][0] for each in found] == [["10.0.0.5"], ["10.0.0.6"]]


async def test_a_finding_that_opens_while_all_are_compared_is_recorded(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "lab" / "a.yaml", "one 10.0.0.4")
    running, pause, keys = await begun(start("lab")), Pause(), Journal.keys

    def slow(journal: Journal, kind: Kind) -> list[tuple[str, str]]:
        pause.hold()
        return keys(journal, kind)

    monkeypatch.setattr(Journal, "keys", slow)
    running.control.history.findings_replaced()
    await until(pause.reached.is_set)
    write(tmp_path / "lab" / "b.yaml", "two 10.0.0.5")
    await until(lambda: running.control.history._findings)
    pause.release()
    (entry,) = await written(running, 1, kinds=(Kind.FINDING,), names=(NAME,))
    assert (json.loads(entry.after)["code"], entry.change) == ("conflicting-address", "added")
