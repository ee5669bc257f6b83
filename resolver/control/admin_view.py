"""Control as the admin interface and the metrics use it: the parts of control behind `resolver.admin.view.View`.

Does not know HTTP, JSON or the names of metrics that workers count.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from resolver.channel.frames import Fallback
from resolver.channel.requests import ReplyT, WorkerRequest
from resolver.control.awaited_addresses import AwaitedAddresses
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.guard.sync_state import SyncAction
from resolver.control.history.recorder import HistoryRecorder
from resolver.control.hub.publisher import HubPublisher
from resolver.control.log_level import LogLevel
from resolver.control.operator_decisions import OperatorDecisions
from resolver.control.process_usage import usage
from resolver.control.query_tails import QueryTails
from resolver.control.reloads import Reloads
from resolver.control.source_runners import Sample, SourceRunners
from resolver.control.sync.ends import SyncEnd
from resolver.control.traffic import Point, Rates
from resolver.control.worker_link import WorkerStatus
from resolver.control.worker_reports import WorkerReports
from resolver.control.worker_server import WorkerServer
from resolver.host_port import HostPort
from resolver.memory_budget import MemoryState
from resolver.process.query_log_state import QueryLogState
from resolver.process.sandbox.level import SandboxLevel
from zones.clocks import WallTime

if TYPE_CHECKING:  # only a configuration with a registry loads the registry
    from resolver.registry.portal import Portal

DRAINING: Final = "draining"
"""The reason why control is not ready while an operator wants clients to go elsewhere."""


class AdminView:
    """A view of these parts of control. `started`: in seconds since the epoch."""

    def __init__(  # noqa: PLR0913 - one argument for each part of control
        self,
        estate: Estate,
        feed: Feed,
        workers: WorkerServer,
        sources: SourceRunners,
        reports: WorkerReports,
        reloads: Reloads,
        addresses: AwaitedAddresses,
        history: HistoryRecorder,
        *,
        decisions: OperatorDecisions,
        log_level: LogLevel,
        started: WallTime,
    ) -> None:
        self.estate = estate
        self.reloads = reloads
        self.history = history
        self.decisions = decisions
        self.log_level = log_level
        self.started = started
        self.memory = MemoryState()
        """What all processes use of memory."""
        self.query_log = QueryLogState()
        """The last report of the query logger."""
        self.stopping = False
        """Whether pldns is about to stop."""
        self.registry: Portal | None = None
        """The registry; None where none is configured, or where it is new since the start."""
        self.draining = False
        """Whether an operator wants clients to go elsewhere."""
        self._feed = feed
        self._workers = workers
        self._sources = sources
        self._reports = reports
        self.levels: Mapping[str, SandboxLevel] = {}
        """How far the supervisor and control are confined."""
        self._addresses = addresses
        self.tails = QueryTails(workers.ask)
        self.hub: HubPublisher | None = None
        """What spokes follow; None where no hub is configured."""

    @property
    def serial(self) -> int:
        """Serial of the served state."""
        return self._feed.serial

    @property
    def workers(self) -> Mapping[int, WorkerStatus]:
        """All configured workers by index, connected or not."""
        return self._workers.statuses

    def sandboxes(self) -> dict[str, SandboxLevel]:
        """Return how far the supervisor, control and each worker that has connected are confined."""
        of_workers = {f"worker {each.index}": each.sandbox for each in self.workers.values() if each.sandbox}
        of_logger = {"query log": self.query_log.sandbox} if self.query_log.sandbox else {}
        return {**self.levels, **of_workers, **of_logger}

    @property
    def absent_addresses(self) -> Sequence[HostPort]:
        """Listen addresses that this machine does not have."""
        return self._addresses.absent

    def missing(self) -> list[str]:
        """Return the reasons why control is not ready; empty when it is."""
        out = ["pldns is stopping"] if self.stopping else []
        out += [DRAINING] if self.draining else []
        out += [
            f"source {status.name}: {status.last_error or 'not read yet'}"
            for status in self.estate.sources.values()
            if not status.synced
        ]
        for worker in self.workers.values():
            if not worker.connected:
                out.append(f"worker {worker.index}: not connected")
            elif not worker.synced:
                out.append(f"worker {worker.index}: has not applied the table yet")
        return out

    async def ping(self) -> bool:
        """Return whether at least one worker answers in time."""
        return await self._workers.ping()

    async def ask_workers(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        """Return each worker's reply by index; None for a worker that did not reply in time."""
        return await self._workers.ask(request)

    async def ask_worker(self, request: WorkerRequest[ReplyT], worker: int, patience: float) -> ReplyT | None:
        """Return the reply of one worker. See `WorkerServer.ask_one`."""
        return await self._workers.ask_one(request, worker, patience)

    def sync(self, source: str, action: SyncAction) -> None:
        """Carry out an operator's command. Raises KeyError if there is no such source, and `NothingHeld`."""
        self._sources.command(source, action)

    async def synced(self, source: str, patience: float) -> SyncEnd | None:
        """Sync a source now, and return the end of that sync. See `SourceRunners.synced`."""
        return await self._sources.synced(source, patience)

    def totals(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Yield the counters of all workers, over their restarts: (metric, label values, count)."""
        return iter(self._reports.totals)

    @property
    def traffic(self) -> Rates:
        """Queries and cache hits of the last minute."""
        return self._reports.traffic.rates()

    @property
    def traffic_points(self) -> Sequence[Point]:
        """Queries and cache hits of the last hour, the newest at the end."""
        return self._reports.traffic.last_hour()

    def gauges(self) -> Iterator[Sample]:
        """Yield the metrics of control itself: (metric, label values, value)."""
        yield "workers_connected", (), float(sum(worker.connected for worker in self.workers.values()))
        yield "dns_listen_absent", (), float(len(self._addresses.absent))
        yield from self._reports.gauges
        for worker in self.workers.values():
            yield "worker_restarts_total", (str(worker.index),), float(worker.restarts)
        for process, pid in self._processes():
            for name, value in usage(pid):
                yield name, (process,), value
        for output in self.query_log.outputs:
            yield "query_log_written_total", (output.kind,), float(output.written)
            yield "query_log_dropped_total", (output.kind,), float(output.dropped)
        if hub := self.hub:
            yield "hub_followers", (), float(hub.followers)
            yield "hub_serial", (), float(hub.serial)
            yield "hub_history_bytes", (), float(hub.octets)
            yield "hub_connections_total", ("copy",), float(hub.copies)
            yield "hub_connections_total", ("serial",), float(hub.caught_up)
            yield "hub_dropped_total", (), float(hub.dropped)
        yield from self._sources.metrics()

    def _processes(self) -> Iterator[tuple[str, int]]:
        """Yield the name and the pid of each process that runs."""
        yield "supervisor", os.getppid()
        yield "control", os.getpid()
        yield from ((f"worker {each.index}", each.pid) for each in self.workers.values() if each.connected)
        if self.query_log.pid:
            yield "query log", self.query_log.pid

    def fallbacks(self) -> Iterator[Fallback]:
        """Yield the names that no endpoint answered, the most recent at the end."""
        return iter(self._reports.fallbacks)
