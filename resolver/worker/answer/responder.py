"""From a packet to its reply, on any transport: a compiled answer if there is one, else the engine and upstreams.

Decides which packets get a reply at all. Never raises: SERVFAIL answers and counts a query that hits a bug. Does not
know sockets: each packet comes with the function that sends its reply.
"""

import logging
from typing import Final

from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply
from resolver.wire.query import MalformedQuery, Query, parse
from resolver.worker.access.clients import DROPPED, REFUSED, Client
from resolver.worker.access.edns import BadSubnet, ClientTransport, EdnsResult
from resolver.worker.access.rate_limit import RateVerdict
from resolver.worker.answer import local_reverse
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.answer_templates import AnswerTemplates
from resolver.worker.answer.client_query import SMALL, ClientQuery, SendReply, Watch
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.durations import FORWARDED, MADE, SAMPLE
from resolver.worker.answer.fetcher import Ask, Fetcher
from resolver.worker.answer.outside_names import OutsideNames
from resolver.worker.answer.parts import Parts
from resolver.worker.answer.patience import Patience
from resolver.worker.answer.pending import Answering, Pending
from resolver.worker.answer.relayed_answers import RelayedAnswers
from resolver.worker.answer.reply import Renderer
from resolver.worker.answer.walk import Fetched, UpstreamQuestion
from zones.networks.prefixes import NetworkIndex

_NOTHING: Final[Fetched] = {}
_PASS: Final = RateVerdict.PASS  # an attribute of an enumeration takes long to read

_log = logging.getLogger(__name__)


