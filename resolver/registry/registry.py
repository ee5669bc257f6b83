"""The registry: its database, and who follows its changes.

Does not know HTTP, and what the types of resources do.
"""

import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from resolver.process import wall_clock
from resolver.registry import feed
from resolver.registry.feed import Changes
from resolver.registry.leader_readings import LeaderReadings
from resolver.registry.model.access import Caller
from resolver.registry.service.call import Call
from resolver.registry.store.database import Database
from resolver.registry.store.sqlite_file import FILE, Unavailable
from resolver.registry.store.transaction import Transaction
from resolver.registry_settings import RegistryDatabase, RegistrySettings
from resolver.sources.reading import ReadError
from zones.azure.resource import Resources

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Registry:
    """The registry in a directory. `settings` returns the present ones, which a reload may change.

    `shared`: the database that it shares with other registries; None for a registry that is alone.
    """

    def __init__(
        self, directory: str, settings: Callable[[], RegistrySettings], shared: RegistryDatabase | None = None
    ) -> None:
        self.settings = settings
        self.shared: LeaderReadings | None = None
        """The readings of remote sources that several control planes share; None for a registry that is alone."""
        self._database = self._made(Path(directory), shared)
        self.path = self._database.path
        """The SQLite file: the registry itself, or its copy of the shared database."""
        self._follower: Callable[[Mapping[str, Resources | None]], None] | None = None

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Work while the context is open."""
        async with self._database.opened():
            yield

    async def changed_elsewhere(self) -> bool:
        """Return whether another process has changed the registry's file since the last call. Raises `ReadError`."""
        try:
            return await self._database.changed_elsewhere()
        except Unavailable as error:
            raise ReadError(str(error)) from error

    def follow(self, follower: Callable[[Mapping[str, Resources | None]], None] | None) -> None:
        """Call `follower` with the parts that each commit changes, before the writers get their results."""
        self._follower = follower

    async def differences(self, had: Mapping[str, Resources]) -> Changes:
        """Return the parts that differ from those that the estate had. Raises `ReadError`.

        Raises it for a file in which nothing was ever written, too, where the estate had something: the file was lost.
        """

        def work(tx: Transaction) -> Changes:
            if had and self.shared is None and not int(tx.fact("serial") or 0):
                raise ReadError(
                    f"{self.path} is empty, and the {len(had)} private endpoints and virtual networks of the last run "
                    "are kept: stop pldns, put the file back, and start pldns; the first write to the registry "
                    "begins without them"
                )
            return feed.differences(tx, had)

        try:
            return await self._database.read(work)
        except Unavailable as error:
            raise ReadError(str(error)) from error

    async def read(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        """Return what `work` returns for the last committed state. Raises what it raises, and `Unavailable`."""
        return await self._database.read(self._bound(caller, work, []))

    async def write(self, caller: Caller, work: Callable[[Call], _T]) -> _T:
        """Return what `work` returns, when its changes are on disk and followed. Raises as `read` does."""
        warnings: list[str] = []
        result = await self._database.write(self._bound(caller, work, warnings))
        for each in dict.fromkeys(warnings):
            _log.warning("registry: %s", each)
        return result

    async def fact(self, name: str, make: Callable[[], str]) -> str:
        """Return a single value, which is made where there is none. Raises `Unavailable`."""

        def work(tx: Transaction) -> str:
            value = tx.fact(name)
            if not value:
                value = make()
                tx.set_fact(name, value)
            return value

        return await self._database.read(lambda tx: tx.fact(name)) or await self._database.write(work)

    def _bound(self, caller: Caller, work: Callable[[Call], _T], warnings: list[str]) -> Callable[[Transaction], _T]:
        return lambda tx: work(Call(tx, caller, self.settings(), wall_clock.now(), _guid, warnings))

    def _committed(self, changes: Changes) -> None:
        if self._follower and changes:
            self._follower(changes)

    def _made(self, directory: Path, shared: RegistryDatabase | None) -> Database[Changes]:
        if shared is None:
            return Database(directory / FILE, feed.changes, self._committed)
        # Only a registry with a shared database loads the client of PostgreSQL.
        from resolver.registry.store.shared_database import COPY, SharedDatabase  # noqa: PLC0415

        made = SharedDatabase(directory / COPY, shared, feed.changes, self._committed)
        self.shared = LeaderReadings(made)
        return made


def _guid() -> str:
    return str(uuid.uuid4())
