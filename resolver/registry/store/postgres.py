"""One connection to the PostgreSQL database that several registries share.

PostgreSQL has the tables of `schema`, and the log of changes: a row for each commit of any registry, with its number,
a random mark and the write set. A commit holds an advisory lock, so that commits have one order and never conflict.
`NOTIFY` announces a commit. Does not know the local copy of a registry.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, Self

import asyncpg

from resolver.process import secret
from resolver.registry.store.schema import MIGRATIONS
from resolver.registry.store.sqlite_file import Unavailable
from resolver.registry.store.write_set import Table, Values, WriteSet, decoded, encoded
from resolver.registry_settings import RegistryDatabase

_COMMITS: Final = 0x706C646E73_01
"""The advisory lock of those who commit."""
_LEADER: Final = 0x706C646E73_02
"""The advisory lock of the control plane that reads the remote sources."""
_CHANNEL: Final = "pldns_registry"
_CONNECT: Final = 5.0
"""Seconds until a connection must be open."""
_ANSWER: Final = 10.0
"""Seconds until a statement must have ended."""
_SESSION: Final = {
    "application_name": "pldns",
    # A control plane that hangs, or whose machine is gone, must not keep the others from writing.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "8s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_LOG: Final = """
    CREATE TABLE changes (
        number BIGINT PRIMARY KEY,
        mark TEXT NOT NULL,
        made TIMESTAMPTZ NOT NULL DEFAULT now(),
        payload BYTEA NOT NULL
    );
    CREATE INDEX changes_by_time ON changes (made);
