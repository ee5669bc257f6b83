"""The limit of queries in any second."""

from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.rate_window import RateWindow
from zones.clocks import SteadyTime


def test_a_query_is_allowed_again_when_the_oldest_of_the_last_ones_is_a_second_old() -> None:
    window = RateWindow(2)
    for now in (10.0, 10.5):
        assert window.allows(SteadyTime(now))
        window.count(SteadyTime(now))
    assert not window.allows(SteadyTime(10.75))
    assert window.allows(SteadyTime(11.0))


@given(st.integers(1, 5), st.lists(st.integers(0, 300), max_size=60))
def test_no_second_has_more_queries_than_the_rate(rate: int, steps: list[int]) -> None:
    """Time is in hundredths of a second. A second includes its beginning and excludes its end."""
    window, now, sent = RateWindow(rate), 0, list[int]()
    for step in steps:
        now += step
        if window.allows(SteadyTime(now / 100)):
            window.count(SteadyTime(now / 100))
            sent.append(now)
    assert all(sum(begin <= at < begin + 100 for at in sent) <= rate for begin in sent)
