"""The SQLite file of the registry: opens and migrates it, and runs writes and reads in the thread of the caller.

Each write of a transaction is a savepoint: a write that fails undoes only itself. Reads have a connection of their own,
see the last commit and do not wait for writes. Does not know threads, and what the rows mean.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from resolver.registry.store.schema import MIGRATIONS
from resolver.registry.store.transaction import Transaction

FILE: Final = "registry.sqlite"
_LOOK: Final = 100_000
"""Steps of SQLite's machine, about 1 ms, after which a read looks whether it must end."""

_T = TypeVar("_T")


class Unavailable(Exception):  # noqa: N818 - a state of the database, not a mistake of the caller
    """The database cannot be read or written now. The message is one line for people."""


class SqliteFile:
    """One file. It is opened, and made, with the first read or write.

    `synchronous`: SQLite's setting of this name, which says what a commit waits for.
    """

    def __init__(self, path: Path, synchronous: str) -> None:
        self.path = path
        self._synchronous = synchronous
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        """Device and inode of the file that the writer has open."""
        self._seen = 0
        self._reads_end = False

    # -- writes: `begin`, then `run`, then `commit` or `rollback`, all in one thread at a time

    def open(self) -> sqlite3.Connection:
        """Open the file for writing, unless it is open. Make or migrate the tables. Return the connection."""
        if self._writer is None:
            # MEMORY: in the sandbox, SQLite may write no file elsewhere.
            pragmas = ("journal_mode = WAL", f"synchronous = {self._synchronous}", "temp_store = MEMORY")
            with contextlib.suppress(OSError):  # SQLite says what is wrong; on its own it would let everyone read
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            writer = _connected(self.path, *pragmas)
            try:
                self._migrate(writer)
                self._opened = self._present()
            except BaseException:
                writer.close()
                raise
            self._writer = writer
            self._seen = self._version()
        return self._writer

    def check_in_place(self) -> None:
        """Raise `Unavailable` where the path has no longer the file that is open: what is written would be lost."""
        if self._opened and self._present() != self._opened:
            raise Unavailable(
                f"{self.path} was removed or replaced while pldns had it open, so that writes would be lost: "
                "stop pldns, put the file back, and start pldns"
            )

    def _present(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def changed_elsewhere(self) -> bool:
        """Return whether another connection has committed since the last call. False while the file is not open."""
        before, self._seen = self._seen, self._version() if self._writer else 0
        return before != self._seen

    def _version(self) -> int:
        """Return a number that differs after a commit of another connection, and stays after one of the writer's."""
        assert self._writer  # noqa: S101 - `open` has set it
        return int(self._writer.execute("PRAGMA data_version").fetchone()[0])

    def begin(self) -> sqlite3.Connection:
        """Begin a transaction that writes. Return its connection."""
        writer = self.open()
        writer.execute("BEGIN IMMEDIATE")
        return writer

    def run(self, works: Iterable[Callable[[Transaction], Any]]) -> tuple[list[Any], dict[str, str], Transaction]:
        """Run writes in the transaction that has begun.

        Return the result or the exception of each one, the types of the changed rows by key, and a transaction that
        reads the new state.
        """
        assert self._writer  # noqa: S101 - `begin` has set it
        writer, results = self._writer, list[Any]()
        changed: dict[str, str] = {}
        serial = before = int(Transaction(writer, 0).fact("serial") or 0)
        for work in works:
            transaction = Transaction(writer, serial + 1)
            writer.execute("SAVEPOINT one")
            try:
                results.append(work(transaction))
            except Exception as error:
                if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                    raise  # the database itself fails
                writer.execute("ROLLBACK TO one")
                results.append(error)
            else:
                if transaction.changed:
                    serial += 1
                    changed |= transaction.changed
            writer.execute("RELEASE one")
        if serial != before:
            Transaction(writer, serial).set_fact("serial", str(serial))
        return results, changed, Transaction(writer, serial)

    def commit(self) -> None:
        """Make the changes of the transaction permanent."""
        assert self._writer  # noqa: S101 - `begin` has set it
        self._writer.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the changes of the transaction, if one has begun."""
        if self._writer:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")

    def close_writer(self) -> None:
        """Close the connection that writes."""
        if self._writer:
            self._writer.close()

    # -- reads, all in one thread

    def read(self, work: Callable[[Transaction], _T]) -> _T:
        """Return what `work` returns for the last committed state. Raises also `Unavailable` and sqlite3.Error."""
        if self._reader is None:
            self.check_in_place()  # SQLite would make a new file
            self._reader = _connected(self.path, "query_only = ON", "temp_store = MEMORY")
            self._reader.set_progress_handler(lambda: self._reads_end, _LOOK)
        self._reader.execute("BEGIN")
        try:
            return work(Transaction(self._reader, 0))
        finally:
            self._reader.execute("ROLLBACK")

    def end_reads(self) -> None:
        """Fail the read that runs and all later ones. May be called in any thread."""
        self._reads_end = True

    def close_reader(self) -> None:
        """Close the connection that reads."""
        if self._reader:
            self._reader.close()

    def _migrate(self, writer: sqlite3.Connection) -> None:
        writer.execute("BEGIN IMMEDIATE")  # another process may open the same file; closing it ends the transaction
        known = writer.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone()
        version = int(Transaction(writer, 0).fact("version")) if known else 0
        if version > len(MIGRATIONS):
            raise Unavailable(f"{self.path} is of a later version of pldns")
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                writer.execute(statement)
        if version < len(MIGRATIONS):
            Transaction(writer, 0).set_fact("version", str(len(MIGRATIONS)))
        writer.execute("COMMIT")


def _connected(path: Path, *pragmas: str) -> sqlite3.Connection:
    made = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    for pragma in pragmas:
        made.execute(f"PRAGMA {pragma}")
    return made
