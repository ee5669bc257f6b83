"""How many answers over UDP a client prefix gets: a token bucket each, and what becomes of a query over it.

An address that was forged may be a victim's: what is over the limit gets nothing, or now and then a cut reply, on
which a real client comes back over TCP (response rate limiting, as other servers have it). Pure: time is passed in.
"""

from enum import Enum
from typing import Final

from resolver.settings import RateLimit
from resolver.token_bucket import Quota, TokenBucket
from resolver.worker.access.clients import unmapped
from zones.networks.network import NONE, Network, Networks

_BUCKETS: Final = 65_536
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


class Verdict(Enum):
    """What becomes of a query."""

    PASS = 0
    DROP = 1
    SLIP = 2


class _Bucket(TokenBucket):
    __slots__ = ("over",)

    def __init__(self, quota: Quota, now: float) -> None:
        super().__init__(quota, now)
        self.over = 0


class RateLimiter:
    """The buckets of all client prefixes; bounded, those that would be full again make room."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._quota = Quota(limit.burst, limit.per_second)
        self._exempt = Networks([Network("exempt", (*_LOOPBACK, *limit.exempt))])
        self._buckets: dict[bytes, _Bucket] = {}
        self._known: dict[bytes, _Bucket | None] = {}

    def judge(self, address: bytes, now: float) -> Verdict:
        """Count one query of an address, 4 or 16 octets as the socket gives it; `now` in steady seconds."""
        try:
            bucket = self._known[address]
        except KeyError:
            bucket = self._meet(address, now)
        if bucket is None:
            return Verdict.PASS
        if bucket.take(self._quota, now):
            return Verdict.PASS
        bucket.over += 1
        slip = self._limit.slip
        return Verdict.SLIP if slip and not bucket.over % slip else Verdict.DROP

    def _meet(self, address: bytes, now: float) -> _Bucket | None:
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

    def _make_room(self, now: float) -> None:
        """Forget those that have been quiet until full again; if that is not half of them, the oldest of all."""
        full = self._limit.burst / self._limit.per_second
        kept = [(prefix, bucket) for prefix, bucket in self._buckets.items() if bucket.idle(now) < full]
        self._buckets = dict(kept[-_BUCKETS // 2 :])
        self._known.clear()


def _prefix(address: bytes, length: int) -> bytes:
    shift = len(address) * 8 - length
    return (int.from_bytes(address, "big") >> shift << shift).to_bytes(len(address), "big")
