"""The tasks that read the sources, and apply each result to the estate.

A source of files has one task, and so have the registry and a hub. A source that asks Azure has one for its syncs, and
one each for events and private DNS zones.

Does not know how a source is read, or what a result changes.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Container, Iterator, Mapping
from functools import partial

from resolver.control.activity_log import ActivityLog
from resolver.control.estate.activity import SourceActivity
from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import SyncOutcome, held_text
from resolver.control.guard import file_guard
from resolver.control.guard.shrink_guard import SourceParts
from resolver.control.guard.sync_state import SyncAction, WithheldSync
from resolver.control.hub.runner import HubRunner
from resolver.control.registry_runner import RegistryRunner
from resolver.control.sync.ends import SyncEnd, SyncEnds
from resolver.control.sync.events import SourceEvents
from resolver.control.sync.private_dns_poller import PrivateDnsPoller
from resolver.control.sync.remotes import Remotes
from resolver.control.sync.shared_source import SharedSource
from resolver.control.sync.syncer import Syncer, SyncResult
from resolver.process import heap, wall_clock
from resolver.settings import SourceSettings
from resolver.sources.files import RESCAN, FileSource
from resolver.sources.reading import FollowedSource, RemoteSource, Scan
from zones.azure.resource import Resources
from zones.dns.name import Name

Publish = Callable[[set[Name]], None]
"""Takes the names that a change of the estate returned."""
Sample = tuple[str, tuple[str, ...], float]
"""(name, label values, value)."""

_log = logging.getLogger(__name__)


class SourceRunners:
    """All sources. `remotes`: the sources that are asked. `registry`: that of this process, if it has one."""

    def __init__(
        self, estate: Estate, remotes: Remotes, registry: FollowedSource | None, log: ActivityLog, publish: Publish
    ) -> None:
        self._estate = estate
        self._opened = remotes
        self._registry = registry
        self._log = log
        self._publish = publish
        self._runners: dict[str, FileRunner | RemoteRunner | RegistryRunner | HubRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        """Set while the sources are followed."""
        self._make()

    @property
    def _here(self) -> dict[str, "FileRunner | RegistryRunner"]:
        """The sources of this machine, which can be read before any other source."""
        return {name: each for name, each in self._runners.items() if isinstance(each, FileRunner | RegistryRunner)}

    @property
    def _remotes(self) -> list["RemoteRunner"]:
        return [each for each in self._runners.values() if isinstance(each, RemoteRunner)]

    @property
    def has_remotes(self) -> bool:
        """True if a source is asked over a network."""
        return any(isinstance(each, RemoteRunner | HubRunner) for each in self._runners.values())

    async def run(self) -> None:
        """Read files and registry as one change, so that no source comes first at a name. Then follow each source."""
        scans = {name: scan for name, source in self._here.items() if (scan := await source.scan())}
        _take(scans, self._estate, self._publish)
        self._log.started()
        heap.settle()
        async with asyncio.TaskGroup() as self._group:
            self._follow()
            self._group.create_task(asyncio.Event().wait())  # runs endlessly where there is no source

    async def stop(self, kept: Container[str]) -> None:
        """Stop to follow all sources but these."""
        for name in [name for name in self._runners if name not in kept]:
            del self._runners[name]
            if task := self._tasks.pop(name, None):
                task.cancel()
                await asyncio.wait([task])

    def resume(self) -> None:
        """Follow the sources that are new in the estate."""
        self._make()
        self._follow()

    def _make(self) -> None:
        estate, publish, remotes = self._estate, self._publish, self._opened.sources
        for each in estate.settings.sources:
            if each.name not in self._runners:
                if remote := remotes.get(each.name):
                    shared = self._registry.shared if self._registry else None
                    remote = SharedSource(each.name, remote, shared) if shared else remote
                    self._runners[each.name] = runner = RemoteRunner(each, remote, estate, publish)
                    if shared:
                        shared.notice(each.name, partial(runner.command, "now"))
                elif hub := self._opened.hubs.get(each.name):
                    self._runners[each.name] = HubRunner(each, hub, estate, publish)
                elif each.type == "registry":
                    self._runners[each.name] = RegistryRunner(each, self._registry, estate, publish)
                else:
                    self._runners[each.name] = FileRunner(each, estate, publish)

    def _follow(self) -> None:
        if self._group is not None:
            for name in self._runners.keys() - self._tasks.keys():
                self._tasks[name] = self._group.create_task(self._runners[name].follow())

    def command(self, source: str, action: SyncAction) -> None:
        """Carry out an operator's command. Raises KeyError if there is no such source, and `NothingHeld`."""
        self._runners[source].command(action)

    async def synced(self, source: str, patience: float) -> SyncEnd | None:
        """Sync a source now. Return the end of that sync; None if it takes longer than `patience` seconds.

        Raises KeyError if there is no such source.
        """
        runner = self._runners[source]
        end = runner.ends.expect()
        runner.command("now")
        try:
            async with asyncio.timeout(patience):
                return await end
        except TimeoutError:
            return None

    def metrics(self) -> Iterator[Sample]:
        """Yield the counters of events."""
        for runner in self._remotes:
            if runner.events:
                yield from runner.events.metrics()


