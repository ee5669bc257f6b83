"""How a worker answers the requests of control."""

from resolver.channel.requests import CacheFlushed, CacheStats, FlushCache, Ping, Pong, ReadCacheStats, Reply, Request
from resolver.forward.cache import UpstreamCache
from resolver.worker.answer.answer_cache import AnswerCache


def reply(request: Request, cache: UpstreamCache, answers: AnswerCache) -> Reply:
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
