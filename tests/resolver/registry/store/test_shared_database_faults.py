"""Faults of a shared database: the server dies, a writer dies, the database is not there."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from resolver.registry.store import postgres
from resolver.registry.store.shared_database import COPY
from resolver.registry.store.sqlite_file import Unavailable
from tests.postgres_server import PostgresServer
from tests.resolver.registry.store.sharing import key_of, names, patiently, put, rows_of, shared


async def test_without_the_server_reads_go_on_and_writes_fail_until_it_is_back(
    tmp_path: Path, server: PostgresServer
) -> None:
    url = server.database()
    async with shared(tmp_path / "a", url) as (a, _), shared(tmp_path / "b", url) as (b, seen):
        assert await b.read(names) == set()  # from now on it announces changes
        await a.write(put("one"))
        await seen.until(key_of("one"))
        server.kill()
        with pytest.raises(Unavailable, match="PostgreSQL"):
            await a.write(put("lost"))
        assert await a.read(names) == await b.read(names) == {"one"}
        async with shared(tmp_path / "a", url) as (restarted, _):
            assert await restarted.read(names) == {"one"}
            with pytest.raises(Unavailable):
                await restarted.write(put("lost"))
        async with shared(tmp_path / "new", url) as (new, _):
            with pytest.raises(Unavailable):
                await new.read(names)
        server.start()
        await patiently(lambda: a.write(put("two")))
        await seen.until(key_of("two"))
        assert await b.read(names) == {"one", "two"}


async def test_writes_while_the_server_is_killed_are_acknowledged_and_kept_or_refused(
    tmp_path: Path, server: PostgresServer
) -> None:
    url = server.database()
    acknowledged: set[str] = set()
    some = asyncio.Event()

    async with shared(tmp_path / "a", url) as (a, _), shared(tmp_path / "b", url) as (b, _):

        async def write(number: int) -> None:
            try:
                await (a, b)[number % 2].write(put(f"n{number}"))
            except Unavailable:
                return
            acknowledged.add(f"n{number}")
            if len(acknowledged) == 100:
                some.set()

        await patiently(lambda: a.write(put("n")))
        await patiently(lambda: b.write(put("n")))
        writes = [asyncio.create_task(write(i)) for i in range(300)]
        await some.wait()
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*writes)
        assert len(acknowledged) < 300
        await asyncio.to_thread(server.start)
        await patiently(lambda: a.write(put("end")))
        await patiently(lambda: b.write(put("end")))
        assert acknowledged <= await a.write(names)
    async with shared(tmp_path / "a", url) as (a, _):
        await patiently(lambda: a.write(names))
    assert rows_of(tmp_path / "a" / COPY) == rows_of(tmp_path / "b" / COPY)


async def test_a_writer_that_dies_with_the_lock_leaves_nothing_and_stops_nobody(
    tmp_path: Path, server: PostgresServer
) -> None:
    url = server.database()
    async with shared(tmp_path / "a", url) as (a, _):
        await a.write(put("one"))
        dying = await asyncpg.connect(url)
        await dying.execute("BEGIN")
        await dying.execute("SELECT pg_advisory_xact_lock($1)", postgres._COMMITS)
        await dying.execute("DELETE FROM resources")
        waiting = asyncio.create_task(a.write(put("two")))
        await asyncio.sleep(0)
        dying.terminate()
        await waiting
        assert await a.write(names) == {"one", "two"}


async def test_a_wrong_password_is_in_no_message(
    tmp_path: Path, server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    wrong, right = "not-the-password", "secret"
    url = f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
    async with shared(tmp_path / "a", url, password=wrong) as (a, _):
        with pytest.raises(Unavailable, match="password authentication failed") as caught:
            await a.read(names)
    assert wrong not in f"{caught.value!r}{caplog.text}"
    async with shared(tmp_path / "b", url, password=right) as (b, _):
        assert await b.write(put("one")) == 1
