"""The database of a registry that several control planes share: the truth in PostgreSQL, and a local copy in SQLite.

Reads and transactions use the local copy. A commit goes to PostgreSQL first: under the lock of those who commit, this
registry makes the changes of the others, runs its own writes, and publishes their write set. Without PostgreSQL, reads
go on, and writes are refused until the connection is back. Does not know what the rows mean.
"""

import asyncio
import contextlib
import logging
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple

from resolver.registry.store import write_set
from resolver.registry.store.database import Database
from resolver.registry.store.postgres import Change, Differs, Position, Postgres
from resolver.registry.store.sqlite_file import FILE, SqliteFile, Unavailable
from resolver.registry.store.transaction import Transaction
from resolver.registry.store.write_set import Replacement, Table, WriteSet
from resolver.registry_settings import RegistryDatabase

COPY: Final = "registry-copy.sqlite"
"""The local copy. It may be deleted while pldns does not run."""
_GUARD: Final = 2.0
"""Seconds between two looks for changes whose announcement may have been lost."""
_RETRY: Final = (0.1, 5.0)
"""Seconds until the next attempt to connect: after the first failure, and at most."""
_LEADER: Final = "leader"
"""The fact with the name of the leader's machine."""
_READINGS: Final = "readings"
"""The table with the readings of remote sources."""
_PRUNE: Final = 3600.0
"""Seconds between two removals of old changes from the log."""

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_S = TypeVar("_S")
_Ts = TypeVarTuple("_Ts")


