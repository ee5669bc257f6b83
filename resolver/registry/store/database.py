"""The SQLite database of the registry: opens and migrates it, and runs transactions in threads of their own.

Concurrent writes share one commit, since a commit waits for the disk: each write is a savepoint, and a write that fails
undoes only itself. Reads see the last commit and do not wait for writes. Does not know what the rows mean.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from resolver.registry.store.schema import MIGRATIONS
from resolver.registry.store.transaction import Transaction

FILE: Final = "registry.sqlite"
_BATCH: Final = 64
"""Most writes that share a commit."""

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_S = TypeVar("_S")


class Unavailable(Exception):  # noqa: N818 - a state of the database, not a mistake of the caller
    """The database cannot be read or written now. The message is one line for people."""


class _Write(NamedTuple):
    """A write that waits. `work` gets the transaction."""

    work: Callable[[Transaction], Any]
    done: asyncio.Future[Any]


class Database(Generic[_S]):
    """One database.

    `summarise` returns what the committed changes mean, in the thread of the writes; `committed` gets it in the event
    loop, before the writers get their results.
    """

    def __init__(
        self, path: Path, summarise: Callable[[Transaction, Mapping[str, str]], _S], committed: Callable[[_S], None]
    ) -> None:
        self._path = path
        self._summarise = summarise
        self._committed = committed
        self._writing = ThreadPoolExecutor(1, "registry-write")
        self._reading = ThreadPoolExecutor(1, "registry-read")
        self._writes: asyncio.Queue[_Write] = asyncio.Queue()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Work while the context is open. The file is opened, and made, with the first read or write."""
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._commit_writes())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await loop.run_in_executor(self._reading, self._close, self._reader)
            await loop.run_in_executor(self._writing, self._close, self._writer)
            self._reading.shutdown()
            self._writing.shutdown()

    async def read(self, work: Callable[[Transaction], _T]) -> _T:
        """Return what `work` returns for the last committed state. Raises what it raises, and `Unavailable`."""
        if self._writer is None:
            await self.write(_nothing)  # makes the tables
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, work)

    async def write(self, work: Callable[[Transaction], _T]) -> _T:
        """Return what `work` returns, when its changes are on disk. Raises what it raises, and `Unavailable`."""
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._writes.put_nowait(_Write(work, done))
        return await done

    # -- the thread of the reads

    def _read(self, work: Callable[[Transaction], _T]) -> _T:
        try:
            reader = self._reader = self._reader or _connected(self._path, "query_only = ON", "temp_store = MEMORY")
            reader.execute("BEGIN")
            try:
                return work(Transaction(reader, 0))
            finally:
                reader.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"{self._path}: {error}") from error

    # -- the thread of the writes

    def _open(self) -> sqlite3.Connection:
        # FULL: an acknowledged write is on disk also after a loss of power. One sync serves many writes.
        # MEMORY: in the sandbox, SQLite may write no file elsewhere.
        writer = _connected(self._path, "journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY")
        self._migrate(writer)
        return writer

    def _migrate(self, writer: sqlite3.Connection) -> None:
        known = writer.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone()
        version = int(Transaction(writer, 0).fact("version")) if known else 0
        if version > len(MIGRATIONS):
            raise Unavailable(f"{self._path} is of a later version of pldns")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            writer.execute("BEGIN IMMEDIATE")
            for statement in script.split(";"):
                writer.execute(statement)
            Transaction(writer, 0).set_fact("version", str(number))
            writer.execute("COMMIT")

    def _close(self, connection: sqlite3.Connection | None) -> None:
        if connection:
            connection.close()

    def _run(self, works: list[Callable[[Transaction], Any]]) -> tuple[list[Any], Any]:
        """Run writes as one commit. Return the result or the exception of each one, and the summary of the changes."""
        writer = self._writer = self._writer or self._open()
        results: list[Any] = []
        changed: dict[str, str] = {}
        writer.execute("BEGIN IMMEDIATE")
        try:
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
            summary = self._summarise(Transaction(writer, serial), changed) if changed else None
            writer.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                writer.execute("ROLLBACK")
            raise
        return results, summary

    # -- the event loop

    async def _commit_writes(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._writes.get()]
            while len(batch) < _BATCH and not self._writes.empty():
                batch.append(self._writes.get_nowait())
            try:
                results, summary = await loop.run_in_executor(self._writing, self._run, [each.work for each in batch])
            except (sqlite3.Error, Unavailable) as error:
                results, summary = [Unavailable(f"{self._path}: {error}")] * len(batch), None
            if summary is not None:
                self._announce(summary)
            for each, result in zip(batch, results, strict=True):
                if each.done.done():
                    continue  # the client has gone
                if isinstance(result, Exception):
                    each.done.set_exception(result)
                else:
                    each.done.set_result(result)

    def _announce(self, summary: _S) -> None:
        """Report the changes of a commit. An error there must not stop the writes."""
        try:
            self._committed(summary)
        except Exception:  # noqa: BLE001 - the writes of others wait
            _log.exception("a change of the registry was not applied")


def _nothing(_transaction: Transaction) -> None:
    """Change nothing."""


def _connected(path: Path, *pragmas: str) -> sqlite3.Connection:
    made = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    for pragma in pragmas:
        made.execute(f"PRAGMA {pragma}")
    return made