"""
_SET_VERSION: Final = """
    INSERT INTO facts (name, value) VALUES ('version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_KEPT: Final = timedelta(days=7)
_MOST_KEPT: Final = 200_000
"""Changes that the log keeps, at most. Who is further behind copies the tables."""
_ROWS: Final = 1000
"""Rows that are read at once."""
_FAILURES: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


class Position(NamedTuple):
    """A place in the log of changes. The mark differs between two databases, and between two restored histories."""

    number: int
    mark: str


class Change(NamedTuple):
    """One commit, and the place in the log after it."""

    position: Position
    changes: WriteSet


class Differs(Exception):  # noqa: N818 - a state of the data, not a mistake of the caller
    """The rows in PostgreSQL are not those that the local copy has. The message is one line for people."""


class Postgres:
    """One connection. Every method raises `Unavailable`, and the connection is then closed."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
        self._connection = connection
        self._news = asyncio.Event()
        self._leads = False

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, settings: RegistryDatabase) -> AsyncIterator[Self]:
        """Connect. The connection is closed with the context. Raises `Unavailable`."""
        try:
            password = secret.text(settings.secret) if settings.secret else settings.password
        except secret.NoSecret as error:
            raise Unavailable(f"PostgreSQL: {error}") from error
        with _available():
            connection = await asyncpg.connect(
                settings.url, password=password or None, timeout=_CONNECT, command_timeout=_ANSWER,
                server_settings=_SESSION,
            )  # fmt: skip
        made = cls(connection)
        try:
            connection.add_termination_listener(lambda _: made.wake())
            with _available():
                await connection.add_listener(_CHANNEL, made._announced)
            yield made
        finally:
            connection.terminate()

    def terminate(self) -> None:
        """Close the connection at once. Who waits for news notices."""
        self._connection.terminate()
        self.wake()

    def wake(self) -> None:
        """End the waiting of `news`."""
        self._news.set()

    def _announced(self, connection: Any, process: int, _channel: str, _payload: str) -> None:  # noqa: ANN401 - as above
        if process != connection.get_server_pid():
            self.wake()

    async def news(self, patience: float) -> None:
        """Wait until a commit is announced or the connection is lost, at most some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._news.wait()
        self._news.clear()

    # -- tables

    async def prepare(self, every: Sequence[Table], first: Callable[[], Awaitable[WriteSet]]) -> None:
        """Make or migrate the tables. `first` returns the rows that new tables get.

        A migration empties the log of changes, since it may change what earlier rows mean: local copies are made again.
        """
        with self._failing_closed():
            async with self._connection.transaction():
                await self._lock()
                exists = await self._connection.fetchval("SELECT to_regclass('facts') IS NOT NULL")
                version = await self._version() if exists else 0
                if version > len(MIGRATIONS):
                    raise Unavailable("the PostgreSQL database is of a later version of pldns")
                if version == len(MIGRATIONS):
                    return
                if not exists:
                    await self._connection.execute(_LOG)
                for script in MIGRATIONS[version:]:
                    await self._connection.execute(script)
                await self._connection.execute(_SET_VERSION, str(len(MIGRATIONS)))
                if not exists:
                    await self._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                    rows = await first()
                    for table in every:
                        if table.name in rows:
                            await self._add(table, rows[table.name].added)
                last = await self._connection.fetchval("SELECT max(number) FROM changes")
                await self._connection.execute("DELETE FROM changes")
                await self._note(Position((last or 0) + 1, secrets.token_hex(8)), {})

    async def _version(self) -> int:
        return int(await self._connection.fetchval("SELECT value FROM facts WHERE name = 'version'"))

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Position]:
        """See one state of all tables while the context is open: the one at this place in the log."""
        with self._failing_closed():
            async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                head = await self._connection.fetchrow("SELECT number, mark FROM changes ORDER BY number DESC LIMIT 1")
                if await self._version() != len(MIGRATIONS):
                    raise Unavailable("the PostgreSQL database is of another version of pldns")
                yield Position(*head)

    async def rows(self, table: Table) -> AsyncGenerator[list[Values]]:
        """Yield the rows of a table in a `snapshot`, some at a time."""
        with self._failing_closed():
            query = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {table.condition}"
            cursor = await self._connection.cursor(query)
            while rows := [tuple(row) for row in await cursor.fetch(_ROWS)]:
                yield rows

    # -- changes

    async def changes_since(self, position: Position) -> list[Change] | None:
        """Return the commits after a place in the log, or some of them.

        None if the log does not have this place: it has been pruned, or is the log of another database.
        """
        with self._failing_closed():
            rows = await self._connection.fetch(
                "SELECT number, mark, payload FROM changes WHERE number >= $1 ORDER BY number LIMIT $2",
                position.number, _ROWS,
            )  # fmt: skip
        if not rows or rows[0]["mark"] != position.mark or rows[0]["number"] != position.number:
            return None
        return [Change(Position(row["number"], row["mark"]), decoded(row["payload"])) for row in rows[1:]]

    @contextlib.asynccontextmanager
    async def committing(self) -> AsyncIterator[None]:
        """Hold the lock of those who commit. Commit at the end of the context; where it raises, undo everything.

        If it raises `Unavailable` at the end, it is not known whether the commit has been made.
        """
        with self._failing_closed():
            async with self._connection.transaction():
                await self._lock()
                yield

    async def publish(self, every: Sequence[Table], changes: WriteSet, after: Position) -> Position:
        """Write and announce changes in `committing`. Return their place in the log, after the last one, `after`.

        Raises `Differs`.
        """
        with self._failing_closed():
            try:
                for table in every:
                    if change := changes.get(table.name):
                        await self._remove(table, change.removed)
                        await self._add(table, change.added)
            except asyncpg.UniqueViolationError as error:
                raise Differs(f"PostgreSQL refuses a row twice: {error.detail or error}") from error
            position = Position(after.number + 1, secrets.token_hex(8))
            await self._note(position, changes)
        return position

    async def prune(self) -> None:
        """Forget old changes."""
        with self._failing_closed():
            await self._connection.execute(
                "DELETE FROM changes WHERE number < (SELECT max(number) FROM changes) AND (made < now() - $1::interval "
                "OR number < (SELECT max(number) FROM changes) - $2)",
                _KEPT, _MOST_KEPT,
            )  # fmt: skip

    # -- leader

    async def leads(self) -> bool:
        """Return whether this connection is the leader's. It becomes that if no other connection is."""
        with self._failing_closed():
            if not self._leads:  # the lock is the session's: it ends with the connection
                self._leads = await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", _LEADER)
        return self._leads

    # -- statements

    async def _lock(self) -> None:
        await self._connection.execute("SELECT pg_advisory_xact_lock($1)", _COMMITS)

    async def _remove(self, table: Table, keys: list[Values]) -> None:
        if not keys:
            return
        arrays = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(table.key_types, 1))
        same = " AND ".join(f"here.{each} = gone.{each}" for each in table.key)
        query = f"DELETE FROM {table.name} here USING unnest({arrays}) AS gone ({', '.join(table.key)}) WHERE {same}"
        done = await self._connection.execute(query, *zip(*keys, strict=True))
        if done != f"DELETE {len(keys)}":
            raise Differs(f"PostgreSQL does not have all rows of {table.name} that the local copy has")

    async def _add(self, table: Table, rows: list[Values]) -> None:
        arrays = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(table.types, 1))
        query = f"INSERT INTO {table.name} ({', '.join(table.columns)}) SELECT * FROM unnest({arrays})"
        for start in range(0, len(rows), _ROWS):
            await self._connection.execute(query, *zip(*rows[start : start + _ROWS], strict=True))

    async def _note(self, position: Position, changes: WriteSet) -> None:
        await self._connection.execute(
            "INSERT INTO changes (number, mark, payload) VALUES ($1, $2, $3)", *position, encoded(changes)
        )
        await self._connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, str(position.number))

    @contextlib.contextmanager
    def _failing_closed(self) -> Iterator[None]:
        """Turn a failure of PostgreSQL into `Unavailable`, and close the connection."""
        try:
            with _available():
                yield
        except Unavailable:
            self.terminate()
            raise


@contextlib.contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        first = str(error).partition("\n")[0] or f"no answer within {_ANSWER:.0f} seconds"
        raise Unavailable(f"PostgreSQL: {first}") from error
