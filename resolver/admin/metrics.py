"""Metrics: one table declares them; each scrape collects their values from control. Nothing is kept between scrapes.

Label values come from the configuration and the catalogue, never from a query name or a client's address. Names and
labels are those of CoreDNS where it has the metric. `python -m resolver.admin.metrics > docs/metrics.md` writes the
page.
"""

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Final, Literal, NamedTuple, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as MetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from resolver.admin.view import View
from resolver.control.estate.source_health import Freshness, SourceStatus, SyncOutcome
from resolver.control.source_runners import Sample
from resolver.forward.round_trip import BOUNDS
from resolver.process import wall_clock
from resolver.process.reload_state import ReloadOutcome
from resolver.version import VERSION

PREFIX: Final = "pldns_"


Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """One metric; its name has no prefix here. A metric without `bounds` is a counter or a gauge."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()
    """Upper bounds of the buckets of a histogram, in ascending order."""

    @property
    def kind(self) -> Kind:
        """The type of the metric. Names of counters end in `_total`."""
        if self.bounds:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


METRICS: Final = (
    Metric("build_info", "Always 1.", ("version", "python")),
    Metric("dns_requests_total", "Queries received.", ("proto", "family")),
    Metric(
        "dns_responses_total",
        "Responses sent; origin: private (endpoints), static (zone files, private DNS zones), ptr (addresses of "
        "endpoints), policy (`on_miss`), local (special names), public (an upstream, for a name in a private zone), "
        "forward (an upstream, for any other name), dropped (`dns.drop.names`), acl (`dns.allow`) or error.",
        ("rcode", "zone", "network", "origin"),
    ),
    Metric(
        "dns_dropped_total",
        "Packets without a response; reason: malformed, client (`dns.drop.clients`), proxy (no valid PROXY header), "
        "unanswerable (from port 0 or from pldns itself) or unsent (send buffer full, or no route).",
        ("reason",),
    ),
    Metric("dns_rate_limited_total", "Queries over the rate limit: dropped, truncated or badcookie.", ("reply",)),
    Metric("dns_connections_total", "Connections accepted.", ("proto",)),
    Metric(
        "dns_connections_closed_total",
        "Connections closed; reason: ended (by the client), idle, limit, client_limit, memory (too many octets waited "
        "in all connections together), handshake, proxy, dropped or stop.",
        ("proto", "reason"),
    ),
    Metric(
        "dns_connections_waiting_total",
        "Times that new connections waited because no file descriptor was left.",
        ("proto",),
    ),
    Metric(
        "dns_https_errors_total",
        "HTTP connections closed for what the client sent: protocol, flood or bodies.",
        ("reason",),
    ),
    Metric("dns_https_responses_total", "HTTP responses of DNS over HTTPS.", ("status",)),
    Metric("dns_listen_absent", "Listen addresses that the machine does not have (`dns.bind: wait`)."),
    Metric("fallback_total", "Responses for names inside a private zone that came from an upstream.", ("zone",)),
    Metric("cache_hits_total", "Questions that a cached upstream reply answered."),
    Metric("cache_misses_total", "Questions of which the cache had no reply that is still good."),
    Metric("cache_evictions_total", "Upstream replies removed from the cache to make room."),
    Metric("cache_prefetches_total", "Questions asked again shortly before their cached reply expired."),
    Metric(
        "forward_loops_total",
        "Queries of pldns itself that came back through an upstream group; they get SERVFAIL.",
        ("upstream",),
    ),
    Metric("upstream_queries_total", "Queries sent to upstream servers."),
    Metric("upstream_replies_total", "Replies of upstream servers that matched a query."),
    Metric("upstream_timeouts_total", "Queries that an upstream server did not answer in time."),
    Metric("upstream_errors_total", "Queries that could not be sent, or whose connection broke."),
    Metric("upstream_mismatches_total", "Packets on upstream sockets that match no query."),
    Metric("upstream_tcp_total", "Queries repeated over TCP because the reply was truncated."),
    Metric(
        "upstream_request_duration_seconds",
        "Time from a query to an upstream server until its answer, by upstream group.",
        ("upstream",),
        (*map(str, BOUNDS), "+Inf"),
    ),
    Metric("upstream_shed_total", "Questions that failed because too many were under way."),
    Metric("upstream_late_total", "Replies that came after their question had failed, and went into the cache."),
    Metric("ready", "1 while `/readyz` answers 200."),
    Metric("state_unwritable", "Files of the state directory whose last write failed."),
    Metric("serial", "Serial of the served state. A worker that lags behind has a lower `worker_serial`."),
    Metric("config_reloads_total", "Reloads: `applied`, `unchanged` or `refused`.", ("result",)),
    Metric("config_serial", "Number of the configuration in effect: 1 at the start, one more with each that differs."),
    Metric("config_last_reload_successful", "0 while the last reload was refused."),
    Metric("config_last_success_timestamp_seconds", "When the configuration in effect was accepted."),
    Metric("config_file_changed", "1 while the configuration file is not the one in effect."),
    Metric("memory_budget_bytes", "What all processes together may use; absent where there is no limit."),
    Metric("memory_free_bytes", "What is left of the budget; absent where there is no limit."),
    Metric(
        "memory_bytes",
        "Memory in use; part: supervisor, control, or of all workers together replies (`cache.size`), answers "
        "(`cache.answers`), connections, and workers (the rest: interpreter, table, queries in progress).",
        ("part",),
    ),
    Metric(
        "memory_bound_bytes",
        "Bound of a part of all workers together: replies, answers or connections. It is lower than configured where "
        "memory is scarce.",
        ("part",),
    ),
    Metric("memory_drops_total", "Times that a worker dropped its caches because memory was short."),
    Metric("workers", "Configured worker processes."),
    Metric("answers_evicted_total", "Compiled answers removed because a name behind them changed."),
    Metric("gc_long_pauses_total", "Garbage collections that stopped a worker for more than 20 ms."),
    Metric("workers_connected", "Worker processes that are connected to control."),
    Metric("worker_serial", "Serial of the last state that a worker has applied.", ("worker",)),
    Metric("sync_synced", "1 once a source has provided a complete inventory, live or saved.", ("source",)),
    Metric("sync_failing", "1 while a source cannot be read; its last data is served.", ("source",)),
    Metric("sync_last_success_timestamp_seconds", "Time of the last complete read of a source.", ("source",)),
    Metric("source_age_seconds", "Time since the last complete read of a source.", ("source",)),
    Metric(
        "source_state",
        "1 for the current state of a source: fresh, stale (three intervals without a good sync) or expired.",
        ("source", "state"),
    ),
    Metric("source_parts", "Files or subscriptions of a source.", ("source",)),
    Metric("source_unreadable_parts", "Files or subscriptions of a source that cannot be read.", ("source",)),
    Metric("sync_total", "Syncs of a remote source; result: published, held or failed.", ("source", "result")),
    Metric(
        "sync_requests_total",
        "Requests to a remote source. asked: what was asked; status: the HTTP status, or error, timeout or too-long "
        "without a usable response. asked=token, status=failed counts failures to get a token.",
        ("source", "asked", "status"),
    ),
    Metric("sync_duration_seconds", "Duration of the last sync of a remote source.", ("source",)),
    Metric("sync_held", "1 while a sync or a change of files that would remove too much is held.", ("source",)),
    Metric("sync_absent", "Resources that recent syncs lack and that are still served.", ("source",)),
    Metric(
        "events_total",
        "Events from Event Grid; result: hint (in scope, or before the first sync), duplicate, out_of_scope, other, "
        "malformed, or refused (wrong or missing secret).",
        ("source", "result"),
    ),
    Metric(
        "hints_total",
        "Resources read because of an event; result: read, failed (left to the next sync), overflow, held (would "
        "remove more than events may before the next sync), or out_of_scope (arrived before the first sync, which "
        "showed that the resource is out of scope).",
        ("source", "result"),
    ),
    Metric(
        "hints_seconds_total",
        "Sum of the times from an event until its resource was read and applied. Divide by `pldns_hints_total` with "
        "result=read for the mean.",
        ("source",),
    ),
    Metric("endpoints", "Private endpoints by connection state.", ("state",)),
    Metric("claims", "Claims of endpoints on names."),
    Metric("claims_lingering", "Removed claims that linger."),
    Metric("names", "Private names that have an answer."),
    Metric("findings", "Open findings.", ("code", "severity")),
)
"""All metrics."""

_BY_NAME: Final = {metric.name: metric for metric in METRICS}


def expose(view: View, accept: str) -> tuple[bytes, str]:
    """Return all metrics as text and the content type, in the format that a scraper's Accept header prefers."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Values(view))
    generate, content_type = choose_encoder(accept)
    return generate(registry), content_type


