"""The statements of one transaction: resources, addresses, connections, aliases and operations.

Does not know what a resource means, when the transaction ends, or which thread runs it.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from resolver.registry.model.resource_id import ArmId
from resolver.registry.store.row import Json, Row, etag_of
from zones.clocks import WallTime

_ROW: Final = "SELECT key, id, type, subscription, grp, parent, serial, body FROM resources "


class Transaction:
    """One transaction. `changed` collects the rows that it wrote or removed, by key, with their types."""

    def __init__(self, connection: sqlite3.Connection, serial: int) -> None:
        self._connection = connection
        self.serial = serial
        """The number of this transaction, which the rows that it writes get."""
        self.changed: dict[str, str] = {}

    # -- resources

    def get(self, key: str) -> Row | None:
        """Return a resource by its folded id; None where there is none."""
        found = self._connection.execute(f"{_ROW} WHERE key = ?", (key,)).fetchone()
        return Row(*found) if found else None

    def put(self, made: ArmId, body: Json, *, parent: str = "") -> Row:
        """Write a resource, new or in place of the one with its id. Set the ETag in its body. Return the row."""
        key, kind = made.key, made.type.casefold()
        body["etag"] = etag_of(self.serial)
        row = Row(
            key, str(made), kind, made.subscription.casefold(), made.group.casefold(), parent, self.serial,
            msgspec.json.encode(body).decode(),
        )  # fmt: skip
        self._connection.execute(
            "INSERT INTO resources (key, id, type, subscription, grp, parent, serial, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET serial = excluded.serial, body = excluded.body",
            row,
        )
        self.changed[key] = kind
        return row

    def delete(self, row: Row) -> None:
        """Remove a resource. Its children stay; the caller removes them."""
        self._connection.execute("DELETE FROM resources WHERE key = ?", (row.key,))
        self.changed[row.key] = row.type

    def listed(self, kind: str, subscription: str, group: str = "", after: str = "", limit: int = -1) -> list[Row]:
        """Return the resources of a type in a subscription, or in one of its groups, in the order of their keys.

        `after`: the key of the last row of the page before. `limit`: the most rows; -1: all.
        """
        where = "WHERE type = ? AND subscription = ? " + ("AND grp = ? " if group else "") + "AND key > ?"
        arguments = (kind, subscription, *((group,) if group else ()), after)
        limited = f"{_ROW} {where} ORDER BY key LIMIT ?"
        return [Row(*each) for each in self._connection.execute(limited, (*arguments, limit))]

    def all_of(self, kind: str) -> Iterator[Row]:
        """Yield all resources of a type."""
        for each in self._connection.execute(f"{_ROW} WHERE type = ?", (kind,)):
            yield Row(*each)

    def in_group(self, subscription: str, group: str) -> list[Row]:
        """Return all resources of a group, without the group itself."""
        found = self._connection.execute(
            f"{_ROW} WHERE subscription = ? AND grp = ? AND type <> 'microsoft.resources/resourcegroups'",
            (subscription, group),
        )
        return [Row(*each) for each in found]

    def children(self, parent: str, kind: str = "", after: str = "", limit: int = -1) -> list[Row]:
        """Return the children of a resource, of one type or of all, in the order of their keys."""
        where = "WHERE parent = ? " + ("AND type = ? " if kind else "") + "AND key > ? ORDER BY key LIMIT ?"
        arguments = (parent, *((kind,) if kind else ()), after, limit)
        return [Row(*each) for each in self._connection.execute(f"{_ROW} {where}", arguments)]

    def has_named(self, kind: str, name: str) -> bool:
        """Return whether a resource of a type has this name, in any subscription."""
        found = self._connection.execute(
            "SELECT 1 FROM resources WHERE type = ? AND substr(key, -length(?)) = ? LIMIT 1",
            (kind, f"/{name}", f"/{name}"),
        ).fetchone()
        return found is not None

    def count(self, kind: str, subscription: str) -> int:
        """Return the number of resources of a type in a subscription."""
        found = self._connection.execute(
            "SELECT count(*) FROM resources WHERE type = ? AND subscription = ?", (kind, subscription)
        ).fetchone()
        return int(found[0])

    # -- addresses

    def addresses(self, subnet: str) -> list[tuple[str, str, WallTime | None]]:
        """Return the addresses of a subnet that are taken or were released: address, holder, time of the release."""
        found = self._connection.execute("SELECT address, holder, released FROM addresses WHERE subnet = ?", (subnet,))
        return found.fetchall()

    def take(self, subnet: str, address: str, holder: str) -> None:
        """Give an address to an endpoint or a service. Raises IntegrityError where it has another holder."""
        self._connection.execute(
            "DELETE FROM addresses WHERE subnet = ? AND address = ? AND released IS NOT NULL", (subnet, address)
        )
        self._connection.execute(
            "INSERT INTO addresses (subnet, address, holder, released) VALUES (?, ?, ?, NULL)",
            (subnet, address, holder),
        )

    def release(self, holder: str, now: WallTime) -> None:
        """Note that an endpoint or a service has no address any more."""
        self._connection.execute("UPDATE addresses SET released = ? WHERE holder = ?", (now, holder))

    def forget_released(self, before: float) -> None:
        """Forget the addresses that were released before a time."""
        self._connection.execute("DELETE FROM addresses WHERE released < ?", (before,))

    def holders(self, subnet: str) -> list[str]:
        """Return the keys of the endpoints and services with an address in a subnet, in order."""
        found = self._connection.execute(
            "SELECT DISTINCT holder FROM addresses WHERE subnet = ? AND released IS NULL ORDER BY holder", (subnet,)
        )
        return [each[0] for each in found]

    def endpoints_in(self, vnet: str) -> int:
        """Return the number of endpoints with an address in any subnet of a virtual network."""
        prefix = f"{vnet}/subnets/"
        found = self._connection.execute(
            "SELECT count(DISTINCT holder) FROM addresses WHERE subnet >= ? AND subnet < ? AND released IS NULL "
            "AND holder LIKE '%/privateendpoints/%'",
            (prefix, f"{prefix[:-1]}0"),  # "0" is the character after "/"
        ).fetchone()
        return int(found[0])

    # -- connections

    def connect(self, endpoint: str, connection: str, target: str) -> None:
        """Note that an endpoint has this connection to this target. An endpoint has one."""
        self._connection.execute(
            "INSERT INTO connections (endpoint, connection, target) VALUES (?, ?, ?)", (endpoint, connection, target)
        )

    def disconnect(self, endpoint: str) -> None:
        """Note that an endpoint has no connection any more."""
        self._connection.execute("DELETE FROM connections WHERE endpoint = ?", (endpoint,))

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
        self._connection.execute("INSERT INTO aliases (alias, service) VALUES (?, ?)", (alias, service))

    def drop_alias(self, service: str) -> None:
        """Forget the alias of a private link service."""
        self._connection.execute("DELETE FROM aliases WHERE service = ?", (service,))

    def service_with(self, alias: str) -> str:
        """Return the key of the private link service with an alias; empty where there is none."""
        found = self._connection.execute("SELECT service FROM aliases WHERE alias = ?", (alias,)).fetchone()
        return str(found[0]) if found else ""

    # -- operations

    def end_operation(self, operation: str, subscription: str, now: float) -> None:
        """Note that a long-running operation has succeeded."""
        self._connection.execute(
            "INSERT INTO operations (id, subscription, ended) VALUES (?, ?, ?)", (operation, subscription, now)
        )

    def has_operation(self, operation: str, subscription: str) -> bool:
        """Return whether a long-running operation of a subscription is known."""
        found = self._connection.execute(
            "SELECT 1 FROM operations WHERE id = ? AND subscription = ?", (operation, subscription)
        ).fetchone()
        return found is not None

    def forget_operations(self, before: float) -> None:
        """Forget the operations that ended before a time."""
        self._connection.execute("DELETE FROM operations WHERE ended < ?", (before,))

    # -- facts

    def fact(self, name: str) -> str:
        """Return a single value; empty where it is not set."""
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def set_fact(self, name: str, value: str) -> None:
        """Set a single value."""
        self._connection.execute(
            "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )
