"""A worker's place: its sockets, the process that fills it, and who reads the sockets while it is empty.

The sockets stay open in the supervisor, so packets wait in them while a process is replaced. But the kernel goes on
hashing clients to them, so a worker that is not back soon has them read by a sibling until it is.
"""

import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from resolver.supervisor.child import Process

ABSENCE: Final = 1.0
"""Seconds that a worker may be away before a sibling reads its sockets."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Place:
    """One of N. Times are monotonic seconds."""

    index: int
    process: Process
    sockets: tuple[socket.socket, ...]
    away_since: float | None
    """None while its process reads its sockets."""
    link: socket.socket | None = None
    """Our end of the `Link` to the process, None while none runs."""
    adopter: "Place | None" = None
    tried: float = 0.0
    """When a sibling was last asked."""

    @property
    def adopt_at(self) -> float | None:
        """When its sockets are to be read by a sibling; None: no need."""
        if self.away_since is None or self.adopter:
            return None
        return max(self.away_since, self.tried) + ABSENCE

    def back(self) -> None:
        """Its process reads the sockets now."""
        self.away_since = None
        if self.adopter and self.adopter.link:
            _send(self.adopter.link, f"release {self.index}")
        self.adopter = None

    def left(self, now: float) -> None:
        """Its process is gone. One that had never come back does not begin a new absence."""
        if self.away_since is None:
            self.away_since = now


def hand_over(places: Iterable[Place], now: float) -> float | None:
    """Give the sockets of who is away too long to a sibling that is not; returns when to look again, None: no need.

    Where nobody is there to take them, they wait in the queue, as with a single worker.
    """
    places = list(places)
    siblings = [place for place in places if place.away_since is None and place.link]
    if not siblings:
        return None
    for place in places:
        if place.adopt_at is not None and place.adopt_at <= now:
            place.tried = now
            _adopt(place, siblings[place.index % len(siblings)])
    return min((place.adopt_at for place in places if place.adopt_at is not None), default=None)


def orphan(places: Iterable[Place], gone: Place) -> None:
    """What `gone` had adopted needs someone else."""
    for place in places:
        if place.adopter is gone:
            place.adopter = None


def _adopt(place: Place, sibling: Place) -> None:
    if sibling.link and _send(sibling.link, f"adopt {place.index}", place.sockets):
        place.adopter = sibling
        _log.warning("%s is away; %s reads its sockets", place.process.name, sibling.process.name)


def _send(link: socket.socket, message: str, sockets: Iterable[socket.socket] = ()) -> bool:
    """Never waits: False where the worker is about to be reaped, or does not read what it is told."""
    try:
        socket.send_fds(link, [message.encode()], [sock.fileno() for sock in sockets])
    except OSError as error:
        _log.warning("could not tell a worker to %s: %s", message, error)
        return False
    return True
