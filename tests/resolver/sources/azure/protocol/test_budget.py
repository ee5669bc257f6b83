"""Quotas: when the next request may be sent, what Azure's headers say, the time between syncs."""

import pytest

from resolver.sources.azure.protocol import budget
from resolver.sources.azure.protocol.budget import GRAPH, Budget, Patience, QuotaBucket
from resolver.token_bucket import Quota
from zones.clocks import SteadyTime, WallTime


def spend(bucket: QuotaBucket, times: int, now: float) -> None:
    for _ in range(times):
        assert bucket.wait(SteadyTime(now)) == 0
        bucket.spend(SteadyTime(now))


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = QuotaBucket(Quota(15, 3.0))
    spend(bucket, 15, now=100.0)
    assert bucket.wait(SteadyTime(100.0)) == pytest.approx(1 / 3)
    spend(bucket, 1, now=100.0 + 1 / 3)
    spend(bucket, 15, now=200.0)
    assert bucket.wait(SteadyTime(200.0)) > 0


def test_azures_remaining_quota_counts_where_it_is_less() -> None:
    bucket = QuotaBucket(Quota(15, 3.0))
    bucket.learn({"x-ms-user-quota-remaining": "1", "x-ms-user-quota-resets-after": "00:00:04"}, SteadyTime(100.0))
    spend(bucket, 1, now=100.0)
    assert bucket.wait(SteadyTime(100.0)) > 0
    assert bucket.remaining == 1


def test_a_used_up_quota_closes_the_bucket_until_its_reset() -> None:
    bucket = QuotaBucket(Quota(15, 3.0))
    bucket.learn({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:04"}, SteadyTime(100.0))
    assert bucket.wait(SteadyTime(100.0)) == 4.0
    assert bucket.wait(SteadyTime(103.0)) == 1.0
    spend(bucket, 1, now=104.0)


@pytest.mark.parametrize("headers", [{}, {"x-ms-user-quota-remaining": "many"}, {"x-ms-user-quota-remaining": "-1"}])
def test_headers_that_say_nothing_change_nothing(headers: dict[str, str]) -> None:
    bucket = QuotaBucket(Quota(15, 3.0))
    bucket.learn(headers, SteadyTime(100.0))
    spend(bucket, 15, now=100.0)
    assert bucket.remaining is None


def test_a_closed_bucket_opens_at_the_latest_time() -> None:
    bucket = QuotaBucket(Quota(15, 3.0))
    bucket.close(SteadyTime(110.0))
    bucket.close(SteadyTime(105.0))
    assert bucket.wait(SteadyTime(100.0)) == 10.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:16:50 GMT"}, 10.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"x-ms-user-quota-resets-after": "00:01:05"}, 65.0),
        ({"Retry-After": "soon", "x-ms-user-quota-resets-after": "01:00:00"}, 3600.0),
        ({"Retry-After": "soon", "x-ms-user-quota-resets-after": "soon"}, 5.0),
        ({}, 5.0),
    ],
)
def test_how_long_a_429_asks_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert budget.retry_after(headers, wall=WallTime(1000.0)) == seconds


@pytest.mark.parametrize(
    ("date", "seconds"),
    [("Thu, 01 Jan 1970 00:16:40 GMT", 0.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 1000.0), ("today", 0.0), ("", 0.0)],
)
def test_the_error_of_the_clock(date: str, seconds: float) -> None:
    assert budget.skew({"Date": date}, wall=WallTime(1000.0)) == seconds


def test_patience_is_spent_once() -> None:
    patience = Patience(10)
    assert patience.allows(7)
    assert not patience.allows(4)
    assert patience.allows(3)
    assert not patience.allows(0.1)


def syncs(queries: int, reads: int = 0) -> Budget:
    """Return the budget after a sync with these numbers of requests."""
    spent = Budget()
    for name, count in ((GRAPH, queries), ("one", reads)):
        for second in range(count):
            spent.bucket(name).spend(SteadyTime(float(second)))
    return spent


@pytest.mark.parametrize(
    ("queries", "reads", "shortest"),
    [(2, 1, 4 / 3), (102, 1, 68.0), (2, 250, 20.0), (0, 0, 0.0)],
)
def test_syncs_use_at_most_half_of_the_quota(queries: int, reads: int, shortest: float) -> None:
    assert syncs(queries, reads).shortest() == pytest.approx(shortest)


def test_each_sync_counts_from_0() -> None:
    spent = syncs(5, 3)
    assert spent.spent() == 8
    spent.begin()
    assert (spent.spent(), spent.shortest()) == (0, 0.0)


def test_the_interval_is_the_configured_one_or_longer_with_jitter() -> None:
    assert budget.interval(60, 10, chance=0.0) == 60
    assert budget.interval(60, 10, chance=1.0) == pytest.approx(66)
    assert budget.interval(60, 90, chance=0.0) == 90
