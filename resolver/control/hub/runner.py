"""The source of type `hub`: follows a hub, and connects again when the connection ends.

Where the source has several URLs, the next hub is tried at once when one fails. After all of them have failed, the
pause grows, with jitter: a thousand spokes must not come back at the same moment. Does not know what a message changes
(`replica`).
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Final

from resolver.control.estate.activity import SourceActivity
from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import SourceStatus, SyncOutcome, held_text
from resolver.control.guard.sync_state import SyncAction, WithheldSync
from resolver.control.hub.replica import HubReplica
from resolver.control.sync.ends import SyncEnd, SyncEnds
from resolver.hub.messages import HEARTBEAT
from resolver.process import wall_clock
from resolver.settings import SourceSettings
from resolver.sources.hub.client import Garbled, HubClient, HubFailed
from zones.clocks import WallTime
from zones.dns.name import Name

_FIRST: Final = 1.0
"""Seconds of the first pause, on average."""
_LAST: Final = 60.0
"""Seconds of the longest pause, on average."""

_log = logging.getLogger(__name__)


class HubRunner:
    """One source of type `hub`."""

    def __init__(
        self, config: SourceSettings, hub: HubClient, estate: Estate, publish: Callable[[set[Name]], None]
    ) -> None:
        self.ends = SyncEnds()
        self._name = config.name
        self._hub = hub
        self._estate = estate
        self._publish = publish
        self._replica = HubReplica(config.name, estate)
        self._wanted = asyncio.Event()
        """Set when an operator wants another whole copy."""
        self._url = 0
        """Index of the hub that was followed last."""
        self._status.interval = HEARTBEAT

    @property
    def _status(self) -> SourceStatus:
        return self._estate.sources[self._name]

    async def follow(self) -> None:
        """Follow a hub endlessly."""
        while True:
            failed: HubFailed | None = None
            for _ in self._hub.urls:
                if (failed := await self._connection(self._hub.urls[self._url])) is None:
                    break
                self._url = (self._url + 1) % len(self._hub.urls)
            if failed is not None:
                await self._pause(failed)

    def command(self, action: SyncAction) -> None:
        """Carry out an operator's command. `now`: copy everything again. Raises `NothingHeld`."""
        name, now = self._name, wall_clock.now()
        match action:
            case "now":
                self._copy_again()
            case "accept":
                changed = self._replica.accept(now)
                _log.warning("source %s: what was held is accepted", name)
                self._publish(changed)
            case "drop":
                self._estate.drop_held_sync(name, now)
                _log.warning("source %s: what was held is dropped", name)
                self._copy_again()

    def _copy_again(self) -> None:
        self._replica.begin()
        self._status.position = None
        self._wanted.set()

    async def _connection(self, url: str) -> HubFailed | None:
        """Follow one hub until the connection ends. Return why; None where an operator wants a whole copy."""
        self._wanted.clear()
        following = asyncio.create_task(self._messages(url))
        wanted = asyncio.create_task(self._wanted.wait())
        try:
            await asyncio.wait((following, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (following, wanted):
                task.cancel()
            await asyncio.gather(following, wanted, return_exceptions=True)
        return None if following.cancelled() else following.result()

    async def _messages(self, url: str) -> HubFailed:
        """Apply what a hub sends. Return why the connection has ended."""
        status, began, is_current = self._status, wall_clock.now(), False
        epoch, serial = self._replica.begin() or ("", 0)
        failed = HubFailed(f"{url}: the hub has closed the connection")
        status.next_sync, status.syncing = None, True
        try:
            async with contextlib.aclosing(self._hub.messages(url, epoch, serial)) as arriving:
                async for messages in arriving:
                    held = self._status.sync_state.held
                    changed = self._replica.take(messages, wall_clock.now())
                    self._publish(changed)
                    self._log_hold(held)
                    if self._replica.is_current and not is_current:
                        is_current = True
                        self._current(url, began, len(changed))
        except HubFailed as error:
            failed = error
        except ValueError as error:
            failed = Garbled(f"{url} does not send what a hub sends: {error}")
        self._ended(failed, began)
        return failed

    def _current(self, url: str, began: WallTime, names: int) -> None:
        """Note that the data is that of the hub now."""
        name, status = self._name, self._status
        outcome: SyncOutcome = "held" if status.sync_state.held else "published"
        status.syncing, status.failures, status.duration = False, 0, wall_clock.now() - began
        status.results[outcome] = status.results.get(outcome, 0) + 1
        _log.info("source %s: follows the hub %s: %d parts, %d names changed", name, url, status.parts, names)
        self.ends.ended(began, SyncEnd(outcome, "", self._estate.activity.last(name), names))

    def _ended(self, failed: HubFailed, began: WallTime) -> None:
        """Note that the connection has ended. What is known is still served."""
        name, status, why = self._name, self._status, str(failed)
        if status.last_error != why:
            data = "its last good data is kept" if status.synced else "it has not provided data yet"
            _log.warning("source %s: %s; %s", name, why, data)
        status.syncing = False
        if isinstance(failed, Garbled):
            status.position = None
        status.failures += 1
        status.results["failed"] = status.results.get("failed", 0) + 1
        self._estate.health.failed(name, why, wall_clock.now())
        self._publish(set())
        self.ends.ended(began, SyncEnd("failed", why, SourceActivity(), 0))

    def _log_hold(self, before: WithheldSync | None) -> None:
        held = self._status.sync_state.held
        if held and (before is None or before.reasons != held.reasons):
            _log.error("source %s: %s: see `pldns sync status`", self._name, held_text(held))
        elif before and not held:
            _log.info("source %s: no change is held any more", self._name)

    async def _pause(self, failed: HubFailed) -> None:
        """Wait until the next try, or until an operator wants it."""
        longest = min(_LAST, _FIRST * (1 << min(self._status.failures - 1, 16)))
        seconds = max(failed.wait, longest) * random.uniform(0.5, 1.5)  # noqa: S311 - only spreads the load
        self._status.next_sync = WallTime(wall_clock.now() + seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
