"""Token buckets: a burst, a rate, and how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.token_bucket import Quota, TokenBucket
from zones.clocks import SteadyTime

QUOTA = Quota(burst=3, rate=10.0)


def test_a_burst_passes_and_then_one_for_each_tenth_of_a_second() -> None:
    bucket = TokenBucket(QUOTA, SteadyTime(5.0))
    assert [bucket.take(QUOTA, SteadyTime(5.0)) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(QUOTA, SteadyTime(5.125)) for _ in range(2)] == [True, False]
    assert [bucket.take(QUOTA, SteadyTime(60.0)) for _ in range(4)] == [True, True, True, False]


def test_a_refused_event_takes_nothing() -> None:
    bucket = TokenBucket(Quota(1, 1.0), SteadyTime(0.0))
    assert bucket.take(Quota(1, 1.0), SteadyTime(0.0))
    assert not any(bucket.take(Quota(1, 1.0), SteadyTime(each / 8)) for each in range(8))
    assert bucket.take(Quota(1, 1.0), SteadyTime(1.0))


def test_the_wait_is_until_a_whole_token_is_there() -> None:
    bucket = TokenBucket(QUOTA, SteadyTime(100.0))
    assert bucket.wait(QUOTA, SteadyTime(100.0)) == 0.0
    for _ in range(3):
        bucket.take(QUOTA, SteadyTime(100.0))
    assert bucket.wait(QUOTA, SteadyTime(100.0)) == pytest.approx(0.1)
    bucket.tokens -= 1
    assert bucket.wait(QUOTA, SteadyTime(100.05)) == pytest.approx(0.15)
    assert bucket.wait(QUOTA, SteadyTime(100.2)) == 0.0


def test_a_bucket_knows_how_long_nobody_asked() -> None:
    bucket = TokenBucket(QUOTA, SteadyTime(1.0))
    assert bucket.idle(SteadyTime(4.0)) == 3.0
    bucket.take(QUOTA, SteadyTime(4.0))
    assert bucket.idle(SteadyTime(4.5)) == 0.5


@given(st.integers(1, 20), st.integers(1, 50), st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_no_more_passes_than_the_burst_and_the_rate_allow(burst: int, rate: int, pauses: list[float]) -> None:
    quota = Quota(burst, rate)
    bucket, now, passed = TokenBucket(quota, SteadyTime(0.0)), 0.0, 0
    for pause in pauses:
        now += pause
        passed += bucket.take(quota, SteadyTime(now))
    assert passed <= burst + now * rate + 1e-6
