"""Metrics are declared and documented, and values of undeclared metrics are left out."""

import re
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from resolver import settings
from resolver.admin import metrics, metrics_reference
from resolver.admin.metric_table import METRICS
from resolver.channel.frames import Fallback, MemoryReport
from resolver.channel.requests import ReplyT, WorkerRequest
from resolver.control.estate.estate import Estate
from resolver.control.history.recorder import HistoryRecorder
from resolver.control.log_level import LogLevel
from resolver.control.operator_decisions import OperatorDecisions
from resolver.control.query_tails import QueryTails
from resolver.control.state.decisions_file import Decisions
from resolver.control.sync.ends import SyncEnd
from resolver.control.traffic import Point, Rates
from resolver.control.worker_link import WorkerStatus
from resolver.memory_budget import BudgetSource, MemoryState
from resolver.process.orders import OrderReceiver
from resolver.process.query_log_state import QueryLogState
from resolver.process.sandbox.level import SandboxLevel
from tests.paths import ROOT
from tests.resolver.admin.conftest import LINK, ScriptedReloads
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.clocks import WallTime
from zones.dns.name import from_text


class MeasuredControl:
    """Control, as far as metrics need it."""

    serial = 3
    absent_addresses = ()
    started = WallTime(1_700_000_000.0)
    hub = None

    def __init__(self) -> None:
        self.estate = Estate(settings.ControlSettings(sources=(settings.SourceSettings("hub", "files", "/hub"),)))
        self.workers = {0: WorkerStatus(0, 1, "w", 2, connected=True, synced=True), 1: WorkerStatus(1)}
        self.counted: list[tuple[str, tuple[str, ...], int]] = []
        self.reloads = ScriptedReloads()
        self.memory = MemoryState()
        self.query_log = QueryLogState()
        self.tails = QueryTails(self.ask_workers)
        self.history = HistoryRecorder(self.estate)
        self.log_level, self.draining, self.registry = LogLevel("info", OrderReceiver(LINK[0])), False, None
        self.decisions = OperatorDecisions(self.estate, Decisions(), lambda _: None)
        self.traffic = Rates(0.0, None, 0.0)
        self.traffic_points: list[Point] = []

    def sandboxes(self) -> dict[str, SandboxLevel]:
        return {}

    def missing(self) -> list[str]:
        return ["worker 1: not connected"]

    async def ping(self) -> bool:
        return True

    async def ask_workers(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        raise AssertionError(f"a scrape asked workers: {request}")

    async def ask_worker(self, request: WorkerRequest[ReplyT], worker: int, patience: float) -> ReplyT | None:
        raise AssertionError(f"a scrape asked worker {worker} for {patience} s: {request}")

    def sync(self, source: str, action: str) -> None:
        raise AssertionError(f"a scrape changed a sync: {source} {action}")

    async def synced(self, source: str, patience: float) -> SyncEnd | None:
        raise AssertionError(f"a scrape waited {patience} s for a sync of {source}")

    def totals(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        return iter(self.counted)

    def gauges(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        yield "workers_connected", (), 1.0

    def fallbacks(self) -> Iterator[Fallback]:
        return iter(())


@pytest.fixture
def control() -> MeasuredControl:
    return MeasuredControl()


def samples(control: MeasuredControl) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    body, _ = metrics.expose(control, "")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_counters_of_workers_are_exposed_with_their_labels(control: MeasuredControl) -> None:
    control.counted = [("dns_requests_total", ("udp", "4"), 5), ("cache_hits_total", (), 9)]
    found = samples(control)
    assert found["pldns_dns_requests_total", (("family", "4"), ("proto", "udp"))] == 5
    assert found["pldns_cache_hits_total", ()] == 9


def test_upstream_latency_is_a_histogram_of_each_server(control: MeasuredControl) -> None:
    name = "upstream_request_duration_seconds"
    control.counted = [
        (name, ("public", "one", "0.00025"), 3), (name, ("public", "one", "0.0005"), 2),
        (name, ("public", "one", "+Inf"), 1), (name, ("public", "one", "sum"), 2_500_000),
        (name, ("public", "one", "made-up"), 7), (name, ("public", "one"), 7),
    ]  # fmt: skip
    found, server = samples(control), (("server", "one"), ("upstream", "public"))
    for bound, count in (("0.00025", 3), ("0.0005", 5), ("8.192", 5), ("+Inf", 6)):
        assert found[f"pldns_{name}_bucket", (("le", bound), *server)] == count
    assert found[f"pldns_{name}_count", server] == 6
    assert found[f"pldns_{name}_sum", server] == 2.5


def test_what_is_counted_beyond_the_limit_of_a_worker_is_kept(control: MeasuredControl) -> None:
    control.counted = [("dns_requests_total", ("other", "other"), 5)]
    assert samples(control)["pldns_dns_requests_total", (("family", "other"), ("proto", "other"))] == 5


def test_a_counter_without_labels_starts_at_zero(control: MeasuredControl) -> None:
    assert samples(control)["pldns_upstream_queries_total", ()] == 0


@pytest.mark.parametrize(
    "sample",
    [
        ("made_up_total", (), 1),
        ("cache_hits_total", ("label",), 1),
        ("dns_requests_total", (), 1),
        ("dns_requests_total", ("carrier pigeon", "4"), 1),
        ("cache_entries", ("replies", "0", "0"), 1),
    ],
)
def test_undeclared_metrics_and_labels_of_a_worker_are_left_out(
    control: MeasuredControl, sample: tuple[str, tuple[str, ...], int]
) -> None:
    before = samples(control)
    control.counted = [sample]
    assert samples(control) == before


def test_a_worker_cannot_replace_a_value_of_control(control: MeasuredControl) -> None:
    control.counted = [("ready", (), 1), ("serial", (), 99)]
    found = samples(control)
    assert (found["pldns_ready", ()], found["pldns_serial", ()]) == (0, 3)


def test_sources_and_workers_have_metrics(control: MeasuredControl) -> None:
    found = samples(control)
    assert ("pldns_source_age_seconds", (("source", "hub"),)) not in found
    assert found["pldns_sync_synced", (("source", "hub"),)] == 0
    control.estate.health.read("hub", 4, WallTime(1_700_000_000.0))
    found = samples(control)
    assert found["pldns_source_age_seconds", (("source", "hub"),)] > 0
    assert found["pldns_sync_last_success_timestamp_seconds", (("source", "hub"),)] == 1_700_000_000.0
    assert found["pldns_source_parts", (("source", "hub"),)] == 4
    assert (found["pldns_workers", ()], found["pldns_workers_connected", ()], found["pldns_ready", ()]) == (2, 1, 0)
    assert found["pldns_worker_serial", (("worker", "0"),)] == 2


def test_memory_is_exposed_by_part_and_the_budget_only_where_there_is_one(control: MeasuredControl) -> None:
    control.workers[0].memory = MemoryReport(100, 10, 20, 30, 11, 22, 33)
    control.workers[1].memory = MemoryReport(100, 1, 2, 3, 11, 22, 33)
    control.memory = MemoryState(supervisor=7, control=8)
    found = samples(control)
    assert ("pldns_memory_budget_bytes", ()) not in found
    assert {labels[0][1]: value for (name, labels), value in found.items() if name == "pldns_memory_bytes"} == {
        "supervisor": 7, "control": 8, "workers": 134, "replies": 11, "answers": 22, "connections": 33,
    }  # fmt: skip
    assert {labels[0][1]: value for (name, labels), value in found.items() if name == "pldns_memory_bound_bytes"} == {
        "replies": 22, "answers": 44, "connections": 66,
    }  # fmt: skip
    control.memory = MemoryState(BudgetSource.CGROUP, 500, 40)
    found = samples(control)
    assert (found["pldns_memory_budget_bytes", ()], found["pldns_memory_free_bytes", ()]) == (500, 40)


def test_a_failing_source_has_metrics(control: MeasuredControl) -> None:
    control.estate.health.failed("hub", "gone", WallTime(1_700_000_000.0))
    found = samples(control)
    assert found["pldns_sync_failing", (("source", "hub"),)] == 1
    assert found["pldns_findings", (("code", "source-unreadable"), ("severity", "warning"))] == 1


def test_endpoints_claims_and_findings_are_counted(control: MeasuredControl) -> None:
    record = NicRecord(from_text("a.blob.core.windows.net"), (b"\x0a\x00\x00\x04",))
    endpoints = [
        Endpoint(ResourceId("one"), "one", "one", ConnectionState.APPROVED, records=(record,)),
        Endpoint(ResourceId("two"), "two", "two", ConnectionState.PENDING, records=(record,)),
    ]
    control.estate.ledger.apply({each.key: each for each in endpoints}, WallTime(1_700_000_000.0))
    found = samples(control)
    assert found["pldns_endpoints", (("state", "Approved"),)] == 1
    assert found["pldns_endpoints", (("state", "Pending"),)] == 1
    assert (found["pldns_claims", ()], found["pldns_names", ()]) == (2, 1)
    assert found["pldns_findings", (("code", "endpoint-pending"), ("severity", "info"))] == 1


def test_every_metric_that_is_counted_anywhere_is_declared() -> None:
    counted = set()
    for file in (ROOT / "resolver").rglob("*.py"):
        if file.name not in {"metrics.py", "metric_table.py", "finding_sentences.py"} and "cli" not in file.parts:
            counted |= set(re.findall(r'"([a-z_]+_total)"', file.read_text()))
    # Other names of this form: keys of JSON bodies, and an option of azure-core.
    assert counted - {"degraded_total", "networks_total", "retry_total"} <= {metric.name for metric in METRICS}


def test_every_metric_is_on_the_page_and_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    for metric in METRICS:
        assert f"`pldns_{metric.name}`" in page
    assert page == metrics_reference.page(), "run: python -m resolver.admin.metrics_reference > docs/metrics.md"


def test_every_label_has_documented_values() -> None:
    for metric in METRICS:
        for label in metric.labels:
            assert bool(label.closed) != bool(label.source), f"{metric.name}: {label.name}"


def test_names_follow_the_conventions_of_the_format() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", metric.name)
        assert metric.help.endswith(".")
    assert len({metric.name for metric in METRICS}) == len(METRICS)
