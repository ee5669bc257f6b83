"""A spoke's data of its hub: applies the messages of the hub to the estate.

A part of the estate is a part of a source of the hub, with both names. A change is applied when its last message has
arrived, so a connection that ends in the middle changes nothing. Changes are trusted, because the hub's guard has
decided about them. The guard of the spoke decides about whole copies, and about the data of sources that the hub has no
more. Does not know connections.
"""

from collections.abc import Iterable
from typing import Final

from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import Position, SourceStatus
from resolver.control.guard import hub_guard, sync_state
from resolver.control.guard.hub_guard import part_name, source_of
from resolver.control.guard.sync_state import NothingHeld, SyncDecision
from resolver.hub import checked_zones
from resolver.hub.difference import applied
from resolver.hub.messages import Change, Message, PartDelta, SourceState, SourceStates, Welcome, ZoneDelta
from resolver.sources.reading import PrivateReading
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import Name

_NO_ZONES: Final = ZoneDelta()
MOST: Final = 5_000_000
"""Pieces of parts that one change may have. A registry has one part for each endpoint."""
_NAMED: Final = 5
"""Sources of the hub with a problem that the error names, at most."""

Parts = dict[str, Resources | None]
"""New data of parts by name; None for a part that is gone."""


class HubReplica:
    """The replica of the source `name`."""

    def __init__(self, name: str, estate: Estate) -> None:
        self._name = name
        self._estate = estate
        self._parts = dict(estate.inventory.of(name))
        """The parts of the source as the estate has them."""
        self._welcome: Welcome | None = None
        self._whole = False
        """The next change is a whole copy."""
        self._deltas: list[PartDelta] = []
        """The change that is arriving, or changes that have arrived and are not applied yet."""
        self._zones: list[ZoneDelta] = []
        self._arrived = 0
        """How many of `_deltas` and of `_zones` belong to changes that are complete."""
        self._arrived_zones = 0
        self._serial: int | None = None
        """Of the last complete change that is not applied yet."""
        self._last: int | None = None
        """Serial of the last change that is applied; None before a whole copy."""
        self._sources: dict[str, SourceState] = {}
        self._unread: set[str] = set()
        """Parts that a whole copy lacked because the hub had not read their source yet. They are kept until then."""

    @property
    def _status(self) -> SourceStatus:
        return self._estate.sources[self._name]

    @property
    def is_current(self) -> bool:
        """Whether everything is applied that the hub had when the connection began."""
        return self._welcome is not None and not self._whole

    def begin(self) -> Position | None:
        """Forget what a connection left unfinished. Return from where the next one goes on; None: a whole copy."""
        self._welcome, self._whole = None, False
        self._deltas, self._zones, self._arrived, self._arrived_zones, self._serial = [], [], 0, 0, None
        position = self._status.position
        self._last = position.serial if position else None
        return position

    def take(self, messages: Iterable[Message], now: WallTime) -> set[Name]:
        """Apply messages, in their order. Return the names whose answers changed.

        Raises ValueError for a message that may not be there.
        """
        changed: set[Name] = set()
        for message in messages:
            match message:
                case Welcome():
                    self._welcome, self._whole = message, message.whole
                case SourceStates():
                    self._sources = {each.name: each for each in message.sources}
                    changed |= self._states_changed(now)
                case Change():
                    changed |= self._collect(message, now)
        changed |= self._apply_arrived(now)
        self._report(now)
        return changed

    def accept(self, now: WallTime) -> set[Name]:
        """Publish what is held. Raises `NothingHeld`."""
        held = self._status.sync_state.held
        if held is None:
            raise NothingHeld
        return self._decided(sync_state.accept(held), now)

    # -- messages

    def _collect(self, change: Change, now: WallTime) -> set[Name]:
        if self._welcome is None:
            raise ValueError("the stream does not begin with a welcome")
        before = self._last if self._serial is None else self._serial
        if not self._whole and before is not None and change.serial != before + 1:
            raise ValueError(f"change {change.serial} follows change {before}")
        for zone in change.zones.changed:
            checked_zones.check(zone)
        self._deltas += change.parts
        if len(self._deltas) > MOST:
            raise ValueError(f"a change of more than {MOST} pieces")
        self._zones.append(change.zones)
        if change.more:
            return set()
        self._arrived, self._arrived_zones, self._serial = len(self._deltas), len(self._zones), change.serial
        return self._apply_arrived(now) if self._whole else set()

    def _apply_arrived(self, now: WallTime) -> set[Name]:
        """Apply the changes that are complete, as one."""
        if self._serial is None or self._welcome is None:
            return set()
        deltas, self._deltas = self._deltas[: self._arrived], self._deltas[self._arrived :]
        zones, self._zones = self._zones[: self._arrived_zones], self._zones[self._arrived_zones :]
        position, self._last, self._serial = Position(self._welcome.epoch, self._serial), self._serial, None
        self._arrived = self._arrived_zones = 0
        by_part: dict[str, list[PartDelta]] = {}
        for each in deltas:
            by_part.setdefault(part_name(each.source, each.part), []).append(each)
        whole, self._whole = self._whole, False
        if whole:
            changed = self._take_copy({part: applied(None, some) for part, some in by_part.items()}, now)
        else:
            self._unread -= by_part.keys()
            changed = self._take_changes(
                {part: applied(self._latest(part), some) for part, some in by_part.items()}, now
            )
        changed |= self._take_zones(zones, whole=whole, now=now)
        is_complete = self._status.sync_state.held is None and not self._unread
        self._status.position = position if is_complete else None
        return changed

    def _latest(self, part: str) -> Resources | None:
        """Return a part as the hub has it, be it held or not."""
        held = self._status.sync_state.held
        if held and part in (waiting := held.parts):
            return waiting[part]
        return self._parts.get(part)

    def _take_copy(self, parts: Parts, now: WallTime) -> set[Name]:
        """Take a whole copy. A part that it lacks is gone, unless the hub has not read the source of the part yet."""
        held = self._status.sync_state.held
        absent = (self._parts.keys() | (held.parts.keys() if held else set())) - parts.keys()
        self._unread = {part for part in absent if (of := self._sources.get(source_of(part))) and not of.synced}
        return self._decide({**parts, **dict.fromkeys(absent - self._unread)}, now)

    def _take_changes(self, parts: Parts, now: WallTime) -> set[Name]:
        loses_source = any(data is None and source_of(part) not in self._sources for part, data in parts.items())
        if self._status.sync_state.held or loses_source:
            return self._decide(parts, now)
        self._keep(parts)
        return self._estate.take([(self._name, part, data) for part, data in parts.items()], now)

    def _decide(self, parts: Parts, now: WallTime) -> set[Name]:
        status = self._status
        decision = hub_guard.decide(self._parts, parts, self._lost(), status.sync_state, status.guard, now)
        return self._decided(decision, now)

    def _decided(self, decision: SyncDecision, now: WallTime) -> set[Name]:
        changed = self._estate.take_decision(self._name, decision, now)
        self._keep(decision.parts)
        return changed

    def _keep(self, parts: Parts) -> None:
        for part, data in parts.items():
            if data is None:
                self._parts.pop(part, None)
            else:
                self._parts[part] = data

    def _take_zones(self, deltas: list[ZoneDelta], *, whole: bool, now: WallTime) -> set[Name]:
        if self._estate.private.mode(self._name) == "off" or not (whole or any(each != _NO_ZONES for each in deltas)):
            return set()
        had = self._estate.private.of(self._name)
        zones = {} if whole else dict(had)
        for each in deltas:
            for key in each.gone:
                zones.pop(key, None)
            zones |= {zone.key: zone for zone in each.changed}
        return self._estate.take_private_dns(
            self._name, PrivateReading(zones, frozenset(had.keys() - zones.keys())), now
        )

    # -- the sources of the hub

    def _states_changed(self, now: WallTime) -> set[Name]:
        """Record which parts the hub cannot read, and remove those that it turned out not to have."""
        estate, lost = self._estate, self._lost()
        before = dict(estate.health.unreadable_parts(self._name))
        for part in before.keys() - lost.keys():
            estate.health.read_part(self._name, part, self._parts.get(part), now)
        changed = estate.take([(self._name, part, why) for part, why in lost.items() if before.get(part) != why], now)
        read = {part for part in self._unread if (of := self._sources.get(source_of(part))) is None or of.synced}
        if read and not self._whole:
            self._unread -= read
            changed |= self._decide(dict.fromkeys(read), now)
        return changed

    def _lost(self) -> dict[str, str]:
        return {
            part_name(each.name, part): why for each in self._sources.values() for part, why in each.unreadable.items()
        }

    def _report(self, now: WallTime) -> None:
        """Record how old the data is. The age is that of the oldest source that the hub itself finds too old."""
        status = self._status
        if self._whole or self._welcome is None or status.sync_state.held:
            return
        problems = [why for each in self._sources.values() if (why := _problem(each))]
        if not self._sources:
            problems = ["the hub has no source of its own"]
        ages = [each.age or 0.0 for each in self._sources.values() if each.freshness in {"stale", "expired"}]
        if not status.synced and not (self._sources and all(each.synced for each in self._sources.values())):
            self._estate.health.failed(self._name, "; ".join(problems[:_NAMED]), now)
            return
        status.synced, status.saved = True, False
        read_at = WallTime(now - max(ages, default=0.0))
        self._estate.health.followed(self._name, len(self._parts), read_at, "; ".join(problems[:_NAMED]), now)


def _problem(state: SourceState) -> str:
    """Return what is wrong with a source of the hub; empty where nothing is."""
    if not state.synced:
        what = "has not been read yet"
    elif state.freshness in {"stale", "expired"}:
        what = f"is {state.freshness} there"
    elif state.error and state.error not in {f"{part}: {why}" for part, why in state.unreadable.items()}:
        what = "cannot be read there"
    else:
        return ""
    return f"the hub's source {state.name} {what}" + (f": {state.error}" if state.error else "")
