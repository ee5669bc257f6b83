"""The values of all metrics: each scrape collects them from control. Nothing is kept between scrapes.

`metric_table` declares the metrics. Workers report many of the values and are not trusted, so a value of an undeclared
metric, or with a label value that is not permitted, is left out.
"""

import platform
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Final, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as MetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from resolver.admin.metric_table import METRICS, PREFIX, Metric
from resolver.admin.view import View
from resolver.control.estate.source_health import Freshness, SourceStatus, SyncOutcome
from resolver.control.source_runners import Sample
from resolver.process import wall_clock
from resolver.process.reload_state import ReloadOutcome
from resolver.version import VERSION

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
            if declared is None or not _is_permitted(declared, labels):
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


def _is_permitted(metric: Metric, values: Sequence[str]) -> bool:
    """Return whether a metric may have these label values. The last one of a histogram is the bound of a bucket."""
    if len(values) != len(metric.labels) + bool(metric.bounds):
        return False
    return all(label.permits(value) for label, value in zip(metric.labels, values, strict=False))


_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def _family(metric: Metric) -> _Family:
    name, labels = PREFIX + metric.name, [label.name for label in metric.labels]
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
    if state.query_log:
        yield "memory_bytes", ("query log",), float(state.query_log)


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
