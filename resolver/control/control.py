"""The control process: makes its parts, and runs them until SIGTERM.

Control reads the sources, decides what is served, feeds the workers and saves the estate. It reads no client's packet:
while control is busy or gone, the workers answer from what they have.
"""

import asyncio
import contextlib
import logging
import signal
import uuid
from typing import Final

from resolver.control import unix_server
from resolver.control.activity_log import ActivityLog
from resolver.control.admin_view import AdminView
from resolver.control.awaited_addresses import AwaitedAddresses
from resolver.control.clock import EstateClock
from resolver.control.estate.assemble import assemble
from resolver.control.estate.estate import NO_VNETS
from resolver.control.estate.state_health import SetAside
from resolver.control.feed.feed import Feed
from resolver.control.history.recorder import HistoryRecorder
from resolver.control.hub.publisher import HubPublisher
from resolver.control.log_level import LogLevel
from resolver.control.operator_decisions import OperatorDecisions
from resolver.control.reconfiguration import Reconfiguration
from resolver.control.reloads import Reloads
from resolver.control.source_runners import SourceRunners
from resolver.control.state import decisions_file, inventory_file
from resolver.control.state.decisions_file import Decisions
from resolver.control.state.schedule import SaveSchedule
from resolver.control.state.writer import StateWriter
from resolver.control.sync.remotes import Remotes
from resolver.control.worker_reports import WorkerReports
from resolver.control.worker_server import WorkerServer
from resolver.process import bootstrap, wall_clock
from resolver.process.orders import Beat, MemoryMeasured, QueryLogReported, Reloaded, Stopping, UseLogLevel
from resolver.sources import zone_files
from resolver.sources.file_watch import FileWatch
from resolver.sources.reading import FollowedSource
from resolver.sources.zone_files import PatternFiles
from zones.dns.name import Name
from zones.dns.parsed_zones import ParsedZones

_LOOK: Final = 1.0
"""Seconds between two looks whether the state directory lacks a change."""

_log = logging.getLogger(__name__)


