"""The syncs of one remote source: read it again and again, read once more what is absent, and have the guard judge.

What it gave stays when a sync fails. Refuses to know how a source is read and who is told what changed.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Final, NamedTuple, Protocol

from resolver.control.estate.source_health import SourceStatus
from resolver.control.guard import shrink_guard
from resolver.control.guard.shrink_guard import Judgement, NothingHeld, Parts, Told
from resolver.sources.reading import ReadError, Reading, RemoteSource
from zones.azure.resource import Resources

CONFIRMED: Final = 50
"""Absent resources that one sync reads once more; the rest waits out the hold-down."""
LONGEST: Final = 600.0
"""Seconds between two tries of a source that fails, at most, unless its own interval is longer."""
_ABREAST: Final = 8  # single reads under way
_CLOCK: Final = 60.0  # seconds between looks at the clock, which may be set

_log = logging.getLogger(__name__)


class SyncResult(NamedTuple):
    """How one sync went: what it comes to, or why it failed."""

    read_at: float
    judgement: Judgement | None
    error: str = ""


class Events(Protocol):
    """What events said of a source meanwhile; times are monotonic."""

    def since(self, when: float) -> list[str]:
        """What a sync that began then may show as it was before an event, the latest first."""

    def found(self, when: float) -> Told:
        """What was read since then because of events."""

    def judged(self) -> None:
        """A sync is published."""


class Syncer:
    """One remote source. `had` gives what it gave before; `status` is where its state stands for all to see."""

    def __init__(
        self,
        remote: RemoteSource,
        status: SourceStatus,
        hold_down: float,
        had: Callable[[], Parts],
        events: Events | None = None,
    ) -> None:
        self._remote = remote
        self._status = status
        self._hold_down = hold_down
        self._had = had
        self._events = events
        self._wanted = asyncio.Event()
        self._lost: dict[str, str] = {}
        """Subscriptions that the last sync lost, with the reason: each is said once."""
        status.interval = remote.interval()

    async def run(self) -> AsyncGenerator[SyncResult, None]:
        """Each sync as it is done, for ever; what it comes to is to be taken before the next one is asked for."""
        while True:
            self._wanted.clear()
            sync = await self.once()
            self._status.failures = 0 if sync.judgement else self._status.failures + 1
            yield sync
            await self._pause()

    def now(self) -> None:
        """Sync at once; again at once, if a sync is under way: it may have missed what it is asked for."""
        self._wanted.set()

    def accept(self) -> SyncResult:
        """What the held sync comes to. Raises `NothingHeld`."""
        held = self._status.standing.held
        if held is None:
            raise NothingHeld
        return SyncResult(held.at, self._judged(shrink_guard.accept(self._had(), held)))

    async def once(self) -> SyncResult:
        """One sync. Raises nothing."""
        status, started, now = self._status, time.monotonic(), time.time()
        status.syncing, status.next_sync = True, None
        try:
            sync = await self._read(now)
        except Exception as error:  # noqa: BLE001 - whatever it is, what the source gave is kept and it is tried again
            _log.exception("source %s: the sync broke off", status.name)
            sync = SyncResult(now, None, f"internal error: {error!r}")
        status.syncing, status.duration = False, time.monotonic() - started
        status.requests = self._remote.requests()
        held = sync.judgement and sync.judgement.standing.held
        result = "held" if held else "published" if sync.judgement else "failed"
        status.results[result] = status.results.get(result, 0) + 1
        return sync

    async def _read(self, now: float) -> SyncResult:
        began = time.monotonic()
        reading = await self._remote.read()
        if reading.error:
            return SyncResult(now, None, reading.error)
        asked = time.monotonic()
        if self._events:
            reading = shrink_guard.corrected(reading, await self._ask(self._events.since(began)[:CONFIRMED]))
        told = await self._ask(shrink_guard.absent(self._had(), reading, self._status.standing.missing)[:CONFIRMED])
        # What was there may have changed while we asked.
        if self._events:
            reading = shrink_guard.corrected(reading, self._events.found(asked))
        judgement = shrink_guard.judge(self._had(), reading, self._status.standing, told, time.time(), self._hold_down)
        self._say(reading, judgement.lost)
        return SyncResult(now, self._judged(judgement))

    def _judged(self, judgement: Judgement) -> Judgement:
        if self._events and not judgement.standing.held:
            self._events.judged()
        return judgement

    def _say(self, reading: Reading, lost: dict[str, str]) -> None:
        name = self._status.name
        for part, why in lost.items():
            if self._lost.get(part) != why:
                _log.warning("source %s: subscription %s: %s; what it gave before is kept", name, part, why)
        for part in self._lost.keys() & reading.parts.keys():
            _log.info("source %s: subscription %s can be read again", name, part)
        self._lost = lost

    async def _ask(self, keys: Iterable[str]) -> Told:
        """Read what is absent once more."""
        room = asyncio.Semaphore(_ABREAST)

        async def one(key: str) -> tuple[str, Resources | str | None]:
            async with room:
                try:
                    return key, await self._remote.read_one(key)
                except ReadError as error:
                    return key, str(error)

        return dict(await asyncio.gather(*map(one, keys)))

    async def _pause(self) -> None:
        status = self._status
        status.interval = self._remote.interval()
        status.next_sync = time.time() + back_off(status.interval, status.failures)
        while (left := status.next_sync - time.time()) > 0:
            try:
                async with asyncio.timeout(min(left, _CLOCK)):
                    await self._wanted.wait()
            except TimeoutError:
                continue
            break


def back_off(interval: float, failures: int) -> float:
    """Seconds until the next sync after so many failures in a row."""
    return min(interval * (1 << max(min(failures, 16) - 1, 0)), max(LONGEST, interval))
