"""Tails of queries: who watches, and when the workers are asked."""

import asyncio
from collections.abc import Mapping

import pytest

from resolver.channel.requests import WatchedQueries, WatchQueries
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.control import query_tails
from resolver.control.query_tails import QueryTails
from zones.clocks import WallTime

QUERY = WatchedQuery(WallTime(0.0), "udp", bytes(4), "none", b"\0", 1, 0, 12, 0.0)


async def test_somebody_who_begins_to_watch_while_the_last_request_runs_gets_queries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(query_tails, "INTERVAL", 0.0)
    ending, ended = asyncio.Event(), asyncio.Event()

    async def ask(request: WatchQueries) -> Mapping[int, WatchedQueries | None]:
        if request.filters:
            return {0: WatchedQueries(0, [QUERY]), 1: None}
        ending.set()
        await ended.wait()
        return {0: WatchedQueries(0, [])}

    tails = QueryTails(ask)
    async with asyncio.timeout(10):
        with tails.watching(QueryFilter()) as tail:
            assert await tail.next() == (0, [QUERY])
        await ending.wait()
        with tails.watching(QueryFilter()) as tail:
            ended.set()
            assert await tail.next() == (0, [QUERY])
