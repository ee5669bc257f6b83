"""Questions to upstreams on behalf of clients: asked, their replies cached, loops found, expiring answers renewed.

Knows what the cache holds and which questions a query may cause. Does not know how an upstream is asked: `ask` does.
"""

from collections.abc import Callable
from typing import TypeAlias

from resolver.forward.cache import Key, UpstreamCache, UpstreamFailure
from resolver.forward.loops import LoopDetector
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply, Reply
from resolver.wire.relay import Message
from resolver.worker.answer.client_query import ClientQuery
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.counters import Counters
from zones.clocks import SteadyTime

Result = Reply | UpstreamFailure
"""What asking an upstream ends with."""
Done = Callable[[Key, Result], None]
"""Takes the result of a question."""
Ask: TypeAlias = Callable[[Key, Done, bytes], None]
"""Asks an upstream a question for a client (packed address) once, and calls back with the result, at once or later."""


class Fetcher:
    """Asks upstreams. `steady` returns seconds that never go back; with `prefetch`, expiring answers are renewed."""

    def __init__(
        self,
        cache: UpstreamCache,
        loops: LoopDetector,
        counters: Counters,
        steady: Callable[[], SteadyTime],
        ask: Ask,
        *,
        prefetch: bool,
    ) -> None:
        self._cache = cache
        self._results = cache
        """Where new results are kept."""
        self._loops = loops
        self._counters = counters
        self._steady = steady
        self._ask = ask
        self._prefetches = prefetch

    def fetch(self, key: Key, done: Done, client: bytes) -> None:
        """Ask an upstream. `done` hands the result to `keep`."""
        self._ask(key, done, client)

    def keep(self, key: Key, result: Result) -> None:
        """Cache the result of a question."""
        if isinstance(result, PlainReply) or (isinstance(result, Message) and result.rcode in codes.ANSWERS):
            self._results.put(key, result, self._steady())
        else:
            self._results.fail(key, _failure(result), self._steady())

    def retire(self) -> None:
        """Cache no further result. The questions were put to the upstream servers of an earlier configuration."""
        self._results = UpstreamCache()

    def has_stale(self, key: Key) -> bool:
        """Return True if the cache has an expired reply that may still be given (RFC 8767)."""
        return self._cache.stale(key, self._steady()) is not None

    def prefetch(self, answer: Compiled, due: SteadyTime, key: Key) -> None:
        """Ask the question `key` again for an answer that a client asked for after `due`, shortly before it expires."""
        if self._steady() >= due:
            answer.prefetch = None
            if self._prefetches and not self._cache.holds(key, answer.expires):
                self._counters.add("cache_prefetches_total")
                self._ask(key, self.keep, b"")

    # -- loops

    def begin(self, key: Key, request: ClientQuery) -> bool:
        """Note that a query begins to wait for a question. False if asking it would go round in a circle once more."""
        marks, client = request.edns.marks, request.client
        if self._loops.closed(key, marks, client):
            self._counters.add("forward_loops_total", (key.group,))
            return False
        self._loops.begin(key, marks, client)
        return True

    def end(self, key: Key, request: ClientQuery) -> None:
        """Note that a query no longer waits for a question."""
        self._loops.end(key, request.client)


def _failure(result: Message | UpstreamFailure) -> UpstreamFailure:
    if isinstance(result, UpstreamFailure):
        return result
    return UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, f"the upstream answered {codes.rcode_text(result.rcode)}")
