"""The syncs of one remote source: read everything again and again, reread what is absent, and let the guard decide.

A sync that fails changes nothing. Does not know how a source is read, or who is notified of changes.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Final, NamedTuple, Protocol

from resolver.control.estate.source_health import SourceStatus, SyncOutcome
from resolver.control.guard import sync_guard, sync_state
from resolver.control.guard.rereads import Rereads, with_rereads
from resolver.control.guard.shrink_guard import SourceParts
from resolver.control.guard.sync_state import NothingHeld, SyncDecision
from resolver.process import wall_clock
from resolver.sources.reading import ReadError, Reading, RemoteSource
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import SteadyTime, WallTime

CONFIRMED: Final = 50
"""Absent resources that one sync rereads, at most. The others are removed after the hold-down."""
LONGEST: Final = 600.0
"""The most seconds between two tries of a source that fails, unless its own interval is longer."""
_ABREAST: Final = 8
"""Rereads in progress at the same time."""
_LONGEST_SLEEP: Final = 60.0
"""Seconds until the time is compared again: the clock of the event loop stops while the machine is suspended."""

_log = logging.getLogger(__name__)


class SyncResult(NamedTuple):
    """The result of one sync: a decision, or the error because of which there is none."""

    read_at: WallTime
    """In seconds since the epoch."""
    decision: SyncDecision | None
    error: str = ""


class EventLog(Protocol):
    """The resources that events of a source have changed. Times are monotonic."""

    def since(self, when: SteadyTime) -> list[ResourceId]:
        """Return the resources that a sync begun at `when` may show as they were before an event, latest first."""

    def found(self, when: SteadyTime) -> Rereads:
        """Return the resources that were read because of events since `when`."""

    def sync_published(self) -> None:
        """Note that a sync is published."""


class Syncer:
    """Syncs one remote source.

    `had` returns the last good data of the source, by subscription. The syncer keeps `status` up to date.
    """

    def __init__(
        self,
        remote: RemoteSource,
        status: SourceStatus,
        hold_down: float,
        had: Callable[[], SourceParts],
        events: EventLog | None = None,
    ) -> None:
        self._remote = remote
        self._status = status
        self._hold_down = hold_down
        self._had = had
        self._events = events
        self._wanted = asyncio.Event()
        self._lost: dict[str, str] = {}
        """The subscriptions that the last sync lost, with the reason: each reason is logged once."""
        status.interval = remote.interval()

    async def run(self) -> AsyncGenerator[SyncResult, None]:
        """Yield the result of each sync, endlessly. The caller applies a result before it asks for the next."""
        while True:
            self._wanted.clear()
            result = await self.once()
            self._status.failures = 0 if result.decision else self._status.failures + 1
            yield result
            await self._pause()

    def now(self) -> None:
        """Start a sync at once. During a sync, start another one after it: the first may miss what is asked for."""
        self._wanted.set()

    def accept(self) -> SyncResult:
        """Return the held sync as a result to publish. Raises `NothingHeld`."""
        held = self._status.sync_state.held
        if held is None:
            raise NothingHeld
        return SyncResult(held.at, self._decided(sync_state.accept(held)))

    async def once(self) -> SyncResult:
        """Sync once. Raises nothing: an error is part of the result."""
        status, started, now = self._status, time.monotonic(), wall_clock.now()
        status.syncing, status.next_sync = True, None
        try:
            result = await self._read(now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the data is kept and the sync is tried again
            _log.exception("source %s: the sync failed with an internal error", status.name)
            result = SyncResult(now, None, f"internal error: {error!r}")
        status.syncing, status.duration = False, time.monotonic() - started
        status.requests = self._remote.requests()
        held = result.decision and result.decision.sync_state.held
        outcome: SyncOutcome = "held" if held else "published" if result.decision else "failed"
        status.results[outcome] = status.results.get(outcome, 0) + 1
        return result

    async def _read(self, now: WallTime) -> SyncResult:
        began = SteadyTime(time.monotonic())
        reading = await self._remote.read()
        if reading.error:
            return SyncResult(now, None, reading.error)
        rereading = SteadyTime(time.monotonic())
        if self._events:
            reading = with_rereads(reading, await self._reread(self._events.since(began)[:CONFIRMED]))
        state = self._status.sync_state
        rereads = await self._reread(sync_guard.absent(self._had(), reading, state.missing)[:CONFIRMED])
        if self._events:  # an event may have changed the data during the rereads
            reading = with_rereads(reading, self._events.found(rereading))
        decision = sync_guard.decide(
            self._had(), reading, self._status.sync_state, rereads, wall_clock.now(),
            hold_down=self._hold_down, guard=self._status.guard,
        )  # fmt: skip
        self._log_lost(reading, decision.lost)
        return SyncResult(now, self._decided(decision))

    def _decided(self, decision: SyncDecision) -> SyncDecision:
        if self._events and not decision.sync_state.held:
            self._events.sync_published()
        return decision

    def _log_lost(self, reading: Reading, lost: dict[str, str]) -> None:
        name = self._status.name
        for part, why in lost.items():
            if self._lost.get(part) != why:
                data = "its last good data is kept" if part in self._had() else "it has not been read yet"
                _log.warning("source %s: subscription %s: %s; %s", name, part, why, data)
        for part in self._lost.keys() & reading.parts.keys():
            _log.info("source %s: subscription %s can be read again", name, part)
        self._lost = lost

    async def _reread(self, keys: Iterable[ResourceId]) -> Rereads:
        room = asyncio.Semaphore(_ABREAST)

        async def one(key: ResourceId) -> tuple[ResourceId, Resources | str | None]:
            async with room:
                try:
                    return key, await self._remote.read_one(key)
                except ReadError as error:
                    return key, str(error)

        return dict(await asyncio.gather(*map(one, keys)))

    async def _pause(self) -> None:
        status = self._status
        status.interval = self._remote.interval()
        status.next_sync = WallTime(wall_clock.now() + back_off(status.interval, status.failures))
        while (left := status.next_sync - wall_clock.now()) > 0:
            try:
                async with asyncio.timeout(min(left, _LONGEST_SLEEP)):
                    await self._wanted.wait()
            except TimeoutError:
                continue
            break


def back_off(interval: float, failures: int) -> float:
    """Return the seconds until the next sync after so many failures in a row."""
    return min(interval * (1 << max(min(failures, 16) - 1, 0)), max(LONGEST, interval))
