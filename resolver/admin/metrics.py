"""The values of all metrics: each scrape collects them from control. Nothing is kept between scrapes.

`metric_table` declares the metrics, `exposition` writes their text. Workers report many of the values and are not
trusted, so values of control come last: a worker cannot replace them.
"""

import platform
from collections.abc import Iterator
from itertools import chain
from typing import get_args

from resolver.admin import exposition
from resolver.admin.metric_table import METRICS
from resolver.admin.view import View
from resolver.control.estate.source_health import Freshness, SourceStatus, SyncOutcome
from resolver.control.source_runners import Sample
from resolver.process import wall_clock
from resolver.process.reload_state import ReloadOutcome
from resolver.version import VERSION


def expose(view: View, accept: str) -> tuple[bytes, str]:
    """Return all metrics as text and the content type, in the format that a scraper's Accept header prefers."""
    form = exposition.preferred(accept)
    samples = chain(_zeros(), view.totals(), view.gauges(), _samples(view))
    return exposition.text(samples, form), form.value


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
    board, now = view.estate.board, wall_clock.now()
    for (code, severity), count in sorted(board.open_counts(now).items()):
        yield "findings", (code, severity.value), float(count)
    for (code, severity), count in sorted(board.acknowledgements.counts(now).items()):
        yield "findings_acknowledged", (code, severity.value), float(count)
