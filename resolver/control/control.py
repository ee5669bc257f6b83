"""Control: reads the sources, keeps the ledger, feeds the workers, serves the admin surface, saves the inventory.

Never reads a client's packet. While it is busy or gone the workers answer from what they have.
"""

import asyncio
import contextlib
import logging
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from resolver.channel import frames as channel
from resolver.channel.frames import Fallback
from resolver.channel.requests import Ping, ReplyT, WorkerRequest
from resolver.control import unix_server
from resolver.control.aggregates import FallbackList, LoopList, Totals
from resolver.control.estate.estate import NO_VNETS, Estate, SourceStatus
from resolver.control.feed.feed import Feed
from resolver.control.guard.shrink_guard import Action, NothingHeld
from resolver.control.state import inventory_file
from resolver.control.state.inventory import Saved, restore
from resolver.control.state.writer import Keeper
from resolver.control.sync.events import EventWatch
from resolver.control.sync.private_dns_poller import ZoneWatch
from resolver.control.sync.syncer import Sync, Syncs
from resolver.control.worker_link import WorkerLink, WorkerStatus, ask_all
from resolver.process import bootstrap, heap
from resolver.settings import SourceSettings
from resolver.sources import zone_files
from resolver.sources.files import RESCAN, Files
from resolver.sources.reading import Part, Remote
from zones.azure.resource import Resources
from zones.dns.name import Name
from zones.findings.board import Topic

SAVE: Final = 30.0
"""Seconds between two writes of the saved inventory, at least."""
_PING: Final = 1.0  # seconds for a worker to answer
_ASK: Final = 5.0  # seconds for all workers to do what they are asked
_TICK: Final = 1.0  # seconds between looks at the clock, for what time changes

_log = logging.getLogger(__name__)


