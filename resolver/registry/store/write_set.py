"""The rows that a transaction removes and adds, table by table: captured in one SQLite file, and applied to another.

The rows are the effect of statements: a database that applies them needs no rule of the registry. Triggers note their
keys; a trigger belongs to one connection, and the file does not have it. Does not know where the rows go.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from resolver.registry.model.resource_id import ArmId

LOCAL_FACTS: Final = ("version", "position")
"""Names of the facts that belong to one database, and are the same in no other."""
_RESOURCES: Final = "resources"

Values = tuple[Any, ...]
"""The values of a row, or of its key, in the order of the columns."""


class Table(NamedTuple):
    """A table: its columns with their SQL types, and those of its primary key, which come first in a key."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def key_types(self) -> tuple[str, ...]:
        """The SQL types of the columns of the primary key."""
        return tuple(self.types[self.columns.index(each)] for each in self.key)

    def key_of(self, row: Values) -> Values:
        """Return the key of a row."""
        return tuple(row[self.columns.index(each)] for each in self.key)

    @property
    def condition(self) -> str:
        """An SQL condition for the shared rows of the table: all but the facts of one database."""
        return f"name NOT IN {LOCAL_FACTS}" if self.name == "facts" else "TRUE"


class TableChange(msgspec.Struct, frozen=True, array_like=True):
    """What happens to one table: first the rows with the keys `removed` go, then the rows `added` come."""

    removed: list[Values]
    added: list[Values]


WriteSet = dict[str, TableChange]
"""What happens to each table that changes, by its name."""


def encoded(changes: WriteSet) -> bytes:
    """Return changes as octets."""
    return zlib.compress(msgspec.json.encode(changes), 1)


def decoded(octets: bytes) -> WriteSet:
    """Return the changes that `encoded` has written."""
    return msgspec.json.decode(zlib.decompress(octets), type=WriteSet)


def tables(connection: sqlite3.Connection) -> tuple[Table, ...]:
    """Return the tables of a database, in the order of their names."""
    names = connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    return tuple(_table(connection, name) for (name,) in names if not name.startswith("sqlite_"))


def _table(connection: sqlite3.Connection, name: str) -> Table:
    rows = connection.execute(f"PRAGMA main.table_info({name})").fetchall()
    keyed = sorted((row[5], row[1]) for row in rows if row[5])
    return Table(name, tuple(row[1] for row in rows), tuple(row[2] for row in rows), tuple(key for _, key in keyed))


# -- capture


def capture(connection: sqlite3.Connection, every: Iterable[Table]) -> None:
    """Note from now on which rows the connection changes."""
    for table in every:
        columns = ", ".join(table.key)
        connection.execute(f"CREATE TEMP TABLE touched_{table.name} ({columns}, existed)")
        # The first note of a row in a transaction says whether the row existed before it.
        for event, image, existed in (("INSERT", "NEW", 0), ("UPDATE", "OLD", 1), ("DELETE", "OLD", 1)):
            when = f"WHEN {image}.{table.condition}" if table.name == "facts" else ""
            values = ", ".join(f"{image}.{each}" for each in table.key)
            connection.execute(
                f"CREATE TEMP TRIGGER touched_{table.name}_{event} AFTER {event} ON main.{table.name} {when} "
                f"BEGIN INSERT INTO touched_{table.name} VALUES ({values}, {existed}); END"
            )


def captured(connection: sqlite3.Connection, every: Iterable[Table]) -> WriteSet:
    """Return what the connection has changed since the last call. A row that came and went is not part of it."""
    found: WriteSet = {}
    for table in every:
        touched = f"touched_{table.name}"
        key, same = ", ".join(table.key), " AND ".join(f"now.{each} = noted.{each}" for each in table.key)
        present, shown = f"now.{table.key[0]} IS NOT NULL", ", ".join(f"noted.{each}" for each in table.key)
        rows = connection.execute(
            f"SELECT {shown}, noted.existed, {present}, now.* FROM "
            f"(SELECT {key}, existed, min(rowid) FROM temp.{touched} GROUP BY {key}) noted "
            f"LEFT JOIN main.{table.name} now ON {same}"
        ).fetchall()
        if not rows:
            continue
        connection.execute(f"DELETE FROM temp.{touched}")
        width = len(table.key)
        removed = [row[:width] for row in rows if row[width]]
        added = [row[width + 2 :] for row in rows if row[width + 1]]
        if removed or added:
            found[table.name] = TableChange(removed, added)
    return found


def forget(connection: sqlite3.Connection, every: Iterable[Table]) -> None:
    """Forget what the connection has changed until now."""
    for table in every:
        connection.execute(f"DELETE FROM temp.touched_{table.name}")


def everything(connection: sqlite3.Connection) -> WriteSet:
    """Return all rows of a database as added."""
    rows = {
        table.name: connection.execute(f"SELECT * FROM main.{table.name} WHERE {table.condition}").fetchall()
        for table in tables(connection)
    }
    return {name: TableChange([], found) for name, found in rows.items() if found}


# -- application


def apply(connection: sqlite3.Connection, every: Iterable[Table], changes: WriteSet) -> None:
    """Make the changes of another database here too."""
    for table in every:
        if change := changes.get(table.name):
            connection.executemany(_delete(table), change.removed)
            connection.executemany(_insert(table), change.added)


def keys(changes: WriteSet, table: str) -> set[Values]:
    """Return the first two values of the rows of a table that changes remove or write."""
    change = changes.get(table)
    return {row[:2] for row in (*change.removed, *change.added)} if change else set()


def resources(changes: WriteSet) -> dict[str, str]:
    """Return the types of the resources that changes remove or write, by key."""
    found = {str(row[0]) for row in keys(changes, _RESOURCES)}
    return {key: ArmId.parse(key).type.casefold() for key in found}


class Replacement:
    """Replaces the rows of all tables in the transaction that has begun, and writes only those that differ."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.changed: dict[str, str] = {}
        """The types of the resources that the replacement has changed, by key."""
        self._connection = connection
        self._kept: set[Values] = set()

    def rows(self, table: Table, rows: Sequence[Values]) -> None:
        """Take some of the rows of a table."""
        where = " AND ".join(f"{each} = ?" for each in table.key)
        find = f"SELECT * FROM {table.name} WHERE {where}"
        for row in rows:
            key = table.key_of(row)
            self._kept.add(key)
            had = self._connection.execute(find, key).fetchone()
            if had != row:
                # REPLACE: until the end, a row that is going may have a value that must be unique.
                self._connection.execute(_insert(table).replace("INSERT", "REPLACE", 1), row)
                self._note(table, key)

    def end(self, table: Table) -> None:
        """Remove the rows of a table that were not among those taken."""
        find = f"SELECT {', '.join(table.key)} FROM {table.name} WHERE {table.condition}"
        for key in self._connection.execute(find).fetchall():
            if key not in self._kept:
                self._connection.execute(_delete(table), key)
                self._note(table, key)
        self._kept.clear()

    def _note(self, table: Table, key: Values) -> None:
        if table.name == _RESOURCES:
            self.changed[key[0]] = ArmId.parse(key[0]).type.casefold()


def _delete(table: Table) -> str:
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{each} = ?' for each in table.key)}"


def _insert(table: Table) -> str:
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({', '.join('?' * len(table.columns))})"
