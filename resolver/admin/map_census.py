"""The census of the map, made again when the state has changed, between the other work of control.

While the state changes all the time, a census is made at most every `EVERY` seconds, and somebody who asks meanwhile
gets the one before. Without a request for `IDLE` seconds, the census is dropped.
"""

import asyncio
import time
from typing import Final

from resolver.admin.estate_map.census import Census
from resolver.admin.view import View
from resolver.process import wall_clock

EVERY: Final = 2.0
OLDEST: Final = 20.0
"""Seconds after which a census is too old to show while the next one is being made."""
LONGEST: Final = 60.0
"""Seconds after which a census is made again although nothing has changed: an acknowledgement may have ended."""
IDLE: Final = 600.0


class MapCensus:
    """The newest census."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._census: Census | None = None
        self._state: object = None
        """What the census was made of."""
        self._made = float("-inf")
        self._making: asyncio.Task[Census] | None = None
        self._dropping: asyncio.TimerHandle | None = None

    async def present(self) -> Census:
        """Return a census of the present state, or one that is at most `OLDEST` seconds old."""
        if self._dropping:
            self._dropping.cancel()
        self._dropping = asyncio.get_running_loop().call_later(IDLE, self._drop)
        age = time.monotonic() - self._made
        if self._census and (age < EVERY or (age < LONGEST and self._state == self._present_state())):
            return self._census
        if self._making is None:
            self._making = asyncio.create_task(self._make())
        if self._census and age < OLDEST:
            return self._census
        return await asyncio.shield(self._making)

    async def _make(self) -> Census:
        try:
            state, census = self._present_state(), Census()
            for _ in census.steps(self._view.estate, wall_clock.now()):
                await asyncio.sleep(0)
            self._census, self._state, self._made = census, state, time.monotonic()
            return census
        finally:
            self._making = None

    def _present_state(self) -> object:
        estate = self._view.estate
        given = frozenset(estate.board.acknowledgements.given)
        return self._view.serial, estate.revision, estate.board.revision, estate.networks.version, given

    def _drop(self) -> None:
        self._census, self._state, self._made = None, None, float("-inf")
