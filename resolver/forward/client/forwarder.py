"""Asks upstream servers: timers and single flight around `upstream.exchange`, which decides what is next.

Refuses to know what a reply says, and how sockets and connections are shared (`pool`, `link`).
"""

import asyncio
import os
import ssl
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Protocol

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.client import random_ids
from resolver.forward.client.connection import UpstreamConnection
from resolver.forward.client.session import ServerRefused
from resolver.forward.client.udp_pool import SHORTAGE, UdpPool
from resolver.forward.exchange import TRIES, Action, Exchange, Send
from resolver.forward.health import Health
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Server, UpstreamGroup
from resolver.wire import codes
from resolver.wire.relay import Message

Done = Callable[[Message | UpstreamFailure], None]

IN_FLIGHT: Final = 4096  # questions; beyond that an error now serves the client better than an answer too late
OF_ONE_GROUP: Final = 2048  # of these, so that a group whose servers are dead leaves room for the others
WAITERS: Final = 65_536  # for all of them: equal questions cost room here, and nothing upstream
SOCKETS: Final = 400  # over UDP to one server


class Carrier(Protocol):
    """What carries queries to one server: a `UdpPool` of sockets or a `UpstreamConnection`."""

    def ask(self, asker: "_Leg", packet: bytes) -> None:
        """Send. Raises OSError."""

    def stop(self, asker: "_Leg", *, keep: bool) -> None:
        """`asker` waits no longer."""

    def close(self) -> None:
        """End."""


