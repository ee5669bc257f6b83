"""Counters of a worker."""

import pytest

from resolver.worker.answer import counters as module
from resolver.worker.answer.counters import Counters


def answer(counters: Counters, rcode: str = "NOERROR", zone: str = "a", qtype: int = 1, *, expiring: bool) -> list[int]:
    return counters.answer_cell(rcode, zone, "weu", "private", qtype, expiring=expiring)


def test_answers_that_expire_have_a_cell_of_their_own_and_are_reported_with_the_others() -> None:
    counters = Counters()
    answer(counters, expiring=False)[0] += 2
    answer(counters, expiring=True)[0] += 3
    answer(counters, zone="b", expiring=True)[0] += 3
    assert counters.expiring == 6
    assert list(counters.values()) == [
        ("dns_responses_total", ("NOERROR", "a", "weu", "private"), 5),
        ("dns_responses_total", ("NOERROR", "b", "weu", "private"), 3),
        ("dns_requests_by_type_total", ("A", "weu"), 8),
    ]


def test_answers_are_counted_by_type_and_unusual_types_together() -> None:
    counters = Counters()
    for qtype in (1, 28, 65280, 65281):
        answer(counters, qtype=qtype, expiring=False)[0] += 1
    counters.answered("REFUSED", "", "acl", 1)
    found = {labels: count for metric, labels, count in counters.values() if metric == "dns_requests_by_type_total"}
    assert found == {("A", "weu"): 1, ("AAAA", "weu"): 1, ("other", "weu"): 2, ("A", ""): 1}


def test_kinds_of_answers_beyond_the_limit_are_counted_without_their_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    counters = Counters()
    for qtype in (1, 28, 16, 15, 1):
        answer(counters, qtype=qtype, expiring=False)[0] += 1
    found = {labels: count for metric, labels, count in counters.values() if metric == "dns_requests_by_type_total"}
    assert found == {("A", "weu"): 2, ("AAAA", "weu"): 1, ("other", "weu"): 2}


def test_a_cell_is_one_for_a_metric_and_its_labels() -> None:
    counters = Counters()
    cell = counters.cell("dns_dropped_total", ("malformed",))
    cell[0] += 2
    counters.add("dns_dropped_total", ("malformed",))
    counters.add("dns_dropped_total", ("unsent",), 5)
    counters.set("cache_hits_total", 7)
    counters.set("cache_hits_total", 9)
    assert counters.cell("dns_dropped_total", ("malformed",)) is cell
    assert list(counters.values()) == [
        ("dns_dropped_total", ("malformed",), 3),
        ("dns_dropped_total", ("unsent",), 5),
        ("cache_hits_total", (), 9),
    ]
