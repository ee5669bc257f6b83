"""Counters of a worker."""

from resolver.worker.answer.counters import Counters


def test_answers_that_expire_have_a_cell_of_their_own_and_are_reported_with_the_others() -> None:
    counters = Counters()
    counters.add("dns_responses_total", ("NOERROR", "a"), 2)
    for labels in (("NOERROR", "a"), ("NOERROR", "b")):
        counters.expiring_cell("dns_responses_total", labels)[0] += 3
    assert counters.expiring == 6
    assert list(counters.values()) == [
        ("dns_responses_total", ("NOERROR", "a"), 5), ("dns_responses_total", ("NOERROR", "b"), 3),
    ]  # fmt: skip


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