class SharedDatabase(Database[_S]):
    """One control plane's view of the shared database. `path`: the local copy. The rest is as for `Database`."""

    # What a crash of the machine takes from the local copy is in PostgreSQL, so no commit waits for this disk.
    SYNCHRONOUS = "NORMAL"

    def __init__(
        self,
        path: Path,
        settings: RegistryDatabase,
        summarise: Callable[[Transaction, Mapping[str, str]], _S],
        committed: Callable[[_S], None],
    ) -> None:
        super().__init__(path, summarise, committed)
        self._settings = settings
        self._server: Postgres | None = None
        """None while there is no connection."""
        self._reason = "there is no connection to PostgreSQL yet"
        self._tried = asyncio.Event()
        """Set after the first attempt to connect."""
        self._opened = asyncio.Event()
        """Set when it is known whether there is a local copy."""
        self._has_copy = False
        self._busy = asyncio.Lock()
        """Held while the local copy changes."""
        self._tables: tuple[Table, ...] = ()
        self.news: Callable[[Collection[str]], None] = _ignored
        """Gets the sources whose readings others have changed; none where any may have, or this one leads now."""
        self.is_leader = False
        self.leader = ""
        """The name of the machine that became the leader last."""
        self._position: Position | None = None
        """The place in the log up to which changes have been announced here. None: the tables must be copied."""

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Work while the context is open."""
        async with super().opened():
            task = asyncio.create_task(self._keep_connected())
            try:
                yield
            finally:
                self._is_closing = True
                task.cancel()
                await asyncio.wait([task])

    async def read(self, work: Callable[[Transaction], _T]) -> _T:
        """As in `Database`, from the local copy. Without one, wait for the first attempt to connect."""
        await self._opened.wait()
        if not self._has_copy:
            await self._tried.wait()
        if not self._has_copy:
            raise Unavailable(self._reason)
        return await super().read(work)

    async def changed_elsewhere(self) -> bool:
        """Return False: the log of changes has the commits of other processes, and these are announced."""
        return False

    @property
    def fault(self) -> str:
        """Why writes are refused now; empty while there is a connection."""
        return "" if self._server else self._reason

    async def leads(self) -> bool:
        """Return whether this control plane reads remote sources itself: as the leader, or without PostgreSQL."""
        await self._tried.wait()
        return self.is_leader or self._server is None

    # -- commits of this control plane

    async def _commit(self, works: Sequence[Callable[[Transaction], Any]]) -> tuple[list[Any], _S | None]:
        await self._tried.wait()
        async with self._busy:
            if self._server is None:
                raise Unavailable(self._reason)
            try:
                return await self._commit_at(self._server, works)
            except (Differs, sqlite3.IntegrityError) as error:
                self._copy_again(str(error))
                raise Unavailable("the local copy of PostgreSQL is being made again") from error

    async def _commit_at(
        self, server: Postgres, works: Sequence[Callable[[Transaction], Any]]
    ) -> tuple[list[Any], _S | None]:
        try:
            async with server.committing():
                after = await self._catch_up(server)
                results, summary, changes = await self._in_thread(self._stage, works)
                if changes:
                    after = await server.publish(self._tables, changes, after)
        except BaseException:
            await self._in_thread(self._file.rollback)
            raise
        try:
            await self._in_thread(self._commit_copy, after)
        except BaseException:
            await self._in_thread(self._file.rollback)  # the follower makes the change again
            raise
        self._position = after
        return results, summary

    # -- commits of others

    async def _catch_up(self, server: Postgres) -> Position:
        """Make the changes of others in the local copy, and announce them. Return the place in the log.

        Raises `Differs` if the tables must be copied.
        """
        while self._position is not None:
            changes = await server.changes_since(self._position)
            if changes is None:
                raise Differs("the log of changes in PostgreSQL does not go back to the state of the local copy")
            if not changes:
                return self._position
            summary = await self._in_thread(self._apply, changes)
            self._position = changes[-1].position
            if summary is not None:
                self._announce(summary)
            if sources := {row[0] for each in changes for row in write_set.keys(each.changes, _READINGS)}:
                self.news(sources)
        raise Differs("there is no local copy yet")

    async def _copy(self, server: Postgres) -> None:
        """Make the local copy the same as PostgreSQL, and announce what has changed."""
        try:
            writer = await self._in_thread(self._file.begin)
            replacement = Replacement(writer)
            async with server.snapshot() as position:
                for table in self._tables:
                    async with contextlib.aclosing(server.rows(table)) as parts:
                        async for rows in parts:
                            await self._in_thread(replacement.rows, table, rows)
                    await self._in_thread(replacement.end, table)
            changed = replacement.changed if self._has_copy else {}  # nobody has read anything before the first copy
            summary = await self._in_thread(self._summary, changed)
            await self._in_thread(self._commit_copy, position)
        except BaseException:
            await self._in_thread(self._file.rollback)
            raise
        self._position, self._has_copy = position, True
        if summary is not None:
            self._announce(summary)
        self.news(())

    async def _follow(self, server: Postgres) -> None:
        """Make the changes of others as they are announced, until the connection is lost. Raises `Unavailable`."""
        steady, pruned = asyncio.get_running_loop().time, 0.0
        while not self._is_closing:
            async with self._busy:
                try:
                    await self._catch_up(server)
                except (Differs, sqlite3.IntegrityError) as error:
                    if self._has_copy:
                        self._copy_again(str(error))
                    await self._copy(server)
                    continue
                if not pruned or steady() - pruned > _PRUNE:
                    await server.prune()
                    pruned = steady()
                led, self.is_leader = self.is_leader, await server.leads()
            self._connected(server)
            if self.is_leader and not led:
                _log.info("registry: this control plane is the leader, which reads remote sources for all")
                await self.write(lambda tx: tx.set_fact(_LEADER, socket.gethostname()))
                self.news(())
            await server.news(_GUARD)

    async def _keep_connected(self) -> None:
        pause, longest = _RETRY
        while not self._is_closing:
            try:
                if not self._tables:
                    self._tables = await self._in_thread(self._open_copy)
                    self._opened.set()
                async with Postgres.connected(self._settings) as server:
                    await server.prepare(self._tables, partial(self._in_thread, self._first_rows))
                    pause = _RETRY[0]
                    await self._follow(server)
            except (Unavailable, sqlite3.Error) as error:
                self._lost(str(self._unavailable(error)))
            except Exception as error:  # noqa: BLE001 - the connection must be tried again whatever has happened
                _log.exception("registry: following PostgreSQL failed")
                self._lost(repr(error))
            finally:
                self._server, self.is_leader = None, False
            self._opened.set()
            self._tried.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    def _connected(self, server: Postgres) -> None:
        if self._server is None:
            _log.info("registry: connected to PostgreSQL")
            self._server, self._reason = server, ""
            self._tried.set()

    def _lost(self, reason: str) -> None:
        if self._reason != reason:
            _log.warning("registry: %s; reads and names go on, and writes are refused", reason)
        self._reason = reason

    def _copy_again(self, why: str) -> None:
        _log.warning("registry: %s: the tables are copied from PostgreSQL", why)
        self._position = None
        if self._server:
            self._server.wake()

    # -- the thread of the writes

    async def _in_thread(self, work: Callable[[*_Ts], _T], *arguments: *_Ts) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, work, *arguments)

    def _open_copy(self) -> tuple[Table, ...]:
        """Open the local copy. Return its tables. A copy that cannot be used is removed: PostgreSQL has all of it."""
        try:
            writer = self._file.open()
        except sqlite3.OperationalError:
            raise  # for example, the directory cannot be written
        except (sqlite3.DatabaseError, Unavailable) as error:
            _log.warning("registry: %s: the local copy is made again", error)
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._file.path}{suffix}").unlink(missing_ok=True)
            writer = self._file.open()
        known = write_set.tables(writer)
        write_set.capture(writer, known)
        if self._position is None:
            self._position = _position(writer)
            self._has_copy = self._position is not None
            self.leader = Transaction(writer, 0).fact(_LEADER)
        return known

    def _stage(self, works: Sequence[Callable[[Transaction], Any]]) -> tuple[list[Any], _S | None, WriteSet]:
        """Run writes, and leave the transaction open. Return their results, what they mean, and their write set."""
        writer = self._file.begin()
        results, changed, now = self._file.run(works)
        summary = self._summarise(now, changed) if changed else None
        return results, summary, write_set.captured(writer, self._tables)

    def _apply(self, changes: Sequence[Change]) -> _S | None:
        """Make the changes of others. Return what they mean.

        Another process with the same local copy, which is there during a takeover, may have made some of them.
        """
        writer = self._file.begin()
        try:
            made = _position(writer)
            changed: dict[str, str] = {}
            for each in changes:
                changed |= write_set.resources(each.changes)
                if made is None or each.position.number > made.number:
                    write_set.apply(writer, self._tables, each.changes)
            summary = self._summary(changed)
            last = changes[-1].position
            self._commit_copy(made if made and made.number > last.number else last)
        except BaseException:
            self._file.rollback()
            raise
        return summary

    def _summary(self, changed: Mapping[str, str]) -> _S | None:
        return self._summarise(Transaction(self._file.open(), 0), changed) if changed else None

    def _commit_copy(self, position: Position) -> None:
        """Commit, with the place in the log that the local copy then has."""
        writer = self._file.open()
        write_set.forget(writer, self._tables)
        tx = Transaction(writer, 0)
        self.leader = tx.fact(_LEADER)
        tx.set_fact("position", f"{position.number} {position.mark}")
        self._file.commit()

    def _first_rows(self) -> WriteSet:
        """Return the rows for a PostgreSQL database without any: those of the registry that was here before."""
        before = SqliteFile(self._file.path.with_name(FILE), "FULL")
        if not before.path.exists():
            return {}
        try:
            return write_set.everything(before.open())
        finally:
            before.close_writer()


def _ignored(_sources: Collection[str]) -> None:
    """Ignore news."""


def _position(connection: sqlite3.Connection) -> Position | None:
    number, _, mark = Transaction(connection, 0).fact("position").partition(" ")
    return Position(int(number), mark) if mark else None
