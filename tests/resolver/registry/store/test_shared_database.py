"""Registries that share a PostgreSQL database: one order of commits, and what each has afterwards."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from resolver.registry.store import postgres, sqlite_file
from resolver.registry.store.database import Database
from resolver.registry.store.postgres import Postgres
from resolver.registry.store.schema import MIGRATIONS
from resolver.registry.store.shared_database import COPY
from resolver.registry.store.sqlite_file import FILE, Unavailable
from resolver.registry.store.transaction import Transaction
from resolver.registry_settings import RegistryDatabase
from tests.postgres_server import PostgresServer
from tests.resolver.registry.store.sharing import delete, key_of, names, patiently, put, rows_of, shared


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.database()


async def test_a_commit_is_announced_at_the_others_and_both_copies_are_the_same(tmp_path: Path, url: str) -> None:
    async with shared(tmp_path / "a", url) as (a, _), shared(tmp_path / "b", url) as (b, seen):
        assert await b.read(names) == set()  # from now on it announces changes
        assert await a.write(put("one", at="a")) == 1
        await seen.until(key_of("one"))
        assert await b.read(names) == {"one"}
        assert await b.write(put("one", at="b")) == 2
        assert await b.write(put("two")) == 3
        await a.write(delete("one"))
        await b.write(lambda tx: tx.set_fact("token-key", "k"))
        assert await a.write(lambda tx: tx.fact("token-key")) == "k"
        assert await a.read(names) == {"two"}
    assert rows_of(tmp_path / "a" / COPY) == rows_of(tmp_path / "b" / COPY)


async def test_what_two_check_and_write_at_once_is_written_once(tmp_path: Path, url: str) -> None:
    def take(holder: str) -> Callable[[Transaction], str]:
        def work(tx: Transaction) -> str:
            tx.set_fact("half", holder)  # undone with the rest
            if tx.fact("taken"):
                raise LookupError
            tx.set_fact("taken", holder)
            return holder

        return work

    async with shared(tmp_path / "a", url) as (a, _), shared(tmp_path / "b", url) as (b, _):
        writes = (each.write(take(f"{i}")) for i in range(20) for each in (a, b))
        results = await asyncio.gather(*writes, return_exceptions=True)
        (winner,) = [each for each in results if isinstance(each, str)]
        assert len([each for each in results if isinstance(each, LookupError)]) == 39
        assert await a.write(lambda tx: (tx.fact("taken"), tx.fact("half"))) == (winner, winner)


async def test_an_address_that_postgresql_has_is_refused_by_postgresql(
    tmp_path: Path, server: PostgresServer, url: str
) -> None:
    """Nothing but a mistake in pldns leads there: the local copy has the same rows, and refuses the address itself."""
    async with shared(tmp_path / "a", url) as (a, _):
        await a.write(lambda tx: tx.take("subnet", IPv4Address("10.0.0.4"), "one"))
        server.sql("UPDATE addresses SET address = '010.000.000.005'", url)
        with pytest.raises(Unavailable, match="made again"):
            await a.write(lambda tx: tx.take("subnet", IPv4Address("10.0.0.5"), "two"))
        assert await patiently(lambda: a.write(_holders)) == ["one"]
    assert rows_of(tmp_path / "a" / COPY)["addresses"] == [("subnet", "010.000.000.005", "one", None)]


def _holders(tx: Transaction) -> list[str]:
    return tx.holders("subnet")


async def test_who_was_away_longer_than_the_log_goes_back_copies_the_tables(
    tmp_path: Path, server: PostgresServer, url: str
) -> None:
    async with shared(tmp_path / "a", url) as (a, _):
        for name in ("one", "two", "three"):
            await a.write(put(name))
    async with shared(tmp_path / "b", url) as (b, _):
        assert await b.read(names) == {"one", "two", "three"}
        await b.write(delete("one"))
        await b.write(put("two", changed="yes"))
    server.sql("DELETE FROM changes WHERE number < (SELECT max(number) FROM changes)", url)
    async with shared(tmp_path / "a", url) as (a, seen):
        assert await a.read(names) == {"one", "two", "three"}  # the copy as it was serves until then
        await seen.until(key_of("one"))
        assert set(seen.keys) == {key_of("one"), key_of("two")}
        assert await a.read(names) == {"two", "three"}
    assert rows_of(tmp_path / "a" / COPY) == rows_of(tmp_path / "b" / COPY)


async def test_another_history_is_copied_although_its_numbers_go_on(
    tmp_path: Path, server: PostgresServer, url: str
) -> None:
    """As after a restored backup: what the backup does not have is gone everywhere."""
    async with shared(tmp_path / "a", url) as (a, seen):
        await a.write(put("one"))
        server.sql("UPDATE changes SET mark = 'other'", url)
        server.sql("DELETE FROM resources", url)
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pldns'", url)
        seen.keys.clear()
        await seen.until(key_of("one"))
        assert await a.read(names) == set()
        await patiently(lambda: a.write(put("two")))
        assert await a.read(names) == {"two"}


async def test_an_empty_database_gets_what_the_registry_had_in_its_file(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    alone = Database(folder / FILE, lambda _tx, changed: changed, lambda _: None)
    async with alone.opened():
        await alone.write(put("one"))
        await alone.write(lambda tx: tx.take("subnet", IPv4Address("10.0.0.4"), "one"))
    async with shared(folder, url) as (a, _):
        assert await a.read(names) == {"one"}
        assert await a.write(put("two")) == 2  # the numbers go on
        async with shared(tmp_path / "b", url) as (b, _):
            assert await b.write(names) == {"one", "two"}
            assert await b.read(_holders) == ["one"]
    assert rows_of(folder / COPY) == rows_of(tmp_path / "b" / COPY)


async def test_a_copy_that_cannot_be_used_is_made_again(tmp_path: Path, url: str) -> None:
    async with shared(tmp_path / "a", url) as (a, _):
        await a.write(put("one"))
        await a.write(lambda tx: tx.set_fact("version", "99"))  # as if a later version had made it
    async with shared(tmp_path / "a", url) as (a, _):
        assert await a.write(names) == {"one"}
    (tmp_path / "a" / COPY).write_bytes(b"no database" * 1000)
    async with shared(tmp_path / "a", url) as (a, _):
        assert await a.read(names) == {"one"}


async def test_two_processes_with_one_local_copy_both_announce_every_change(tmp_path: Path, url: str) -> None:
    """As during a takeover."""
    async with shared(tmp_path / "a", url) as (old, before), shared(tmp_path / "a", url) as (new, after):
        assert await new.read(names) == set()  # from now on it announces changes
        await old.write(put("one"))
        await after.until(key_of("one"))
        await new.write(put("two"))
        await before.until(key_of("two"))
        assert await old.read(names) == await new.read(names) == {"one", "two"}


async def test_a_later_schema_is_made_once_and_copied_by_all(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared(tmp_path / "a", url) as (a, _), shared(tmp_path / "b", url) as (b, _):
        await a.write(put("one"))
        await b.write(put("two"))
    later = (*MIGRATIONS, "ALTER TABLE aliases ADD COLUMN note TEXT NOT NULL DEFAULT 'x'")
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_file, "MIGRATIONS", later)
        patch.setattr(postgres, "MIGRATIONS", later)
        async with shared(tmp_path / "a", url) as (a, _), shared(tmp_path / "b", url) as (b, _):
            await a.write(lambda tx: tx.set_alias("alias", "service"))
            assert await b.write(lambda tx: tx.service_with("alias")) == "service"
            assert await b.read(names) == {"one", "two"}
    assert rows_of(tmp_path / "b" / COPY)["aliases"] == [("alias", "service", "x")]
    async with shared(tmp_path / "c", url) as (c, _):  # of the version before
        with pytest.raises(Unavailable, match="later version"):
            await c.write(put("three"))


async def test_one_leads_and_the_next_one_leads_after_it(url: str) -> None:
    async with Postgres.connected(RegistryDatabase(url)) as second:
        async with Postgres.connected(RegistryDatabase(url)) as first:
            assert await first.leads()
            assert not await second.leads()
            assert await first.leads()
        async with asyncio.timeout(30):
            while not await second.leads():  # noqa: ASYNC110 - PostgreSQL announces no lock
                await asyncio.sleep(0.01)
