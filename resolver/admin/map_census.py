"""What the map counts, counted again when the state has changed, between the other work of control.

While the state changes all the time, the estate is counted at most every `EVERY` seconds, and less often where counting
takes long (`SHARE`). Somebody who asks meanwhile gets the former count. Without a request for `IDLE` seconds, the count
is dropped.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from resolver.admin.estate_map.census import Census
from resolver.admin.estate_map.name_census import NameCensus
from resolver.admin.view import View
from resolver.process import wall_clock

EVERY: Final = 2.0
SHARE: Final = 0.05
"""Largest share of the time that is spent on counting while the state changes all the time."""
OLDEST: Final = 20.0
"""Seconds after which a count is too old to show while the next one is being made."""
LONGEST: Final = 60.0
"""Seconds after which the estate is counted again although nothing has changed: an acknowledgement may have ended."""
IDLE: Final = 600.0

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """The newest count. `begin` returns an empty one, and an iterator whose steps fill it."""

    def __init__(self, begin: Callable[[], tuple[_T, Iterator[None]]], state: Callable[[], object]) -> None:
        self._begin = begin
        self._present_state = state
        self._count: _T | None = None
        self._state: object = None
        """What was counted."""
        self._made = float("-inf")
        self._took = 0.0
        self._making: asyncio.Task[_T] | None = None
        self._dropping: asyncio.TimerHandle | None = None

    async def present(self) -> _T:
        """Return a count of the present state, or one of a former state that is at most `OLDEST` seconds old."""
        if self._dropping:
            self._dropping.cancel()
        self._dropping = asyncio.get_running_loop().call_later(IDLE, self._drop)
        count, age = self._count, time.monotonic() - self._made
        if count is not None:
            is_present = self._state == self._present_state()
            if age >= (LONGEST if is_present else max(EVERY, min(self._took / SHARE, OLDEST))):
                self._renew()
            if is_present or age < OLDEST:
                return count
        return await asyncio.shield(self._renew())

    def _renew(self) -> asyncio.Task[_T]:
        self._making = self._making or asyncio.create_task(self._make())
        return self._making

    async def _make(self) -> _T:
        try:
            state, begun = self._present_state(), time.monotonic()
            count, steps = self._begin()
            for _ in steps:
                await asyncio.sleep(0)
            self._count, self._state, self._made = count, state, time.monotonic()
            self._took = self._made - begun
            return count
        finally:
            self._making = None

    def _drop(self) -> None:
        self._count, self._state, self._made = None, None, float("-inf")


class MapCensus:
    """The newest counts of endpoints and findings, and of names."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.estate = Kept(self._begin, self._present_state)
        self.names = Kept(self._begin_names, self._present_state)

    def _begin(self) -> tuple[Census, Iterator[None]]:
        census = Census()
        return census, census.steps(self._view.estate, wall_clock.now())

    def _begin_names(self) -> tuple[NameCensus, Iterator[None]]:
        census = NameCensus()
        return census, census.steps(self._view.estate)

    def _present_state(self) -> object:
        estate = self._view.estate
        given = frozenset(estate.board.acknowledgements.given)
        return self._view.serial, estate.revision, estate.board.revision, estate.networks.version, given
