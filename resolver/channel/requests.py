"""Requests that control makes of a worker, and the reply to each. How they travel is `frames`'s concern."""

from typing import Annotated, ClassVar, Generic, TypeVar, cast

import msgspec

from resolver.channel.trace import Trace
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.host_port import HostPort
from resolver.settings import Transport
from zones.dns.name import Name

Text = Annotated[str, msgspec.Meta(max_length=1_024)]
"""A string in a reply. Workers are not trusted."""


class WorkerReply(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=str.lower):
    """What all replies share."""


class Pong(WorkerReply, frozen=True):
    """The reply to `Ping`."""


class CacheStats(WorkerReply, frozen=True):
    """The reply to `ReadCacheStats`. Octets are estimates of the memory in use."""

    replies: int
    """Replies of upstreams in the cache, including expired ones that may still be served."""
    reply_octets: int
    answers: int
    """Compiled answers."""
    answer_octets: int


class CacheFlushed(WorkerReply, frozen=True):
    """The reply to `FlushCache`: how many replies of upstreams the worker removed."""

    replies: int


class UpstreamState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a worker knows of one upstream server."""

    group: Text
    server: Text
    up: bool
    round_trip: float
    """Seconds, smoothed; 0 before the first answer."""
    answers: int
    outstanding: int
    cookie: Text
    plain: int
    """Number of names that are asked without EDNS, or without its options."""
    failures: int = 0
    """Number of queries that failed since the worker started."""
    failure: Text = ""
    """The reason for the last failure; empty without one."""
    failure_age: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    """Seconds since the last failure."""
    down_for: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    """Seconds for which the server has been down; None while it is up."""
    probe_in: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    """Seconds until the next probe of a server that is down; None while it is up."""


class UpstreamStates(WorkerReply, frozen=True):
    """The reply to `ReadUpstreams`."""

    servers: Annotated[list[UpstreamState], msgspec.Meta(max_length=10_000)]


class Explained(WorkerReply, frozen=True):
    """The reply to `Explain`. None: the worker failed to explain the query, and its log says why."""

    trace: Trace | None


class WatchedQueries(WorkerReply, frozen=True):
    """The reply to `WatchQueries`: the queries since the last request, and how many more there were."""

    dropped: Annotated[int, msgspec.Meta(ge=0)]
    queries: Annotated[list[WatchedQuery], msgspec.Meta(max_length=1_000)]


ReplyT = TypeVar("ReplyT", bound=WorkerReply)


class WorkerRequest(msgspec.Struct, Generic[ReplyT], frozen=True, gc=False, array_like=True, tag=str.lower):
    """What all requests share. `ReplyT` is the type of the reply."""

    reply: ClassVar[type[WorkerReply]]
    """`ReplyT` at run time."""

    def checked(self, reply: WorkerReply) -> ReplyT:
        """Return the reply if it is one to this request. Raises `TypeError` otherwise: workers are not trusted."""
        if type(reply) is not self.reply:
            raise TypeError(f"{type(reply).__name__} is no reply to {type(self).__name__}")
        return cast("ReplyT", reply)


class Ping(WorkerRequest[Pong], frozen=True):
    """Asks whether the worker's event loop runs."""

    reply = Pong


class ReadCacheStats(WorkerRequest[CacheStats], frozen=True):
    """Asks for the sizes of the worker's caches."""

    reply = CacheStats


class FlushCache(WorkerRequest[CacheFlushed], frozen=True):
    """Removes the replies of upstreams for `name`, of every type when `rtype` is None.

    `subtree`: the replies for all names below `name` too.
    """

    reply = CacheFlushed
    name: Name
    subtree: bool
    rtype: int | None


class ReadUpstreams(WorkerRequest[UpstreamStates], frozen=True):
    """Asks what the worker knows of the upstream servers."""

    reply = UpstreamStates


class Explain(WorkerRequest[Explained], frozen=True):
    """Asks how the worker would answer a packet now, without any effect on what clients get."""

    reply = Explained
    packet: bytes
    client: bytes
    """Packed address."""
    transport: Transport
    listener: HostPort | None
    """Where the packet arrives, if that decides the network of the client."""
    ask: bool
    """Whether the worker asks upstream servers, if it has to."""


class WatchQueries(WorkerRequest[WatchedQueries], frozen=True):
    """Asks for the queries that one of the filters matches. Without filters, the worker stops to note queries."""

    reply = WatchedQueries
    filters: list[QueryFilter]


Request = Ping | ReadCacheStats | FlushCache | ReadUpstreams | Explain | WatchQueries
Reply = Pong | CacheStats | CacheFlushed | UpstreamStates | Explained | WatchedQueries