class _Leg:
    """One exchange of a flight: the only one, or one of two in a race."""

    __slots__ = ("channel", "exchange", "flight", "timer")

    def __init__(self, flight: "_Flight", exchange: Exchange) -> None:
        self.flight = flight
        self.exchange = exchange
        self.timer: asyncio.TimerHandle | None = None
        self.channel: Carrier | None = None

    def stop_waiting(self, *, keep: bool = False) -> None:
        """Give up the timer and the channel; `keep` as for `UdpPool.stop`."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.channel is not None:
            channel, self.channel = self.channel, None
            channel.stop(self, keep=keep)


class _Flight:
    """A question on its way, and who waits for it: nobody for the result of a probe."""

    __slots__ = ("hedge", "key", "legs", "waiters")

    def __init__(self, key: Key, *waiters: Done) -> None:
        self.key = key
        self.waiters = list(waiters)
        self.legs: list[_Leg] = []
        self.hedge: asyncio.TimerHandle | None = None


class _Rate:
    """A bound of queries in any second, however they are spread."""

    __slots__ = ("_sent", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._sent = deque[float](maxlen=rate)

    def allows(self, now: float) -> bool:
        """One more may be sent."""
        return len(self._sent) < self.rate or now - self._sent[0] >= 1

    def count(self, now: float) -> None:
        """One is sent."""
        self._sent.append(now)


class Forwarder:
    """Asks questions, equal ones at the same time only once.

    Counts since the start: `queries`, and of these `tcp`, were sent or queued; `replies` came and matched.
    """

    def __init__(
        self,
        upstreams: UpstreamGroups,
        loop: asyncio.AbstractEventLoop,
        mark: Callable[[Key], bytes] = lambda _: b"",
        *,
        in_flight: int = IN_FLIGHT,
        of_one_group: int = OF_ONE_GROUP,
        waiters: int = WAITERS,
        sockets: int = SOCKETS,
    ) -> None:
        self.queries = 0
        self.replies = 0
        self.timeouts = 0
        self.errors = 0
        self.mismatches = 0
        self.tcp = 0
        self.shed = 0
        self.health = Health(random_ids.below)
        self._upstreams = upstreams
        self._loop = loop
        self._mark = mark
        self._in_flight = in_flight
        self._of_one_group = of_one_group
        self._groups = Counter[str]()
        """Questions in flight."""
        self._waiters = waiters
        self._waiting = 0
        self._sockets = sockets
        self._flights: dict[Key, _Flight] = {}
        self._probes = set[_Flight]()
        self._channels: dict[tuple[Server, str], Carrier] = {}
        self._rates: dict[str, _Rate] = {}

    def __len__(self) -> int:
        """Questions in flight."""
        return len(self._flights)

    def ask(self, key: Key, done: Done) -> None:
        """Ask the group of `key`; an unknown group is one without servers. Raises nothing.

        `done` is called exactly once, by the loop, never before this returns, at most 5 s later.
        """
        flight = self._flights.get(key)
        if flight is not None and self._waiting < self._waiters:
            self._waiting += 1
            flight.waiters.append(done)
            return
        group = self._upstreams.group(key.group) or UpstreamGroup(key.group, ())
        now = self._loop.time()
        if flight is not None or len(self._flights) >= self._in_flight:
            self._shed(done, "too many questions are waiting")
        elif self._groups[group.name] >= self._of_one_group:
            self._shed(done, f"too many questions are waiting for upstream {group.name}")
        elif group.rate and not self._rate(group).allows(now):
            self._shed(done, f"upstream {group.name} is asked no more often than {group.rate} times a second")
        else:
            self._begin(group, key, done, now)

    def _rate(self, group: UpstreamGroup) -> _Rate:
        found = self._rates.get(group.name)
        if found is None:
            found = self._rates[group.name] = _Rate(group.rate)
        return found

    def _shed(self, done: Done, why: str) -> None:
        self.shed += 1
        self._loop.call_soon(done, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, why, lasting=False))

    def _begin(self, group: UpstreamGroup, key: Key, done: Done, now: float) -> None:
        flight = self._flights[key] = _Flight(key, done)
        self._groups[key.group] += 1
        order = self.health.order(group)
        if group.policy == "race" and len(order) > 1 and not self.health.is_down(order[1]):
            delay = self.health.hedge(order[0])
            flight.hedge = self._loop.call_later(delay, self._start, flight, group, order[1:] + order[:1], 1)
        self._start(flight, group, order)
        server = self.health.probe(group, now)
        if server is not None and server != order[0]:
            probe = _Flight(key)
            self._probes.add(probe)
            self._start(probe, group, [server], 1)

    def _start(self, flight: _Flight, group: UpstreamGroup, servers: list[Server], tries: int = TRIES) -> None:
        now = self._loop.time()
        exchange = Exchange(
            flight.key, servers, now, random_ids.below, self.health,
            mixed_case=group.mixed_case, marker=self._mark(flight.key), tries=tries,
        )  # fmt: skip
        leg = _Leg(flight, exchange)
        flight.legs.append(leg)
        self._go_on(leg, exchange.start(now))

    def close(self) -> None:
        """Close every socket; what is in flight fails, on the loop's next turn. Nothing may be asked after it."""
        for channel in self._channels.values():
            channel.close()
        for flight in (*self._flights.values(), *self._probes):
            self._end(flight, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "shutting down", lasting=False))

    # -- what happens

    def _go_on(self, leg: _Leg, action: Action) -> None:
        """Do what the exchange says; the leg waits for nothing now."""
        rate = self._rates.get(leg.flight.key.group)
        while isinstance(action, Send):
            if rate is not None:
                now = self._loop.time()
                if not rate.allows(now):
                    action = leg.exchange.error(f"asked no more often than {rate.rate} times a second", now, ours=True)
                    continue
                rate.count(now)
            self.queries += 1
            self.tcp += action.transport != "udp"
            try:
                channel = self._channel(action.server, action.transport)
                channel.ask(leg, action.packet)
            except OSError as error:
                self.errors += 1
                ours = error.errno in SHORTAGE
                action = leg.exchange.error(_reason(error), self._loop.time(), ours=ours)
            else:
                leg.channel = channel
                leg.timer = self._loop.call_at(action.deadline, self._timed_out, leg)
                return
        flight = leg.flight
        flight.legs.remove(leg)
        if isinstance(action, Message) or not flight.legs:
            self._end(flight, action)

    def _end(self, flight: _Flight, result: Message | UpstreamFailure) -> None:
        self._probes.discard(flight)
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
            self._groups[flight.key.group] -= 1
            self._waiting -= len(flight.waiters) - 1
        if flight.hedge:
            flight.hedge.cancel()
        for leg in flight.legs:
            leg.stop_waiting()
        flight.legs = []
        for done in flight.waiters:
            self._loop.call_soon(done, result)

    def _received(self, leg: _Leg | None, packet: bytes) -> None:
        """A message from a server, on the channel of `leg` or one that nobody waits for now."""
        now = self._loop.time()
        action = leg.exchange.reply(packet, now) if leg is not None else None
        if leg is None or action is None:
            self.mismatches += 1
            return
        self.replies += 1
        leg.stop_waiting(keep=True)
        self._go_on(leg, action)

    def _timed_out(self, leg: _Leg) -> None:
        self.timeouts += 1
        leg.stop_waiting()
        self._go_on(leg, leg.exchange.timeout(self._loop.time()))

    def _failed(self, leg: _Leg, error: OSError | EOFError) -> None:
        self.errors += 1
        leg.stop_waiting()
        ours = isinstance(error, OSError) and error.errno in SHORTAGE
        self._go_on(leg, leg.exchange.error(_reason(error), self._loop.time(), ours=ours))

    def _channel(self, server: Server, transport: str) -> Carrier:
        """Raises OSError where the authorities of a server cannot be read."""
        found = self._channels.get((server, transport))
        if found is None:
            found = self._channels[server, transport] = self._open(server, transport)
        return found

    def _open(self, server: Server, transport: str) -> Carrier:
        if transport == "udp":
            return UdpPool[_Leg]((server.address, server.port), self._sockets, self._loop, self._received, self._failed)
        return UpstreamConnection[_Leg](server, self._loop, self._received, self._failed)


def _reason(error: OSError | EOFError) -> str:
    """For a client to read; asyncio's own texts hold addresses."""
    if isinstance(error, EOFError):
        return "connection closed"
    if isinstance(error, ServerRefused):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not the expected one"
    if isinstance(error, ssl.SSLError):
        return "no TLS"
    if isinstance(error, TimeoutError):
        return "no connection"
    return os.strerror(error.errno) if error.errno else "network error"
