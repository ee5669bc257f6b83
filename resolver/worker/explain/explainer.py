"""Explains a query: has a responder answer its packet with recorded walks, and changes nothing that clients share.

The responder is the one that clients' packets go to, put together with a view of the cache, and with counters and
compiled answers of its own. Does not know what the names mean to Azure: control adds that. Pure.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from resolver.channel.trace import Access, KeptAnswer, Row, Trace
from resolver.forward.cache import Key
from resolver.forward.loops import LoopDetector
from resolver.host_port import HostPort
from resolver.settings import Transport
from resolver.wire.plain_reply import PlainReply
from resolver.wire.query import MalformedQuery, parse
from resolver.worker.access.clients import DROPPED, REFUSED
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.client_query import ClientQuery
from resolver.worker.answer.clock import Clock, Timer
from resolver.worker.answer.compiled import FOREVER, Compiled, Rotating
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.fallbacks import Fallbacks
from resolver.worker.answer.fetcher import Ask, Done, Result
from resolver.worker.answer.parts import Parts
from resolver.worker.answer.reply import Renderer
from resolver.worker.answer.responder import Responder
from resolver.worker.answer.walk import Fetched, UpstreamQuestion
from resolver.worker.explain.cache_view import CacheView
from resolver.worker.explain.recorded_walk import Recorder, Servers

_IDLE: Final = 10
"""Seconds of a connection. Only the keepalive option would show them, which an explained query does not have."""


class ExplainedQuery(NamedTuple):
    """A query to explain: its packet, the packed address of the client, and how the packet comes.

    `listener`: the address and port that the packet is sent to, where that decides the network.
    """

    packet: bytes
    client: bytes
    transport: Transport = "udp"
    listener: HostPort | None = None


def explain(
    parts: Parts, query: ExplainedQuery, servers: Servers, done: Callable[[Trace], None], ask: Ask | None = None
) -> None:
    """Call `done` with the trace of a query: at once, or with `ask`, which asks upstream servers, within 5 seconds."""
    _Explanation(parts, query, servers, done).run(ask)


class _Explanation:
    """One query while it is explained."""

    def __init__(self, parts: Parts, query: ExplainedQuery, servers: Servers, done: Callable[[Trace], None]) -> None:
        self._parts = parts
        self._query = query
        self._done = done
        self._recorder = Recorder(servers)
        clients = parts.clients.at(query.listener) if query.listener else parts.clients
        self._client = clients.client(query.client)

    def run(self, ask: Ask | None) -> None:
        own, packet = self._own_parts(waits=ask is not None), self._query.packet
        responder = _Watched(own, _whole(ask) if ask else _unasked)
        replies: list[bytes] = []
        transport = _transport(self._query.transport, responder.payload)

        def take(reply: bytes, _: Compiled | None) -> None:
            replies.append(reply)
            self._done(self._trace(responder, reply))

        if not responder.take(packet, self._client, transport, take) or (ask is None and not replies):
            self._done(self._trace(responder, None))

    def _own_parts(self, *, waits: bool) -> Parts:
        """Return the parts of the worker, with others in place of those that an answer changes."""
        parts, counters = self._parts, Counters()
        cache = CacheView(parts.cache)
        clock = parts.clock if waits else Clock(parts.clock.steady, parts.clock.wall, _never)
        engine = Engine(
            parts.table, parts.networks, parts.upstreams, cache, counters, parts.engine.behaviour, self._recorder.walk
        )
        return replace(
            parts, clock=clock, cache=cache, answers=AnswerCache(len(parts.networks.names)), counters=counters,
            fallbacks=Fallbacks(parts.networks.label, counters, clock.wall), loops=LoopDetector((), b"", clock.wall),
            engine=engine,
        )  # fmt: skip

    def _trace(self, responder: "_Watched", reply: bytes | None) -> Trace:
        steps, kept = self._recorder.steps(), None
        if responder.request is not None:
            kept, reply = self._kept(responder.request, reply)
        network = responder.request.network if responder.request is not None else self._client.network
        access = {REFUSED: Access.REFUSED, DROPPED: Access.DROPPED}.get(self._client.network, Access.ALLOWED)
        label = "" if access is not Access.ALLOWED else self._parts.networks.label(network)
        row = steps[-1].row if steps else self._row_before_steps(access)
        return Trace(label, access, row, steps, reply, kept)

    def _kept(self, request: ClientQuery, reply: bytes | None) -> tuple[KeptAnswer | None, bytes | None]:
        """Return the compiled answer that clients get now, and the reply made from it; else None and `reply`."""
        parts, now = self._parts, self._parts.clock.steady()
        answer = parts.answers.peek(parts.answers.key(request.query, request.network), now)
        if answer is None:
            return None, reply
        renderer = Renderer(parts.engine.behaviour.payload)
        turn = answer.turn if isinstance(answer, Rotating) else 0
        reply = renderer.whole(answer, request) or renderer.truncated(request, answer)
        if isinstance(answer, Rotating):
            answer.turn = turn
        return KeptAnswer(now - answer.born, None if answer.expires == FOREVER else answer.expires - now), reply

    def _row_before_steps(self, access: Access) -> Row:
        if access is not Access.ALLOWED:
            return Row.ACCESS
        try:
            query = parse(self._query.packet)
        except MalformedQuery:
            return Row.EARLY
        return Row.EARLY if self._parts.engine.special_names.answer(query) is None else Row.SPECIAL


class _Watched(Responder):
    """A responder that remembers the query that it resolves."""

    def __init__(self, parts: Parts, ask: Ask) -> None:
        super().__init__(parts, ask)
        self.request: ClientQuery | None = None

    def resolve(self, request: ClientQuery, fetched: Fetched) -> Compiled | UpstreamQuestion:
        """See `Responder.resolve`."""
        self.request = request
        return super().resolve(request, fetched)


def _transport(name: Transport, payload: int) -> ClientTransport:
    if name == "udp":
        return ClientTransport(name, payload)
    return ClientTransport(name, encrypted=name != "tcp", idle=0 if name == "https" else _IDLE)


def _unasked(key: Key, done: Done, client: bytes) -> None:
    """Ask no upstream: the walk has recorded the question."""


def _whole(ask: Ask) -> Ask:
    """Return a function that asks as `ask` does, and passes on replies with their records, so that a walk reads them.

    Addresses that are relayed octet for octet would otherwise be answered without a walk.
    """

    def asking(key: Key, done: Done, client: bytes) -> None:
        def whole(key: Key, result: Result) -> None:
            done(key, result.message() if isinstance(result, PlainReply) else result)

        ask(key, whole, client)

    return asking


class _NoTimer:
    def cancel(self) -> None:
        """Do nothing: no call is due."""


def _never(_seconds: float, _call: Callable[[], None]) -> Timer:
    return _NoTimer()
