"""From a packet to its reply on any transport: compiled answers first, then the engine, then upstreams and again.

Owns what waits for an upstream and the time it may take. Never raises: what slips through is answered SERVFAIL and
counted. Refuses to know sockets: a reply goes to the function that came with the packet.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Final, Protocol

from resolver.answers import Answers, Compiled
from resolver.cache import Cache, Key
from resolver.counters import Counters
from resolver.engine import Ask, Engine
from resolver.fallbacks import Fallbacks
from resolver.upstream.exchange import Failure
from resolver.wire import codes, render
from resolver.wire.query import Malformed, Query, parse
from resolver.wire.relay import Message
from zones.network import NONE, Network, Networks

REFUSED: Final = -2
"""In place of a network: a client outside `dns.allow`."""
PATIENCE: Final = 4.9
"""Seconds from a query to its answer or SERVFAIL, however many servers its aliases lead to."""
_LONGEST_WALK: Final = 24  # upstream questions for one query: 11 hops, each asked again in another group
_CLIENTS: Final = 65_536

_log = logging.getLogger(__name__)

Send = Callable[[bytes], None]
Result = Message | Failure


class Timer(Protocol):
    """What `later` gives."""

    def cancel(self) -> None:
        """Do not call."""


class Clients:
    """Which network an address is in, or `REFUSED`; remembered, within bounds."""

    def __init__(self, networks: Networks, allow: Sequence[str]) -> None:
        self._networks = networks
        self._allowed = Networks([Network("allowed", tuple(allow))])
        self.known: dict[str, int] = {}
        """By the address as the socket gives it."""

    def find(self, address: str) -> int:
        """The network's index, `NONE`, or `REFUSED`."""
        found = self.known.get(address)
        if found is None:
            packed = ip_address(address.partition("%")[0]).packed
            found = REFUSED if self._allowed.find(packed) == NONE else self._networks.find(packed)
            if len(self.known) >= _CLIENTS:
                self.known.clear()
            self.known[address] = found
        return found


