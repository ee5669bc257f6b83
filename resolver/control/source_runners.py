"""The tasks that read the sources, and apply each result to the estate.

A source of files has one task. A remote source has one for its syncs, and one each for events and private DNS zones.

Does not know how a source is read, or what a result changes.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from resolver.control.estate.estate import Estate
from resolver.control.guard.sync_state import NothingHeld, SyncAction
from resolver.control.sync.events import SourceEvents
from resolver.control.sync.private_dns_poller import PrivateDnsPoller
from resolver.control.sync.syncer import Syncer, SyncResult
from resolver.process import heap
from resolver.settings import SourceSettings
from resolver.sources.files import RESCAN, FileSource
from resolver.sources.reading import RemoteSource, Scan
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import Name

Publish = Callable[[set[Name]], None]
"""Takes the names that a change of the estate returned."""
Sample = tuple[str, tuple[str, ...], float]
"""(name, label values, value)."""

_log = logging.getLogger(__name__)

_LOGGED: Final = 10
"""Files that are logged by name after one scan."""


class SourceRunners:
    """All sources. `remotes`: the sources that are asked, by name; all other sources are files."""

    def __init__(self, estate: Estate, remotes: Mapping[str, RemoteSource], publish: Publish) -> None:
        self._estate = estate
        self._publish = publish
        self._files = {
            each.name: FileRunner(each, estate, publish) for each in estate.settings.sources if each.name not in remotes
        }
        self._remotes = {
            each.name: RemoteRunner(each, remotes[each.name], estate, publish)
            for each in estate.settings.sources
            if each.name in remotes
        }

    @property
    def has_remotes(self) -> bool:
        """True if a source is asked."""
        return bool(self._remotes)

    async def run(self) -> None:
        """Read all files as one change, so that no source comes first at a name. Then follow each source, endlessly."""
        scans = {name: await files.scan() for name, files in self._files.items()}
        _take(scans, self._estate, self._publish)
        heap.settle()
        async with asyncio.TaskGroup() as group:
            for files in self._files.values():
                group.create_task(files.follow())
            for remote in self._remotes.values():
                group.create_task(remote.follow())
            group.create_task(asyncio.Event().wait())  # runs endlessly where there is no source

    def command(self, source: str, action: SyncAction) -> None:
        """Carry out an operator's command. Raises KeyError if the source is not a remote one, and `NothingHeld`."""
        self._remotes[source].command(action)

    def listeners(self) -> Iterator[contextlib.AbstractAsyncContextManager[None]]:
        """Yield the listeners for events, to be open while control works."""
        for runner in self._remotes.values():
            if runner.events:
                yield runner.events.serving()

    def metrics(self) -> Iterator[Sample]:
        """Yield the counters of events."""
        for runner in self._remotes.values():
            if runner.events:
                yield from runner.events.metrics()


class FileRunner:
    """One source of files."""

    def __init__(self, config: SourceSettings, estate: Estate, publish: Publish) -> None:
        self._name = config.name
        self._estate = estate
        self._publish = publish
        self._files = FileSource(config.path, set(estate.inventory.of(config.name)))
        estate.sources[config.name].interval = RESCAN

    async def scan(self) -> Scan:
        """Read the files that changed since the last scan."""
        return await asyncio.to_thread(self._files.scan)

    async def follow(self) -> None:
        """Scan whenever a file may have changed."""
        async for _ in self._files.changed():
            _take({self._name: await self.scan()}, self._estate, self._publish)


def _take(scans: Mapping[str, Scan], estate: Estate, publish: Publish) -> None:
    before = {name: (estate.sources[name].last_error, dict(estate.health.unreadable_parts(name))) for name in scans}
    for name, scan in scans.items():
        if scan.error:
            _log_failure(estate, name, scan.error)
    publish(estate.take_scans(scans, WallTime(time.time())))
    for name, (error, unreadable) in before.items():
        _log_files(name, unreadable, estate.health.unreadable_parts(name))
        if error and not estate.sources[name].last_error:
            _log.info("source %s can be read again", name)


