"""Asks upstream servers: runs the exchanges (`forward.exchange`), and asks equal questions only once.

Does not know what a reply contains, nor how sockets and connections are shared (`carriers`).
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

from resolver.channel.trace import ServerState
from resolver.forward.admission import DEFAULT, Admission, Limits
from resolver.forward.cache import FAILURE_TTL, Key, UpstreamFailure
from resolver.forward.client import carriers, random_ids
from resolver.forward.client.carriers import Carriers
from resolver.forward.client.dial import Dial, direct
from resolver.forward.client.late_replies import LateReplies
from resolver.forward.deadlines import TICK, Deadlines
from resolver.forward.exchange import Action, Done, Driver, Exchange, Listen
from resolver.forward.health import Health, LatencyReport, ServerReport, UpstreamServer
from resolver.forward.rate_window import RateWindow
from resolver.forward.routing import UpstreamGroups
from resolver.forward.tries import Try
from resolver.settings import UpstreamGroup
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply, Reply
from zones.clocks import SteadyTime, steady_clock

Late = Callable[[Key, Reply], None]
"""Takes a reply that came after its question had failed."""
_ON: Final = Listen.ON  # an attribute of an enumeration takes long to read
_MISMATCH: Final = Listen.MISMATCH
_LATE: Final = 0.05  # seconds after which the process has been stopped, or busy


class Forwarder(Driver):
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
        dial: Dial = direct,
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
        self._now = steady_clock(time.monotonic)  # the event loop's clock, without a call in Python
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
        self._failed = LateReplies(limits.lingering)
        self._deadlines = Deadlines()
        self._ticking: asyncio.TimerHandle | None = None
        self._due = SteadyTime(0.0)
        """Time of the next look at the deadlines."""
        self._carriers = Carriers(loop, limits.sockets, self._unmatched, dial)
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
                self._shed(key, done, "too many questions are waiting")
            return
        group = self._upstreams.group(key.group) or UpstreamGroup(key.group, ())
        now = self._now()
        if group.rate and not self._rate(group).allows(now):
            self._shed(key, done, f"upstream {group.name} is asked no more often than {group.rate} times a second")
            return
        servers = self.health.order(group)
        crowded = self._admission.crowded(group.name, servers[0].uri if servers else "", client)
        if crowded is not None:
            oldest, why = crowded
            self.shed += 1
            self._end(oldest, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, why, lasting=False))
        self._begin(group, servers, key, done, client, now)

    def report(self) -> Iterator[ServerReport]:
        """Yield what is known of all servers."""
        return self.health.report(self._upstreams, self._now())

    def upcoming(self, group: str) -> Iterator[ServerState]:
        """Yield the servers of a group in the order in which the next question asks them."""
        found = self._upstreams.group(group)
        for each in self.health.upcoming(found) if found else ():
            trip = each.round_trip
            yield ServerState(each.uri, not each.down, trip.smoothed if trip.samples else 0.0)

    def latencies(self) -> Iterator[LatencyReport]:
        """Yield the round-trip times of all groups."""
        return self.health.latencies(self._upstreams)

    def _rate(self, group: UpstreamGroup) -> RateWindow:
        found = self._rates.get(group.name)
        if found is None:
            found = self._rates[group.name] = RateWindow(group.rate)
        return found

    def _shed(self, key: Key, done: Done, why: str) -> None:
        self.shed += 1
        self._loop.call_soon(done, key, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, why, lasting=False))

    def _begin(
        self, group: UpstreamGroup, servers: list[UpstreamServer], key: Key, done: Done, client: bytes, now: SteadyTime
    ) -> None:
        if self._failed:
            self._stop_listening(key)
        exchange = self._exchanges[key] = self._exchange(group, key, servers, now, 0)
        exchange.waiters.append(done)
        exchange.client = client
        self._admission.add(exchange)
        self._go_on(exchange, exchange.start(now), now)
        server = self.health.probe(group, now)
        if server is not None and server is not servers[0]:
            probe = self._exchange(group, key, [server], now, 1)
            self._probes.add(probe)
            self._go_on(probe, probe.start(now), now)

    def _exchange(
        self, group: UpstreamGroup, key: Key, servers: list[UpstreamServer], now: SteadyTime, tries: int
    ) -> Exchange:
        return Exchange(key, group, servers, now, random_ids.below, self, self._mark(key), tries)

    def replace(self, upstreams: UpstreamGroups, mark: Callable[[Key], bytes], limits: Limits = DEFAULT) -> None:
        """Ask these groups from now on. Questions in progress end with the servers that they began with.

        What is known of servers that stay is kept, and so are the connections to them.
        """
        changed = {group.name for group in self._upstreams if upstreams.group(group.name) != group}
        self._upstreams, self._mark, self._limits = upstreams, mark, limits
        for key in [key for key in self._exchanges if key.group in changed]:
            self._former.add(self._exchanges.pop(key))
        for key in self._failed.of_groups(changed):
            self._stop_listening(key)
        self._rates = {name: rate for name, rate in self._rates.items() if name not in changed}
        self.health.replace(upstreams)
        self._carriers.keep({server for group in upstreams for server in group.servers}, limits.sockets)

    def close(self) -> None:
        """Close all sockets. Questions in progress fail on the loop's next turn. None may be asked afterwards."""
        self._deferring = True
        for exchange in (*self._exchanges.values(), *self._former, *self._probes):
            exchange.close()
            self._end(exchange, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "shutting down", lasting=False))
        self._failed.close()
        self._carriers.close()
        if self._ticking is not None:
            self._ticking.cancel()

    # -- actions of an exchange

    def _go_on(self, exchange: Exchange, action: Action, now: SteadyTime) -> None:
        """Do what an exchange asks for."""
        while isinstance(action, Try):
            query = action
            if exchange.over:
                exchange.close()
                return
            rate = self._rates.get(exchange.key.group) if self._rates else None
            if rate is not None:
                if not rate.allows(now):
                    why = f"asked no more often than {rate.rate} times a second"
                    action = exchange.error(query, why, now, local=True)
                    continue
                rate.count(now)
            self.queries += 1
            self.tcp += query.transport != "udp"
            try:
                self._carriers.of(query.server, query.transport, exchange.source).send(query)
            except OSError as error:
                self.errors += 1
                action = exchange.error(query, carriers.reason(error), now, local=carriers.is_local(error))
            else:
                self._schedule(exchange, exchange.deadline, now)
                return
        if action is _ON:
            self._schedule(exchange, exchange.deadline, now)
        elif action is not _MISMATCH:
            self._end(exchange, action)

    def _end(self, exchange: Exchange, result: Reply | UpstreamFailure) -> None:
        """Pass on the result of a question. After a failure a late reply is still wanted, for the cache."""
        if exchange.over:
            self._end_late(exchange, result)
            return
        exchange.over = True
        self._deadlines.drop(exchange)
        if self._probes and exchange in self._probes:
            self._probes.discard(exchange)
            exchange.close()
            return
        key = exchange.key
        if exchange in self._former:
            self._former.discard(exchange)
            listens = False
        else:
            del self._exchanges[key]
            listens = not isinstance(result, PlainReply) and isinstance(result, UpstreamFailure) and result.lasting
        self._admission.remove(exchange)
        self._waiting -= len(exchange.waiters) - 1
        if listens and exchange.open:
            self._listen_on(exchange)
        else:
            exchange.close()
        waiters, exchange.waiters = exchange.waiters, []
        for done in waiters:
            if self._deferring:
                self._loop.call_soon(done, key, result)
            else:
                self._call(done, key, result)

    def _call(self, done: Done, key: Key, result: Reply | UpstreamFailure) -> None:
        """Pass on a result. A waiter that raises does not harm the others."""
        try:
            done(key, result)
        except Exception as error:  # noqa: BLE001 - reported as for a callback of the loop
            self._loop.call_exception_handler({"message": "the result of a question", "exception": error})

    # -- late replies

    def _listen_on(self, exchange: Exchange) -> None:
        """Listen as long as the failure is cached: until then the question is not asked again."""
        now = self._now()
        exchange.deadline = SteadyTime(now + FAILURE_TTL)
        self._schedule(exchange, exchange.deadline, now)
        gone = self._failed.listen(exchange)
        if gone is not None:
            self._deadlines.drop(gone)

    def _end_late(self, exchange: Exchange, result: Reply | UpstreamFailure) -> None:
        if not isinstance(result, UpstreamFailure):
            self.late += 1
            self._stop_listening(exchange.key)
            self._take_late(exchange.key, result)
        elif not exchange.open:
            self._stop_listening(exchange.key)

    def _stop_listening(self, key: Key) -> None:
        exchange = self._failed.stop(key)
        if exchange is not None:
            self._deadlines.drop(exchange)

    # -- time

    def _schedule(self, exchange: Exchange, deadline: SteadyTime, now: SteadyTime) -> None:
        self._deadlines.put(exchange, deadline, now)
        if self._ticking is None:
            self._due = SteadyTime(now + TICK)
            self._ticking = self._loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        """Take the deadlines that have passed. Replies that came in time are read before, also after a long stop."""
        now = self._now()
        if now > self._due + _LATE:
            self._carriers.drain()
        for waiting in self._deadlines.due(now):
            waiting.overdue(now)
        self._due = SteadyTime(now + TICK)
        self._ticking = self._loop.call_later(TICK, self._tick) if self._deadlines else None

    # -- what happens to exchanges (`exchange.Driver`)

    def overdue(self, exchange: Exchange, now: SteadyTime) -> None:
        """Take the end of an exchange's deadline."""
        if not exchange.over:
            self.timeouts += not exchange.hedging
            self._go_on(exchange, exchange.timeout(now), now)
        elif exchange in self._failed:
            self._stop_listening(exchange.key)

    def received(self, exchange: Exchange, query: Try, packet: bytes) -> None:
        """Take a packet with the id of a query."""
        now = self._now()
        action = exchange.reply(query, packet, now)
        if action is _MISMATCH:
            self.mismatches += 1
            return
        self.replies += 1
        self._go_on(exchange, action, now)

    def failed(self, exchange: Exchange, query: Try, error: OSError | EOFError) -> None:
        """Take an error of the socket or connection of a query."""
        self.errors += 1
        now = self._now()
        action = exchange.error(query, carriers.reason(error), now, local=carriers.is_local(error))
        self._go_on(exchange, action, now)

    def sent(self, exchange: Exchange, query: Try) -> None:
        """Take note that a query has left a queue."""
        now = self._now()
        exchange.sent(query, now)
        self._schedule(exchange, exchange.deadline, now)

    def _unmatched(self) -> None:
        self.mismatches += 1
