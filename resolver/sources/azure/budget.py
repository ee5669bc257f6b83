"""How often Azure may be asked: buckets that refill, what its headers say of them, and the time between two syncs.

Pure: time comes in as `now` (seconds on any steady clock), chance as a number. Refuses to know what is asked.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

GRAPH: Final = "graph"
"""The bucket of Resource Graph; every other one is a subscription's."""
PRIVATE_DNS: Final = "dns "
"""What the bucket of a subscription's private DNS zones begins with."""
SPARE: Final = 0.5
"""The part of a quota that is used in the long run; the rest is for whoever shares the identity."""
_JITTER: Final = 0.1
_ROUNDING: Final = 1e-6
_UNSAID: Final = 5.0  # seconds to wait for an answer 429 that does not say how long


class Quota(NamedTuple):
    """So many requests at once, and so many more with each second."""

    burst: int
    rate: float


_GRAPH: Final = Quota(15, 3.0)  # 15 queries in 5 s, for one principal
_READS: Final = Quota(250, 25.0)  # for one principal in one subscription
_DNS: Final = Quota(50, 100 / 60)  # 100 lists of record sets or links in a minute, 500 reads in five


class Bucket:
    """One quota, as we know it."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.spent = 0
        """Requests since this was last set to 0."""
        self.remaining: int | None = None
        """What the last answer said."""
        self._left = float(quota.burst)
        self._then = 0.0
        self._reset = self._refused = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a request may be sent; 0: now."""
        self._refill(now)
        closed = max(self._reset - now, self.refused(now))
        missing = 1 - self._left
        return closed if missing < _ROUNDING else max(closed, missing / self.quota.rate)

    def refused(self, now: float) -> float:
        """Seconds of these for which Azure has refused requests; the rest is our own doing."""
        return max(self._refused - now, 0.0)

    def spend(self, now: float) -> None:
        """A request is sent."""
        self._refill(now)
        self._left -= 1
        self.spent += 1

    def close(self, until: float) -> None:
        """Azure refuses what is sent before that time."""
        self._refused = max(self._refused, until)

    def told(self, headers: Mapping[str, str], now: float) -> None:
        """Take what Resource Graph says of its quota, which others may be using too."""
        remaining = headers.get("x-ms-user-quota-remaining", "")
        if not remaining.isdecimal():
            return
        self._refill(now)
        self.remaining = int(remaining)
        self._left = min(self._left, float(remaining))
        if not self.remaining:
            resets = now + (clock_time(headers.get("x-ms-user-quota-resets-after", "")) or 0.0)
            self._reset = max(self._reset, resets)
            self._left = max(self._left, 1.0)  # the time until the reset says it all

    def _refill(self, now: float) -> None:
        self._left = min(float(self.quota.burst), self._left + max(now - self._then, 0.0) * self.quota.rate)
        self._then = now


class Budget:
    """The buckets of one identity."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, name: str) -> Bucket:
        """`GRAPH`, a subscription, or empty for what belongs to none."""
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = Bucket(_quota(name))
        return found

    def begin(self) -> None:
        """Count anew: a sync begins."""
        for bucket in self._buckets.values():
            bucket.spent = 0

    def spent(self) -> int:
        """Requests since then."""
        return sum(bucket.spent for bucket in self._buckets.values())

    def shortest(self) -> float:
        """Seconds between two such syncs that keep every bucket's use below its part."""
        return max((each.spent / (each.quota.rate * SPARE) for each in self._buckets.values()), default=0.0)


def _quota(bucket: str) -> Quota:
    return _GRAPH if bucket == GRAPH else _DNS if bucket.startswith(PRIVATE_DNS) else _READS


class Patience:
    """How long the whole of something may wait for answers 429."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def allows(self, seconds: float) -> bool:
        """Take so much of it, if there is."""
        if seconds > self._left:
            return False
        self._left -= seconds
        return True


def interval(configured: float, shortest: float, chance: float) -> float:
    """Seconds until the next sync; `chance` is from 0 to 1."""
    return max(configured, shortest) * (1 + _JITTER * chance)


def retry_after(headers: Mapping[str, str], wall: float) -> float:
    """Seconds to wait before a request that got 429 may be sent again; `wall` is the time since the epoch."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    if text:
        try:
            return max(parsedate_to_datetime(text).timestamp() - wall, 0.0)
        except ValueError:
            pass
    return clock_time(headers.get("x-ms-user-quota-resets-after", "")) or _UNSAID


def clock_time(text: str) -> float | None:
    """Seconds of `hh:mm:ss`."""
    parts = text.strip().split(":")
    if len(parts) != 3:
        return None
    try:
        hours, minutes, seconds = map(float, parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def skew(headers: Mapping[str, str], wall: float) -> float:
    """Seconds that our clock is ahead of the sender's; 0 where it does not say."""
    try:
        return wall - parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError):
        return 0.0
