"""How a worker answers the requests of control."""

from collections.abc import Callable, Iterable

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
)
from resolver.forward.cache import UpstreamCache
from resolver.forward.health import ServerReport
from resolver.worker.answer.answer_cache import AnswerCache


def reply(
    request: Request, cache: UpstreamCache, answers: AnswerCache, servers: Callable[[], Iterable[ServerReport]]
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
