"""A question on its way to upstream servers: the exchanges that run for it, and the callbacks that wait for its result.

Only data. `forwarder` decides what happens to it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.exchange import Exchange
from resolver.wire.relay import Message

Done = Callable[[Message | UpstreamFailure], None]
"""Takes the result of a question."""


class Carrier(Protocol):
    """Carries queries to one server: a `UdpPool` or an `UpstreamConnection`."""

    def ask(self, asker: "Leg", packet: bytes) -> None:
        """Send `packet`. Raises OSError."""

    def stop(self, asker: "Leg", *, keep: bool) -> None:
        """Stop waiting. `keep`: the query was answered, so that its socket may be used again."""

    def close(self) -> None:
        """Close all sockets."""


class Leg:
    """One exchange of a flight. A flight has one leg, or two in a race."""

    __slots__ = ("carrier", "exchange", "flight", "timer")

    def __init__(self, flight: "Flight", exchange: Exchange) -> None:
        self.flight = flight
        self.exchange = exchange
        self.timer: asyncio.TimerHandle | None = None
        self.carrier: Carrier | None = None

    def stop_waiting(self, *, keep: bool = False) -> None:
        """Cancel the timer and stop waiting on the carrier; `keep` as for `Carrier.stop`."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.carrier is not None:
            carrier, self.carrier = self.carrier, None
            carrier.stop(self, keep=keep)


class Flight:
    """A question on its way. A probe has no waiters."""

    __slots__ = ("hedge", "key", "legs", "waiters")

    def __init__(self, key: Key, *waiters: Done) -> None:
        self.key = key
        self.waiters = list(waiters)
        self.legs: list[Leg] = []
        self.hedge: asyncio.TimerHandle | None = None
        """The timer that starts the second leg of a race."""
