"""The ends of syncs, for those who wait for one. Does not know how a sync is made."""

import asyncio
from typing import NamedTuple

from resolver.control.estate.activity import SourceActivity
from resolver.control.estate.source_health import SyncOutcome
from resolver.process import wall_clock
from zones.clocks import WallTime


class SyncEnd(NamedTuple):
    """What a sync led to."""

    outcome: SyncOutcome
    error: str
    """Why it failed; empty for another outcome."""
    activity: SourceActivity
    """What it changed in the source's data."""
    names: int
    """Number of names whose answers changed."""


class SyncEnds:
    """The next ends of the syncs of one source."""

    def __init__(self) -> None:
        self._waiting: list[tuple[WallTime, asyncio.Future[SyncEnd]]] = []

    def expect(self) -> asyncio.Future[SyncEnd]:
        """Return the end of the first sync that begins from now on. Cancel it when nobody waits any more."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((wall_clock.now(), future))
        return future

    def ended(self, began: WallTime, end: SyncEnd) -> None:
        """Report the end of a sync that began at `began`."""
        waiting, self._waiting = self._waiting, []
        for since, future in waiting:
            if future.done():
                continue
            if since <= began:
                future.set_result(end)
            else:
                self._waiting.append((since, future))
