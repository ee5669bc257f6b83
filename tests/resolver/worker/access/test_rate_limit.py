"""The rate limit: one token bucket for each client prefix."""

import pytest

from resolver.settings import RateLimit
from resolver.worker.access.clients import packed
from resolver.worker.access.rate_limit import RateLimiter, RateVerdict
from zones.clocks import SteadyTime

PASS, DROP, SLIP = RateVerdict.PASS, RateVerdict.DROP, RateVerdict.SLIP


def test_a_burst_passes_and_then_the_rate_per_second() -> None:
    limiter = RateLimiter(RateLimit(per_second=10, burst=3, slip=2))
    assert [limiter.check(packed("192.0.2.1"), SteadyTime(0.0)) for _ in range(7)] == [
        PASS,
        PASS,
        PASS,
        DROP,
        SLIP,
        DROP,
        SLIP,
    ]
    assert [limiter.check(packed("192.0.2.1"), SteadyTime(0.1)) for _ in range(2)] == [PASS, DROP]
    assert [limiter.check(packed("192.0.2.1"), SteadyTime(9.0)) for _ in range(4)] == [PASS, PASS, PASS, SLIP]


def test_clients_of_one_prefix_share_a_bucket() -> None:
    limiter = RateLimiter(RateLimit(per_second=1, burst=1))
    addresses = ["192.0.2.1", "192.0.2.200", "192.0.3.1", "2001:db8:0:1::1", "2001:db8:0:ff::1", "2001:db8:0:100::1"]
    assert [limiter.check(packed(each), SteadyTime(0.0)) for each in addresses] == [PASS, DROP, PASS, PASS, DROP, PASS]


def test_without_slip_a_query_over_the_limit_gets_no_reply() -> None:
    limiter = RateLimiter(RateLimit(per_second=1, burst=1, slip=0))
    assert {limiter.check(packed("192.0.2.1"), SteadyTime(0.0)) for _ in range(9)} == {PASS, DROP}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "198.51.100.7"])
def test_loopback_and_exempt_prefixes_are_not_limited(address: str) -> None:
    limiter = RateLimiter(RateLimit(per_second=1, burst=1, exempt=("198.51.100.0/24",)))
    assert {limiter.check(packed(address), SteadyTime(0.0)) for _ in range(5)} == {PASS}


def test_the_number_of_buckets_is_bounded_and_the_latest_stay_limited() -> None:
    limiter = RateLimiter(RateLimit(per_second=1, burst=1))
    for i in range(200_000):
        limiter.check(bytes((198, i >> 16, i >> 8 & 255, i & 255)), SteadyTime(0.0))
        limiter.check(bytes((10, i >> 16, i >> 8 & 255, i & 255)), SteadyTime(0.0))
    for i in range(70_000):
        limiter.check(bytes((i >> 8 & 127, i & 255, i >> 15, 1)), SteadyTime(0.5))
    assert len(limiter._buckets) <= 65_536
    assert len(limiter._known) <= 65_536
    assert limiter.check(packed("17.111.2.1"), SteadyTime(0.5)) is not PASS