class FileRunner:
    """One source of files."""

    def __init__(self, config: SourceSettings, estate: Estate, publish: Publish) -> None:
        self._name = config.name
        self._estate = estate
        self._publish = publish
        held = estate.sources[config.name].sync_state.held
        known = {*estate.inventory.of(config.name), *(held.parts if held else ())}
        self.ends = SyncEnds()
        self._files = FileSource(config.path, known)
        estate.sources[config.name].interval = RESCAN

    async def scan(self) -> Scan | None:
        """Read the files that changed since the last scan. None while one of them may not be written completely."""
        scan = await asyncio.to_thread(self._files.scan)
        if not self._estate.sources[self._name].synced:
            return scan  # without data there is nothing to lose, and the source must not seem to be read whole
        had = self._estate.inventory.of(self._name)
        changes = dict(scan.completed(had).changes)
        if not file_guard.unfinished(had, changes, scan.recent):
            return scan
        self._files.put_off(changes)
        return None

    async def follow(self) -> None:
        """Scan whenever a file may have changed."""
        async for _ in self._files.changed():
            began = wall_clock.now()
            if scan := await self.scan():
                changed = _take({self._name: scan}, self._estate, self._publish)
                self.ends.ended(began, self._end(scan, changed))

    def _end(self, scan: Scan, changed: set[Name]) -> SyncEnd:
        estate, status = self._estate, self._estate.sources[self._name]
        outcome: SyncOutcome = "failed" if scan.error else "held" if status.sync_state.held else "published"
        return SyncEnd(outcome, scan.error, estate.activity.last(self._name), len(changed))

    def command(self, action: SyncAction) -> None:
        """Carry out an operator's command. Raises `NothingHeld`."""
        name, now = self._name, wall_clock.now()
        match action:
            case "now":
                self._files.read_all(self._estate.inventory.of(name))
            case "accept":
                changed = self._estate.accept_held_scan(name, now)
                _log.warning("source %s: the held change is accepted", name)
                self._publish(changed)
            case "drop":
                self._estate.drop_held_sync(name, now)
                _log.warning("source %s: the held change is dropped", name)


def _take(scans: Mapping[str, Scan], estate: Estate, publish: Publish) -> set[Name]:
    """Apply scans. Return the names that changed."""
    before = {name: (estate.sources[name].last_error, estate.sources[name].sync_state.held) for name in scans}
    for name, scan in scans.items():
        if scan.error:
            _log_failure(estate, name, scan.error)
    changed = estate.take_scans(scans, wall_clock.now())
    publish(changed)
    for name, (error, held) in before.items():
        if error and not estate.sources[name].last_error:
            _log.info("source %s can be read again", name)
        _log_hold(estate, name, held)
    return changed


def _log_hold(estate: Estate, source: str, before: WithheldSync | None) -> None:
    """Log a hold once when it begins, again when it would remove something else, and its end."""
    held = estate.sources[source].sync_state.held
    if held and (before is None or before.reasons != held.reasons):
        _log.error("source %s: %s: see `pldns sync status`", source, held_text(held))
    elif before and not held:
        _log.info("source %s: no change is held any more", source)


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
        self.ends = SyncEnds()
        self._name = name = config.name
        self._estate = estate
        self._publish = publish

        def had() -> SourceParts:
            return estate.inventory.of(name)  # the inventory may be another one after a reload

        if config.azure and config.azure.events:
            sync = partial(self.command, "now")
            self.events = SourceEvents(name, config.azure.events, remote, had, self._take_event, sync, config.guard)
        self._syncer = Syncer(remote, estate.sources[name], config.hold_down, had, self.events)
        self._poller: PrivateDnsPoller | None = None
        if remote.private:
            self._poller = PrivateDnsPoller(name, remote.private, lambda: estate.private.of(name))

    async def follow(self) -> None:
        """Sync endlessly, with the readings of private DNS zones and the events beside the syncs."""
        async with contextlib.AsyncExitStack() as stack:
            if self.events:
                await stack.enter_async_context(self.events.serving())
            group = await stack.enter_async_context(asyncio.TaskGroup())
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
                self._estate.drop_held_sync(self._name, wall_clock.now())
                _log.warning("source %s: the held sync is dropped", self._name)

    async def _sync(self) -> None:
        async with contextlib.aclosing(self._syncer.run()) as results:
            async for result in results:
                self._take_sync(result)

    def _take_sync(self, result: SyncResult) -> None:
        name, estate, now = self._name, self._estate, wall_clock.now()
        if result.decision is None:
            _log_failure(estate, name, result.error)
            estate.health.failed(name, result.error, now)
            self._publish(set())
            self.ends.ended(result.read_at, SyncEnd("failed", result.error, SourceActivity(), 0))
            return
        if self._poller:
            self._poller.begin()
        held = estate.sources[name].sync_state.held
        changed = estate.take_sync(name, result.decision, result.read_at, now)
        self._publish(changed)
        _log_hold(estate, name, held)
        outcome: SyncOutcome = "held" if result.decision.sync_state.held else "published"
        self.ends.ended(result.read_at, SyncEnd(outcome, "", estate.activity.last(name), len(changed)))

    async def _poll(self, poller: PrivateDnsPoller) -> None:
        async with contextlib.aclosing(poller.run()) as readings:
            async for reading in readings:
                self._publish(self._estate.take_private_dns(self._name, reading, wall_clock.now()))

    def _take_event(self, part: str, data: Resources) -> None:
        """Apply the data of one subscription after an event, unless that subscription cannot be read whole."""
        if part not in self._estate.health.unreadable_parts(self._name):
            self._publish(self._estate.take([(self._name, part, data)], wall_clock.now()))
