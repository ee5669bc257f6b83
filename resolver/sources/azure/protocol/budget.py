"""How often Azure may be asked: one quota for each bucket, what the response headers say of it, the time between syncs.

Pure: the time is an argument (`now`, seconds on any steady clock), and so is chance. Does not know what is requested.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from resolver.token_bucket import Quota, TokenBucket
from zones.clocks import SteadyTime, WallTime

GRAPH: Final = "graph"
"""The bucket of Resource Graph. Every other bucket belongs to a subscription."""
PRIVATE_DNS: Final = "dns "
"""Prefix of the bucket for the private DNS zones of a subscription."""
SPARE: Final = 0.5
"""Share of a quota that pldns uses in the long run. The rest is for other programs with the same identity."""
_JITTER: Final = 0.1
_UNSAID: Final = 5.0  # seconds to wait after a 429 response that does not say how long

_GRAPH: Final = Quota(15, 3.0)  # 15 queries in 5 s for one principal
_READS: Final = Quota(250, 25.0)  # for one principal in one subscription
_DNS: Final = Quota(50, 100 / 60)  # 100 lists of record sets or links per minute, 500 reads in five minutes


class QuotaBucket:
    """One quota of Azure, as far as pldns knows its use."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.spent = 0
        """Requests since this was last set to 0."""
        self.remaining: int | None = None
        """Requests that the last response said are left; None before a response said so."""
        self._tokens = TokenBucket(quota)
        self._reset = self._refused = 0.0

    def wait(self, now: SteadyTime) -> float:
        """Return the seconds until a request may be sent; 0 for now."""
        return max(self._reset - now, self.refused(now), self._tokens.wait(self.quota, now))

    def refused(self, now: SteadyTime) -> float:
        """Return the seconds of `wait` for which Azure itself has refused requests."""
        return max(self._refused - now, 0.0)

    def spend(self, now: SteadyTime) -> None:
        """Count a request that is sent now."""
        self._tokens.refill(self.quota, now)
        self._tokens.tokens -= 1
        self.spent += 1

    def close(self, until: SteadyTime) -> None:
        """Send nothing before that time: Azure would refuse it."""
        self._refused = max(self._refused, until)

    def learn(self, headers: Mapping[str, str], now: SteadyTime) -> None:
        """Take what Resource Graph says of its quota, which other programs may be using too."""
        remaining = headers.get("x-ms-user-quota-remaining", "")
        if not remaining.isdecimal():
            return
        self._tokens.refill(self.quota, now)
        self.remaining = int(remaining)
        self._tokens.tokens = min(self._tokens.tokens, float(remaining))
        if not self.remaining:
            resets = now + (clock_time(headers.get("x-ms-user-quota-resets-after", "")) or 0.0)
            self._reset = max(self._reset, resets)
            self._tokens.tokens = max(self._tokens.tokens, 1.0)  # the time of the reset is the only limit


class Budget:
    """The buckets of one identity."""

    def __init__(self) -> None:
        self._buckets: dict[str, QuotaBucket] = {}

    def bucket(self, name: str) -> QuotaBucket:
        """Return the bucket of `GRAPH` or of a subscription. The empty name is for requests that concern neither."""
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = QuotaBucket(_quota(name))
        return found

    def begin(self) -> None:
        """Count from 0 again: a sync begins."""
        for bucket in self._buckets.values():
            bucket.spent = 0

    def spent(self) -> int:
        """Return the number of requests since `begin`."""
        return sum(bucket.spent for bucket in self._buckets.values())

    def shortest(self) -> float:
        """Return the seconds between two syncs of this cost that keep the use of every quota below `SPARE`."""
        return max((each.spent / (each.quota.rate * SPARE) for each in self._buckets.values()), default=0.0)


def _quota(bucket: str) -> Quota:
    return _GRAPH if bucket == GRAPH else _DNS if bucket.startswith(PRIVATE_DNS) else _READS


class Patience:
    """The seconds that one piece of work may spend on waiting after 429 responses."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def allows(self, seconds: float) -> bool:
        """Spend this number of seconds. Return False, and spend nothing, where fewer are left."""
        if seconds > self._left:
            return False
        self._left -= seconds
        return True


def interval(configured: float, shortest: float, chance: float) -> float:
    """Return the seconds until the next sync; `chance` is between 0 and 1."""
    return max(configured, shortest) * (1 + _JITTER * chance)


def retry_after(headers: Mapping[str, str], wall: WallTime) -> float:
    """Return the seconds to wait after a 429 response with these headers; `wall` is the time since the epoch."""
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
    """Return the seconds of a text `hh:mm:ss`; None for any other text."""
    parts = text.strip().split(":")
    if len(parts) != 3:
        return None
    try:
        hours, minutes, seconds = map(float, parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def skew(headers: Mapping[str, str], wall: WallTime) -> float:
    """Return the seconds by which the local clock is ahead of the sender's; 0 where the headers have no date."""
    try:
        return wall - parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError):
        return 0.0
