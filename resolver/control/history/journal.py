"""The journal: a SQLite file that keeps entries of the history, and the last known state of each thing.

A state is compared with the last known one, so that a change while pldns was stopped is found at the next start. The
journal is bounded by age and by octets; the oldest entries go first. Does not know what a state means, or when it is
asked. Each method may block for the time of a disk access: call it in a thread, one at a time.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from resolver.control.history.entry import ABSENT, Entry, Kind, State
from zones.clocks import WallTime

FILE: Final = "history.v1.sqlite"
MEMORY: Final = ":memory:"
_PATIENCE: Final = 5.0
"""Seconds to wait for another process that writes: during a takeover, two have the file open."""
_PAGE: Final = 4096
"""Octets."""
_CACHE: Final = 2048
"""KiB of pages in memory."""
_CUT: Final = 0.1
"""Part of the entries that goes when the file is too large."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
  subject TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_subject ON entry (subject, id);
CREATE INDEX IF NOT EXISTS entry_at ON entry (at);
CREATE TABLE IF NOT EXISTS present (
  kind TEXT NOT NULL, key TEXT NOT NULL, subject TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alias (
  alias TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (alias, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (kind TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_SEARCH: Final = """
SELECT id, at, kind, key, subject, before, after FROM entry
WHERE id > :after AND id < coalesce(:before, 9e18) AND at >= coalesce(:since, 0) AND at < coalesce(:until, 9e18)
"""
_VALUES: Final = "(SELECT value FROM json_each(:{}))"
_STATE: Final = "CASE after WHEN '' THEN before ELSE after END"
_FILTERS: Final = {
    "kinds": "AND kind IN {0}",
    "names": "AND subject IN (SELECT value FROM json_each(:names) UNION SELECT subject FROM alias WHERE alias IN {0})",
    "zones": "AND EXISTS (SELECT 1 FROM json_each(:zones) WHERE subject = value"
    " OR substr(subject, -length(value) - 1) = '.' || value)",
    "codes": f"AND kind = 'finding' AND json_extract({_STATE}, '$.code') IN {{0}}",
    "severities": f"AND kind = 'finding' AND json_extract({_STATE}, '$.severity') IN {{0}}",
}
"""The conditions by the field of `Search` that has the values, as a JSON array."""
_OLDEST_FIRST: Final = "ORDER BY id LIMIT :limit"
_NEWEST_FIRST: Final = "ORDER BY id DESC LIMIT :limit"


class Bounds(NamedTuple):
    """How much the journal keeps: `age` in seconds, `size` in octets."""

    age: float
    size: int


class Search(NamedTuple):
    """Which entries to return, in the order of their ids. Times are in seconds since the epoch.

    Each of `names`, `kinds`, `zones`, `codes` and `severities` selects entries with any of its values; all where empty.
    """

    after: int = 0
    """Only entries with greater ids."""
    names: tuple[str, ...] = ()
    """Only entries about these subjects, or about subjects that have one as an alias."""
    kinds: tuple[Kind, ...] = ()
    zones: tuple[str, ...] = ()
    """Only entries about names at or below these."""
    codes: tuple[str, ...] = ()
    """Only entries about findings with these codes."""
    severities: tuple[str, ...] = ()
    since: WallTime | None = None
    until: WallTime | None = None
    before: int | None = None
    """Only entries with smaller ids; the newest come first."""
    limit: int = 1_000


class Journal:
    """An open journal. Methods raise `sqlite3.Error`."""

    def __init__(self, path: str, bounds: Bounds) -> None:
        """Open or create the journal. `path`: a file, or `MEMORY`. Raises OSError and `sqlite3.Error`."""
        self.path = path
        self.bounds = bounds
        self._inode = 0
        if path != MEMORY:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite would let everyone read
        self._database = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
        try:
            self._prepare()
        except (OSError, sqlite3.Error):
            self._database.close()
            raise

    @classmethod
    def in_directory(cls, directory: str, bounds: Bounds) -> Self:
        """Open the journal of a state directory; in memory where there is none."""
        return cls(str(Path(directory) / FILE) if directory else MEMORY, bounds)

    def _prepare(self) -> None:
        run = self._database.execute
        run(f"PRAGMA page_size = {_PAGE}")
        run("PRAGMA auto_vacuum = INCREMENTAL")
        run("PRAGMA journal_mode = WAL")  # a reader never waits for a writer
        run("PRAGMA synchronous = NORMAL")  # a crash of the machine loses the last second, and never damages the file
        run(f"PRAGMA cache_size = -{_CACHE}")
        run("PRAGMA quick_check(1)")
        self._database.executescript(_SCHEMA)
        if self.path != MEMORY:
            self._inode = Path(self.path).stat().st_ino

    def is_in_place(self) -> bool:
        """Return whether the file of the journal is still at its path. A removed file would lose what is written."""
        try:
            return self.path == MEMORY or Path(self.path).stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # -- writing

    def has_begun(self, kind: Kind) -> bool:
        """Return whether `begin` was called for this kind, now or in an earlier life."""
        return self._database.execute("SELECT 1 FROM begun WHERE kind = ?", (kind,)).fetchone() is not None

    def begin(self, kind: Kind) -> None:
        """Record that the first states of this kind are complete: from now on, a new key is a change."""
        self._database.execute("INSERT OR IGNORE INTO begun VALUES (?)", (kind,))

    def record(self, states: Sequence[State]) -> int:
        """Compare each state with the last known one. Write an entry where they differ. Return the number of entries.

        Before `begin`, states are remembered without entries. All is written, or nothing.
        """
        run = self._database.execute
        begun = {kind for kind in {state.kind for state in states} if self.has_begun(kind)}
        written = 0
        run("BEGIN IMMEDIATE")
        try:
            for state in states:
                place = state.kind, state.key
                row = run("SELECT value FROM present WHERE kind = ? AND key = ?", place).fetchone()
                known = row[0] if row else ABSENT
                if known == state.value:
                    continue
                if state.kind in begun:
                    written += 1
                    run(
                        "INSERT INTO entry (at, kind, key, subject, before, after) VALUES (?, ?, ?, ?, ?, ?)",
                        (state.at, *place, state.subject, known, state.value),
                    )
                if state.value:
                    run("INSERT OR REPLACE INTO present VALUES (?, ?, ?, ?)", (*place, state.subject, state.value))
                else:
                    run("DELETE FROM present WHERE kind = ? AND key = ?", place)
                for alias in state.aliases:
                    run("INSERT OR IGNORE INTO alias VALUES (?, ?)", (alias, state.subject))
            run("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                run("ROLLBACK")
            raise
        return written

    def keys(self, kind: Kind) -> list[tuple[str, str]]:
        """Return the key and subject of every thing of a kind that existed when its state was last recorded."""
        return self._database.execute("SELECT key, subject FROM present WHERE kind = ?", (kind,)).fetchall()

    def prune(self, now: WallTime) -> int:
        """Remove what the bounds do not allow. Return the number of removed entries."""
        run = self._database.execute
        removed = run("DELETE FROM entry WHERE at < ?", (now - self.bounds.age,)).rowcount
        while self.size() > self.bounds.size:
            count = run("SELECT count(*) FROM entry").fetchone()[0]
            if not count:
                break  # what is left is the present state, which has no bound of its own
            oldest = "DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY id LIMIT ?)"
            removed += run(oldest, (max(1, int(count * _CUT)),)).rowcount
        if removed:
            run(
                "DELETE FROM alias WHERE subject NOT IN (SELECT subject FROM entry)"
                " AND subject NOT IN (SELECT subject FROM present)"
            )
            self._database.executescript("PRAGMA incremental_vacuum")  # `execute` would free a single page
            run("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    # -- reading

    def size(self) -> int:
        """Return the octets that are in use."""
        run = self._database.execute
        pages, free = (run(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count"))
        return int(pages - free) * _PAGE

    def newest(self) -> int:
        """Return the id of the newest entry that there ever was; 0 before the first."""
        row = self._database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        return int(row[0]) if row else 0

    def oldest(self) -> int:
        """Return the id of the oldest entry that is kept; 0 where there is none."""
        return int(self._database.execute("SELECT coalesce(min(id), 0) FROM entry").fetchone()[0])

    def search(self, wanted: Search) -> list[Entry]:
        """Return entries, at most `limit`."""
        return list(self._found(wanted))

    def _found(self, wanted: Search) -> Iterator[Entry]:
        """Return an iterator that reads one entry at a time: all of them may be as large as the file."""
        values = wanted._asdict()
        query = _SEARCH
        for field, condition in _FILTERS.items():
            if values[field]:
                query += condition.format(_VALUES.format(field)) + "\n"
            values[field] = json.dumps(values[field])
        query += _OLDEST_FIRST if wanted.before is None else _NEWEST_FIRST
        return map(_entry, self._database.execute(query, values))

    def differences(self, wanted: Search) -> Iterator[Entry]:
        """Yield for each thing that changed between `since` and `until` one entry: its state before, and after.

        Things that ended as they began are left out. The ids are those of the last change.
        """
        first: dict[tuple[Kind, str], str] = {}
        last: dict[tuple[Kind, str], Entry] = {}
        for entry in self._found(wanted._replace(limit=-1)):
            key = entry.kind, entry.key
            first.setdefault(key, entry.before)
            last[key] = entry
        for key, entry in last.items():
            if first[key] != entry.after:
                yield entry._replace(before=first[key])


def _entry(row: tuple[int, float, str, str, str, str, str]) -> Entry:
    number, at, kind, key, subject, before, after = row
    return Entry(number, WallTime(at), Kind(kind), key, subject, before, after)
