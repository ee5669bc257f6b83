"""Rates from counters: over the last minute, over a restart of the counters, and without traffic."""

from resolver.control.traffic import POINTS, STEP, WINDOW, Traffic
from zones.clocks import WallTime


def totals(queries: int, hits: int = 0, misses: int = 0) -> list[tuple[str, tuple[str, ...], int]]:
    return [
        ("dns_requests_total", ("udp",), queries - 1), ("dns_requests_total", ("tcp",), 1), ("other_total", (), 999),
        ("cache_hits_total", (), hits), ("cache_misses_total", (), misses),
    ]  # fmt: skip


def test_rates_are_those_of_the_last_minute() -> None:
    traffic = Traffic()
    for second in range(0, 200, 5):
        assert traffic.is_due(WallTime(second))
        traffic.sample(WallTime(second), totals(1 + second * 10, second * 3, second))
        assert not traffic.is_due(WallTime(second + 4))
    assert traffic.rates()[:3] == (10.0, 0.75, WINDOW)


def test_without_samples_or_cached_questions_there_is_no_ratio() -> None:
    traffic = Traffic()
    assert traffic.rates()[:3] == (0.0, None, 0.0)
    traffic.sample(WallTime(0), totals(1))
    traffic.sample(WallTime(5), totals(6))
    assert traffic.rates()[:3] == (1.0, None, 5.0)


def test_counters_that_went_back_are_no_negative_rate() -> None:
    traffic = Traffic()
    traffic.sample(WallTime(0), totals(100, 5, 5))
    traffic.sample(WallTime(5), totals(1))
    assert traffic.rates()[:3] == (0.0, None, 5.0)


def test_an_hour_has_a_point_for_each_half_minute() -> None:
    traffic = Traffic()
    for second in range(0, 5000, 5):
        private = ("dns_responses_total", ("NOERROR", "z", "n", "private"), second * 2)
        public = ("dns_responses_total", ("NOERROR", "", "n", "forward"), second * 3)
        failed = ("dns_responses_total", ("SERVFAIL", "", "n", "error"), second)
        traffic.sample(WallTime(second), [*totals(1 + second * 10, second, second), private, public, failed])
    assert len(traffic.points) == POINTS
    assert {(each.seconds, *each.counted) for each in traffic.points} == {(STEP, 300, 60, 90, 30, 30, 30)}
    assert traffic.points[-1].at - traffic.points[0].at == STEP * (POINTS - 1)
    assert traffic.rates()[3:] == (2.0, 3.0, 1.0)


def test_a_clock_that_is_set_back_begins_a_new_point() -> None:
    traffic = Traffic()
    for second in (100, 130, 20, 50):
        traffic.sample(WallTime(second), totals(1000))
    assert [each.at for each in traffic.points] == [WallTime(130), WallTime(50)]


def test_the_last_hour_begins_with_the_second_sample() -> None:
    traffic = Traffic()
    assert traffic.last_hour() == []
    traffic.sample(WallTime(0), totals(100))
    assert traffic.last_hour() == []
    traffic.sample(WallTime(5), totals(120))
    assert [(float(each.at), each.seconds, each.counted.queries) for each in traffic.last_hour()] == [(5, 5, 20)]
    for second in (30, 35):
        traffic.sample(WallTime(second), totals(100 + second * 4))
    assert [(float(each.at), each.seconds, each.counted.queries) for each in traffic.last_hour()] == [
        (30, 30, 120),
        (35, 5, 20),
    ]
