"""What the database lists: in the order of keys, in pages, and without reading rows that are not asked for."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.call import ENDPOINT, GROUP, VNET
from resolver.registry.store.schema import MIGRATIONS
from resolver.registry.store.transaction import Transaction
from zones.clocks import WallTime

KIND = ENDPOINT.casefold()
GROUPS = ("a", "A-1", "a0", "b", "a.b")
"""In the order of texts, some of these come between `a` and what is in `a`."""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    for script in MIGRATIONS:
        made.executescript(script)
    tx = Transaction(made, 1)
    for subscription, group in product(("S1", "s10"), GROUPS):
        scope = ArmId(subscription, group)
        tx.put(scope, {})
        vnet = scope.resource(VNET, "v")
        tx.put(vnet, {})
        for name in ("Pe1", "pe-2", "pe10"):
            tx.put(scope.resource(ENDPOINT, name), {}, network=vnet.key)
            tx.put(vnet.child("subnets", name), {}, parent=vnet.key)
    yield made
    made.close()


def _keys(connection: sqlite3.Connection, where: Callable[[str, str], bool]) -> list[str]:
    rows = connection.execute("SELECT key, type FROM resources")
    return sorted(key for key, kind in rows if where(key, kind))


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("group", ["", *(each.casefold() for each in GROUPS)])
def test_pages_have_each_resource_of_the_scope_once_and_in_order(
    connection: sqlite3.Connection, group: str, size: int
) -> None:
    tx, found, after = Transaction(connection, 0), [], ""
    while page := tx.listed(KIND, "s1", group, after, size):
        assert len(page) <= size
        found += [row.key for row in page]
        after = found[-1]
    scope = f"{ArmId('s1', group).key}/"
    assert found == _keys(connection, lambda key, kind: kind == KIND and key.startswith(scope))
    assert len(found) == (3 if group else 15)


def test_a_group_contains_what_is_in_it_and_not_itself(connection: sqlite3.Connection) -> None:
    for group in GROUPS:
        scope = ArmId("s1", group.casefold()).key
        found = [row.key for row in Transaction(connection, 0).in_group("s1", group.casefold())]
        assert found == _keys(connection, lambda key, _, scope=scope: key.startswith(f"{scope}/"))  # type: ignore[misc]
        assert len(found) == 7


@pytest.mark.parametrize("beginning", ["pe", "pe1", "pe-", "v", "x", ""])
def test_resources_are_found_by_the_beginning_of_their_name(connection: sqlite3.Connection, beginning: str) -> None:
    found = [row.key for row in Transaction(connection, 0).named(beginning)]
    assert found == _keys(connection, lambda key, _: key.rpartition("/")[2].startswith(beginning))
    assert Transaction(connection, 0).has_named(KIND, "pe10")
    assert not Transaction(connection, 0).has_named(KIND, "pe")
    assert not Transaction(connection, 0).has_named(KIND, "v")


def test_no_question_reads_all_rows_of_a_table(connection: sqlite3.Connection) -> None:
    tx, asked = Transaction(connection, 0), list[str]()
    vnet = ArmId("s1", "a").resource(VNET, "v").key
    subnet = f"{vnet}/subnets/pe1"
    connection.set_trace_callback(asked.append)
    tx.get(vnet)
    for group in ("", "a"):
        tx.listed(KIND, "s1", group, f"{ArmId('s1', 'a').key}/x", 10)
    tx.listed(GROUP.casefold(), "s1", limit=10)
    tx.children(vnet, f"{VNET}/subnets".casefold(), subnet, 10)
    lists = len(asked)
    tx.children(vnet)
    tx.in_group("s1", "a")
    list(tx.families(KIND))
    tx.count(KIND, "s1")
    tx.ids_in(subnet, KIND)
    tx.holders(subnet)
    tx.named("pe")
    tx.has_named(KIND, "pe1")
    tx.release("holder", WallTime(0.0))
    tx.forget_released(0.0)
    tx.forget_operations(0.0)
    connection.set_trace_callback(None)
    assert len(asked) == 16
    for number, statement in enumerate(asked):
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert not any("SCAN" in step for step in plan), (statement, plan)
        assert number >= lists or not any("TEMP B-TREE" in step for step in plan), (statement, plan)
