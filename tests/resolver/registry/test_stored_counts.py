"""What the database counts and finds by an index, beside the same found by a walk over all rows."""

import sqlite3
from collections import Counter
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from random import Random

import pytest

from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.subnet import Address
from resolver.registry.registry import Registry
from resolver.registry.service.call import ENDPOINT, SERVICE
from resolver.registry.store.database import Database
from resolver.registry.store.sqlite_file import FILE
from resolver.registry.store.transaction import Transaction
from tests.registry_shapes import CONSUMER, account, endpoint, network
from tests.resolver.registry.conftest import Arm
from zones.clocks import WallTime

SUBNET = "/vnet/subnets/pe"


def _rows(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / FILE) as connection:
        return connection.execute(statement).fetchall()


async def test_counts_are_those_of_the_rows_after_any_changes(tmp_path: Path) -> None:
    database = Database(tmp_path / FILE, lambda _tx, changed: dict(changed), lambda _: None)
    random = Random(7)  # noqa: S311 - not a secret
    names = [(kind, f"n{i}") for kind in (ENDPOINT, SERVICE) for i in range(6)]

    def work(tx: Transaction) -> None:
        kind, name = random.choice(names)
        found = ArmId(random.choice(["A", "b"]), "g").resource(kind, name)
        row = tx.get(found.key)
        match random.choice(["put", "put", "delete", "delete twice", "fail"]):
            case "put":
                tx.put(found, {}, network=random.choice(["/v1", "/v2"]) if kind == ENDPOINT else "")
            case "delete" if row:
                tx.delete(row)
            case "delete twice" if row:
                tx.delete(row)
                tx.delete(row)
            case "fail":
                tx.put(found, {}, network="/v1")
                raise LookupError

    async with database.opened():
        for _ in range(200):
            try:
                await database.write(work)
            except LookupError:
                continue
    rows = _rows(tmp_path, "SELECT subscription, network, type FROM resources")
    real = Counter((scope, kind) for subscription, vnet, kind in rows for scope in (subscription, vnet) if scope)
    stored = {(scope, kind): n for scope, kind, n in _rows(tmp_path, "SELECT scope, type, number FROM counts") if n}
    assert stored == real
    assert len(real) == 6


async def test_an_endpoint_counts_in_its_subscription_and_network_from_its_creation_to_its_deletion(
    lab: Arm, registry: Registry, tmp_path: Path
) -> None:
    kind, vnet = ENDPOINT.casefold(), network("hub", "virtualNetworks").casefold()
    for i in range(3):
        assert (await lab("PUT", network(f"pe{i}"), endpoint(account(), "blob"))).status == 201
    assert (await lab("PUT", network("pe0"), endpoint(account(), "blob"))).status == 200
    assert (await lab("DELETE", network("pe2"))).status == 202
    counts = {scope: n for scope, of, n in _rows(tmp_path, "SELECT scope, type, number FROM counts") if of == kind}
    assert counts == {CONSUMER.casefold(): 2, vnet: 2}


@pytest.mark.parametrize("first", ["10.1.0.250", "fd00::fff8"])
async def test_addresses_are_counted_in_the_order_of_addresses(tmp_path: Path, first: str) -> None:
    database = Database(tmp_path / FILE, lambda _tx, changed: dict(changed), lambda _: None)
    all_of = [ip_address(first) + i for i in range(16)]
    taken, released = all_of[1::3], all_of[1::6]

    def work(tx: Transaction) -> None:
        tx.take(SUBNET, IPv4Address("9.255.255.255"), "other")
        tx.take(f"{SUBNET}2", all_of[0], "elsewhere")
        for each in taken:
            tx.take(SUBNET, each, str(each))
        for each in released:
            tx.release(str(each), WallTime(5.0))

    def check(tx: Transaction) -> None:
        for i, low in enumerate(all_of):
            for high in all_of[i:]:
                between: list[Address] = [each for each in taken if int(low) <= int(each) <= int(high)]
                assert tx.count_addresses(SUBNET, low, high) == len(between)
                assert tx.count_released(SUBNET, low, high) == len({*between} & {*released})
        assert tx.address(SUBNET, taken[0]) == (str(taken[0]), 5.0)
        assert tx.address(SUBNET, taken[1]) == (str(taken[1]), None)
        assert tx.address(SUBNET, all_of[0]) is None

    async with database.opened():
        await database.write(work)
        await database.read(check)
        await database.write(lambda tx: tx.forget_released(5.0))
        assert await database.read(lambda tx: tx.address(SUBNET, taken[0])) is None


async def test_an_endpoint_that_is_made_and_deleted_again_does_not_hold_its_earlier_address_for_longer(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path / FILE, lambda _tx, changed: dict(changed), lambda _: None)

    def work(tx: Transaction) -> None:
        for i in range(2):
            tx.take(SUBNET, IPv4Address("10.0.0.4") + i, "pe")
            tx.release("pe", WallTime(float(i)))

    async with database.opened():
        await database.write(work)
        assert await database.read(lambda tx: tx.address(SUBNET, IPv4Address("10.0.0.4"))) == ("pe", 0.0)