class Control:
    """The parts of control. `remotes`: the sources that are asked. `registry`: None where none is configured.

    Workers are answered at once from the saved inventory and the zone files, before any source is read.
    """

    def __init__(self, begun: bootstrap.ControlStart, remotes: Remotes, registry: FollowedSource | None = None) -> None:
        config, now = begun.settings, wall_clock.now()
        read = inventory_file.read(config.state_directory) if config.state_directory else None
        saved = None if isinstance(read, SetAside) else read
        texts = saved.zone_texts if saved else {}
        self._patterns = PatternFiles()
        first = (begun.accepted.path, *config.zones.files, *self._patterns.look(config.zones.patterns))
        self._watch = FileWatch(self._watched, first)
        files = zone_files.read(config.zones, texts, _parsed(begun.zones))
        decided = decisions_file.read(config.state_directory) if config.state_directory else Decisions()
        decisions = Decisions() if isinstance(decided, SetAside) else decided
        self.estate = assemble(config, files, saved, {}, now, operator_pins=decisions.pins)
        later = inventory_file.set_later_versions_aside(config.state_directory) if config.state_directory else []
        for aside in [*later, *(each for each in (read, decided) if isinstance(each, SetAside))]:
            self.estate.state.set_aside(aside, now)
        self.feed = Feed(self.estate, uuid.uuid4().hex)
        self.hub = HubPublisher(self.estate) if config.hub else None
        self.reports = WorkerReports((group.name for group in config.upstreams), self.estate)
        self.workers = WorkerServer(config.workers, begun.supervisor, self.feed, self.reports, begun.accepted.worker)
        self.history = HistoryRecorder(self.estate)
        self._log = log = ActivityLog(self.estate, self.history)
        self.sources = SourceRunners(self.estate, remotes, registry, log, self.publish)
        self.clock = EstateClock(self.estate, self.reports, log, self.publish)
        self.writer = StateWriter(self.estate, self.feed, saved_texts=texts)
        self.reconfiguration = Reconfiguration(
            self.estate, self.sources, remotes, self.workers, self.reports, log, self.writer, self.publish
        )
        self.reloads = Reloads(begun.accepted, begun.reloads, begun.orders, self.reconfiguration.apply)
        self.addresses = AwaitedAddresses(config.awaited)
        self.view = AdminView(
            self.estate,
            self.feed,
            self.workers,
            self.sources,
            self.reports,
            self.reloads,
            self.addresses,
            self.history,
            decisions=OperatorDecisions(self.estate, decisions, self.publish),
            log_level=LogLevel(begun.accepted.log.level, begun.orders),
            started=now,
        )
        self.view.levels = begun.sandboxes
        self.view.hub = self.hub
        self._channel = begun.channel
        self._orders, self._beat = begun.orders, begun.beat
        self._stopping = asyncio.Event()
        self.publish(set())

    def publish(self, changed: set[Name]) -> None:
        """Announce changed names, or a changed state of sources, to the workers."""
        was_complete = bool(self.feed.complete_since)
        self.feed.changed(changed)
        self.history.names_changed(changed)
        if self.hub:
            self.hub.changed()
        if self.feed.complete:
            self.history.complete()
        if self.feed.complete and not was_complete:
            _log.info("all sources have data: %d names", len(self.estate.ledger.rows))
            if self.estate.lacks_vnets:
                _log.warning(NO_VNETS)

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    async def run(self, *services: contextlib.AbstractAsyncContextManager[object]) -> None:
        """Work until SIGTERM. `services`, for example the admin server, are open while control works."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_reader(self._orders.fileno(), self._obey)
        Beat(self._orders, self._beat, loop.call_later).start()
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(unix_server.serving(self._channel, self.workers.connected))
            self._orders.send_ready()
            for service in services:
                await stack.enter_async_context(service)
            loops = (
                self.sources.run(), self._save_often(), self.clock.run(), self.addresses.run(), self.reloads.run(),
                self._follow_files(), self.history.run(), *([self.hub.run()] if self.hub else []),
            )  # fmt: skip
            tasks = [asyncio.create_task(each) for each in loops]
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and not task.cancelled():
                    task.result()  # raises: a task ends only by an error, and the supervisor starts control again
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # The times of the last readings change with each sync. Alone they are not worth a write before the end.
        await self.writer.save(even_unchanged=self.sources.has_remotes)
        self._log.write()
        await self.history.close()

    def _obey(self) -> None:
        """Carry out the orders of the supervisor."""
        for order in self._orders.receive():
            if isinstance(order, Stopping):
                self.view.stopping = True
            elif isinstance(order, Reloaded):
                self.reloads.received(order)
            elif isinstance(order, UseLogLevel):
                self.view.log_level.received(order)
            elif isinstance(order, MemoryMeasured):
                self.view.memory = order.state
            elif isinstance(order, QueryLogReported):
                self.view.query_log = order.state

    def _watched(self) -> set[str]:
        """Return the configuration file, the zone files, and what matches their patterns, to be used or not."""
        files, found = self.estate.zone_files, self._patterns.look(self.estate.settings.zones.patterns)
        return {self.reloads.path, *files.origins, *files.findings, *found}

    async def _follow_files(self) -> None:
        """Take each edit of a zone file, and notice edits of the configuration file."""
        await self.reloads.look()
        async for changed in self._watch.changes():
            if self.reloads.path in changed:
                await self.reloads.changed()
            if changed - {self.reloads.path}:
                await self.reconfiguration.read_zone_files()

    async def _save_often(self) -> None:
        if self.writer.has_unsaved_texts:  # a control that starts after a crash needs the accepted texts
            await self.writer.save()
        schedule, steady = SaveSchedule(), asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_LOOK)
            if schedule.is_due(behind=self.writer.is_behind, now=steady()):
                begun = steady()
                await self.writer.save()
                schedule.wrote(steady() - begun)


def _parsed(descriptor: int | None) -> ParsedZones:
    """Return the zones of the configuration check; none for a control that starts later."""
    if descriptor is None:
        return ParsedZones()
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return ParsedZones.decoded(file.read())
