"""The hub: turns each change of the estate into octets once, and gives every spoke what it does not have yet.

A spoke whose serial is in the history gets the changes after it. Any other spoke gets a whole copy first, which is
encoded once for all spokes that need one. A spoke that reads so slowly that the history no longer has its next change
is dropped. Parts that come from another hub are left out, so that hubs may follow each other.

Does not know HTTP, or who the spokes are.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Final, NamedTuple

from resolver.control.estate.estate import Estate
from resolver.control.estate.part_log import Place
from resolver.control.estate.source_health import SourceStatus
from resolver.hub.difference import batches, difference
from resolver.hub.history import History
from resolver.hub.messages import (
    FORMAT,
    HEARTBEAT,
    Change,
    Message,
    PartDelta,
    SourceState,
    SourceStates,
    Welcome,
    ZoneDelta,
    frame,
)
from resolver.process import wall_clock
from resolver.version import VERSION
from zones.azure.endpoint import ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.clocks import WallTime

PAUSE: Final = 0.05
"""Least seconds between two messages to the spokes. Changes in between travel together."""
EACH: Final = 0.0001
"""Seconds that the pause is longer for each spoke, so that writing takes at most a part of the time."""
_STALE_COPY: Final = 1 << 20
"""Octets of changes that a spoke may read after a whole copy, before another copy is made. More for large copies."""
_LARGE: Final = 20_000
"""Resources in a change, such as the first reading of a source, from which on every spoke copies the whole instead: a
copy is encoded beside other work."""
_UNUSED: Final = 60.0
"""Seconds after which a whole copy that no spoke has asked for is forgotten."""
_UNREADABLE: Final = 100
"""Unreadable parts of a source that spokes learn of."""


class Lagging(Exception):  # noqa: N818 - the state of a spoke
    """A spoke has read so slowly that its next change is not kept any more."""


class WholeCopy(NamedTuple):
    """All parts and zones as they were at a serial, as frames of one change."""

    serial: int
    frames: list[bytes]
    octets: int


class HubPublisher:
    """Publishes one estate. Serials begin again with each start, in a new epoch."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._history = History(uuid.uuid4().hex)
        self._parts: dict[Place, Resources] = {}
        """What spokes at the present serial have."""
        self._zones: dict[ResourceId, PrivateZone] = {}
        self._states = SourceStates()
        self._state_frame = frame(self._states)
        self._due = asyncio.Event()
        self._news = asyncio.Event()
        """Set, and replaced, when there is something new for spokes."""
        self._copy: WholeCopy | None = None
        self._copy_used = 0.0
        """Monotonic time of the last use of the copy."""
        self._copying = asyncio.Lock()
        self.followers = 0
        """Number of spokes that follow now."""
        self.copies = 0
        """Number of whole copies that were sent since the start."""
        self.caught_up = 0
        """Number of connections that went on from a serial, without a copy."""
        self.dropped = 0
        """Number of connections that ended because the spoke read too slowly."""
        estate.part_log.begin()
        estate.part_log.replaced()
        self.publish()

    @property
    def serial(self) -> int:
        """Serial of the last change."""
        return self._history.serial

    @property
    def octets(self) -> int:
        """Octets of the changes that are kept."""
        return self._history.octets

    def changed(self) -> None:
        """Note that the estate may have changed."""
        self._due.set()

    async def run(self) -> None:
        """Publish changes endlessly."""
        while True:
            self.publish()
            await asyncio.sleep(max(PAUSE, EACH * self.followers))
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await self._due.wait()
            except TimeoutError:
                self._state_frame = b""  # the ages of the sources have changed
            if time.monotonic() - self._copy_used > _UNUSED:
                self._copy = None

    def publish(self) -> None:
        """Add what has changed since the last call to the history."""
        self._due.clear()
        places, zones_changed = self._estate.part_log.take()
        deltas = self._deltas(places)
        zones = self._zone_delta() if zones_changed else ZoneDelta()
        states = SourceStates(tuple(self._states_now(wall_clock.now())))
        has_states = not self._state_frame or _ageless(states) != _ageless(self._states)
        if has_states:
            self._states, self._state_frame = states, frame(states)
        if sum(map(_size, deltas)) > _LARGE:
            self._history.skip()
        elif deltas or zones != ZoneDelta():
            serial = self._history.serial + 1
            self._history.add(b"".join(frame(each) for each in _messages(serial, iter(deltas), zones)))
        elif not has_states:
            return
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def follow(self, epoch: str, serial: int) -> AsyncGenerator[bytes, None]:
        """Yield what a spoke must be sent that has the state after this serial of an epoch. Raises `Lagging`."""
        whole = epoch != self._history.epoch or not self._history.covers(serial)
        self.followers += 1
        try:
            yield frame(Welcome(FORMAT, VERSION, self._history.epoch, whole))
            states = self._state_frame
            yield states
            if whole:
                self.copies += 1
                copy = await self._whole_copy()
                for octets in copy.frames:
                    yield octets
                serial = copy.serial
            else:
                self.caught_up += 1
            while True:
                news = self._news
                if states is not self._state_frame:
                    states = self._state_frame
                    yield states
                while serial < self._history.serial:
                    if not self._history.covers(serial):
                        self.dropped += 1
                        raise Lagging
                    yield self._history.next(serial)
                    serial += 1
                await news.wait()
        finally:
            self.followers -= 1

    # -- what has changed

    def _deltas(self, places: set[Place] | None) -> list[PartDelta]:
        """Return what differs in these parts from what the spokes have. None: in all parts."""
        now: Mapping[Place, Resources | None]
        if places is None:
            every = {(source, part): data for source, part, data in self._estate.inventory.parts()}
            now = {place: every.get(place) for place in (*self._parts, *every)}
        else:
            now = {place: self._estate.inventory.part(*place) for place in sorted(places)}
        found: list[PartDelta] = []
        for place, data in now.items():
            new = data if self._is_published(place[0]) else None
            if new is (old := self._parts.get(place)):
                continue
            found += difference(*place, old, new)
            if new is None:
                del self._parts[place]
            else:
                self._parts[place] = new
        return found

    def _zone_delta(self) -> ZoneDelta:
        every = {
            zone.key: zone
            for source, zones in self._estate.private.all()
            if self._is_published(source)
            for zone in zones
        }
        before, self._zones = self._zones, every
        changed = tuple(zone for key, zone in every.items() if before.get(key) != zone)
        return ZoneDelta(changed, tuple(before.keys() - every.keys()))

    def _is_published(self, source: str) -> bool:
        status = self._estate.sources.get(source)
        return status is not None and status.type != "hub"

    def _states_now(self, now: WallTime) -> Iterator[SourceState]:
        for name, status in self._estate.sources.items():
            if self._is_published(name):
                yield _state(status, dict(self._estate.health.unreadable_parts(name)), now)

    # -- whole copies

    async def _whole_copy(self) -> WholeCopy:
        """Return a whole copy after which the history has all changes. Spokes that ask meanwhile get the same one."""
        async with self._copying:
            copy = self._copy
            if copy is None or not self._history.covers(copy.serial) or self._is_outdated(copy):
                serial, parts, zones = self._history.serial, list(self._parts.items()), tuple(self._zones.values())
                deltas = (each for place, data in parts for each in difference(*place, None, data))
                messages = _messages(serial, deltas, ZoneDelta(zones))
                frames: list[bytes] = []
                while (octets := await asyncio.to_thread(_next_frame, messages)) is not None:
                    frames.append(octets)
                copy = self._copy = WholeCopy(serial, frames, sum(map(len, frames)))
            self._copy_used = time.monotonic()
            return copy

    def _is_outdated(self, copy: WholeCopy) -> bool:
        return self._history.since(copy.serial) > max(_STALE_COPY, copy.octets // 2)


def _next_frame(messages: Iterator[Message]) -> bytes | None:
    message = next(messages, None)
    return None if message is None else frame(message)


def _messages(serial: int, deltas: Iterator[PartDelta], zones: ZoneDelta) -> Iterator[Message]:
    """Yield one change as messages of bounded size."""
    for parts in batches(deltas):
        yield Change(serial, parts, more=True)
    for zone in zones.changed:
        yield Change(serial, zones=ZoneDelta((zone,)), more=True)
    yield Change(serial, zones=ZoneDelta((), zones.gone))


def _size(delta: PartDelta) -> int:
    return len(delta.changed.endpoints) + len(delta.changed.nics) + len(delta.changed.vnets)


def _state(status: SourceStatus, unreadable: dict[str, str], now: WallTime) -> SourceState:
    some = dict(list(unreadable.items())[:_UNREADABLE])
    age = None if status.last_success is None else max(0.0, now - status.last_success)
    return SourceState(status.name, status.synced, age, status.freshness(now), status.last_error, some)


def _ageless(states: SourceStates) -> list[tuple[object, ...]]:
    return [(each.name, each.synced, each.freshness, each.error, each.unreadable) for each in states.sources]
