"""Questions inside a private zone that went to an upstream: counted by zone, name and network, in bounded room.

These are the names that a person may expect to be private. Time is given by the caller's clock, wall seconds.
"""

from collections.abc import Callable
from typing import Final

from resolver.channel.frames import FALLBACK_CLIENTS, Fallback
from resolver.worker.answer.counters import Counters
from zones.dns.name import Name, to_text

LIMIT: Final = 2_000
"""Distinct (zone, name, network) between two reports; what is beyond is counted by zone alone."""


class Fallbacks:
    """What fell back since the last report. `label` tells the name of a network by its index."""

    def __init__(self, label: Callable[[int], str], counters: Counters, clock: Callable[[], float]) -> None:
        self._label = label
        self._counters = counters
        self._clock = clock
        self._noted: dict[tuple[Name, Name, int], _Noted] = {}

    def note(self, zone: Name, name: Name, network: int, client: bytes) -> None:
        """One answer for `name`, missed in `zone`, came from an upstream; `client` is an address, packed."""
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
        """What was noted since the last call."""
        noted, self._noted = self._noted, {}
        return [
            Fallback(zone, name, self._label(network), it.count, it.first, it.last, tuple(it.clients))
            for (zone, name, network), it in noted.items()
        ]


class _Noted:
    __slots__ = ("clients", "count", "first", "last")

    def __init__(self, now: float) -> None:
        self.count = 0
        self.first = now
        self.last = now
        self.clients: dict[bytes, None] = {}
