"""From a packet to its reply on any transport: compiled answers first, then the engine, then upstreams and again.

Owns how large a reply may be. Never raises: what slips through is answered SERVFAIL and counted. Refuses to know
sockets, since a reply goes to the function that came with the packet, and how long a query waits (`waiting`).
"""

import logging
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from resolver.forward.cache import Key, UpstreamCache, UpstreamFailure
from resolver.forward.loops import LoopDetector
from resolver.wire import codes, render
from resolver.wire.query import Malformed, Query, parse
from resolver.wire.relay import Message
from resolver.worker.access.clients import DROPPED, REFUSED, Client
from resolver.worker.access.edns import BadSubnet, Options, Said, Way, finished
from resolver.worker.access.rate_limit import Verdict
from resolver.worker.answer.answer_cache import Answers, Compiled
from resolver.worker.answer.answer_templates import Siblings
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Ask, Engine
from resolver.worker.answer.fallbacks import Fallbacks
from resolver.worker.answer.pending import Wait

AMPLIFICATION: Final = 10
"""Times the size of its query that a reply over UDP may have for an address that may be forged, if it is not small."""
_ANSWERS: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.YXDOMAIN))
_SMALL: Final = 512  # octets

_log = logging.getLogger(__name__)

Send = Callable[[bytes], None]
Result = Message | UpstreamFailure


class Timer(Protocol):
    """What `later` gives."""

    def cancel(self) -> None:
        """Do not call."""


class Clock(NamedTuple):
    """Time, as the caller has it."""

    steady: Callable[[], float]
    """Seconds that never go back."""
    wall: Callable[[], float]
    """The time of day, seconds since the epoch."""
    later: Callable[[float, Callable[[], None]], Timer]
    """Calls back after seconds."""


class Request:
    """One query on its way to its reply: who sent it, how, and how the reply goes back."""

    __slots__ = ("client", "limit", "network", "packet", "query", "said", "send")

    def __init__(self, packet: bytes, query: Query, said: Said, client: bytes, way: Way, send: Send) -> None:
        self.packet = packet
        self.client = client
        """Its address, packed."""
        self.query = query
        self.said = said
        self.network = said.network
        self.send = send
        self.limit: int | None = None
        """Octets that a reply over UDP may have; None on a stream."""
        if way.limit is not None:
            self.limit = min(way.limit, query.payload)
            if not said.proven:
                self.limit = min(self.limit, max(_SMALL, AMPLIFICATION * len(packet)))