class _Values(Collector):
    """The values of all metrics at the time of a scrape."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[MetricFamily]:
        """Yield every declared metric with its current values."""
        families = {metric.name: _family(metric) for metric in METRICS}
        values: dict[tuple[str, tuple[str, ...]], float] = {}
        for name, labels, value in chain(_zeros(), self._view.totals(), self._view.gauges(), _samples(self._view)):
            values[name, labels] = value
        histograms: dict[tuple[str, tuple[str, ...]], dict[str, float]] = {}
        for (name, labels), value in values.items():
            declared = _BY_NAME.get(name)
            family = families.get(name)
            # Workers report the totals and are not trusted, so values of undeclared metrics are left out.
            if declared is None or len(labels) != len(declared.labels) + bool(declared.bounds):
                continue
            if isinstance(family, CounterMetricFamily | GaugeMetricFamily):
                family.add_metric(labels, value)
            else:
                histograms.setdefault((name, labels[:-1]), {})[labels[-1]] = value
        for (name, labels), cells in histograms.items():
            family = families[name]
            if isinstance(family, HistogramMetricFamily):
                family.add_metric(labels, _buckets(_BY_NAME[name].bounds, cells), cells.get("sum", 0.0) / 1e6)
        yield from families.values()


_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def _family(metric: Metric) -> _Family:
    name, labels = PREFIX + metric.name, metric.labels
    if metric.bounds:
        return HistogramMetricFamily(name, metric.help, labels=labels)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return kind(name, metric.help, labels=labels)


def _buckets(bounds: Sequence[str], cells: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the buckets of a histogram, in which each one contains those before it."""
    return list(zip(bounds, accumulate(cells.get(bound, 0.0) for bound in bounds), strict=True))


