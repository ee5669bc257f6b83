"""The smoothed round-trip time, and the wait that follows from it."""

import pytest

from resolver.forward.round_trip import BOUNDS, FIRST_WAIT, LEAST_WAIT, UNKNOWN, RoundTrip


def test_the_wait_follows_the_answers_of_the_server() -> None:
    it = RoundTrip()
    assert it.wait() == FIRST_WAIT
    it.add(1.0)
    assert it.wait() == pytest.approx(3.0), "RFC 6298 §2.2"
    for _ in range(40):
        it.add(1.0)
    assert it.wait() == pytest.approx(1.0, rel=0.01)
    for _ in range(40):
        it.add(0.01)
    assert it.wait() == LEAST_WAIT


def test_answers_are_counted_by_the_time_that_they_took() -> None:
    it = RoundTrip()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] + 1e-9, BOUNDS[-1], 60.0):
        it.add(seconds)
    assert (it.counts[:2], it.counts[-2:]) == ([2, 1], [1, 1])
    assert sum(it.counts) == it.samples
    assert it.total == pytest.approx(60 + 2 * BOUNDS[0] + BOUNDS[-1])


def test_a_failing_server_becomes_slower_than_the_others_up_to_a_bound() -> None:
    it = RoundTrip()
    it.fail()
    assert it.cost() > UNKNOWN
    for _ in range(100):
        it.fail()
    assert it.cost() == 5.0
    it.add(0.01)
    assert it.cost() == 0.01
    assert it.wait() == LEAST_WAIT, "failures do not make the server's tries longer"
