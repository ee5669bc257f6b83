"""Metrics as text: parsers of both formats read back what was counted, and a line of it takes few calls."""

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from resolver.admin import exposition
from resolver.admin.exposition import TextFormat
from resolver.admin.metric_table import METRICS, PREFIX
from resolver.control.source_runners import Sample

Parse = Callable[[str], Iterable[Family]]
FORMATS = [(TextFormat.PROMETHEUS, plain), (TextFormat.OPENMETRICS, openmetrics)]
DURATION = "dns_request_duration_seconds"
ODD = 'a "quoted" \\ name\nof two lines, ä {b="c"}'

every_format = pytest.mark.parametrize(("form", "parse"), FORMATS, ids=["prometheus", "openmetrics"])


def read(parse: Parse, text: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the samples by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text.decode())
        for sample in family.samples
    }


@every_format
def test_a_parser_reads_back_every_value(form: TextFormat, parse: Parse) -> None:
    samples: list[Sample] = [
        ("fallback_total", (ODD,), 3),
        ("cache_hits_total", (), 12_345_678_901),
        ("source_age_seconds", ("hub",), 0.25),
        ("memory_budget_bytes", (), 1e18),
    ]
    assert read(parse, exposition.text(samples, form)) == {
        ("pldns_fallback_total", frozenset({("zone", ODD)})): 3,
        ("pldns_cache_hits_total", frozenset()): 12_345_678_901,
        ("pldns_source_age_seconds", frozenset({("source", "hub")})): 0.25,
        ("pldns_memory_budget_bytes", frozenset()): 1e18,
    }


@every_format
def test_buckets_of_a_histogram_contain_those_before(form: TextFormat, parse: Parse) -> None:
    samples: list[Sample] = [(DURATION, ("made", cell), count) for cell, count in (("+Inf", 4), ("sum", 1_500_000))]
    found = read(parse, exposition.text([(DURATION, ("made", "0.001"), 2), *samples], form))
    assert found["pldns_dns_request_duration_seconds_count", frozenset({("path", "made")})] == 6
    assert found["pldns_dns_request_duration_seconds_sum", frozenset({("path", "made")})] == 1.5
    buckets = {dict(labels)["le"]: value for (name, labels), value in found.items() if name.endswith("_bucket")}
    assert (buckets["0.0005"], buckets["0.001"], buckets["+Inf"]) == (0, 2, 6)


@every_format
def test_every_metric_has_its_help_and_type(form: TextFormat, parse: Parse) -> None:
    families = {family.name: family for family in parse(exposition.text((), form).decode())}
    for metric in METRICS:
        family = families[PREFIX + metric.name.removesuffix("_total")]
        assert (family.documentation, family.type) == (metric.help, metric.kind)


def test_the_last_of_two_samples_counts() -> None:
    text = exposition.text([("ready", (), 1), ("ready", (), 0)], TextFormat.PROMETHEUS)
    assert read(plain, text) == {("pldns_ready", frozenset()): 0}


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", TextFormat.PROMETHEUS),
        ("*/*", TextFormat.PROMETHEUS),
        ("text/plain; version=1.0.0", TextFormat.PROMETHEUS),
        ("application/openmetrics-text", TextFormat.OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;escaping=dots;q=0.6,text/plain;q=0.3", TextFormat.OPENMETRICS),
    ],
)
def test_the_accept_header_selects_the_format(accept: str, form: TextFormat) -> None:
    assert exposition.preferred(accept) is form


def test_a_series_takes_few_calls() -> None:
    """prometheus-client makes some 80 calls for each series."""
    labels = [("NOERROR", f"zone{i % 50}", f"network{i // 50}", "private") for i in range(2_000)]
    samples: list[Sample] = [("dns_responses_total", each, 7) for each in labels]
    assert calls(lambda: exposition.text(samples, TextFormat.PROMETHEUS)) < 7 * len(samples)


def calls(run: Callable[[], Any]) -> int:
    """Return how many functions, also those of C, a call causes to be called."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count