def _zeros() -> Iterator[Sample]:
    """Yield 0 for each counter without labels, so that it exists before its first event."""
    return ((metric.name, (), 0.0) for metric in METRICS if metric.kind == "counter" and not metric.labels)


def _samples(view: View) -> Iterator[Sample]:
    """Yield the gauges that follow from the state of control."""
    yield "build_info", (VERSION, platform.python_version()), 1.0
    yield "ready", (), float(not view.missing())
    yield "serial", (), float(view.serial)
    yield "workers", (), float(len(view.workers))
    for worker in view.workers.values():
        yield "worker_serial", (str(worker.index),), float(worker.serial)
    yield from _reloads(view)
    yield from _memory(view)
    yield "state_unwritable", (), float(len(view.estate.state.unwritable))
    yield from _sources(view)
    yield from _inventory(view)


def _reloads(view: View) -> Iterator[Sample]:
    state = view.reloads.state
    for outcome in ReloadOutcome:
        yield "config_reloads_total", (outcome.value,), float(state.counts.get(outcome, 0))
    yield "config_serial", (), float(state.serial)
    yield "config_last_reload_successful", (), float(state.outcome is not ReloadOutcome.REFUSED)
    yield "config_last_success_timestamp_seconds", (), wall_clock.shown(state.loaded)
    yield "config_file_changed", (), float(view.reloads.differs)


