"""Counters of a worker."""

from resolver.worker.answer.counters import Counters


def test_a_cell_is_one_for_a_metric_and_its_labels() -> None:
    counters = Counters()
    cell = counters.cell("dns_responses_total", ("NOERROR", "a"))
    cell[0] += 2
    counters.add("dns_responses_total", ("NOERROR", "a"))
    counters.add("dns_responses_total", ("NOERROR", "b"), 5)
    counters.set("cache_hits_total", 7)
    counters.set("cache_hits_total", 9)
    assert counters.cell("dns_responses_total", ("NOERROR", "a")) is cell
    assert list(counters.values()) == [
        ("dns_responses_total", ("NOERROR", "a"), 3),
        ("dns_responses_total", ("NOERROR", "b"), 5),
        ("cache_hits_total", (), 9),
    ]
