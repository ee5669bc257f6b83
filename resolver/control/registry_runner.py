"""The source of type `registry`: applies each commit of the registry to the estate, before the writer gets its result.

The registry is never read in part, and what it removes is gone: no guard holds a change, and nothing lingers. Does not
know the registry's database.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from resolver.control.estate.estate import Estate
from resolver.control.guard.sync_state import NothingHeld, SyncAction
from resolver.control.sync.ends import SyncEnd, SyncEnds
from resolver.process import wall_clock
from resolver.settings import SourceSettings
from resolver.sources.reading import FollowedSource, ReadError, Scan
from zones.azure.resource import Resources
from zones.dns.name import Name

_RETRY: Final = 5.0
"""Seconds until the next attempt to read the registry whole."""
_LOOK: Final = 1.0
"""Seconds between two looks whether another process has changed the registry."""
_RESTART: Final = "the registry is not running: a registry that is new in the configuration needs a restart of pldns"

_log = logging.getLogger(__name__)


class RegistryRunner:
    """The source of this pldns's registry. `registry`: None where pldns was started without one."""

    def __init__(
        self,
        config: SourceSettings,
        registry: FollowedSource | None,
        estate: Estate,
        publish: Callable[[set[Name]], None],
    ) -> None:
        self.ends = SyncEnds()
        self._name = config.name
        self._registry = registry
        self._estate = estate
        self._publish = publish
        self._parts: set[str] | None = None
        """The names of all parts; None until the registry has been read."""
        self._early: dict[str, Resources | None] = {}
        """Parts that changed while the registry was being read whole."""

    async def scan(self) -> Scan | None:
        """Read the registry whole. None where this is not possible; the source then has the error."""
        if self._registry is None:
            self._fail(_RESTART)
            return None
        self._registry.follow(self._changed)
        had = self._estate.inventory.of(self._name)
        try:
            changes = {**await self._registry.differences(had), **self._early}
        except ReadError as error:
            self._fail(str(error))
            return None
        self._early.clear()
        gone = {part for part, data in changes.items() if data is None}
        self._parts = (had.keys() | changes.keys()) - gone
        return Scan([*changes.items()], len(self._parts))

    async def follow(self) -> None:
        """Read the registry whole, unless that is done. Then its commits call `_changed`, endlessly.

        The commits of another process, which are there while one pldns takes over from another, do not: the registry
        is then read whole again.
        """
        try:
            while self._registry is not None:
                if self._parts is None and (scan := await self.scan()):
                    self._publish(self._estate.take_scans({self._name: scan}, wall_clock.now()))
                await asyncio.sleep(_RETRY if self._parts is None else _LOOK)
                try:
                    if await self._registry.changed_elsewhere() or self._estate.sources[self._name].last_error:
                        self._parts = None  # what this process commits from now on counts after the reading
                except ReadError as error:
                    self._fail(str(error))
            await asyncio.Event().wait()
        finally:
            if self._registry is not None:
                self._registry.follow(None)

    def command(self, action: SyncAction) -> None:
        """Carry out an operator's command. The registry has nothing to read again. Raises `NothingHeld`."""
        if action != "now":
            raise NothingHeld
        error = self._estate.sources[self._name].last_error
        end = SyncEnd("failed" if error else "published", error, self._estate.activity.last(self._name), 0)
        self.ends.ended(wall_clock.now(), end)

    def _changed(self, parts: Mapping[str, Resources | None]) -> None:
        if self._parts is None:
            self._early.update(parts)
            return
        for part, data in parts.items():
            (self._parts.discard if data is None else self._parts.add)(part)
        now = wall_clock.now()
        changed = self._estate.take([(self._name, part, data) for part, data in parts.items()], now)
        self._estate.health.read(self._name, len(self._parts), now)
        self._publish(changed)

    def _fail(self, why: str) -> None:
        if self._estate.sources[self._name].last_error != why:
            _log.warning("source %s: %s", self._name, why)
        self._estate.health.failed(self._name, why, wall_clock.now())
        self._publish(set())