class Control:
    """The parts of control and their life. `remotes`: the sources that are asked, by name; all others are files."""

    def __init__(self, begun: bootstrap.Control, remotes: Mapping[str, Remote]) -> None:
        self._begun = begun
        saved = inventory_file.read(begun.settings.state) if begun.settings.state else None
        self.started = time.time()
        self.estate = Estate(begun.settings, saved.memory if saved else None)
        self.feed = Feed(self.estate, uuid.uuid4().hex)
        self.workers: dict[int, WorkerStatus] = {index: WorkerStatus(index) for index in range(begun.settings.workers)}
        self._links: dict[int, WorkerLink] = {}
        self._totals = Totals()
        self._fallbacks = FallbackList()
        self._loops = LoopList(group.name for group in begun.settings.upstreams)
        self._keeper = Keeper(begun.settings, self.estate, self.feed)
        self._files: dict[str, Files] = {}
        self._syncs: dict[str, Syncs] = {}
        self._zones: dict[str, ZoneWatch] = {}
        self._events: dict[str, EventWatch] = {}
        self._stopping = asyncio.Event()
        self._restore(saved, remotes)

    def _restore(self, saved: Saved | None, remotes: Mapping[str, Remote]) -> None:
        """Answer at once from the saved inventory and the zone files, before anybody is asked."""
        now = time.time()
        if saved:
            restore(saved, self.estate, now)
        for config in self.estate.settings.sources:
            self._begin(config, remotes)
        zones, self._keeper.zone_texts, findings = zone_files.read(
            self.estate.settings.zones.files, saved.zone_texts if saved else {}
        )
        self.estate.set_static(zones, now)
        for path, found in findings.items():
            self.estate.board.replace(Topic.ZONE_FILE, path, found, now)
        self.estate.look(now)
        self._published(set())

    def _begin(self, config: SourceSettings, remotes: Mapping[str, Remote]) -> None:
        """Make what reads a source."""
        name, status = config.name, self.estate.sources[config.name]
        if name in remotes:
            self._watch(config, remotes[name], status)
        else:
            self._files[name] = Files(config.path, set(self.estate.inventory.of(name)))
            status.interval = RESCAN

    def _watch(self, config: SourceSettings, remote: Remote, status: SourceStatus) -> None:
        name, had = config.name, partial(self.estate.inventory.of, config.name)
        if config.azure and config.azure.events:
            take, sync = partial(self._reread, name), partial(self.sync, name, "now")
            self._events[name] = EventWatch(name, config.azure.events, remote, had, take, sync)
        self._syncs[name] = Syncs(remote, status, config.hold_down, had, self._events.get(name))
        if remote.private:
            self._zones[name] = ZoneWatch(name, remote.private, partial(self.estate.private.of, name))

    # -- what the admin surface asks

    @property
    def serial(self) -> int:
        """Of the served state."""
        return self.feed.serial

    def missing(self) -> list[str]:
        """What stands between now and being ready; nothing when ready."""
        out = [
            f"source {status.name}: {status.last_error or 'not read yet'}"
            for status in self.estate.sources.values()
            if not status.synced
        ]
        for worker in self.workers.values():
            if not worker.connected:
                out.append(f"worker {worker.index}: not connected")
            elif not worker.synced and self.estate.sources:
                out.append(f"worker {worker.index}: has not applied the table yet")
        return out

    async def ping(self) -> bool:
        """A worker answers."""
        pings = [asyncio.ensure_future(link.ask(Ping())) for link in self._links.values()]
        if not pings:
            return False
        done, late = await asyncio.wait(pings, timeout=_PING, return_when=asyncio.FIRST_COMPLETED)
        for ping in late:
            ping.cancel()
        return any(not ping.cancelled() and ping.exception() is None for ping in done)

    async def ask_workers(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        """Return each worker's reply by index; None for a worker that did not reply in time."""
        return dict.fromkeys(self.workers) | await ask_all(self._links, _ASK, request)

    def totals(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Counters of all workers, over their restarts: (metric, label values, count)."""
        return iter(self._totals)

    def gauges(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        """What stands now: (metric, label values, value)."""
        yield "workers_connected", (), float(sum(worker.connected for worker in self.workers.values()))
        for events in self._events.values():
            yield from events.counts()

    def sync(self, source: str, action: Action) -> None:
        """Do what an operator says of a remote source. Raises KeyError for no such source, and `NothingHeld`."""
        syncs, status = self._syncs[source], self.estate.sources[source]
        match action:
            case "now":
                syncs.now()
            case "accept":
                accepted = syncs.accept()
                _log.warning("source %s: the held sync is accepted", source)
                self._synced(source, accepted)
            case "drop":
                if status.standing.held is None:
                    raise NothingHeld
                _log.warning("source %s: the held sync is dropped", source)
                self.estate.dropped(source, time.time())
                self._keeper.due = True

    def fallbacks(self) -> Iterator[Fallback]:
        """Names inside private zones that went to an upstream, the one seen last at the end."""
        return iter(self._fallbacks)

    # -- life

    async def run(self, *services: contextlib.AbstractAsyncContextManager[object]) -> None:
        """Work until SIGTERM. `services` are open while control works: the admin surface is one."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(unix_server.serving(self._begun.channel, self._connected))
            for service in services:
                await stack.enter_async_context(service)
            for events in self._events.values():
                await stack.enter_async_context(events.serving())
            tasks = [asyncio.create_task(each) for each in (self._read_first(), self._save_often(), self._keep_time())]
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and not task.cancelled():
                    task.result()  # a task ends only by an error: the supervisor starts control anew
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._keeper.due |= bool(self._syncs)  # when each was read last: that alone is not written each time
        await self._keeper.save()

    # -- sources

    async def _read_first(self) -> None:
        """Read all sources, then follow each."""
        await self._read_all()
        heap.settle()
        async with asyncio.TaskGroup() as group:
            for name, files in self._files.items():
                group.create_task(self._follow(name, files))
            for name, syncs in self._syncs.items():
                group.create_task(self._follow_remote(name, syncs))
            for name, watch in self._zones.items():
                group.create_task(self._follow_zones(name, watch))
            for events in self._events.values():
                group.create_task(events.run())
            group.create_task(self._stopping.wait())

    async def _read_all(self) -> None:
        """Read all sources as one, so that no source is first at a name."""
        changes: list[tuple[str, str, Part]] = []
        read: list[tuple[str, int]] = []
        for name, files in self._files.items():
            scan = await asyncio.to_thread(files.scan)
            if scan.error:
                self._failed(name, scan.error)
            else:
                changes += [(name, part, given) for part, given in scan.changes]
                read.append((name, scan.parts))
        self._published(self._take(changes, read))

    async def _follow(self, name: str, files: Files) -> None:
        async for _ in files.changed():
            scan = await asyncio.to_thread(files.scan)
            if scan.error:
                self._failed(name, scan.error)
                continue
            self._published(self._take([(name, part, given) for part, given in scan.changes], [(name, scan.parts)]))

    async def _follow_remote(self, name: str, syncs: Syncs) -> None:
        async with contextlib.aclosing(syncs.run()) as done:
            async for sync in done:
                self._synced(name, sync)

    def _reread(self, name: str, part: str, given: Resources) -> None:
        """Take what a subscription holds since an event. Where it cannot be read whole, what it gave stays."""
        if not self.estate.is_unreadable(name, part):
            self._published(self._take([(name, part, given)], []))

    async def _follow_zones(self, name: str, watch: ZoneWatch) -> None:
        async with contextlib.aclosing(watch.run()) as done:
            async for reading in done:
                if self.estate.private.take(name, reading, time.time()):
                    self._keeper.due = True
                    self._published(self.estate.lend())

    def _synced(self, name: str, sync: Sync) -> None:
        """Take what a sync of a remote source came to."""
        status, now = self.estate.sources[name], time.time()
        if sync.judgement is None:
            self._failed(name, sync.error)
            return
        if name in self._zones:
            self._zones[name].begin()
        before = (status.synced, status.standing)
        held = sync.judgement.standing.held
        if held and not status.standing.held:
            reasons = ", ".join(held.reasons)
            _log.error("source %s: a sync would remove %s; it is held: see `pldns sync status`", name, reasons)
        changed = self.estate.judged(name, sync.judgement, now, sync.read_at)
        self._keeper.due |= bool(changed) or before != (status.synced, status.standing)
        self._published(changed)

    def _take(self, changes: list[tuple[str, str, Part]], read: list[tuple[str, int]]) -> set[Name]:
        """Take what sources gave, as one, and how many parts each has; the names whose rows changed."""
        now = time.time()
        self._keeper.due |= bool(changes)
        changed = self.estate.take(changes, now)
        for name, parts in read:
            self.estate.source_read(name, parts, now)
        return changed

    def _failed(self, name: str, error: str) -> None:
        if self.estate.sources[name].last_error != error:
            _log.warning("source %s: %s; what it gave before is kept", name, error)
        self.estate.source_failed(name, error, time.time())
        self._published(set())

    def _published(self, changed: set[Name]) -> None:
        """Tell the workers, if there is anything to tell, and note the first state that all sources had a part in."""
        was_complete = bool(self.feed.complete_since)
        self.feed.changed(changed | self.estate.lend_after(changed))
        if self.feed.complete and not was_complete:
            _log.info("all sources have data: %d names", len(self.estate.ledger.rows))
            if self.estate.lacks_vnets:
                _log.warning(NO_VNETS)

    async def _keep_time(self) -> None:
        """End what lingers, judge anew where a pin runs out, and have answers say what is stale, when it is time."""
        ends = {pin.until for pin in self.estate.settings.conflicts.pins if pin.until is not None}
        while True:
            now, ledger = time.time(), self.estate.ledger
            changed = ledger.expire(now)
            self._keeper.due |= bool(changed)
            if over := {end for end in ends if end <= now}:
                ends -= over
                changed |= ledger.reconsider(now)
            if compare := self.estate.private.comparison(now):
                self.estate.private.compared(await asyncio.to_thread(compare), now)
                changed |= self.estate.lend()
            if self.estate.look(now) or changed or over:
                self._published(changed)
            await asyncio.sleep(_TICK)

    # -- workers

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One worker's connection, from its greeting to its end."""
        index = self._begun.workers.admit(writer.get_extra_info("socket"))
        if index is None:
            _log.warning("a process that is no worker of ours was turned away from the channel")
            writer.close()
            return
        frames = channel.FrameReader[channel.Up](channel.UP_LIMIT, channel.Up)
        link: WorkerLink | None = None
        sending: asyncio.Task[None] | None = None
        try:
            while data := await reader.read(1 << 18):
                for frame in frames.feed(data):
                    if isinstance(frame, channel.Hello) and link is None:
                        link = WorkerLink(self.feed, index, frame, writer)
                        self._joined(link)
                        sending = asyncio.create_task(self._send(link, writer))
                    elif link is not None:
                        self._received(link, frame)
        except (OSError, channel.ChannelError) as error:
            _log.warning("the line to worker %d broke: %s", index, error)
        finally:
            if sending:
                sending.cancel()
            if link:
                self._left(link)
            writer.close()

    async def _send(self, link: WorkerLink, writer: asyncio.StreamWriter) -> None:
        """Feed a worker; without that its line is no use, and it connects anew."""
        try:
            await link.run()
        except OSError:
            pass  # it is gone, as the reading side hears too
        except channel.ChannelError as error:
            _log.error("worker %d cannot be told: %s", link.index, error)
        finally:
            writer.close()

    def _joined(self, link: WorkerLink) -> None:
        self._links[link.index] = link
        self.workers[link.index] = WorkerStatus(link.index, link.hello.pid, link.hello.instance, 0, connected=True)

    def _left(self, link: WorkerLink) -> None:
        if self._links.get(link.index) is link:
            del self._links[link.index]
            self.workers[link.index].connected = False

    def _received(self, link: WorkerLink, frame: channel.Up) -> None:
        if self._links.get(link.index) is not link:
            return  # the last words of a process that has a successor
        worker = self.workers[link.index]
        match frame:
            case channel.Applied(serial=serial):
                worker.serial = serial
                worker.synced |= 0 < self.feed.complete_since <= serial
            case channel.CounterReport(instance=instance, values=values):
                self._totals.report(link.index, instance, values)
            case channel.FallbackReport(items=items):
                self._fallbacks.add(items)
            case channel.LoopReport(items=items):
                self._looped(items)
            case channel.ReplyFrame():
                link.replied(frame)
            case _:
                raise channel.ChannelError("a second greeting")

    def _looped(self, items: list[channel.Loop]) -> None:
        now = time.time()
        for group, finding in self._loops.add(items, now):
            self.estate.board.replace(Topic.UPSTREAM, group, [finding], now)

    async def _save_often(self) -> None:
        while True:
            await asyncio.sleep(SAVE)
            await self._keeper.save()
            for group in self._loops.over(time.time()):
                self.estate.board.replace(Topic.UPSTREAM, group, [], time.time())
