"""Fallbacks: questions inside a private zone that an upstream answered, counted by zone, name and network.

These are the names that a person may expect to be private. The number of names between two reports is bounded.
"""

from collections.abc import Callable
from typing import Final

from resolver.channel.frames import FALLBACK_CLIENTS, Fallback
from resolver.worker.answer.counters import Counters
from zones.clocks import WallTime
from zones.dns.name import Name, to_text
from zones.networks.prefixes import NetworkIndex

LIMIT: Final = 2_000
"""Different (zone, name, network) between two reports; further ones are counted by zone only."""


class Fallbacks:
    """The fallbacks since the last report.

    `label` returns the name of a network by its index, `clock` the seconds since the epoch.
    """

    def __init__(self, label: Callable[[NetworkIndex], str], counters: Counters, clock: Callable[[], WallTime]) -> None:
        self._label = label
        self._counters = counters
        self._clock = clock
        self._noted: dict[tuple[Name, Name, NetworkIndex], _Noted] = {}

    def note(self, zone: Name, name: Name, network: NetworkIndex, client: bytes) -> None:
        """Count one answer by an upstream for `name` inside `zone`. `client` is a packed address."""
        self._counters.add("fallback_total", (to_text(zone),))
        now = self._clock()
        there = self._noted.get((zone, name, network))
        if there is None:
            if len(self._noted) >= LIMIT:
                return
            there = self._noted[zone, name, network] = _Noted(now)
        there.count += 1
        there.last = now
        if len(there.clients) < FALLBACK_CLIENTS:
            there.clients[client] = None

    def report(self) -> list[Fallback]:
        """Return the fallbacks since the last call."""
        noted, self._noted = self._noted, {}
        return [
            Fallback(zone, name, self._label(network), it.count, it.first, it.last, tuple(it.clients))
            for (zone, name, network), it in noted.items()
        ]


class _Noted:
    __slots__ = ("clients", "count", "first", "last")

    def __init__(self, now: WallTime) -> None:
        self.count = 0
        self.first = now
        self.last = now
        self.clients: dict[bytes, None] = {}
