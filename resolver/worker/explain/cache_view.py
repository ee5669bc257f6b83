"""A view of the cache of upstream replies: what the cache has, without a hit, a miss or an eviction. Pure."""

from resolver.forward.cache import CachedReply, Key, UpstreamCache, UpstreamFailure
from zones.clocks import SteadyTime


class CacheView(UpstreamCache):
    """A cache that reads from another one. Its own changes do not reach that one."""

    def __init__(self, cache: UpstreamCache) -> None:
        super().__init__()
        self._of = cache

    def get(self, key: Key, now: SteadyTime) -> CachedReply | None:
        """See `UpstreamCache.get`."""
        entry = self._of.held(key)
        return entry if entry is not None and now < entry.expires else None

    def stale(self, key: Key, now: SteadyTime) -> CachedReply | None:
        """See `UpstreamCache.stale`."""
        return self._of.stale(key, now)

    def failure(self, key: Key, now: SteadyTime) -> UpstreamFailure | None:
        """See `UpstreamCache.failure`."""
        found = self._of.failed(key)
        return found[0] if found is not None and now < found[1] else None

    def failed(self, key: Key) -> tuple[UpstreamFailure, SteadyTime] | None:
        """See `UpstreamCache.failed`."""
        return self._of.failed(key)
