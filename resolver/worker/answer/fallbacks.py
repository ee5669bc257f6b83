"""Fallbacks: questions that no endpoint answered although their names may be expected to be private.

Counted by zone, name, network and reason.
The number of names between two reports is bounded.
"""

from collections.abc import Callable
from typing import Final

from resolver.channel.frames import FALLBACK_CLIENTS, Fallback, FallbackReason
from resolver.worker.answer.counters import Counters
from zones.clocks import WallTime
from zones.dns.name import Name, to_text
from zones.networks.prefixes import NetworkIndex

LIMIT: Final = 2_000
"""Different (zone, name, network, reason) between two reports; further ones are counted by zone only."""


class Fallbacks:
    """The fallbacks since the last report.

    `label` returns the name of a network by its index, `clock` the seconds since the epoch.
    """

    def __init__(self, label: Callable[[NetworkIndex], str], counters: Counters, clock: Callable[[], WallTime]) -> None:
        self._label = label
        self._counters = counters
        self._clock = clock
        self._noted: dict[tuple[Name, Name, NetworkIndex, FallbackReason], _Noted] = {}

    def note(self, zone: Name, name: Name, reason: FallbackReason, network: NetworkIndex, client: bytes) -> None:
        """Count one answer for `name` inside `zone` to a client, given by its packed address."""
        self._counters.add(_METRICS[reason], ("(alone)" if zone == name else to_text(zone),))
        now, key = self._clock(), (zone, name, network, reason)
        there = self._noted.get(key)
        if there is None:
            if len(self._noted) >= LIMIT:
                return
            there = self._noted[key] = _Noted(now)
        there.count += 1
        there.last = now
        if len(there.clients) < FALLBACK_CLIENTS:
            there.clients[client] = None

    def report(self) -> list[Fallback]:
        """Return the fallbacks since the last call."""
        noted, self._noted = self._noted, {}
        return [
            Fallback(zone, name, self._label(network), reason, it.count, it.first, it.last, tuple(it.clients))
            for (zone, name, network, reason), it in noted.items()
        ]


_METRICS: Final = {FallbackReason.MISS_POLICY: "fallback_total", FallbackReason.NO_NETWORK: "no_network_total"}


class _Noted:
    __slots__ = ("clients", "count", "first", "last")

    def __init__(self, now: WallTime) -> None:
        self.count = 0
        self.first = now
        self.last = now
        self.clients: dict[bytes, None] = {}
