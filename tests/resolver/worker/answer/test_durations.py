"""Durations of requests are counted by the path that the request took, one in `SAMPLE` for all."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from resolver.worker.answer.counters import Counters
from resolver.worker.answer.durations import FORWARDED, MADE, METRIC, REPEATED, SAMPLE, Durations

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]


def counted(counters: Counters) -> dict[tuple[str, ...], int]:
    return {labels: count for metric, labels, count in counters.values() if metric == METRIC and count}


def test_a_duration_counts_in_its_bucket_and_in_the_sum() -> None:
    counters = Counters()
    durations = Durations(counters)
    durations.add(REPEATED, 0.0001, 40)
    durations.add(MADE, 0.0005, 16)
    durations.add(FORWARDED, 9.0, 16)
    assert counted(counters) == {
        ("repeated", "0.00025"): 40, ("repeated", "sum"): 4_000,
        ("made", "0.0005"): 16, ("made", "sum"): 8_000,
        ("forwarded", "+Inf"): 16, ("forwarded", "sum"): 144_000_000,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "path"), [("localhost", "made"), ("www.example", "forwarded")])
def test_one_request_in_a_sample_counts_for_all(build: Build, name: str, path: str) -> None:
    pipeline = build("", {}, {"public": ""})
    for number in range(SAMPLE - 1):
        pipeline.ask(f"{number}.{name}")
    assert not counted(pipeline.counters)
    pipeline.ask(name)
    assert {labels[0]: count for labels, count in counted(pipeline.counters).items() if labels[1] != "sum"} == {
        path: SAMPLE
    }
