"""How a worker answers the requests of control."""

import logging
from collections.abc import Callable, Sequence

from resolver.channel.requests import (
    CacheFlushed,
    CacheStats,
    Explain,
    Explained,
    FlushCache,
    Ping,
    Pong,
    ReadCacheStats,
    ReadUpstreams,
    Reply,
    Request,
    UpstreamState,
    UpstreamStates,
    WatchedQueries,
    WatchQueries,
)
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.forward.client.forwarder import Forwarder
from resolver.worker.answer.parts import Parts
from resolver.worker.explain.explainer import ExplainedQuery, explain

TakeWatched = Callable[[Sequence[QueryFilter]], tuple[int, list[WatchedQuery]]]
"""Takes filters. Returns how many queries were dropped, and those that earlier filters matched since the last call."""

_log = logging.getLogger(__name__)


def answer(
    request: Request, parts: Parts, forwarder: Forwarder, watched: TakeWatched, done: Callable[[Reply], None]
) -> None:
    """Do what control requests, and call `done` with the reply: at once, or when upstream servers have answered."""
    match request:
        case Ping():
            done(Pong())
        case ReadCacheStats():
            cache, answers = parts.cache, parts.answers
            done(CacheStats(len(cache), cache.octets, len(answers), answers.octets))
        case FlushCache(name=name, subtree=subtree, rtype=rtype):
            flushed = parts.cache.flush(name, subtree=subtree, rtype=rtype)
            parts.answers.evict([name], [name] if subtree else [])
            done(CacheFlushed(flushed))
        case ReadUpstreams():
            done(UpstreamStates([UpstreamState(*each) for each in forwarder.report()]))
        case WatchQueries(filters=filters):
            done(WatchedQueries(*watched(filters)))
        case Explain():
            _explain(request, parts, forwarder, done)


def _explain(request: Explain, parts: Parts, forwarder: Forwarder, done: Callable[[Reply], None]) -> None:
    """Explain a query. An error must not break the connection to control, over which the table arrives."""
    query = ExplainedQuery(request.packet, request.client, request.transport, request.listener)
    ask = forwarder.ask if request.ask else None
    try:
        explain(parts, query, forwarder.upcoming, lambda trace: done(Explained(trace)), ask)
    except Exception:  # noqa: BLE001 - see above
        _log.exception("a query cannot be explained")
        done(Explained(None))
