"""Asks upstream servers: runs the exchanges (`forward.exchange`), and asks equal questions only once.

Does not know what a reply contains, nor how sockets and connections are shared (`udp`, `streams`).
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from resolver.forward.admission import DEFAULT, Admission, Limits
from resolver.forward.cache import FAILURE_TTL, Key, UpstreamFailure
from resolver.forward.client import random_ids
from resolver.forward.client.poller import Poller
from resolver.forward.client.session import ServerRefused
from resolver.forward.client.streams import UpstreamStreams
from resolver.forward.client.udp import SHORTAGE, UdpSockets
from resolver.forward.deadlines import TICK, Deadlines
from resolver.forward.exchange import Action, Done, Exchange, Listen, Try
from resolver.forward.health import Health, LatencyReport, ServerReport, UpstreamServer
from resolver.forward.outstanding_query import Carrier
from resolver.forward.rate_window import RateWindow
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Server, Transport, UpstreamGroup
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply, Reply
from resolver.wire.relay import Message
from zones.clocks import SteadyTime, steady_clock

LONGEST: Final = 10.0
"""Seconds after which nothing waits for the reply to a query any more."""
Late = Callable[[Key, Reply], None]
"""Takes a reply that came after its question had failed."""


class Forwarder:
    """Asks questions of upstream groups. Equal questions at the same time are asked once.

    Counts since the start: `queries` sent or queued, `tcp` of these not over UDP, `replies` that matched a query,
    `late` ones that came after their question had failed, `mismatches` that matched none, `timeouts`, `errors` of
    sockets, and questions `shed` because of a limit.
    """

    def __init__(
        self,
        upstreams: UpstreamGroups,
        loop: asyncio.AbstractEventLoop,
        mark: Callable[[Key], bytes] = lambda _: b"",
        late: Late = lambda _key, _message: None,
        limits: Limits = DEFAULT,
    ) -> None:
        self.queries = 0
        self.replies = 0
        self.late = 0
        self.timeouts = 0
        self.errors = 0
        self.mismatches = 0
        self.tcp = 0
        self.shed = 0
        self.health = Health(random_ids.below)
        self._upstreams = upstreams
        self._loop = loop
        self._now = steady_clock(loop.time)
        self._mark = mark
        self._take_late = late
        self._limits = limits
        self._admission = Admission(limits)
        self._waiting = 0
        """Number of waiters that are not the first of their question."""
        self._deferring = False
        """Results are passed on by the loop, because a caller of `ask` does not expect them yet."""
        self._exchanges: dict[Key, Exchange] = {}
        self._former = set[Exchange]()
        """Questions in progress to servers that their group no longer has, or that it asks in another way."""
        self._probes = set[Exchange]()
        self._lingering: dict[Key, Exchange] = {}
        """Failed questions that still listen for a late reply, oldest first."""
        self._deadlines = Deadlines[Exchange]()
        self._ticking: asyncio.TimerHandle | None = None
        self._poller = Poller(loop)
        self._carriers: dict[tuple[Server, Transport, str], Carrier] = {}
        self._rates: dict[str, RateWindow] = {}

    def __len__(self) -> int:
        """Return the number of questions in progress."""
        return len(self._exchanges)

    def ask(self, key: Key, done: Done, client: bytes = b"") -> None:
        """Ask the question `key` of its group for `client` (packed address). An unknown group has no servers.

        `done` is called exactly once, after this method has returned and at most 5 s later. Raises nothing.
        """
        before, self._deferring = self._deferring, True
        self._ask(key, done, client)
        self._deferring = before

    def _ask(self, key: Key, done: Done, client: bytes) -> None:
        exchange = self._exchanges.get(key)
        if exchange is not None:
            if self._waiting < self._limits.waiters:
                self._waiting += 1
                exchange.waiters.append(done)
            else:
                self._shed(done, "too many questions are waiting")
            return
        group = self._upstreams.group(key.group) or UpstreamGroup(key.group, ())
        now = self._now()
        if group.rate and not self._rate(group).allows(now):
            self._shed(done, f"upstream {group.name} is asked no more often than {group.rate} times a second")
            return
        if crowded := self._admission.crowded(group.name, client):
            oldest, why = crowded
            self.shed += 1
            self._end(oldest, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, why, lasting=False))
        self._begin(group, key, done, client, now)

    def report(self) -> Iterator[ServerReport]:
        """Yield what is known of all servers."""
        return self.health.report(self._upstreams, self._now())

    def latencies(self) -> Iterator[LatencyReport]:
        """Yield the round-trip times of all groups."""
        return self.health.latencies(self._upstreams)

    def _rate(self, group: UpstreamGroup) -> RateWindow:
        found = self._rates.get(group.name)
        if found is None:
            found = self._rates[group.name] = RateWindow(group.rate)
        return found

    def _shed(self, done: Done, why: str) -> None:
        self.shed += 1
        self._loop.call_soon(done, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, why, lasting=False))

    def _begin(self, group: UpstreamGroup, key: Key, done: Done, client: bytes, now: SteadyTime) -> None:
        if self._lingering:
            self._stop_lingering(key)
        order = self.health.order(group)
        exchange = self._exchanges[key] = self._exchange(group, key, order, now)
        exchange.waiters.append(done)
        exchange.client = client
        self._admission.add(exchange)
        self._go_on(exchange, exchange.start(now), now)
        server = self.health.probe(group, now)
        if server is not None and server is not order[0]:
            probe = self._exchange(group, key, [server], now, tries=1)
            self._probes.add(probe)
            self._go_on(probe, probe.start(now), now)

    def _exchange(
        self, group: UpstreamGroup, key: Key, servers: list[UpstreamServer], now: SteadyTime, tries: int = 0
    ) -> Exchange:
        return Exchange(key, group, servers, now, random_ids.below, self, mark=self._mark(key), tries=tries)

    def replace(self, upstreams: UpstreamGroups, mark: Callable[[Key], bytes], limits: Limits = DEFAULT) -> None:
        """Ask these groups from now on. Questions in progress end with the servers that they began with.

        What is known of servers that stay is kept, and so are the connections to them.
        """
        changed = {group.name for group in self._upstreams if upstreams.group(group.name) != group}
        self._upstreams, self._mark, self._limits = upstreams, mark, limits
        for key in [key for key in self._exchanges if key.group in changed]:
            self._former.add(self._exchanges.pop(key))
        for key in [key for key in self._lingering if key.group in changed]:
            self._stop_lingering(key)
        self._rates = {name: rate for name, rate in self._rates.items() if name not in changed}
        self.health.replace(upstreams)
        there = {server for group in upstreams for server in group.servers}
        for unused in [each for each in self._carriers if each[0] not in there]:
            self._loop.call_later(LONGEST, self._carriers.pop(unused).close)

    def close(self) -> None:
        """Close all sockets. Questions in progress fail on the loop's next turn. None may be asked afterwards."""
        self._deferring = True
        for exchange in (*self._exchanges.values(), *self._former, *self._probes, *self._lingering.values()):
            exchange.close()
            if not exchange.over:
                self._end(exchange, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "shutting down", lasting=False))
        self._lingering.clear()
        for carrier in self._carriers.values():
            carrier.close()
        self._poller.close()
        if self._ticking is not None:
            self._ticking.cancel()

    # -- actions of an exchange

    def _go_on(self, exchange: Exchange, action: Action, now: SteadyTime) -> None:
        """Do what an exchange asks for."""
        rate = self._rates.get(exchange.key.group)
        while isinstance(action, Try):
            if exchange.over:
                exchange.close()
                return
            if rate is not None:
                if not rate.allows(now):
                    why = f"asked no more often than {rate.rate} times a second"
                    action = exchange.error(action, why, now, local=True)
                    continue
                rate.count(now)
            self.queries += 1
            self.tcp += action.transport != "udp"
            try:
                self._carrier(action).send(action)
            except OSError as error:
                self.errors += 1
                action = exchange.error(action, _reason(error), now, local=error.errno in SHORTAGE)
            else:
                self._schedule(exchange, exchange.deadline, now)
                return
        if action is Listen.ON:
            self._schedule(exchange, exchange.deadline, now)
        elif isinstance(action, Message | PlainReply | UpstreamFailure):
            self._end(exchange, action)

    def _end(self, exchange: Exchange, result: Reply | UpstreamFailure) -> None:
        """Pass on the result of a question. After a failure a late reply is still wanted, for the cache."""
        if exchange.over:
            self._end_lingering(exchange, result)
            return
        exchange.over = True
        if exchange in self._probes:
            self._probes.discard(exchange)
            exchange.close()
            return
        if exchange in self._former:
            self._former.discard(exchange)
            lingers = False
        else:
            del self._exchanges[exchange.key]
            lingers = isinstance(result, UpstreamFailure) and result.lasting
        self._admission.remove(exchange)
        self._waiting -= len(exchange.waiters) - 1
        if exchange.open:
            if lingers:
                self._linger(exchange)
            else:
                exchange.close()
        waiters, exchange.waiters = exchange.waiters, []
        for done in waiters:
            if self._deferring:
                self._loop.call_soon(done, result)
            else:
                self._call(done, result)

    def _call(self, done: Done, result: Reply | UpstreamFailure) -> None:
        """Pass on a result. A waiter that raises does not harm the others."""
        try:
            done(result)
        except Exception as error:  # noqa: BLE001 - reported as for a callback of the loop
            self._loop.call_exception_handler({"message": "the result of a question", "exception": error})

    # -- late replies

    def _linger(self, exchange: Exchange) -> None:
        """Listen as long as the failure is cached: until then the question is not asked again."""
        now = self._now()
        self._lingering[exchange.key] = exchange
        exchange.deadline = SteadyTime(now + FAILURE_TTL)
        self._schedule(exchange, exchange.deadline, now)
        if len(self._lingering) > self._limits.lingering:
            self._stop_lingering(next(iter(self._lingering)))

    def _end_lingering(self, exchange: Exchange, result: Reply | UpstreamFailure) -> None:
        if not isinstance(result, UpstreamFailure):
            self.late += 1
            self._stop_lingering(exchange.key)
            self._take_late(exchange.key, result)
        elif not exchange.open:
            self._stop_lingering(exchange.key)

    def _stop_lingering(self, key: Key) -> None:
        exchange = self._lingering.pop(key, None)
        if exchange is not None:
            exchange.close()

    # -- time

    def _schedule(self, exchange: Exchange, deadline: SteadyTime, now: SteadyTime) -> None:
        self._deadlines.add(exchange, deadline, now)
        if self._ticking is None:
            self._ticking = self._loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        now = self._now()
        for exchange in self._deadlines.due(now):
            if exchange.deadline > now:
                continue
            if not exchange.over:
                self.timeouts += not exchange.hedging
                self._go_on(exchange, exchange.timeout(now), now)
            elif self._lingering.get(exchange.key) is exchange:
                self._stop_lingering(exchange.key)
        self._ticking = self._loop.call_later(TICK, self._tick) if self._deadlines else None

    # -- events of carriers

    def received(self, query: Try, packet: bytes) -> None:
        """Take a packet with the id of a query."""
        now, exchange = self._now(), query.exchange
        action = exchange.reply(query, packet, now)
        if action is Listen.MISMATCH:
            self.mismatches += 1
            return
        self.replies += 1
        self._go_on(exchange, action, now)

    def failed(self, query: Try, error: OSError | EOFError) -> None:
        """Take an error of the socket or connection of a query."""
        self.errors += 1
        now, exchange = self._now(), query.exchange
        local = isinstance(error, OSError) and error.errno in SHORTAGE
        self._go_on(exchange, exchange.error(query, _reason(error), now, local=local), now)

    def sent(self, query: Try) -> None:
        """Take note that a query has left a queue."""
        now, exchange = self._now(), query.exchange
        exchange.sent(query, now)
        self._schedule(exchange, exchange.deadline, now)

    def _unmatched(self) -> None:
        self.mismatches += 1

    def _carrier(self, query: Try) -> Carrier:
        """Return the carrier of a query."""
        server, transport, source = query.server.server, query.transport, query.exchange.source
        found = self._carriers.get((server, transport, source))
        if found is None:
            found = self._carriers[server, transport, source] = self._open(server, transport, source)
        return found

    def _open(self, server: Server, transport: Transport, source: str) -> Carrier:
        if transport == "udp":
            address = server.address, server.port
            return UdpSockets(address, source, self._limits.sockets, self._poller, self._loop, self._unmatched)
        return UpstreamStreams(server, source, self._loop, self._unmatched)


def _reason(error: OSError | EOFError) -> str:
    """Return the reason for clients to read. asyncio's own texts contain addresses of sockets."""
    if isinstance(error, EOFError):
        return "connection closed"
    if isinstance(error, ServerRefused):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate is not the expected one"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, TimeoutError):
        return "no connection"
    return os.strerror(error.errno) if error.errno else "network error"
