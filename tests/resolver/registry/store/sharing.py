"""Shared databases for tests: what they have announced, and what their local copies have."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from resolver.registry.model.resource_id import ArmId
from resolver.registry.store import write_set
from resolver.registry.store.shared_database import COPY, SharedDatabase
from resolver.registry.store.sqlite_file import Unavailable
from resolver.registry.store.transaction import Transaction
from resolver.registry_settings import RegistryDatabase
from tests.registry_shapes import CONSUMER, network

Shared = SharedDatabase[dict[str, str]]
_T = TypeVar("_T")


class Followed:
    """The changed keys that a database has announced."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._more = asyncio.Event()

    def take(self, changed: dict[str, str]) -> None:
        self.keys += changed
        self._more.set()

    async def until(self, key: str) -> None:
        """Wait until a change of this key is announced."""
        async with asyncio.timeout(30):
            while key not in self.keys:
                self._more.clear()
                await self._more.wait()


@contextlib.asynccontextmanager
async def shared(folder: Path, url: str, password: str = "") -> AsyncIterator[tuple[Shared, Followed]]:
    """Open a database with its local copy in a folder, and follow what it announces."""
    folder.mkdir(exist_ok=True)
    seen = Followed()
    settings = RegistryDatabase(url, password)
    made = SharedDatabase(folder / COPY, settings, lambda _tx, changed: dict(changed), seen.take)
    async with made.opened():
        yield made, seen


async def patiently(work: Callable[[], Awaitable[_T]]) -> _T:
    """Return what `work` returns as soon as the database is available."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await work()
            except Unavailable:
                await asyncio.sleep(0.02)


def key_of(name: str) -> str:
    return ArmId.parse(network(name)).key


def put(name: str, **body: object) -> Callable[[Transaction], int]:
    """Return a write of an endpoint."""
    return lambda tx: tx.put(ArmId.parse(network(name)), {"name": name, **body}).serial


def delete(name: str) -> Callable[[Transaction], None]:
    """Return a write that removes an endpoint."""

    def work(tx: Transaction) -> None:
        row = tx.get(key_of(name))
        assert row
        tx.delete(row)

    return work


def names(tx: Transaction) -> set[str]:
    """Return the names of all endpoints."""
    return {str(row.json["name"]) for row in tx.listed("microsoft.network/privateendpoints", CONSUMER)}


def rows_of(path: Path) -> dict[str, list[Any]]:
    """Return all shared rows of a local copy, by table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {name: sorted(change.added) for name, change in write_set.everything(connection).items()}
