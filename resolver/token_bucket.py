"""A token bucket: how often something may happen, in the long run and in one burst.

Pure: the time is an argument, in seconds on any steady clock. Does not know what is limited.
"""

from typing import Final, NamedTuple

from zones.clocks import SteadyTime

_ROUNDING: Final = 1e-6  # of a token: a caller that has waited the seconds that `wait` returned gets one


class Quota(NamedTuple):
    """`burst` events at once, and `rate` events per second in the long run."""

    burst: float
    rate: float


_START: Final = SteadyTime(0.0)  # of a bucket that is full at first, any time in the past will do


class TokenBucket:
    """The tokens that are left of a quota; full at first.

    Each method takes the quota as an argument: the buckets of many clients share one, and each holds two numbers only.
    """

    __slots__ = ("_then", "tokens")

    def __init__(self, quota: Quota, now: SteadyTime = _START) -> None:
        self.tokens = float(quota.burst)
        self._then = now

    def take(self, quota: Quota, now: SteadyTime) -> bool:
        """Take one token. Return False, and take none, where less than one is left."""
        burst, rate = quota
        tokens = self.tokens + (now - self._then) * rate
        if tokens > burst:  # noqa: PLR1730 - each packet of a limited client passes here, and calling `min` is slow
            tokens = burst
        self._then = now
        if tokens < 1:
            self.tokens = tokens
            return False
        self.tokens = tokens - 1
        return True

    def refill(self, quota: Quota, now: SteadyTime) -> None:
        """Add the tokens that have come since the last call."""
        self.tokens = min(quota.burst, self.tokens + (now - self._then) * quota.rate)
        self._then = now

    def wait(self, quota: Quota, now: SteadyTime) -> float:
        """Return the seconds until a whole token is there; 0 where one is there now."""
        self.refill(quota, now)
        missing = 1 - self.tokens
        return 0.0 if missing < _ROUNDING else missing / quota.rate

    def idle(self, now: SteadyTime) -> float:
        """Return the seconds since the last call."""
        return now - self._then
