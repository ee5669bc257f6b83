"""A worker slot: its sockets, the process that serves it, and the sibling that reads the sockets meanwhile.

The sockets stay open in the supervisor, so packets wait in them while a worker is replaced. The kernel keeps assigning
clients to these sockets, so a sibling reads them when the worker stays absent for longer.
"""

import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from resolver.process import orders
from resolver.supervisor.child import Child
from zones.clocks import SteadyTime

ABSENCE: Final = 1.0
"""Seconds that a worker may be absent before a sibling reads its sockets."""
_NEVER: Final = SteadyTime(0.0)

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Slot:
    """One of the worker slots. Times are monotonic seconds."""

    index: int
    process: Child
    sockets: tuple[socket.socket, ...]
    absent_since: SteadyTime | None
    """None while the process reads its sockets."""
    adopter: "Slot | None" = None
    """The sibling that reads the sockets."""
    tried: SteadyTime = _NEVER
    """When a sibling was last ordered to adopt the sockets."""

    @property
    def adopt_at(self) -> SteadyTime | None:
        """When a sibling is to adopt the sockets; None where none has to."""
        if self.absent_since is None or self.adopter:
            return None
        return SteadyTime(max(self.absent_since, self.tried) + ABSENCE)

    def ready(self) -> None:
        """Note that the process reads its sockets, and have the adopter release them."""
        self.absent_since = None
        if self.adopter and self.adopter.process.link:
            _release(self, self.adopter.process.link)
        self.adopter = None

    def ended(self, now: SteadyTime) -> None:
        """Note that the process ended. For one that never became ready, the absence has already started."""
        if self.absent_since is None:
            self.absent_since = now

    def hangs(self, now: SteadyTime) -> None:
        """Note that the process hangs: its packets have waited already, so a sibling is to read them at once."""
        self.absent_since = SteadyTime(now - ABSENCE)


def hand_over(slots: Iterable[Slot], now: SteadyTime) -> SteadyTime | None:
    """Have siblings adopt the sockets of workers that are absent too long. Return when to call again, None for never.

    Where no sibling is ready, the packets wait in the sockets, as with a single worker.
    """
    slots = list(slots)
    siblings = [slot for slot in slots if slot.absent_since is None and slot.process.link]
    if not siblings:
        return None
    for slot in slots:
        if slot.adopt_at is not None and slot.adopt_at <= now:
            slot.tried = now
            _adopt(slot, siblings[slot.index % len(siblings)])
    return min((slot.adopt_at for slot in slots if slot.adopt_at is not None), default=None)


def orphan(slots: Iterable[Slot], ended: Slot) -> None:
    """Note that the sockets which `ended` had adopted need another sibling."""
    for slot in slots:
        if slot.adopter is ended:
            slot.adopter = None


# An order fails where the worker has ended and will be reaped soon, or does not read its orders.


def _adopt(slot: Slot, sibling: Slot) -> None:
    if sibling.process.link is None:
        return
    try:
        orders.send_adopt(sibling.process.link, slot.index, slot.sockets)
    except OSError as error:
        _log.warning("%s cannot adopt the sockets of %s: %s", sibling.process.name, slot.process.name, error)
    else:
        slot.adopter = sibling
        _log.warning("%s is absent; %s reads its sockets", slot.process.name, sibling.process.name)


def _release(slot: Slot, link: socket.socket) -> None:
    try:
        orders.send_release(link, slot.index)
    except OSError as error:
        _log.warning("the sockets of %s cannot be released: %s", slot.process.name, error)