class Responder:
    """Answers packets. `ask` asks an upstream once."""

    def __init__(
        self,
        engine: Engine,
        answers: Answers,
        options: Options,
        counters: Counters,
        fallbacks: Fallbacks,
        loops: LoopDetector,
        clock: Clock,
        ask: Callable[[Key, Callable[[Result], None]], None],
    ) -> None:
        self.answers = answers
        self._siblings = Siblings(engine.table, answers, engine.table.named | engine.manner.dropped)
        self.first = self._siblings.reply
        self.loops = loops
        self.waiting = 0
        """Queries that wait for an upstream."""
        self.counters = counters
        self.clock = clock.steady
        self.later = clock.later
        self.payload = engine.manner.payload
        self._engine = engine
        self._cache: UpstreamCache = engine.cache
        self._options = options
        self._fallbacks = fallbacks
        self._ask = ask
        self._wall = clock.wall
        self._dropped = counters.cell("dns_dropped_total", ("malformed",))
        self._unwanted = counters.cell("dns_dropped_total", ("client",))

    def take(self, packet: bytes, client: Client, way: Way, send: Send, over: Verdict = Verdict.PASS) -> bool:
        """Answer one packet; False for one that never gets a reply, else `send` is called once, now or later.

        `over`: what the rate limit says, which is not for queries with a good cookie. Raises nothing.
        """
        if client.network == DROPPED:
            self._unwanted[0] += 1
            return False
        try:
            query = parse(packet)
            said = self._read(query, client, way)
        except Malformed as malformed:
            return over is Verdict.PASS and self._complain(malformed, client, way, send)
        request = Request(packet, query, said, client.address, way, send)
        if over is not Verdict.PASS and not said.proven:
            return self._exceeded(request, over)
        if client.network == REFUSED:
            self.counters.add("dns_responses_total", ("REFUSED", "", "", "acl"))
            self._send_error(request, codes.REFUSED, (codes.PROHIBITED, "this client may not ask here"))
            return True
        try:
            key = self.answers.key(query, request.network)
            found = self.answers.find(key, self.clock())
            if found is not None:
                self.send(found, request)
                self._prefetch(found)
            else:
                Wait(self, request, key).go_on()
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a reply and the next one is served
            self.broken(request, error)
        return True

    def repeat(self, packet: bytes, network: int, send: Send) -> bool:
        """Answer a packet that was asked before in just this form, or of a sibling; False for any other."""
        form = self.answers.exact[network].get(packet[2:])
        if form is None:
            made = self.first(packet, network)
            if made is None:
                return False
            send(packet[:2] + made)
            return True
        reply, until, cell = form
        if self.clock() >= until:
            return False
        cell[0] += 1
        send(packet[:2] + reply)
        return True

    def _prefetch(self, answer: Compiled) -> None:
        """Ask again for what is asked for shortly before it expires."""
        if answer.renew is None:
            return
        (due, key), now = answer.renew, self.clock()
        if now >= due:
            answer.renew = None
            if self._engine.manner.prefetch and not self._cache.holds(key, answer.expires):
                self.counters.add("cache_prefetches_total")
                self.ask(key, lambda _: None)

    def _read(self, query: Query, client: Client, way: Way) -> Said:
        """What the query's options come to. Raises `Malformed`."""
        if not query.options:
            return Said(client.network)
        try:
            return self._options.read(query.options, client, way, self._wall())
        except BadSubnet:
            raise Malformed(codes.FORMERR, query.id, query.flags, query.question, edns=True, do=query.do) from None

    def _complain(self, malformed: Malformed, client: Client, way: Way, send: Send) -> bool:
        if malformed.rcode is None:
            self._dropped[0] += 1
            return False
        self.counters.add("dns_responses_total", (codes.rcode_text(malformed.rcode), "", "", "error"))
        reply = render.error(malformed, self.payload)
        if malformed.options:
            own = client._replace(forwarder=False)  # no subnet: it may be what is wrong
            said = self._options.read(malformed.options, own, way, self._wall())
            reply = finished(reply, codes.HEADER_SIZE + len(malformed.question), said)
        send(reply)
        return True

    def _exceeded(self, request: Request, over: Verdict) -> bool:
        """Over the limit: nothing, or come back over TCP, or with the cookie that this reply brings."""
        if over is Verdict.DROP:
            self.counters.add("dns_rate_limited_total", ("dropped",))
            return False
        query = request.query
        flags = query.flags & (codes.RD | codes.CD)
        if any(code == codes.OPTION_COOKIE for code, _ in query.options) and request.said.reply:
            self.counters.add("dns_rate_limited_total", ("badcookie",))
            body = render.body(query.question, flags, codes.BADCOOKIE, edns=self._opt(query))
        else:
            self.counters.add("dns_rate_limited_total", ("truncated",))
            body = render.truncated(query.question, flags, codes.NOERROR, self._opt(query))
        self._send(request, body)
        return True

    def send(self, answer: Compiled, request: Request) -> None:
        """Send a compiled answer, cut to what the client takes, and remember it for the same packet."""
        answer.cell[0] += 1
        query, packet = request.query, request.packet
        if answer.fallback:
            self._fallbacks.note(*answer.fallback, request.network, request.client)
        reply = answer.reply(packet)
        if query.options:
            reply = finished(reply, answer.end + answer.opt, request.said)
        if len(reply) > (codes.MAX_MESSAGE if request.limit is None else request.limit):
            flags = int.from_bytes(answer.head[:2], "big")
            self._send(request, render.truncated(query.question, flags & ~0xF, flags & 0xF, self._opt(query)))
            return
        if not query.options and (request.limit is not None or len(reply) <= _SMALL):
            self.answers.keep_exact(request.network, packet[2:], answer, reply[2:])
        request.send(reply)

    def compiled(self, request: Request, fetched: dict[Key, Result], key: bytes) -> Compiled | Ask:
        """What the engine says now; an answer that lasts is kept."""
        now = self.clock()
        answer = self._engine.answer(request.query, request.network, now, fetched)
        if isinstance(answer, Compiled) and answer.expires > now:
            self.answers.keep(key, answer)
            self._siblings.learn(request.packet, request.query, request.network, answer)
        return answer

    def ask(self, key: Key, done: Callable[[Result], None]) -> None:
        """Ask an upstream; what it says goes into the cache before `done`."""

        def arrived(result: Result) -> None:
            if isinstance(result, Message) and result.rcode in _ANSWERS:
                self._cache.put(key, result, self.clock())
            else:
                self._cache.fail(key, _failure(result), self.clock())
            done(result)

        self._ask(key, arrived)

    def has_stale(self, key: Key) -> bool:
        """There is an answer that held before."""
        return self._cache.stale(key, self.clock()) is not None

    def fail(self, request: Request, ede: tuple[int, str]) -> None:
        """SERVFAIL with the reason."""
        self.counters.add("dns_responses_total", ("SERVFAIL", "", "", "error"))
        self._send_error(request, codes.SERVFAIL, ede)

    def broken(self, request: Request, error: Exception) -> None:
        """SERVFAIL for an error of ours."""
        _log.error("a query of type %d could not be answered", request.query.qtype, exc_info=error)
        self.fail(request, (codes.OTHER, "internal error"))

    def _send_error(self, request: Request, rcode: int, ede: tuple[int, str]) -> None:
        query = request.query
        flags = query.flags & (codes.RD | codes.CD) | (codes.RA if rcode == codes.SERVFAIL else 0)
        self._send(request, render.body(query.question, flags, rcode, edns=self._opt(query, ede)))

    def _opt(self, query: Query, ede: tuple[int, str] | None = None) -> render.Opt | None:
        return render.Opt(do=query.do, payload=self.payload, ede=ede) if query.edns else None

    @staticmethod
    def _send(request: Request, body: render.Body) -> None:
        query = request.query
        reply = query.id.to_bytes(2, "big") + body.head + query.question + body.tail
        if query.options:
            reply = finished(reply, codes.HEADER_SIZE + len(query.question) + body.opt, request.said)
        request.send(reply)


def _failure(result: Result) -> UpstreamFailure:
    if isinstance(result, UpstreamFailure):
        return result
    return UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, f"the upstream answered {codes.rcode_text(result.rcode)}")
