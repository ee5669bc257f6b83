"""Metrics: declared in one table, collected from control at each scrape, nothing kept between two.

Label values come from the configuration and the catalogue, never from a query name or a client's address. The shapes
are CoreDNS's where it has the metric. `python -m resolver.admin.metrics > docs/metrics.md` writes the page.
"""

import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from resolver.admin.view import View
from resolver.control.estate.source_health import SourceStatus
from resolver.version import VERSION

PREFIX: Final = "pldns_"

Sample = tuple[str, tuple[str, ...], float]


class Declared(NamedTuple):
    """One metric, without the prefix: a counter when its name ends in `_total`, else a gauge."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    @property
    def is_counter(self) -> bool:
        """It only grows."""
        return self.name.endswith("_total")


METRICS: Final = (
    Declared("build_info", "Always 1.", ("version", "python")),
    Declared("dns_requests_total", "Queries that came in.", ("proto", "family")),
    Declared(
        "dns_responses_total",
        "Answers that went out; origin: private, static, ptr, policy, local, forward, dropped, acl or error.",
        ("rcode", "zone", "network", "origin"),
    ),
    Declared("dns_dropped_total", "Packets that get no answer.", ("reason",)),
    Declared("dns_rate_limited_total", "Queries over the rate limit: dropped, truncated or badcookie.", ("reply",)),
    Declared("dns_connections_total", "Connections that were accepted.", ("proto",)),
    Declared(
        "dns_connections_closed_total",
        "Connections that are no more; reason: ended (as clients do), idle, limit, client_limit, handshake, proxy, "
        "dropped or stop.",
        ("proto", "reason"),
    ),
    Declared("dns_connections_waiting_total", "Times that connections had to wait: no descriptors left.", ("proto",)),
    Declared("dns_https_errors_total", "HTTP connections ended for what came: protocol, flood or bodies.", ("reason",)),
    Declared("dns_https_responses_total", "HTTP responses of DNS over HTTPS.", ("status",)),
    Declared("fallback_total", "Answers inside a private zone that came from an upstream.", ("zone",)),
    Declared("cache_hits_total", "Upstream answers taken from the cache."),
    Declared("cache_misses_total", "Upstream answers that the cache did not have."),
    Declared("cache_evictions_total", "Cached answers dropped for want of room."),
    Declared("cache_prefetches_total", "Questions asked again before their answer expired."),
    Declared(
        "forward_loops_total",
        "Queries of ours that an upstream group brought back; they get SERVFAIL.",
        ("upstream",),
    ),
    Declared("upstream_queries_total", "Queries sent to upstreams."),
    Declared("upstream_replies_total", "Replies of upstreams that matched a query."),
    Declared("upstream_timeouts_total", "Queries that an upstream did not answer in time."),
    Declared("upstream_errors_total", "Queries that could not be sent, or whose connection broke."),
    Declared("upstream_mismatches_total", "Packets on upstream sockets that answer nothing that was asked."),
    Declared("upstream_tcp_total", "Queries sent again over TCP, since the reply was truncated."),
    Declared("upstream_shed_total", "Questions not asked, since too many were under way."),
    Declared("ready", "1 while `/readyz` is 200."),
    Declared("serial", "Serial of the served state; a worker that lags has a lower one."),
    Declared("workers", "Answering processes that are configured."),
    Declared("answers_evicted_total", "Compiled answers dropped since a name that decided them changed."),
    Declared("gc_long_pauses_total", "Garbage collections that stopped a worker for more than 20 ms."),
    Declared("workers_connected", "Answering processes that are connected to control."),
    Declared("worker_serial", "The last state that a worker has applied.", ("worker",)),
    Declared("sync_synced", "1 once a source has given one good inventory, live or saved.", ("source",)),
    Declared("sync_failing", "1 while a source cannot be read; what it gave before is served.", ("source",)),
    Declared("sync_last_success_timestamp_seconds", "When a source was last read whole.", ("source",)),
    Declared("source_age_seconds", "Time since a source was last read whole.", ("source",)),
    Declared(
        "source_state",
        "1 for what holds of a source: fresh, stale (three intervals without a good sync) or expired.",
        ("source", "state"),
    ),
    Declared("source_parts", "Files or subscriptions of a source.", ("source",)),
    Declared("source_unreadable_parts", "Files or subscriptions of a source that cannot be read.", ("source",)),
    Declared(
        "sync_total",
        "Syncs of a remote source; result: published, held or failed.",
        ("source", "result"),
    ),
    Declared(
        "sync_requests_total",
        "Requests of a remote source, by what was asked and the HTTP status; without one error, timeout or too-long. "
        "asked=token, status=failed: no token was to be had.",
        ("source", "asked", "status"),
    ),
    Declared("sync_duration_seconds", "Time that the last sync of a remote source took.", ("source",)),
    Declared("sync_held", "1 while a sync is held that would remove too much.", ("source",)),
    Declared("sync_absent", "Resources that syncs lack and that are still served.", ("source",)),
    Declared(
        "events_total",
        "Events of Event Grid; result: hint (in scope, or before the first sync), duplicate, out_of_scope, other, "
        "malformed, or refused for want of the secret.",
        ("source", "result"),
    ),
    Declared(
        "hints_total",
        "Resources read again because of an event; result: read, failed (left to the next sync), overflow, "
        "held (read, but removes more than events may before the next sync), or out_of_scope (came before the first "
        "sync, which told so).",
        ("source", "result"),
    ),
    Declared(
        "hints_seconds_total",
        "Time from an event to when what it told of was read and applied, added up over `pldns_hints_total` with "
        "result=read: their quotient is the mean.",
        ("source",),
    ),
    Declared("endpoints", "Private endpoints by connection state.", ("state",)),
    Declared("claims", "NIC records: an endpoint says that a name has these addresses."),
    Declared("claims_lingering", "Claims that are gone and linger."),
    Declared("names", "Private names that are answered."),
    Declared("findings", "Findings as they stand.", ("code", "severity")),
)
"""Every metric that there is."""

_BY_NAME: Final = {metric.name: metric for metric in METRICS}


def expose(view: View, accept: str) -> tuple[bytes, str]:
    """The exposition and its content type, for the Accept header of a scraper."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Estate(view))
    generate, content_type = choose_encoder(accept)
    return generate(registry), content_type