def _memory(view: View) -> Iterator[Sample]:
    state, reports = view.memory, [each.memory for each in view.workers.values() if each.memory]
    if state.budget:
        yield "memory_budget_bytes", (), float(state.budget)
        yield "memory_free_bytes", (), float(state.free)
    parts = {
        "replies": (sum(each.replies for each in reports), sum(each.replies_bound for each in reports)),
        "answers": (sum(each.answers for each in reports), sum(each.answers_bound for each in reports)),
        "connections": (sum(each.streams for each in reports), sum(each.streams_bound for each in reports)),
    }
    for part, (used, bound) in parts.items():
        yield "memory_bytes", (part,), float(used)
        yield "memory_bound_bytes", (part,), float(bound)
    rest = sum(each.total for each in reports) - sum(used for used, _ in parts.values())
    yield "memory_bytes", ("workers",), float(max(0, rest))
    yield "memory_bytes", ("supervisor",), float(state.supervisor)
    yield "memory_bytes", ("control",), float(state.control)


def _sources(view: View) -> Iterator[Sample]:
    for status in view.estate.sources.values():
        source = (status.name,)
        yield "sync_synced", source, float(status.synced)
        yield "sync_failing", source, float(bool(status.last_error))
        yield "source_parts", source, float(status.parts)
        yield "source_unreadable_parts", source, float(status.unreadable)
        if status.last_success is not None:
            yield "sync_last_success_timestamp_seconds", source, wall_clock.shown(status.last_success)
            yield "source_age_seconds", source, max(wall_clock.now() - status.last_success, 0.0)
        holds = status.freshness(wall_clock.now())
        for state in get_args(Freshness):
            yield "source_state", (status.name, state), float(state == holds)
        yield "sync_held", source, float(status.sync_state.held is not None)
        if status.remote:
            yield from _syncs(status)


def _syncs(status: SourceStatus) -> Iterator[Sample]:
    source = (status.name,)
    for result in get_args(SyncOutcome):
        yield "sync_total", (status.name, result), float(status.results.get(result, 0))
    for (asked, code), count in sorted(status.requests.answered.items()) if status.requests else ():
        yield "sync_requests_total", (status.name, asked, code), float(count)
    yield "sync_absent", source, float(len(status.sync_state.missing))
    if status.duration is not None:
        yield "sync_duration_seconds", source, status.duration


def _inventory(view: View) -> Iterator[Sample]:
    ledger = view.estate.ledger
    yield from (("endpoints", (state.value,), float(n)) for state, n in sorted(ledger.census.states.items()) if n)
    yield "claims", (), float(ledger.census.records)
    yield "claims_lingering", (), float(len(ledger.tombstones))
    yield "names", (), float(len(ledger.rows))
    for (code, severity), count in sorted(view.estate.board.counts.items()):
        if count:
            yield "findings", (code, severity.value), float(count)


_HEAD: Final = """\
# Metrics

<!-- Written by `python -m resolver.admin.metrics`; do not edit. -->

The admin interface serves these metrics at `/metrics` in the Prometheus text format, or in the OpenMetrics format if
the scraper accepts it. Counters are sums over all workers, and continue when a worker restarts. Label values come from
the configuration and the catalogue of zones, never from query names or client addresses.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page(metrics: Sequence[Metric] = METRICS) -> str:
    """Return the page docs/metrics.md."""
    return _HEAD + "".join(_row(metric) for metric in metrics)


def _row(metric: Metric) -> str:
    labels: Iterable[str] = (f"`{label}`" for label in metric.labels)
    return f"| `{PREFIX}{metric.name}` | {metric.kind} | {', '.join(labels)} | {metric.help} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