class Responder(Answering):
    """Answers packets with the parts of one worker. `ask` asks an upstream."""

    def __init__(self, parts: Parts, ask: Ask) -> None:
        counters, behaviour = parts.counters, parts.engine.behaviour
        self.pending = 0
        """Number of queries that wait for an upstream."""
        self.clock = parts.clock
        self.patience = Patience(parts.clock)
        self.fetcher = Fetcher(parts.cache, parts.loops, counters, parts.clock.steady, ask, prefetch=behaviour.prefetch)
        self.answers = parts.answers
        self.counters = counters
        self.durations = parts.durations
        self.watch: Watch | None = None
        """Notes every query; None while queries are neither logged nor watched. Listeners call it, not this class."""
        self._untimed = 0
        """Answers since the last one that was timed."""
        self.payload = behaviour.payload
        """Octets of UDP that this server accepts and sends."""
        self.steady = parts.clock.steady
        self._templates = AnswerTemplates(parts.table, parts.answers, parts.table.named | behaviour.dropped)
        self.first = self._templates.reply
        """Return the reply, after the id, to a packet that an answer template fits; None for any other."""
        self._engine = parts.engine
        self._relayed = RelayedAnswers(behaviour, parts.networks, counters)
        apart = behaviour.dropped | behaviour.private_only | parts.upstreams.suffixes | local_reverse.APEXES
        self._outside = OutsideNames(parts.table, parts.engine.special_names, parts.cache, parts.answers, apart)
        self._renderer = Renderer(behaviour.payload)
        self._options = parts.options
        self._factor = parts.clients.factor
        self._fallbacks = parts.fallbacks
        self._without_options: dict[NetworkIndex, EdnsResult] = {}
        self._dropped = counters.cell("dns_dropped_total", ("malformed",))
        self._unwanted = counters.cell("dns_dropped_total", ("client",))

    def take(
        self,
        packet: bytes,
        client: Client,
        transport: ClientTransport,
        send: SendReply,
        limited: RateVerdict = _PASS,
    ) -> bool:
        """Answer one packet: call `send` once, at once or later. Return False for a packet that never gets a reply.

        `limited`: the verdict of the rate limit, which does not hold for a query with a good cookie. Raises nothing.
        """
        if client.network == DROPPED:
            self._unwanted[0] += 1
            return False
        try:
            query = parse(packet)
            edns = self._read(query, client, transport)
        except MalformedQuery as malformed:
            return limited is _PASS and self._reject(malformed, client, transport, send)
        request = ClientQuery(packet, query, edns, client, transport, send)
        if limited is not _PASS and not edns.proven:
            return self._limit(request, limited)
        if client.network == REFUSED:
            self.counters.answered("REFUSED", "", "acl", query.qtype)
            ede = codes.PROHIBITED, "this client is not allowed to ask here"
            send(self._renderer.error(request, codes.REFUSED, ede), None)
            return True
        try:
            request.key = self.answers.key(query, request.network)
            request.started = self.steady()
            found = self.answers.find(request.key, request.started)
            if found is not None:
                self.send(found, request)
                if found.prefetch is not None:
                    self.fetcher.prefetch(found, *found.prefetch)
                return True
            question = self._outside.question(query, request.network)
            if question is None:
                answer = self.resolve(request, _NOTHING)
                if isinstance(answer, Compiled):
                    self.send(answer, request)
                    return True
                question = answer
                self._outside.learn(query, request.network, question)
            Pending(self, request).ask(question)
        except Exception as error:  # noqa: BLE001 - the client gets a reply and the next query is served, whatever it is
            self.broken(request, error)
        return True

    def repeat(self, packet: bytes, network: NetworkIndex, send: SendReply) -> bool:
        """Answer a packet that was asked before octet for octet, or that a template fits. False for any other."""
        form = self.answers.exact[network].get(packet[2:])
        if form is None:
            made = self._templates.answer(packet, network)
            if made is None:
                return False
            made.cell[0] += 1
            send(made.reply(packet), made)
            return True
        reply, until, cell, answer = form
        if self.steady() >= until:
            return False
        cell[0] += 1
        send(packet[:2] + reply, answer)
        return True

    def _read(self, query: Query, client: Client, transport: ClientTransport) -> EdnsResult:
        """Return what the options of a query ask for. Raises `MalformedQuery`."""
        if not query.options:
            edns = self._without_options.get(client.network)
            if edns is None:
                edns = self._without_options[client.network] = EdnsResult(client.network)
            return edns
        try:
            return self._options.read(query.options, client, transport, self.clock.wall())
        except BadSubnet:
            raise MalformedQuery(codes.FORMERR, query.id, query.flags, query.question, edns=True, do=query.do) from None

    def _reject(self, malformed: MalformedQuery, client: Client, transport: ClientTransport, send: SendReply) -> bool:
        """Reply to a malformed query with an error, or drop it."""
        if malformed.rcode is None:
            self._dropped[0] += 1
            return False
        self.counters.answered(codes.rcode_text(malformed.rcode), "", "error", 0)
        # The client-subnet option is not read: it may be what is malformed.
        client = client._replace(forwarder=False)
        edns = self._options.read(malformed.options, client, transport, self.clock.wall())
        send(self._renderer.malformed(malformed, edns), None)
        return True

    def _limit(self, request: ClientQuery, limited: RateVerdict) -> bool:
        """Drop a query over the rate limit, or make the client ask again over TCP or with the cookie in this reply."""
        if limited is RateVerdict.DROP:
            self.counters.add("dns_rate_limited_total", ("dropped",))
            return False
        if any(code == codes.OPTION_COOKIE for code, _ in request.query.options) and request.edns.reply:
            self.counters.add("dns_rate_limited_total", ("badcookie",))
            request.send(self._renderer.error(request, codes.BADCOOKIE), None)
        else:
            self.counters.add("dns_rate_limited_total", ("truncated",))
            request.send(self._renderer.truncated(request), None)
        return True

    def retire(self) -> None:
        """Note that another responder takes new packets, with other settings. Queries in flight are still answered.

        Their answers are not cached: the other settings might give other ones.
        """
        self.answers = AnswerCache(len(self.answers.exact))
        self.fetcher.retire()

    # -- what a query that waits needs, too (`pending.Answering`)

    def relayed(
        self, request: ClientQuery, question: UpstreamQuestion, reply: PlainReply, changes: int
    ) -> Compiled | None:
        """Return the answer that is only the addresses in `reply`; None if it may be another one.

        `changes`: `AnswerCache.changes` at the time when the question came up.
        """
        answers, now = self.answers, self.steady()
        if answers.changes != changes:
            return None
        answer = answers.find(request.key, now)  # another client may have asked the same question
        if answer is None:
            answer = self._relayed.answer(request.query, request.network, now, question, reply)
            if answer is not None and answer.expires > now:
                answers.keep(request.key, answer)
        return answer

    def resolve(self, request: ClientQuery, fetched: Fetched) -> Compiled | UpstreamQuestion:
        """Return the engine's answer, cached if it lasts, or the question that an upstream must answer first."""
        now = self.steady()
        answer = self._engine.answer(request.query, request.network, now, fetched)
        if isinstance(answer, Compiled) and answer.expires > now:
            self.answers.keep(request.key, answer)
            self._templates.learn(request.packet, request.query, request.network, answer)
        return answer

    def send(self, answer: Compiled, request: ClientQuery) -> None:
        """Send a compiled answer, or a truncated reply if it is too large. Remember the reply for the same packet."""
        answer.cell[0] += 1
        self._time(request)
        if answer.fallback:
            self._fallbacks.note(*answer.fallback, request.network, request.client)
        reply: bytes | None = None if request.query.options else answer.reply(request.packet)
        if reply is None or len(reply) > request.limit:
            reply = self._renderer.whole(answer, request)
        if reply is None:
            request.send(self._renderer.truncated(request, answer), None)
            return
        # The same packet may come over UDP instead of a stream, or from a client with a stricter limit.
        if not request.query.options and (
            len(reply) <= SMALL or (not request.stream and len(reply) <= self._factor * len(request.packet))
        ):
            self.answers.keep_exact(request.network, request.packet[2:], answer, reply[2:])
        request.send(reply, answer)

    def _time(self, request: ClientQuery) -> None:
        """Count the duration of a request, of which one in `SAMPLE` is timed."""
        self._untimed += 1
        if self._untimed >= SAMPLE:
            self._untimed = 0
            path = FORWARDED if request.forwarded else MADE
            self.durations.add(path, self.steady() - request.started, SAMPLE)

    def fail(self, request: ClientQuery, ede: tuple[int, str]) -> None:
        """Send SERVFAIL with a reason."""
        self._time(request)
        self.counters.answered("SERVFAIL", "", "error", request.query.qtype)
        request.send(self._renderer.error(request, codes.SERVFAIL, ede), None)

    def broken(self, request: ClientQuery, error: Exception) -> None:
        """Send SERVFAIL because of a bug, and log the error."""
        _log.error("a query of type %d could not be answered", request.query.qtype, exc_info=error)
        self.fail(request, (codes.OTHER, "internal error"))
