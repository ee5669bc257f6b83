"""Live queries for operators: workers are asked for them while somebody watches, and for nothing at other times.

Bounded everywhere: a worker keeps few queries, and so does each watcher that reads slowly. What is dropped is counted.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final

from resolver.channel.requests import WatchedQueries, WatchQueries
from resolver.channel.watched_queries import QueryFilter, WatchedQuery, wanted

INTERVAL: Final = 0.2
"""Seconds between two requests to the workers."""
_KEPT: Final = 5_000
"""Queries that wait for one watcher."""

AskWorkers = Callable[[WatchQueries], Awaitable[Mapping[int, WatchedQueries | None]]]


class QueryTail:
    """What one watcher gets."""

    def __init__(self, wanted_queries: QueryFilter) -> None:
        self.filter = wanted_queries
        self._waiting: deque[WatchedQuery] = deque()
        self._dropped = 0
        self._news = asyncio.Event()

    def put(self, query: WatchedQuery) -> None:
        """Add a query, if it is wanted."""
        if wanted((self.filter,), query):
            if len(self._waiting) >= _KEPT:
                self._dropped += 1
            else:
                self._waiting.append(query)
            self._news.set()

    def lost(self, count: int) -> None:
        """Count queries that a worker has dropped."""
        self._dropped += count
        if count:
            self._news.set()

    async def next(self) -> tuple[int, list[WatchedQuery]]:
        """Wait for queries. Return them, and how many were dropped since the last call."""
        await self._news.wait()
        self._news.clear()
        found = list(self._waiting)
        self._waiting.clear()
        dropped, self._dropped = self._dropped, 0
        return dropped, found


class QueryTails:
    """All watchers. `ask` asks every worker."""

    def __init__(self, ask: AskWorkers) -> None:
        self._ask = ask
        self._open: list[QueryTail] = []
        self._asking: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def watching(self, queries: QueryFilter) -> Iterator[QueryTail]:
        """Yield a tail of the queries that the filter matches."""
        tail = QueryTail(queries)
        self._open.append(tail)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._run())
        try:
            yield tail
        finally:
            self._open.remove(tail)

    async def _run(self) -> None:
        """Ask the workers as long as somebody watches, and once more with no filter, which ends it there."""
        while True:
            is_last = not self._open
            replies = await self._ask(WatchQueries([tail.filter for tail in self._open]))
            if is_last and not self._open:
                return  # nobody has begun to watch while the workers replied
            for reply in replies.values():
                if reply is not None:
                    for tail in self._open:
                        tail.lost(reply.dropped)
                        for query in reply.queries:
                            tail.put(query)
            await asyncio.sleep(INTERVAL)
