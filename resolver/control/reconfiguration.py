"""Applies another accepted configuration to control while it runs, and edits of zone files.

What a configuration does not change stays: connections of workers, counters, syncs of sources, winners, and every row
of which nothing differs. The configuration was checked before, so nothing is refused here. Does not know who asks for a
reload, or how a configuration is checked.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from resolver import settings_change
from resolver.control.activity_log import ActivityLog
from resolver.control.estate.estate import Estate
from resolver.control.estate.rebuild import rebuilding, unchanged
from resolver.control.source_runners import SourceRunners
from resolver.control.state.writer import StateWriter
from resolver.control.sync.remotes import Remotes
from resolver.control.worker_reports import WorkerReports
from resolver.control.worker_server import WorkerServer
from resolver.process import wall_clock
from resolver.settings import Accepted, ControlSettings
from resolver.sources import zone_files
from resolver.sources.files import FileSource
from resolver.sources.reading import Scan, ZoneFiles
from zones.dns.name import Name, to_text
from zones.dns.parsed_zones import ParsedZones

PATIENCE: Final = 5.0
"""Seconds that workers have to take a configuration over."""
_TRIES: Final = 5
"""Attempts to make another estate while sources change the present one."""

_log = logging.getLogger(__name__)


class Reconfiguration:
    """The parts of control that a configuration changes. One change at a time."""

    def __init__(
        self,
        estate: Estate,
        sources: SourceRunners,
        remotes: Remotes,
        workers: WorkerServer,
        reports: WorkerReports,
        log: ActivityLog,
        writer: StateWriter,
        publish: Callable[[set[Name]], None],
    ) -> None:
        self._estate = estate
        self._sources = sources
        self._remotes = remotes
        self._workers = workers
        self._reports = reports
        self._log = log
        self._writer = writer
        self._publish = publish
        self._changing = asyncio.Lock()

    async def apply(self, accepted: Accepted, parsed: ParsedZones) -> list[int]:
        """Apply a configuration. `parsed` has the zones of its check. Return the workers that have not taken it over.

        A worker that is late gets the configuration with its next connection.
        """
        async with self._changing:
            config, now = accepted.control, wall_clock.now()
            files = await self._read(config, parsed)
            if settings_change.same_estate(self._estate.settings, config):
                self._estate.settings = config
                changed = self._estate.take_zone_files(files, now)
                await self._remotes.configure(config)
            else:
                changed = await self._replace_estate(config, files)
            self._reports.configure((group.name for group in config.upstreams), now)
            self._workers.configure(accepted.worker)
            self._publish(changed)
            self._sources.resume()
            late = await self._workers.applied(PATIENCE)
            await self._writer.save()
            return late

    async def read_zone_files(self) -> None:
        """Take the zone files as they are now. A file that cannot be used keeps its last valid text."""
        async with self._changing:
            before, origins = self._estate.zone_texts, self._estate.zone_files.origins
            files = await self._read(self._estate.settings, ParsedZones())
            changed = self._estate.take_zone_files(files, wall_clock.now())
            for path, text in files.texts.items():
                if before.get(path) != text:
                    what = "new text" if path in before else f"zone `{to_text(files.origins[path])}`"
                    _log.info("zone file %s: the %s is served; %d names changed", path, what, len(changed))
            for path in before.keys() - files.texts.keys():
                _log.info("zone file %s: removed with its zone `%s`", path, to_text(origins[path]))
            self._publish(changed)
            await self._writer.save()

    async def _read(self, config: ControlSettings, parsed: ParsedZones) -> ZoneFiles:
        present = self._estate.zone_files

        def read() -> ZoneFiles:
            for path, text in present.texts.items():
                parsed.put(text, present.zones[present.origins[path]])  # an unchanged file is not parsed again
            return zone_files.read(config.zones, present.texts, parsed)

        return await asyncio.to_thread(read)

    async def _replace_estate(self, config: ControlSettings, files: ZoneFiles) -> set[Name]:
        """Have the estate become that of another configuration. Return the names whose records changed."""
        estate = self._estate
        kept = unchanged(estate.settings.sources, config.sources)
        await self._sources.stop(kept)
        await self._remotes.configure(config)
        known = {source.name for source in estate.settings.sources}
        added = [source for source in config.sources if source.name not in known and source.type == "files"]
        scans = {source.name: await asyncio.to_thread(_scan, source.path) for source in added}
        for _ in range(_TRIES):
            revision = estate.revision
            made = await asyncio.to_thread(rebuilding(estate, config, files, scans, wall_clock.now()))
            if revision == estate.revision:
                break
        else:  # sources change the estate all the time: now nothing else runs meanwhile
            made = rebuilding(estate, config, files, scans, wall_clock.now())()
        before = list(estate.board)
        changed = estate.become(made, kept, wall_clock.now())
        self._log.reconfigured(before)
        return changed


def _scan(path: str) -> Scan:
    return FileSource(path, set()).scan()