def _log_files(source: str, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Log the files that cannot be read for a new reason, and those that can be read again or were deleted."""
    new = [(file, why) for file, why in now.items() if before.get(file) != why]
    for file, why in new[:_LOGGED]:
        _log.warning("source %s: %s: %s", source, file, why)
    if len(new) > _LOGGED:
        _log.warning("source %s: %d more files cannot be read: see `pldns findings`", source, len(new) - _LOGGED)
    mended = [file for file in before if file not in now]
    for file in mended[:_LOGGED]:
        _log.info("source %s: %s is no longer unreadable", source, file)
    if len(mended) > _LOGGED:
        _log.info("source %s: %d more files are no longer unreadable", source, len(mended) - _LOGGED)


def _log_failure(estate: Estate, source: str, error: str) -> None:
    """Log an error once, not at each try."""
    status = estate.sources[source]
    if status.last_error != error:
        data = "its last good data is kept" if status.synced else "it has not provided data yet"
        _log.warning("source %s: %s; %s", source, error, data)


class RemoteRunner:
    """One remote source."""

    def __init__(self, config: SourceSettings, remote: RemoteSource, estate: Estate, publish: Publish) -> None:
        self.events: SourceEvents | None = None
        self._name = name = config.name
        self._estate = estate
        self._publish = publish
        had = partial(estate.inventory.of, name)
        if config.azure and config.azure.events:
            sync = partial(self.command, "now")
            self.events = SourceEvents(name, config.azure.events, remote, had, self._take_event, sync)
        self._syncer = Syncer(remote, estate.sources[name], config.hold_down, had, self.events)
        self._poller: PrivateDnsPoller | None = None
        if remote.private:
            self._poller = PrivateDnsPoller(name, remote.private, partial(estate.private.of, name))

    async def follow(self) -> None:
        """Sync endlessly, with the readings of private DNS zones and the events beside the syncs."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sync())
            if self._poller:
                group.create_task(self._poll(self._poller))
            if self.events:
                group.create_task(self.events.run())

    def command(self, action: SyncAction) -> None:
        """Carry out an operator's command. Raises `NothingHeld`."""
        match action:
            case "now":
                self._syncer.now()
            case "accept":
                accepted = self._syncer.accept()
                _log.warning("source %s: the held sync is accepted", self._name)
                self._take_sync(accepted)
            case "drop":
                if self._estate.sources[self._name].sync_state.held is None:
                    raise NothingHeld
                _log.warning("source %s: the held sync is dropped", self._name)
                self._estate.drop_held_sync(self._name, WallTime(time.time()))

    async def _sync(self) -> None:
        async with contextlib.aclosing(self._syncer.run()) as results:
            async for result in results:
                self._take_sync(result)

    def _take_sync(self, result: SyncResult) -> None:
        name, estate, now = self._name, self._estate, WallTime(time.time())
        if result.decision is None:
            _log_failure(estate, name, result.error)
            estate.health.failed(name, result.error, now)
            self._publish(set())
            return
        if self._poller:
            self._poller.begin()
        held = result.decision.sync_state.held
        if held and not estate.sources[name].sync_state.held:
            reasons = ", ".join(held.reasons)
            _log.error("source %s: a sync would remove %s; it is held: see `pldns sync status`", name, reasons)
        self._publish(estate.take_sync(name, result.decision, result.read_at, now))

    async def _poll(self, poller: PrivateDnsPoller) -> None:
        async with contextlib.aclosing(poller.run()) as readings:
            async for reading in readings:
                self._publish(self._estate.take_private_dns(self._name, reading, WallTime(time.time())))

    def _take_event(self, part: str, data: Resources) -> None:
        """Apply the data of one subscription after an event, unless that subscription cannot be read whole."""
        if part not in self._estate.health.unreadable_parts(self._name):
            self._publish(self._estate.take([(self._name, part, data)], WallTime(time.time())))
