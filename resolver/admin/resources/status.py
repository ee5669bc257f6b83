"""Health and status of the daemon as JSON."""

from typing import Literal

from pydantic import Field

from resolver.admin.resources.configuration import ConfigurationItem
from resolver.admin.resources.memory import MemoryItem
from resolver.admin.resources.model import Model, Parameters, ProblemDetails, Time
from resolver.admin.resources.pins import PinItem
from resolver.admin.resources.query_log import QueryLogItem
from resolver.admin.resources.sandbox import SandboxItem
from resolver.admin.resources.sharing import SharingItem
from resolver.admin.resources.sources import Degradation, SourceItem
from resolver.admin.resources.workers import WorkerItem
from resolver.control.estate.estate import Estate
from resolver.control.traffic import Rates
from zones.clocks import WallTime
from zones.findings.evidence import Severity


class Alive(Model):
    """Control runs and a worker answers."""

    status: Literal["alive"] = "alive"


class Ready(Model):
    """Every source has provided data, and every worker has applied it."""

    status: Literal["ready"] = "ready"
    missing: list[str] = Field(default=[])
    degraded: list[Degradation] = Field(description="Problems that do not make the daemon unready.")
    degraded_total: int
    sources: list[SourceItem] | None = Field(default=None, description="Only with `?verbose`.")
    workers: list[WorkerItem] | None = Field(default=None, description="Only with `?verbose`.")


class NotReady(ProblemDetails):
    """Reasons why the daemon is not ready."""

    missing: list[str]
    degraded: list[Degradation]
    degraded_total: int
    sources: list[SourceItem] | None = Field(default=None, description="Only with `?verbose`.")
    workers: list[WorkerItem] | None = Field(default=None, description="Only with `?verbose`.")


class ReadyParameters(Parameters):
    """Query parameters of `/readyz`."""

    verbose: str | None = Field(default=None, description="Adds the sources and the workers.")


class Counts(Model):
    """Numbers of the inventory."""

    endpoints: int
    served: int = Field(description="Endpoints whose claims may be served.")
    claims: int
    names: int = Field(description="Private names that have an answer.")
    vnets: int
    networks: int
    zone_files: int
    findings: dict[Severity, int] = Field(description="Open findings, without those that are acknowledged.")
    acknowledged: int = Field(description="Findings that an operator has acknowledged.")


class TrafficItem(Model):
    """The traffic of the last minute, over all workers."""

    queries_per_second: float
    private_per_second: float = Field(description="Answers from endpoints, zone files and private DNS zones.")
    public_per_second: float = Field(description="Answers of upstream servers.")
    failed_per_second: float = Field(description="Answers with the rcode SERVFAIL.")
    cache_hit_ratio: float | None = Field(
        description="Share of the questions to the cache of upstream replies that the cache answered; null without any."
    )
    seconds: float = Field(description="Time that these figures are about: at most a minute.")


class DaemonStatus(Model):
    """The state of the daemon."""

    version: str
    configuration: ConfigurationItem
    started: Time = Field(description="When the control process started. It restarts by itself after a crash.")
    uptime: float = Field(description="Seconds since `started`.")
    serial: int = Field(description="Serial of the served state; it grows with every change.")
    ready: bool
    missing: list[str] = Field(description="Reasons why the daemon is not ready.")
    degraded: list[Degradation]
    degraded_total: int
    absent_addresses: list[str] = Field(
        description="Listen addresses that the machine does not have (`dns.bind: wait`). pldns answers there as soon "
        "as they exist."
    )
    workers: list[WorkerItem]
    sources: list[SourceItem]
    memory: MemoryItem
    sandbox: list[SandboxItem] = Field(description="Of the supervisor, control, and each connected worker.")
    counts: Counts
    pins: list[PinItem] = Field(description="The first 32 pins of operators. `/v1/pins` lists all pins.")
    traffic: TrafficItem
    query_log: QueryLogItem | None = Field(description="Null while queries are not logged.")
    sharing: SharingItem | None = Field(
        description="Null unless several control planes share the registry (`registry.database`)."
    )


def traffic(rates: Rates) -> TrafficItem:
    """Return the traffic of the last minute as JSON."""
    return TrafficItem(
        queries_per_second=round(rates.queries_per_second, 1),
        private_per_second=round(rates.private_per_second, 1),
        public_per_second=round(rates.public_per_second, 1),
        failed_per_second=round(rates.failed_per_second, 1),
        cache_hit_ratio=None if rates.hit_ratio is None else round(rates.hit_ratio, 4),
        seconds=round(rates.seconds, 1),
    )


def counts(estate: Estate, now: WallTime) -> Counts:
    """Return the numbers of the inventory."""
    ledger = estate.ledger
    severities = dict.fromkeys(Severity, 0)
    for (_, severity), count in estate.board.open_counts(now).items():
        severities[severity] += count
    return Counts(
        endpoints=len(ledger.endpoints), served=ledger.census.served, claims=ledger.census.records,
        names=len(ledger.rows), vnets=len(ledger.vnets), networks=estate.networks.all.bit_count(),
        zone_files=len(estate.static.files), findings=severities,
        acknowledged=estate.board.acknowledgements.counts(now).total(),
    )  # fmt: skip
