"""The statements of one transaction: resources, addresses, connections, aliases and operations.

Does not know what a resource means, when the transaction ends, or which thread runs it.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.subnet import Address
from resolver.registry.store.row import Family, Json, Row, etag_of
from zones.clocks import WallTime

_ROW: Final = "SELECT key, id, type, name, subscription, parent, network, serial, body FROM resources "

_KNOWN: Final = 100
"""Most rows that are kept because they were read: a list may read every row."""
_LAST: Final = "\U0010ffff"
"""A character that no name has, and that sorts after all others."""


class Transaction:
    """One transaction. `changed` collects the rows that it wrote or removed, by key, with their types."""

    def __init__(self, connection: sqlite3.Connection, serial: int) -> None:
        self._connection = connection
        self.serial = serial
        """The number of this transaction, which the rows that it writes get."""
        self.changed: dict[str, str] = {}
        self._known: dict[str, Row | None] = {}
        """Rows as this transaction has read or written them, by key: a request reads some of them several times."""

    def _change(self, statement: str, *arguments: object) -> sqlite3.Cursor:
        """Run a statement that changes rows. Every change of a transaction goes through here."""
        return self._connection.execute(statement, arguments)

    # -- resources

    def get(self, key: str) -> Row | None:
        """Return a resource by its folded id; None where there is none."""
        if key in self._known:
            return self._known[key]
        found = self._connection.execute(f"{_ROW} WHERE key = ?", (key,)).fetchone()
        row = Row(*found) if found else None
        if len(self._known) < _KNOWN:
            self._known[key] = row
        return row

    def put(self, made: ArmId, body: Json, *, parent: str = "", network: str = "") -> Row:
        """Write a resource, new or in place of the one with its id. Set the ETag in its body. Return the row.

        `parent` and `network` are for a new resource: they never change.
        """
        key, kind = made.key, made.type.casefold()
        body["etag"] = etag_of(self.serial)
        encoded = msgspec.json.encode(body).decode()
        name, subscription = made.name.casefold(), made.subscription.casefold()
        row = Row(key, str(made), kind, name, subscription, parent, network, self.serial, encoded)
        self.changed[key] = kind
        before = self._change(
            "UPDATE resources SET serial = ?, body = ? WHERE key = ? RETURNING parent, network",
            self.serial, encoded, key,
        ).fetchone()  # fmt: skip
        if before:
            row = row._replace(parent=before[0], network=before[1])
        self._known[key] = row
        if before:
            return row
        self._change(
            "INSERT INTO resources (key, id, type, name, subscription, parent, network, serial, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *row,
        )
        self._count(row, 1)
        return row

    def delete(self, row: Row) -> None:
        """Remove a resource. Its children stay; the caller removes them."""
        if self._change("DELETE FROM resources WHERE key = ?", row.key).rowcount:
            self._count(row, -1)
        self.changed[row.key] = row.type
        self._known[row.key] = None

    def listed(self, kind: str, subscription: str, group: str = "", after: str = "", limit: int = -1) -> list[Row]:
        """Return the resources of a type in a subscription, or in one of its groups, in the order of their keys.

        `after`: the key of the last row of the page before. `limit`: the most rows; -1: all.
        """
        first, last = _within(ArmId(subscription, group).key)
        found = self._connection.execute(
            f"{_ROW} WHERE type = ? AND subscription = ? AND key > ? AND key < ? ORDER BY key LIMIT ?",
            (kind, subscription, max(first, after), last, limit),
        )
        return [Row(*each) for each in found]

    def resources_in(self, scope: str, after: str = "", limit: int = -1) -> list[Row]:
        """Return the resources of all types in a subscription or a group, without groups and child resources."""
        first, last = _within(scope)
        found = self._connection.execute(
            f"{_ROW} WHERE key > ? AND key < ? AND type NOT LIKE '%/%/%' "
            "AND type <> 'microsoft.resources/resourcegroups' ORDER BY key LIMIT ?",
            (max(first, after), last, limit),
        )
        return [Row(*each) for each in found]

    def families(self, kind: str) -> Iterator[Family]:
        """Yield all resources of a type with their children."""
        found = self._connection.execute(
            "SELECT own.key, own.id, own.body, child.type, child.body FROM resources AS own "
            "LEFT JOIN resources AS child ON child.parent = own.key WHERE own.type = ?",
            (kind,),
        )
        for (key, text, body), rows in groupby(found, key=itemgetter(0, 1, 2)):
            yield Family(key, text, body, [(row[3], row[4]) for row in rows if row[3]])

    def family(self, row: Row) -> Family:
        """Return a resource with its children."""
        return Family(row.key, row.id, row.body, [(each.type, each.body) for each in self.children(row.key)])

    def in_group(self, subscription: str, group: str) -> list[Row]:
        """Return all resources of a group, without the group itself."""
        bounds = _within(ArmId(subscription, group).key)
        found = self._connection.execute(f"{_ROW} WHERE key > ? AND key < ? ORDER BY key", bounds)
        return [Row(*each) for each in found]

    def ids_in(self, subnet: str, kind: str) -> list[str]:
        """Return the ids of the resources of a type with an address in a subnet, in the order of their keys."""
        found = self._connection.execute(
            "SELECT DISTINCT held.id FROM addresses JOIN resources AS held ON held.key = addresses.holder "
            "WHERE addresses.subnet = ? AND addresses.released IS NULL AND held.type = ? ORDER BY held.key",
            (subnet, kind),
        )
        return [each[0] for each in found]

    def children(self, parent: str, kind: str = "", after: str = "", limit: int = -1) -> list[Row]:
        """Return the children of a resource, of one type or of all, in the order of their keys."""
        where = "WHERE parent = ? " + ("AND type = ? " if kind else "") + "AND key > ? ORDER BY key LIMIT ?"
        arguments = (parent, *((kind,) if kind else ()), after, limit)
        return [Row(*each) for each in self._connection.execute(f"{_ROW} {where}", arguments)]

    def named(self, beginning: str) -> list[Row]:
        """Return the resources of all types and subscriptions whose name begins so, in the order of their keys."""
        found = self._connection.execute(
            f"{_ROW} WHERE name >= ? AND name < ? ORDER BY key", (beginning, f"{beginning}{_LAST}")
        )
        return [Row(*each) for each in found]

    def has_named(self, kind: str, name: str) -> bool:
        """Return whether a resource of a type has this name, in any subscription."""
        found = self._connection.execute(
            "SELECT 1 FROM resources WHERE name = ? AND type = ? LIMIT 1", (name, kind)
        ).fetchone()
        return found is not None

    def count(self, kind: str, scope: str) -> int:
        """Return the number of resources of a type in a subscription, or of private endpoints in a virtual network."""
        found = self._connection.execute(
            "SELECT number FROM counts WHERE scope = ? AND type = ?", (scope, kind)
        ).fetchone()
        return int(found[0]) if found else 0

    def _count(self, row: Row, by: int) -> None:
        """Count a resource that has come or gone."""
        for scope in (row.subscription, row.network) if row.network else (row.subscription,):
            self._change(
                "INSERT INTO counts (scope, type, number) VALUES (?, ?, ?) "
                "ON CONFLICT (scope, type) DO UPDATE SET number = counts.number + excluded.number",
                scope, row.type, by,
            )  # fmt: skip

    # -- addresses

    def address(self, subnet: str, address: Address) -> tuple[str, WallTime | None] | None:
        """Return the holder of an address and the time of its release; None for an address that is free."""
        found: tuple[str, WallTime | None] | None = self._connection.execute(
            "SELECT holder, released FROM addresses WHERE subnet = ? AND address = ?", (subnet, _ordered(address))
        ).fetchone()
        return found

    def count_addresses(self, subnet: str, first: Address, last: Address) -> int:
        """Return how many addresses, from one to another, are in use or were released."""
        found = self._connection.execute(
            "SELECT count(*) FROM addresses WHERE subnet = ? AND address BETWEEN ? AND ?",
            (subnet, _ordered(first), _ordered(last)),
        ).fetchone()
        return int(found[0])

    def count_released(self, subnet: str, first: Address, last: Address) -> int:
        """Return how many addresses, from one to another, were released."""
        found = self._connection.execute(
            "SELECT count(*) FROM addresses WHERE subnet = ? AND address BETWEEN ? AND ? AND released IS NOT NULL",
            (subnet, _ordered(first), _ordered(last)),
        ).fetchone()
        return int(found[0])

    def take(self, subnet: str, address: Address, holder: str) -> None:
        """Give an address to an endpoint or a service. Raises IntegrityError where it is not free."""
        self._change(
            "INSERT INTO addresses (subnet, address, holder, released) VALUES (?, ?, ?, NULL)",
            subnet, _ordered(address), holder,
        )  # fmt: skip

    def release(self, holder: str, now: WallTime) -> None:
        """Note that an endpoint or a service has no address any more."""
        self._change("UPDATE addresses SET released = ? WHERE holder = ? AND released IS NULL", now, holder)

    def forget_released(self, before: float) -> None:
        """Forget the addresses that were released at a time or before."""
        self._change("DELETE FROM addresses WHERE released <= ?", before)

    def holders(self, subnet: str) -> list[str]:
        """Return the keys of the endpoints and services with an address in a subnet, in order."""
        found = self._connection.execute(
            "SELECT DISTINCT holder FROM addresses WHERE subnet = ? AND released IS NULL ORDER BY holder", (subnet,)
        )
        return [each[0] for each in found]

    # -- connections

    def connect(self, endpoint: str, connection: str, target: str) -> None:
        """Note that an endpoint has this connection to this target. An endpoint has one."""
        self._change(
            "INSERT INTO connections (endpoint, connection, target) VALUES (?, ?, ?)", endpoint, connection, target
        )

    def disconnect(self, endpoint: str) -> None:
        """Note that an endpoint has no connection any more."""
        self._change("DELETE FROM connections WHERE endpoint = ?", endpoint)

    def connection_of(self, endpoint: str) -> str:
        """Return the key of an endpoint's connection; empty where it has none."""
        found = self._connection.execute(
            "SELECT connection FROM connections WHERE endpoint = ?", (endpoint,)
        ).fetchone()
        return str(found[0]) if found else ""

    def endpoint_of(self, connection: str) -> str:
        """Return the key of a connection's endpoint; empty where there is no such connection."""
        found = self._connection.execute(
            "SELECT endpoint FROM connections WHERE connection = ?", (connection,)
        ).fetchone()
        return str(found[0]) if found else ""

    def connections_to(self, target: str) -> int:
        """Return the number of connections to a target."""
        found = self._connection.execute("SELECT count(*) FROM connections WHERE target = ?", (target,)).fetchone()
        return int(found[0])

    # -- aliases

    def set_alias(self, alias: str, service: str) -> None:
        """Note the alias of a private link service."""
        self._change("INSERT INTO aliases (alias, service) VALUES (?, ?)", alias, service)

    def drop_alias(self, service: str) -> None:
        """Forget the alias of a private link service."""
        self._change("DELETE FROM aliases WHERE service = ?", service)

    def service_with(self, alias: str) -> str:
        """Return the key of the private link service with an alias; empty where there is none."""
        found = self._connection.execute("SELECT service FROM aliases WHERE alias = ?", (alias,)).fetchone()
        return str(found[0]) if found else ""

    # -- operations

    def end_operation(self, operation: str, subscription: str, now: float) -> None:
        """Note that a long-running operation has succeeded."""
        self._change("INSERT INTO operations (id, subscription, ended) VALUES (?, ?, ?)", operation, subscription, now)

    def has_operation(self, operation: str, subscription: str) -> bool:
        """Return whether a long-running operation of a subscription is known."""
        found = self._connection.execute(
            "SELECT 1 FROM operations WHERE id = ? AND subscription = ?", (operation, subscription)
        ).fetchone()
        return found is not None

    def forget_operations(self, before: float) -> None:
        """Forget the operations that ended before a time."""
        self._change("DELETE FROM operations WHERE ended < ?", before)

    # -- facts

    def fact(self, name: str) -> str:
        """Return a single value; empty where it is not set."""
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def set_fact(self, name: str, value: str) -> None:
        """Set a single value."""
        self._change(
            "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        )

    # -- readings of remote sources

    def readings(self, source: str) -> dict[str, str]:
        """Return what the leader has read of a remote source, by part."""
        found = self._connection.execute("SELECT part, body FROM readings WHERE source = ?", (source,))
        return dict(found.fetchall())

    def set_readings(self, source: str, parts: Mapping[str, str]) -> None:
        """Keep these parts of a remote source, and no others. Parts that are the same as before are not written."""
        had = self.readings(source)
        for part in had.keys() - parts.keys():
            self._change("DELETE FROM readings WHERE source = ? AND part = ?", source, part)
        for part, body in parts.items():
            if had.get(part) != body:
                self._change(
                    "INSERT INTO readings (source, part, body) VALUES (?, ?, ?) "
                    "ON CONFLICT (source, part) DO UPDATE SET body = excluded.body",
                    source, part, body,
                )  # fmt: skip


def _within(scope: str) -> tuple[str, str]:
    """Return two texts between which the keys of everything in a subscription, group or resource are."""
    return f"{scope}/", f"{scope}0"  # "0" is the character after "/"


def _ordered(address: Address) -> str:
    """Return an address as a text that sorts as the addresses do: `010.001.000.004`; IPv6 with all of its digits."""
    if address.version == 6:
        return address.exploded
    return ".".join(f"{octet:03}" for octet in address.packed)
