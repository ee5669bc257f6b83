"""The journal: what becomes an entry, how entries are found, what the bounds remove, and damaged files."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.control.history.entry import ABSENT, Entry, Kind, State
from resolver.control.history.journal import FILE, MEMORY, Bounds, Journal, Search
from zones.clocks import WallTime

BOUNDS = Bounds(age=1000.0, size=1 << 24)


def state(key: str, value: str, at: float, *aliases: str, kind: Kind = Kind.NAME) -> State:
    return State(kind, key, key, value, WallTime(at), aliases)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.in_directory(str(tmp_path), BOUNDS)
    opened.begin(Kind.NAME)
    yield opened
    opened.close()


def changes(entries: list[Entry]) -> list[tuple[str, str, str, str]]:
    return [(each.key, each.change, each.before, each.after) for each in entries]


def test_a_state_that_differs_becomes_an_entry(journal: Journal) -> None:
    assert journal.record([state("a", "1", 1), state("b", "1", 1)]) == 2
    assert journal.record([state("a", "1", 2), state("b", "2", 2)]) == 1
    assert journal.record([state("a", ABSENT, 3), state("never", ABSENT, 3)]) == 1
    assert changes(journal.search(Search())) == [
        ("a", "added", "", "1"), ("b", "added", "", "1"), ("b", "changed", "1", "2"), ("a", "removed", "1", ""),
    ]  # fmt: skip


def test_what_exists_before_the_beginning_is_no_change(tmp_path: Path) -> None:
    journal = Journal.in_directory(str(tmp_path), BOUNDS)
    assert journal.record([state("a", "1", 1)]) == 0
    journal.begin(Kind.NAME)
    assert journal.record([state("a", "1", 2), state("b", "1", 2)]) == 1
    journal.close()


def test_a_change_while_nobody_looked_is_found_after_a_restart(tmp_path: Path) -> None:
    first = Journal.in_directory(str(tmp_path), BOUNDS)
    first.begin(Kind.NAME)
    first.record([state("a", "1", 1)])
    first.close()
    second = Journal.in_directory(str(tmp_path), BOUNDS)
    assert second.keys(Kind.NAME) == [("a", "a")]
    assert second.record([state("a", "2", 9)]) == 1
    assert [each.id for each in second.search(Search())] == [1, 2]
    second.close()


def test_entries_are_found_by_name_alias_kind_and_time(journal: Journal) -> None:
    journal.begin(Kind.SOURCE)
    journal.record([
        state("a.private", "1", 10, "a.public"), state("b.private", "1", 20), state("hub", "1", 30, kind=Kind.SOURCE),
    ])  # fmt: skip

    def keys(**wanted: object) -> list[str]:
        return [each.key for each in journal.search(Search(**wanted))]  # type: ignore[arg-type]

    assert keys() == ["a.private", "b.private", "hub"]
    assert keys(names=("a.public",)) == keys(names=("a.private", "x")) == ["a.private"]
    assert keys(names=("nobody",)) == []
    assert keys(kinds=(Kind.SOURCE,)) == ["hub"]
    assert keys(since=WallTime(20), until=WallTime(30)) == ["b.private"]
    assert keys(after=1, limit=1) == ["b.private"]
    assert keys(before=3) == ["b.private", "a.private"]
    assert keys(zones=("private",)) == ["a.private", "b.private"]
    assert keys(zones=("b.private", "rivate")) == ["b.private"]


def test_findings_are_found_by_code_and_severity_also_after_they_closed(journal: Journal) -> None:
    journal.begin(Kind.FINDING)
    opened = '{"code":"zone-unknown","severity":"info"}'
    journal.record([state("f1", opened, 10, kind=Kind.FINDING), state("a", "1", 10)])
    journal.record([state("f1", ABSENT, 20, kind=Kind.FINDING)])
    changes = [(each.before, each.after) for each in journal.search(Search(codes=("zone-unknown", "x")))]
    assert changes == [("", opened), (opened, "")]
    assert journal.search(Search(codes=("zone-unknown",), severities=("error",))) == []
    assert len(journal.search(Search(severities=("info",)))) == 2


def test_age_and_size_remove_the_oldest_entries_and_keep_the_present(tmp_path: Path) -> None:
    journal = Journal.in_directory(str(tmp_path), Bounds(age=100.0, size=1 << 20))
    journal.begin(Kind.NAME)
    journal.record([state("old", "1", 1)])
    journal.record([state("a", "x" * 500 + str(at), 1000 + at) for at in range(5_000)])
    assert journal.size() > 1 << 20
    newest = journal.newest()
    assert journal.prune(WallTime(1050)) > 1
    assert journal.size() <= 1 << 20
    left = journal.search(Search(limit=-1))
    assert left
    assert left[-1].id == newest
    assert [each.id for each in left] == list(range(journal.oldest(), newest + 1))
    assert {key for key, _ in journal.keys(Kind.NAME)} == {"old", "a"}
    assert (tmp_path / FILE).stat().st_size < 1 << 21
    journal.close()


def test_ids_are_never_used_twice(journal: Journal) -> None:
    journal.record([state("a", "1", 1)])
    journal.prune(WallTime(5_000))
    journal.record([state("a", "2", 5_000)])
    assert [each.id for each in journal.search(Search())] == [2]


def test_a_failed_write_leaves_nothing_behind(journal: Journal) -> None:
    with pytest.raises(sqlite3.Error):
        journal.record([state("a", "1", 1), state("b", None, 1)])  # type: ignore[arg-type]
    assert journal.search(Search()) == []
    assert journal.record([state("a", "1", 1)]) == 1


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Journal.in_directory(str(tmp_path), BOUNDS)


def test_only_the_user_of_pldns_can_read_the_file(journal: Journal, tmp_path: Path) -> None:
    journal.record([state("a", "1", 1)])
    files = list(tmp_path.glob("history.*"))
    assert len(files) == 3  # with SQLite's log and its index
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_removed_file_is_noticed(journal: Journal, tmp_path: Path) -> None:
    assert journal.is_in_place()
    (tmp_path / FILE).unlink()
    assert not journal.is_in_place()


VALUES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "1", "2", "3"])), max_size=30)


@given(VALUES, st.integers(0, 30))
def test_entries_lead_from_any_moment_to_the_present(moves: list[tuple[str, str]], at: int) -> None:
    journal = Journal(MEMORY, BOUNDS)
    journal.begin(Kind.NAME)
    states: list[dict[str, str]] = [{}]
    for number, (key, value) in enumerate(moves):
        journal.record([state(key, value, number)])
        states.append({**states[-1], key: value})
    then, now = states[min(at, len(moves))], states[-1]
    expected = {
        key: (then.get(key, ABSENT), now.get(key, ABSENT))
        for key in "abc"
        if then.get(key, ABSENT) != now.get(key, ABSENT)
    }
    found = {
        each.key: (each.before, each.after)
        for each in journal.differences(Search(since=WallTime(at), until=WallTime(1e6)))
    }
    assert found == expected
    journal.close()