class Responder:
    """Answers packets. `clock` gives steady seconds; `later` calls back after seconds; `ask` asks an upstream once."""

    def __init__(
        self,
        engine: Engine,
        answers: Answers,
        counters: Counters,
        fallbacks: Fallbacks,
        *,
        ask: Callable[[Key, Callable[[Result], None]], None],
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self.answers = answers
        self.waiting = 0
        """Queries that wait for an upstream."""
        self.counters = counters
        self.clock = clock
        self._engine = engine
        self._cache: Cache = engine.cache
        self._fallbacks = fallbacks
        self._ask = ask
        self._later = later
        self._dropped = counters.cell("dns_dropped_total", ("malformed",))

    def take(self, packet: bytes, network: int, limit: int | None, send: Send) -> bool:
        """Answer one packet; False for one that never gets a reply, else `send` is called once, now or later.

        `limit` is our own bound for UDP replies in octets; None on a stream. Raises nothing.
        """
        try:
            query = parse(packet)
        except Malformed as malformed:
            return self._complain(malformed, send)
        if network == REFUSED:
            self.counters.add("dns_responses_total", ("REFUSED", "", "", "acl"))
            self._send_error(query, codes.REFUSED, (codes.PROHIBITED, "this client may not ask here"), send)
            return True
        try:
            key = self.answers.key(query, network)
            found = self.answers.find(key, self.clock())
            if found is not None:
                self.send(found, query, packet, network, limit, send)
            else:
                _Wait(self, query, packet, network, limit, send, key).go_on()
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a reply and the next one is served
            self.broken(query, send, error)
        return True

    def _complain(self, malformed: Malformed, send: Send) -> bool:
        if malformed.rcode is None:
            self._dropped[0] += 1
            return False
        self.counters.add("dns_responses_total", (codes.rcode_text(malformed.rcode), "", "", "error"))
        send(render.error(malformed))
        return True

    def send(self, answer: Compiled, query: Query, packet: bytes, network: int, limit: int | None, send: Send) -> None:
        """Send a compiled answer, cut to what the client takes, and remember it for the same packet."""
        answer.cell[0] += 1
        if answer.fallback:
            self._fallbacks.note(*answer.fallback, network)
        reply = answer.reply(packet)
        if len(reply) > (codes.MAX_MESSAGE if limit is None else min(limit, query.payload)):
            flags = int.from_bytes(answer.head[:2], "big")
            opt = render.Opt(do=query.do) if query.edns else None
            cut = render.truncated(query.question, flags & ~0xF, flags & 0xF, opt)
            reply = packet[:2] + cut.head + query.question + cut.tail
        elif limit is not None:
            self.answers.keep_exact(network, packet[2:], answer)
        send(reply)

    def compiled(self, query: Query, network: int, fetched: dict[Key, Result], key: bytes) -> Compiled | Ask:
        """What the engine says now; an answer that lasts is kept."""
        now = self.clock()
        answer = self._engine.answer(query, network, now, fetched)
        if isinstance(answer, Compiled) and answer.expires > now:
            self.answers.keep(key, answer)
        return answer

    def ask(self, key: Key, done: Callable[[Result], None]) -> None:
        """Ask an upstream; what it says goes into the cache before `done`."""

        def arrived(result: Result) -> None:
            if isinstance(result, Message):
                self._cache.put(key, result, self.clock())
            done(result)

        self._ask(key, arrived)

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call after some seconds."""
        return self._later(seconds, call)

    def fail(self, query: Query, send: Send, ede: tuple[int, str]) -> None:
        """SERVFAIL with the reason."""
        self.counters.add("dns_responses_total", ("SERVFAIL", "", "", "error"))
        self._send_error(query, codes.SERVFAIL, ede, send)

    def broken(self, query: Query, send: Send, error: Exception) -> None:
        """SERVFAIL for an error of ours."""
        _log.error("a query of type %d could not be answered", query.qtype, exc_info=error)
        self.fail(query, send, (codes.OTHER, "internal error"))

    @staticmethod
    def _send_error(query: Query, rcode: int, ede: tuple[int, str] | None, send: Send) -> None:
        flags = query.flags & (codes.RD | codes.CD) | (codes.RA if rcode == codes.SERVFAIL else 0)
        opt = render.Opt(do=query.do, ede=ede) if query.edns else None
        body = render.body(query.question, flags, rcode, edns=opt)
        send(query.id.to_bytes(2, "big") + body.head + query.question + body.tail)


class _Wait:
    """A query on its way through upstreams: asked and walked again until there is an answer, or time is up."""

    __slots__ = ("fetched", "key", "limit", "network", "over", "packet", "query", "responder", "send", "timer")

    def __init__(
        self,
        responder: Responder,
        query: Query,
        packet: bytes,
        network: int,
        limit: int | None,
        send: Send,
        key: bytes,
    ) -> None:
        self.responder = responder
        self.query = query
        self.packet = packet
        self.network = network
        self.limit = limit
        self.send = send
        self.key = key
        self.fetched: dict[Key, Result] = {}
        self.timer: Timer | None = None
        self.over = False

    def go_on(self) -> None:
        """Walk with what has been fetched so far."""
        responder = self.responder
        result = responder.compiled(self.query, self.network, self.fetched, self.key)
        if isinstance(result, Compiled):
            self._end()
            responder.send(result, self.query, self.packet, self.network, self.limit, self.send)
        elif len(self.fetched) >= _LONGEST_WALK:
            self._give_up((codes.NO_REACHABLE_AUTHORITY, "the aliases lead too far"))
        else:
            responder.ask(result.key, partial(self._arrived, result.key))
            if self.timer is None and not self.over:
                responder.waiting += 1
                self.timer = responder.later(PATIENCE, self._late)

    def _arrived(self, key: Key, reply: Result) -> None:
        if self.over:
            return
        self.fetched[key] = reply
        try:
            self.go_on()
        except Exception as error:  # noqa: BLE001 - as in `Responder.take`
            if not self.over:
                self._end()
                self.responder.broken(self.query, self.send, error)

    def _late(self) -> None:
        if not self.over:
            self._give_up((codes.NO_REACHABLE_AUTHORITY, "the upstream servers took too long"))

    def _give_up(self, why: tuple[int, str]) -> None:
        self._end()
        self.responder.fail(self.query, self.send, why)

    def _end(self) -> None:
        self.over = True
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.responder.waiting -= 1