class _Estate(Collector):
    """Control as metric families."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Every declared metric with what it has now."""
        families = {metric.name: _family(metric) for metric in METRICS}
        values: dict[tuple[str, tuple[str, ...]], float] = {}
        for name, labels, value in chain(_zeros(), self._view.totals(), self._view.gauges(), _samples(self._view)):
            values[name, labels] = value
        for (name, labels), value in values.items():
            declared = _BY_NAME.get(name)
            # Totals are a worker's word, and a worker is not trusted: what is not declared is not passed on.
            if declared and len(labels) == len(declared.labels):
                families[name].add_metric(labels, value)
        yield from families.values()


def _family(metric: Declared) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
    return kind(PREFIX + metric.name, metric.help, labels=metric.labels)


def _zeros() -> Iterator[Sample]:
    """A counter without labels is there before anything was counted."""
    return ((metric.name, (), 0.0) for metric in METRICS if metric.is_counter and not metric.labels)


def _samples(view: View) -> Iterator[Sample]:
    """The gauges that control's state gives."""
    yield "build_info", (VERSION, platform.python_version()), 1.0
    yield "ready", (), float(not view.missing())
    yield "serial", (), float(view.serial)
    yield "workers", (), float(len(view.workers))
    for worker in view.workers.values():
        yield "worker_serial", (str(worker.index),), float(worker.serial)
    yield from _sources(view)
    yield from _inventory(view)


def _sources(view: View) -> Iterator[Sample]:
    for status in view.estate.sources.values():
        source = (status.name,)
        yield "sync_synced", source, float(status.synced)
        yield "sync_failing", source, float(bool(status.last_error))
        yield "source_parts", source, float(status.parts)
        yield "source_unreadable_parts", source, float(status.unreadable)
        if status.last_success is not None:
            yield "sync_last_success_timestamp_seconds", source, status.last_success
            yield "source_age_seconds", source, max(time.time() - status.last_success, 0.0)
        holds = status.freshness(time.time())
        for state in ("fresh", "stale", "expired"):
            yield "source_state", (status.name, state), float(state == holds)
        if status.remote:
            yield from _syncs(status)


def _syncs(status: SourceStatus) -> Iterator[Sample]:
    source = (status.name,)
    for result in ("published", "held", "failed"):
        yield "sync_total", (status.name, result), float(status.results.get(result, 0))
    for (asked, code), count in sorted(status.requests.answered.items()) if status.requests else ():
        yield "sync_requests_total", (status.name, asked, code), float(count)
    yield "sync_held", source, float(status.standing.held is not None)
    yield "sync_absent", source, float(len(status.standing.missing))
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

`/metrics` of the admin interface, in the Prometheus text format, or OpenMetrics for a scraper that asks for it.
Counters add up all workers and outlive their restarts. Label values come from the configuration and the catalogue of
zones, never from a query name or a client's address.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page(metrics: Sequence[Declared] = METRICS) -> str:
    """docs/metrics.md."""
    return _HEAD + "".join(_row(metric) for metric in metrics)


def _row(metric: Declared) -> str:
    kind = "counter" if metric.is_counter else "gauge"
    labels: Iterable[str] = (f"`{label}`" for label in metric.labels)
    return f"| `{PREFIX}{metric.name}` | {kind} | {', '.join(labels)} | {metric.help} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
