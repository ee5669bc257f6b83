"""The database of the registry in one SQLite file: reads and writes from the event loop, run in threads of their own.

Concurrent writes share one commit, since a commit waits for the disk. Does not know SQL, and what the rows mean.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from resolver.registry.store.sqlite_file import SqliteFile, Unavailable
from resolver.registry.store.transaction import Transaction

_BATCH: Final = 64
"""Most writes that share a commit."""

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_S = TypeVar("_S")


class _Write(NamedTuple):
    """A write that waits. `work` gets the transaction."""

    work: Callable[[Transaction], Any]
    done: asyncio.Future[Any]


class Database(Generic[_S]):
    """One database.

    `summarise` returns what the committed changes mean, in the thread of the writes; `committed` gets it in the event
    loop, before the writers get their results. A subclass may commit in another way (`_commit`).
    """

    SYNCHRONOUS = "FULL"
    """An acknowledged write is on disk also after a loss of power. One sync serves many writes."""

    def __init__(
        self, path: Path, summarise: Callable[[Transaction, Mapping[str, str]], _S], committed: Callable[[_S], None]
    ) -> None:
        self.path = path
        self._file = SqliteFile(path, self.SYNCHRONOUS)
        self._summarise = summarise
        self._committed = committed
        self._writing = ThreadPoolExecutor(1, "registry-write")
        self._reading = ThreadPoolExecutor(1, "registry-read")
        self._writes: asyncio.Queue[_Write] = asyncio.Queue()
        self._has_tables = False
        self._is_closing = False
        """Ends a task whose cancellation has become another error, as when PostgreSQL's connection closes meanwhile."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Work while the context is open. The file is opened, and made, with the first read or write."""
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._commit_writes())
        try:
            yield
        finally:
            self._is_closing = True
            task.cancel()
            await asyncio.wait([task])
            self._file.end_reads()  # to read a large registry whole takes longer than control has to end
            await loop.run_in_executor(self._reading, self._file.close_reader)
            await loop.run_in_executor(self._writing, self._file.close_writer)
            self._reading.shutdown()
            self._writing.shutdown()

    async def read(self, work: Callable[[Transaction], _T]) -> _T:
        """Return what `work` returns for the last committed state. Raises what it raises, and `Unavailable`."""
        loop = asyncio.get_running_loop()
        try:
            if not self._has_tables:
                await loop.run_in_executor(self._writing, self._make_tables)
            return await loop.run_in_executor(self._reading, self._file.read, work)
        except sqlite3.DatabaseError as error:
            raise self._unavailable(error) from error

    async def changed_elsewhere(self) -> bool:
        """Return whether another process has committed since the last call, or since the file was opened.

        Raises `Unavailable` where the file was removed or replaced.
        """

        def look() -> bool:
            self._file.check_in_place()
            return self._file.changed_elsewhere()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._writing, look)
        except sqlite3.Error:
            return False  # the next read or write says what is wrong

    async def write(self, work: Callable[[Transaction], _T]) -> _T:
        """Return what `work` returns, when its changes are on disk. Raises what it raises, and `Unavailable`."""
        done: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._writes.put_nowait(_Write(work, done))
        return await done

    # -- the thread of the writes

    def _make_tables(self) -> None:
        self._file.open()
        self._has_tables = True

    def _run(self, works: Sequence[Callable[[Transaction], Any]]) -> tuple[list[Any], _S | None]:
        """Run writes as one commit. Return the result or the exception of each one, and the summary of the changes."""
        self._file.check_in_place()
        self._file.begin()
        try:
            results, changed, now = self._file.run(works)
            summary = self._summarise(now, changed) if changed else None
            self._file.commit()
        except BaseException:
            self._file.rollback()
            raise
        return results, summary

    # -- the event loop

    async def _commit(self, works: Sequence[Callable[[Transaction], Any]]) -> tuple[list[Any], _S | None]:
        """Run writes as one commit, as `_run` does. Raises sqlite3.Error and `Unavailable`; then nothing is written."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._run, works)

    async def _commit_writes(self) -> None:
        while not self._is_closing:
            batch = [await self._writes.get()]
            while len(batch) < _BATCH and not self._writes.empty():
                batch.append(self._writes.get_nowait())
            try:
                results, summary = await self._commit([each.work for each in batch])
            except (sqlite3.Error, Unavailable) as error:
                results, summary = [self._unavailable(error)] * len(batch), None
            except Exception as error:  # noqa: BLE001 - the writes of others wait
                _log.exception("changes of the registry were not committed")
                results, summary = [error] * len(batch), None
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

    def _unavailable(self, error: Exception) -> Unavailable:
        return error if isinstance(error, Unavailable) else Unavailable(f"{self._file.path}: {error}")
