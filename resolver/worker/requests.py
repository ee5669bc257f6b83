"""How a worker answers the requests of control."""

from collections.abc import Callable, Iterable, Sequence

from resolver.channel.requests import (
    CacheFlushed,
    CacheStats,
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
from resolver.forward.cache import UpstreamCache
from resolver.forward.health import ServerReport
from resolver.worker.answer.answer_cache import AnswerCache


def reply(
    request: Request,
    cache: UpstreamCache,
    answers: AnswerCache,
    servers: Callable[[], Iterable[ServerReport]],
    watch: Callable[[Sequence[QueryFilter]], tuple[int, list[WatchedQuery]]],
) -> Reply:
    """Do what control requests, and return the reply."""
    match request:
        case Ping():
            return Pong()
        case ReadCacheStats():
            return CacheStats(len(cache), cache.octets, len(answers), answers.octets)
        case FlushCache(name=name, subtree=subtree, rtype=rtype):
            flushed = cache.flush(name, subtree=subtree, rtype=rtype)
            answers.evict([name], [name] if subtree else [])
            return CacheFlushed(flushed)
        case ReadUpstreams():
            return UpstreamStates([UpstreamState(*each) for each in servers()])
        case WatchQueries(filters=filters):
            return WatchedQueries(*watch(filters))
