"""Asks upstream servers: timers, TCP and single flight around `upstream.exchange`, which decides what is next.

Refuses to know what a reply says, and how sockets are shared (`pool`). TCP is for servers configured so and for replies
that were truncated: one connection for each query (RFC 7766 allows more).
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from typing import Final

from resolver.cache import Key
from resolver.net.pool import Pool
from resolver.settings import Server
from resolver.upstream.exchange import Action, Exchange, Failure, Send
from resolver.upstream.policy import Upstreams
from resolver.wire import codes
from resolver.wire.relay import Message

Done = Callable[[Message | Failure], None]

IN_FLIGHT: Final = 4096  # questions; beyond that an error now serves the client better than an answer too late
WAITERS: Final = 1024  # for one question
SOCKETS: Final = 400  # over UDP to one server
CONNECTIONS: Final = 200  # over TCP at once; more wait, within their deadlines


class _Flight:
    """A question on its way, and who waits for it. `pool` is set while it waits for a datagram."""

    __slots__ = ("exchange", "key", "pool", "timer", "waiters")

    def __init__(self, key: Key, exchange: Exchange, done: Done) -> None:
        self.key = key
        self.exchange = exchange
        self.waiters = [done]
        self.timer: asyncio.TimerHandle | None = None
        self.pool: Pool[_Flight] | None = None

    def stop_waiting(self, *, keep: bool = False) -> None:
        """Give up the timer and the socket; `keep` as for `Pool.stop`."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.pool is not None:
            pool, self.pool = self.pool, None
            pool.stop(self, keep=keep)


class Resolver:
    """Asks questions, equal ones at the same time only once.

    Counts since the start: `queries`, and of these `tcp`, were sent or queued; `replies` came and matched.
    """

    def __init__(
        self,
        upstreams: Upstreams,
        loop: asyncio.AbstractEventLoop,
        *,
        in_flight: int = IN_FLIGHT,
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
        self._upstreams = upstreams
        self._loop = loop
        self._in_flight = in_flight
        self._waiters = waiters
        self._sockets = sockets
        self._flights: dict[Key, _Flight] = {}
        self._pools: dict[Server, Pool[_Flight]] = {}
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Questions in flight."""
        return len(self._flights)

    def ask(self, key: Key, done: Done) -> None:
        """Ask the group of `key`; an unknown group is one without servers. Raises nothing.

        `done` is called exactly once, by the loop, never before this returns, at most 5 s later.
        """
        flight = self._flights.get(key)
        if flight is not None and len(flight.waiters) < self._waiters:
            flight.waiters.append(done)
        elif flight is None and len(self._flights) < self._in_flight:
            group = self._upstreams.group(key.group)
            now = self._loop.time()
            exchange = Exchange(key, group.servers if group else (), now, _random_id)
            flight = self._flights[key] = _Flight(key, exchange, done)
            self._go_on(flight, exchange.start(now))
        else:
            self.shed += 1
            self._loop.call_soon(done, Failure(codes.NO_REACHABLE_AUTHORITY, "too many questions are waiting"))

    def close(self) -> None:
        """Close every socket; what is in flight fails, on the loop's next turn. Nothing may be asked after it."""
        for pool in self._pools.values():
            pool.close()
        for task in self._tasks:
            task.cancel()
        for flight in list(self._flights.values()):
            flight.stop_waiting()
            self._end(flight, Failure(codes.NO_REACHABLE_AUTHORITY, "shutting down"))

    def _go_on(self, flight: _Flight, action: Action) -> None:
        """Do what the exchange says; the flight waits for nothing now."""
        while isinstance(action, Send):
            self.queries += 1
            if action.transport == "tcp":
                self._ask_tcp(flight, action)
                return
            pool = self._pool(action.server)
            try:
                pool.ask(flight, action.packet)
            except OSError as error:
                self.errors += 1
                action = flight.exchange.error(_reason(error), self._loop.time())
            else:
                flight.pool = pool
                flight.timer = self._loop.call_at(action.deadline, self._timed_out, flight)
                return
        self._end(flight, action)

    def _end(self, flight: _Flight, result: Message | Failure) -> None:
        del self._flights[flight.key]
        for done in flight.waiters:
            self._loop.call_soon(done, result)

    def _received(self, flight: _Flight | None, packet: bytes) -> None:
        """A datagram from a server, to the socket of `flight` or to one that nobody uses now."""
        action = flight.exchange.reply(packet, self._loop.time()) if flight is not None else None
        if flight is None or action is None:
            self.mismatches += 1
            return
        self.replies += 1
        flight.stop_waiting(keep=True)
        self._go_on(flight, action)

    def _timed_out(self, flight: _Flight) -> None:
        self.timeouts += 1
        flight.stop_waiting()
        self._go_on(flight, flight.exchange.timeout(self._loop.time()))

    def _failed(self, flight: _Flight, error: OSError | EOFError) -> None:
        self.errors += 1
        flight.stop_waiting()
        self._go_on(flight, flight.exchange.error(_reason(error), self._loop.time()))

    def _pool(self, server: Server) -> Pool[_Flight]:
        pool = self._pools.get(server)
        if pool is None:
            address = server.address, server.port
            pool = self._pools[server] = Pool(address, self._sockets, self._loop, self._received, self._failed)
        return pool

    def _ask_tcp(self, flight: _Flight, send: Send) -> None:
        self.tcp += 1
        task = self._loop.create_task(self._converse(flight, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, flight: _Flight, send: Send) -> None:
        """One query over TCP, from connect to the reply that matches."""
        try:
            async with asyncio.timeout_at(send.deadline), self._connections:
                action = await self._exchange_frames(flight.exchange, send)
        except TimeoutError:
            self._timed_out(flight)
        except (OSError, EOFError) as error:
            self._failed(flight, error)
        else:
            self.replies += 1
            self._go_on(flight, action)

    async def _exchange_frames(self, exchange: Exchange, send: Send) -> Action:
        reader, writer = await asyncio.open_connection(send.server.address, send.server.port)
        try:
            writer.write(len(send.packet).to_bytes(2) + send.packet)
            while True:
                size = int.from_bytes(await reader.readexactly(2))
                action = exchange.reply(await reader.readexactly(size), self._loop.time())
                if action is not None:
                    return action
                self.mismatches += 1
        finally:
            writer.transport.abort()


def _random_id() -> int:
    return secrets.randbelow(0x10000)


def _reason(error: OSError | EOFError) -> str:
    """For a client to read; asyncio's own texts hold addresses."""
    if isinstance(error, EOFError):
        return "connection closed"
    return os.strerror(error.errno) if error.errno else "network error"
