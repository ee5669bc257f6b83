"""The rate limit of replies over UDP: one token bucket for each client prefix.

The address of a query may be forged, and belong to a victim. A query over the limit therefore gets no reply, or at
times a truncated one, after which a real client asks over TCP. Other servers call this response rate limiting. Pure:
the time is an argument.
"""

from enum import Enum
from typing import Final

from resolver.settings import RateLimit
from resolver.token_bucket import Quota, TokenBucket
from resolver.worker.access.clients import unmapped
from zones.clocks import SteadyTime
from zones.networks.network import Network, Networks
from zones.networks.prefixes import NONE

_BUCKETS: Final = 65_536
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


class RateVerdict(Enum):
    """What happens to a query."""

    PASS = 0
    """It is answered."""
    DROP = 1
    """It gets no reply."""
    SLIP = 2
    """It gets a truncated reply."""


class _Bucket(TokenBucket):
    __slots__ = ("over",)

    def __init__(self, quota: Quota, now: SteadyTime) -> None:
        super().__init__(quota, now)
        self.over = 0


class RateLimiter:
    """The buckets of all client prefixes. Their number is bounded: buckets that have refilled are dropped first."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._quota = Quota(limit.burst, limit.per_second)
        self._exempt = Networks([Network("exempt", (*_LOOPBACK, *limit.exempt))])
        self._buckets: dict[bytes, _Bucket] = {}
        self._known: dict[bytes, _Bucket | None] = {}

    def check(self, address: bytes, now: SteadyTime) -> RateVerdict:
        """Count one query and return its verdict.

        `address`: 4 or 16 octets of the socket address. `now`: steady seconds.
        """
        try:
            bucket = self._known[address]
        except KeyError:
            bucket = self._meet(address, now)
        if bucket is None:
            return RateVerdict.PASS
        if bucket.take(self._quota, now):
            return RateVerdict.PASS
        bucket.over += 1
        slip = self._limit.slip
        return RateVerdict.SLIP if slip and not bucket.over % slip else RateVerdict.DROP

    def _meet(self, address: bytes, now: SteadyTime) -> _Bucket | None:
        at = unmapped(address)
        prefix = _prefix(at, self._limit.ipv4_prefix if len(at) == 4 else self._limit.ipv6_prefix)
        bucket = None
        if self._exempt.find(at) == NONE:
            if len(self._buckets) >= _BUCKETS:
                self._make_room(now)
            bucket = self._buckets.setdefault(prefix, _Bucket(self._quota, now))
        if len(self._known) >= _BUCKETS:
            self._known.clear()
        self._known[address] = bucket
        return bucket

    def _make_room(self, now: SteadyTime) -> None:
        """Drop the buckets that have refilled, and then the oldest until at most half are left."""
        full = self._limit.burst / self._limit.per_second
        kept = [(prefix, bucket) for prefix, bucket in self._buckets.items() if bucket.idle(now) < full]
        self._buckets = dict(kept[-_BUCKETS // 2 :])
        self._known.clear()


def _prefix(address: bytes, length: int) -> bytes:
    shift = len(address) * 8 - length
    return (int.from_bytes(address, "big") >> shift << shift).to_bytes(len(address), "big")
