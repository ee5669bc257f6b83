"""What the admin interface and the metrics need from control, as a protocol. `control.admin_view` implements it.

Does not know how control keeps its state, or how control reaches the workers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from resolver.channel.frames import Fallback, MemoryReport
from resolver.channel.requests import ReplyT, WorkerRequest
from resolver.control.estate.estate import Estate
from resolver.control.guard.sync_state import SyncAction
from resolver.control.history.recorder import HistoryRecorder
from resolver.control.hub.publisher import HubPublisher
from resolver.control.log_level import LogLevel
from resolver.control.operator_decisions import OperatorDecisions
from resolver.control.query_tails import QueryTails
from resolver.control.reloads import Reloads
from resolver.control.source_runners import Sample
from resolver.control.sync.ends import SyncEnd
from resolver.control.traffic import Point, Rates
from resolver.host_port import HostPort
from resolver.memory_budget import MemoryState
from resolver.process.query_log_state import QueryLogState
from resolver.process.sandbox.level import SandboxLevel
from zones.clocks import WallTime

if TYPE_CHECKING:  # only a configuration with a registry loads the registry
    from resolver.registry.portal import Portal


class ConnectedWorker(Protocol):
    """The state of one configured worker, as control knows it. `WorkerItem` describes each field."""

    @property
    def index(self) -> int: ...  # noqa: D102 - described by WorkerItem, as the others are
    @property
    def pid(self) -> int: ...  # noqa: D102
    @property
    def serial(self) -> int: ...  # noqa: D102
    @property
    def connected(self) -> bool: ...  # noqa: D102
    @property
    def synced(self) -> bool: ...  # noqa: D102
    @property
    def memory(self) -> MemoryReport | None: ...  # noqa: D102
    @property
    def restarts(self) -> int: ...  # noqa: D102
    @property
    def restarted(self) -> WallTime | None: ...  # noqa: D102


class View(Protocol):
    """What operators may read from control and ask it to do."""

    estate: Estate
    decisions: OperatorDecisions
    """What operators have decided, such as acknowledged findings."""
    log_level: LogLevel
    """The log level of all processes."""
    draining: bool
    """Whether an operator wants clients to go elsewhere: then `missing` has a reason more."""
    tails: QueryTails
    """Live queries."""
    started: WallTime
    """When control started, in seconds since the epoch."""
    memory: MemoryState
    """What all processes use of memory."""
    query_log: QueryLogState
    """The last report of the query logger."""

    @property
    def registry(self) -> "Portal | None":
        """The registry for people; None where none is configured."""

    @property
    def reloads(self) -> Reloads:
        """The configuration in effect, and its reloads."""

    @property
    def hub(self) -> HubPublisher | None:
        """What spokes follow; None where no hub is configured."""

    @property
    def history(self) -> HistoryRecorder:
        """What changed in the estate."""

    @property
    def serial(self) -> int:
        """Serial of the served state; it grows with every change of what is served."""

    @property
    def workers(self) -> Mapping[int, ConnectedWorker]:
        """All configured workers by index, connected or not."""

    def sandboxes(self) -> Mapping[str, SandboxLevel]:
        """Return how far each process is confined, by its name in the log."""

    @property
    def absent_addresses(self) -> Sequence[HostPort]:
        """Listen addresses that this machine does not have."""

    def missing(self) -> list[str]:
        """Return the reasons why the daemon is not ready; empty when it is."""

    async def ping(self) -> bool:
        """Return whether at least one worker answers."""

    async def ask_workers(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        """Send a request to every worker. Return the replies by index; None for a worker without a reply in time."""

    async def ask_worker(self, request: WorkerRequest[ReplyT], worker: int, patience: float) -> ReplyT | None:
        """Send a request to one worker. Return the reply; None without one within `patience` seconds.

        Raises LookupError if the worker is not connected.
        """

    def sync(self, source: str, action: SyncAction) -> None:
        """Do what an operator wants with a remote source.

        Raises KeyError for an unknown source, and `NothingHeld` when there is no held sync to accept or drop.
        """

    async def synced(self, source: str, patience: float) -> SyncEnd | None:
        """Sync a source now. Return the end of that sync; None if it takes longer than `patience` seconds.

        Raises KeyError for an unknown source.
        """

    @property
    def traffic(self) -> Rates:
        """Queries and cache hits of the last minute."""

    @property
    def traffic_points(self) -> Sequence[Point]:
        """Queries and cache hits of the last hour, the newest at the end."""

    def totals(self) -> Iterable[tuple[str, tuple[str, ...], int]]:
        """Return the counters, summed over all workers: (metric, label values, count)."""

    def gauges(self) -> Iterable[Sample]:
        """Return the current values that control itself measures: (metric, label values, value)."""

    def fallbacks(self) -> Iterable[Fallback]:
        """Return the names inside private zones that an upstream was asked for."""
