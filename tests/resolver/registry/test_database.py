"""The database: writes that share a commit, faults, and what is there after a crash."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from resolver.registry.model.resource_id import ArmId
from resolver.registry.registry import Registry
from resolver.registry.store.database import Database
from resolver.registry.store.sqlite_file import FILE, Unavailable
from resolver.registry.store.transaction import Transaction
from resolver.sources.reading import ReadError
from tests.filled_registry import SETTINGS
from tests.registry_shapes import account, endpoint, network
from tests.resolver.registry.conftest import Arm

ONE = ArmId.parse(network("one"))


def _database(folder: Path, committed: Callable[[dict[str, str]], None] = lambda _: None) -> Database[dict[str, str]]:
    return Database(folder / FILE, lambda _tx, changed: dict(changed), committed)


def _put(found: ArmId) -> Callable[[Transaction], int]:
    def work(tx: Transaction) -> int:
        return tx.put(found, {"name": found.name}).serial

    return work


async def test_a_write_that_fails_undoes_only_itself(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    database = _database(tmp_path, seen.append)

    def failing(tx: Transaction) -> None:
        tx.put(ONE, {})
        raise LookupError

    async with database.opened():
        others = [ArmId.parse(network(f"n{i}")) for i in range(3)]
        results = await asyncio.gather(
            database.write(_put(others[0])),
            database.write(failing),
            *(database.write(_put(each)) for each in others[1:]),
            return_exceptions=True,
        )
        assert isinstance(results[1], LookupError)
        assert await database.read(lambda tx: tx.get(ONE.key)) is None
        assert len(await database.read(lambda tx: list(tx.families(ONE.type.casefold())))) == 3
    assert set().union(*seen) == {each.key for each in others}
    assert sorted(results[i] for i in (0, 2, 3)) == [1, 2, 3]  # type: ignore[type-var]  # numbers


async def test_an_unexpected_error_undoes_a_commit_and_does_not_stop_the_writes(tmp_path: Path) -> None:
    def summarise(_tx: Transaction, changed: Mapping[str, str]) -> dict[str, str]:
        if ONE.key in changed:
            raise LookupError
        return dict(changed)

    database = Database(tmp_path / FILE, summarise, lambda _: None)
    two = ArmId.parse(network("two"))
    async with database.opened():
        with pytest.raises(LookupError):
            await database.write(_put(ONE))
        assert await database.write(_put(two)) == 1
        assert await database.read(lambda tx: tx.get(ONE.key)) is None


async def test_a_change_is_announced_before_its_writer_has_the_result(tmp_path: Path) -> None:
    events: list[str] = []
    database = _database(tmp_path, lambda _: events.append("announced"))
    async with database.opened():
        await database.write(_put(ONE))
        events.append("returned")
        await database.write(lambda tx: tx.fact("nothing"))
    assert events == ["announced", "returned"]


async def test_what_was_acknowledged_is_there_without_a_clean_end(tmp_path: Path) -> None:
    database = _database(tmp_path)
    async with database.opened():
        await database.write(_put(ONE))
        other = _database(tmp_path)  # as another process would find the files now
        async with other.opened():
            assert await other.read(lambda tx: tx.get(ONE.key))


async def test_a_database_that_cannot_be_opened_is_unavailable_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    database = _database(folder)
    async with database.opened():
        with pytest.raises(Unavailable, match="unable to open"):
            await database.write(_put(ONE))
        folder.mkdir()
        assert await database.write(_put(ONE)) == 1
    registry = Registry(str(tmp_path / "none"), lambda: SETTINGS)
    async with registry.opened():
        with pytest.raises(ReadError):
            await registry.differences({})


async def test_a_file_that_is_removed_or_replaced_gets_no_more_writes(tmp_path: Path) -> None:
    database = _database(tmp_path)
    async with database.opened():
        await database.write(_put(ONE))
        assert await database.read(lambda tx: tx.get(ONE.key))
        assert not await database.changed_elsewhere()
        (tmp_path / FILE).rename(tmp_path / "saved")
        with pytest.raises(Unavailable, match="was removed or replaced"):
            await database.write(_put(ONE))
        with pytest.raises(Unavailable, match="was removed or replaced"):
            await database.changed_elsewhere()
        assert await database.read(lambda tx: tx.get(ONE.key))
        (tmp_path / "saved").rename(tmp_path / FILE)
        assert await database.write(_put(ONE)) == 2


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = _database(tmp_path)
    async with database.opened():
        await database.write(_put(ONE))
        assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}


async def test_a_damaged_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    database = _database(tmp_path)
    async with database.opened():
        with pytest.raises(Unavailable, match="not a database"):
            await database.read(lambda tx: tx.fact("version"))


async def test_a_follower_that_fails_does_not_stop_the_writes(tmp_path: Path) -> None:
    def fail(_: dict[str, str]) -> None:
        raise LookupError

    database = _database(tmp_path, fail)
    async with database.opened():
        assert [await database.write(_put(ONE)), await database.write(_put(ONE))] == [1, 2]


async def test_commits_of_another_process_are_noticed_and_own_ones_are_not(tmp_path: Path) -> None:
    one, other = _database(tmp_path), _database(tmp_path)
    async with one.opened(), other.opened():
        assert not await one.changed_elsewhere()
        await one.write(_put(ONE))
        await one.read(lambda tx: tx.get(ONE.key))
        assert not await one.changed_elsewhere()
        await other.write(_put(ONE))
        assert await one.changed_elsewhere()
        assert not await one.changed_elsewhere()


async def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    database = _database(tmp_path)
    async with database.opened():
        await database.write(lambda tx: tx.set_fact("version", "99"))
    again = _database(tmp_path)
    async with again.opened():
        with pytest.raises(Unavailable, match="later version"):
            await again.read(lambda tx: tx.fact("version"))


async def test_the_database_itself_refuses_an_address_twice(tmp_path: Path) -> None:
    database = _database(tmp_path)
    async with database.opened():
        await database.write(lambda tx: tx.take("subnet", IPv4Address("10.0.0.4"), "one"))
        with pytest.raises(sqlite3.IntegrityError):
            await database.write(lambda tx: tx.take("subnet", IPv4Address("10.0.0.4"), "two"))


async def test_100_endpoints_at_once_have_100_addresses(lab: Arm, registry: Registry) -> None:
    changes: list[Any] = []
    registry.follow(changes.append)
    bodies = [lab("PUT", network(f"pe{i}"), endpoint(account(), "blob")) for i in range(100)]
    answers = await asyncio.gather(*bodies)
    assert {each.status for each in answers} == {201}
    configs = [each.body["properties"]["customDnsConfigs"] for each in answers]
    assert len({address for (config,) in configs for address in config["ipAddresses"]}) == 100
    assert len({part for change in changes for part in change}) == 100


async def test_a_long_read_does_not_keep_the_database_from_closing(tmp_path: Path) -> None:
    database, begun = _database(tmp_path), threading.Event()

    def endless(tx: Transaction) -> None:
        begun.set()
        tx._connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    async with database.opened():
        read = asyncio.create_task(database.read(endless))
        await asyncio.to_thread(begun.wait)
    with pytest.raises(Unavailable, match="interrupted"):
        await read
