"""Asks upstream servers: runs the exchanges (`forward.exchange`) with timers, and asks equal questions only once.

Does not know what a reply contains, nor how sockets and connections are shared (`udp_pool`, `connection`).
"""

import asyncio
import os
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.client import random_ids
from resolver.forward.client.connection import UpstreamConnection
from resolver.forward.client.flight import Carrier, Done, Flight, Leg
from resolver.forward.client.session import ServerRefused
from resolver.forward.client.udp_pool import SHORTAGE, UdpPool
from resolver.forward.exchange import TRIES, Action, Exchange, Send
from resolver.forward.health import Health
from resolver.forward.rate_window import RateWindow
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Server, Transport, UpstreamGroup
from resolver.wire import codes
from resolver.wire.relay import Message
from zones.clocks import SteadyTime, steady_clock

IN_FLIGHT: Final = 4096
"""Most questions in flight. Beyond that, an error at once is better for the client than a late answer."""
OF_ONE_GROUP: Final = 2048
"""Most questions in flight to one group, so that a group whose servers are down leaves room for the others."""
WAITERS: Final = 65_536
"""Most clients that wait for a question which another client has asked. They need memory, but no upstream query."""
SOCKETS: Final = 400
"""Most UDP sockets to one server."""


class Forwarder:
    """Asks questions of upstream groups. Equal questions at the same time are asked once.

    Counts since the start: `queries` sent or queued, `tcp` of these not over UDP, `replies` that matched a query,
    `mismatches` that did not, `timeouts`, `errors` of sockets, and questions `shed` because of a limit.
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
        self._now = steady_clock(loop.time)
        self._mark = mark
        self._in_flight = in_flight
        self._of_one_group = of_one_group
        self._groups = Counter[str]()
        """Number of questions in flight by group."""
        self._waiters = waiters
        self._waiting = 0
        self._sockets = sockets
        self._flights: dict[Key, Flight] = {}
        self._probes = set[Flight]()
        self._carriers: dict[tuple[Server, Transport], Carrier] = {}
        self._rates: dict[str, RateWindow] = {}

    def __len__(self) -> int:
        """Return the number of questions in flight."""
        return len(self._flights)

    def ask(self, key: Key, done: Done) -> None:
        """Ask the question `key` of its group. An unknown group has no servers. Raises nothing.

        The loop calls `done` exactly once, after this method has returned and at most 5 s later.
        """
        flight = self._flights.get(key)
        if flight is not None and self._waiting < self._waiters:
            self._waiting += 1
            flight.waiters.append(done)
            return
        group = self._upstreams.group(key.group) or UpstreamGroup(key.group, ())
        now = self._now()
        if flight is not None or len(self._flights) >= self._in_flight:
            self._shed(done, "too many questions are waiting")
        elif self._groups[group.name] >= self._of_one_group:
            self._shed(done, f"too many questions are waiting for upstream {group.name}")
        elif group.rate and not self._rate(group).allows(now):
            self._shed(done, f"upstream {group.name} is asked no more often than {group.rate} times a second")
        else:
            self._begin(group, key, done, now)

    def _rate(self, group: UpstreamGroup) -> RateWindow:
        found = self._rates.get(group.name)
        if found is None:
            found = self._rates[group.name] = RateWindow(group.rate)
        return found

    def _shed(self, done: Done, why: str) -> None:
        self.shed += 1
        self._loop.call_soon(done, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, why, lasting=False))

    def _begin(self, group: UpstreamGroup, key: Key, done: Done, now: SteadyTime) -> None:
        flight = self._flights[key] = Flight(key, done)
        self._groups[key.group] += 1
        order = self.health.order(group)
        if group.policy == "race" and len(order) > 1 and not self.health.is_down(order[1]):
            delay = self.health.hedge(order[0])
            flight.hedge = self._loop.call_later(delay, self._start, flight, group, order[1:] + order[:1], 1)
        self._start(flight, group, order)
        server = self.health.probe(group, now)
        if server is not None and server != order[0]:
            probe = Flight(key)
            self._probes.add(probe)
            self._start(probe, group, [server], 1)

    def _start(self, flight: Flight, group: UpstreamGroup, servers: list[Server], tries: int = TRIES) -> None:
        now = self._now()
        exchange = Exchange(
            flight.key, servers, now, random_ids.below, self.health,
            mixed_case=group.mixed_case, mark=self._mark(flight.key), tries=tries,
        )  # fmt: skip
        leg = Leg(flight, exchange)
        flight.legs.append(leg)
        self._go_on(leg, exchange.start(now))

    def close(self) -> None:
        """Close all sockets. Questions in flight fail on the loop's next turn. No question may be asked afterwards."""
        for carrier in self._carriers.values():
            carrier.close()
        for flight in (*self._flights.values(), *self._probes):
            self._end(flight, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "shutting down", lasting=False))

    # -- actions of an exchange, and events of carriers

    def _go_on(self, leg: Leg, action: Action) -> None:
        """Do what the exchange of a leg asks for. The leg must not be waiting."""
        rate = self._rates.get(leg.flight.key.group)
        while isinstance(action, Send):
            if rate is not None:
                now = self._now()
                if not rate.allows(now):
                    action = leg.exchange.error(f"asked no more often than {rate.rate} times a second", now, local=True)
                    continue
                rate.count(now)
            self.queries += 1
            self.tcp += action.transport != "udp"
            try:
                carrier = self._carrier(action.server, action.transport)
                carrier.ask(leg, action.packet)
            except OSError as error:
                self.errors += 1
                local = error.errno in SHORTAGE
                action = leg.exchange.error(_reason(error), self._now(), local=local)
            else:
                leg.carrier = carrier
                leg.timer = self._loop.call_at(action.deadline, self._timed_out, leg)
                return
        flight = leg.flight
        flight.legs.remove(leg)
        if isinstance(action, Message) or not flight.legs:
            self._end(flight, action)

    def _end(self, flight: Flight, result: Message | UpstreamFailure) -> None:
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

    def _received(self, leg: Leg | None, packet: bytes) -> None:
        """Take a message from a server. `leg` is None when no leg waits for a message on that socket."""
        now = self._now()
        action = leg.exchange.reply(packet, now) if leg is not None else None
        if leg is None or action is None:
            self.mismatches += 1
            return
        self.replies += 1
        leg.stop_waiting(keep=True)
        self._go_on(leg, action)

    def _timed_out(self, leg: Leg) -> None:
        self.timeouts += 1
        leg.stop_waiting()
        self._go_on(leg, leg.exchange.timeout(self._now()))

    def _failed(self, leg: Leg, error: OSError | EOFError) -> None:
        self.errors += 1
        leg.stop_waiting()
        local = isinstance(error, OSError) and error.errno in SHORTAGE
        self._go_on(leg, leg.exchange.error(_reason(error), self._now(), local=local))

    def _carrier(self, server: Server, transport: Transport) -> Carrier:
        """Return the carrier to a server. Raises OSError when the file of its authorities cannot be read."""
        found = self._carriers.get((server, transport))
        if found is None:
            found = self._carriers[server, transport] = self._open(server, transport)
        return found

    def _open(self, server: Server, transport: Transport) -> Carrier:
        if transport == "udp":
            return UdpPool[Leg]((server.address, server.port), self._sockets, self._loop, self._received, self._failed)
        return UpstreamConnection[Leg](server, self._loop, self._received, self._failed)


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
