"""A queue of resources to read again at once, because a hint says that they have changed.

A hint is only the id of a resource: the queue reads the resource, and hands it on as it is now. Does not know where
hints come from, or what becomes of a resource.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from resolver.sources.reading import ReadError
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import SteadyTime, steady_clock

WAITING: Final = 1_000
"""Resources that may wait. With more of them, a whole sync is quicker."""
ABREAST: Final = 8
"""Resources that are read at the same time."""
TRIES: Final = 4
"""Attempts to read one resource."""
LAG: Final = 120.0
"""Seconds for which a sync may still show a resource as it was before a change: Resource Graph lags behind."""
_AGAIN: Final = 1.0
"""Seconds until the second attempt; twice as many until each further one."""

_CLOCK: Final = steady_clock(time.monotonic)

_log = logging.getLogger(__name__)

Read = Callable[[ResourceId], Awaitable[Resources | None]]


class RefreshQueue:
    """The queue of one source.

    `read` reads a resource (`RemoteSource.read_one`). `take` receives the resource as it is now, None if it is gone.
    `whole` starts a sync.
    """

    def __init__(
        self,
        source: str,
        read: Read,
        take: Callable[[ResourceId, Resources | None], None],
        whole: Callable[[], None],
        clock: Callable[[], SteadyTime] = _CLOCK,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Number of hints by result."""
        self.seconds = 0.0
        """Seconds from each hint until its resource was read and taken, in total."""
        self._source = source
        self._read = read
        self._take = take
        self._whole = whole
        self._clock = clock
        self._waiting: OrderedDict[ResourceId, SteadyTime] = OrderedDict()
        """The resources that wait, with the time since when."""
        self._reading: dict[ResourceId, SteadyTime | None] = {}
        """Resources that are being read, with the time of a further hint: such a resource is read once more."""
        self._hinted_at: OrderedDict[ResourceId, SteadyTime] = OrderedDict()
        """The time of the last hint for each resource, the latest at the end."""
        self._more = asyncio.Event()

    def put(self, key: ResourceId, at: SteadyTime | None = None) -> None:
        """Read the resource with this normalised id.

        A resource that is being read is read once more after that: the first read may show an earlier state. `at`: the
        monotonic time of the hint, if that is not now.
        """
        at = self._clock() if at is None else at
        self._hinted_at[key] = at
        self._hinted_at.move_to_end(key)
        while len(self._hinted_at) > WAITING:
            self._hinted_at.popitem(last=False)
        if key in self._reading:
            further = self._reading[key]
            self._reading[key] = at if further is None else further
            return
        if len(self._waiting) >= WAITING and key not in self._waiting:
            self.counts["overflow"] += 1
            self._waiting.clear()
            self._whole()
            return
        self._waiting.setdefault(key, at)
        self._more.set()

    def since(self, when: SteadyTime) -> list[ResourceId]:
        """Return the resources that a sync begun at `when` (monotonic) may show as they were before, latest first."""
        return [key for key, hinted_at in reversed(self._hinted_at.items()) if hinted_at >= when - LAG]

    async def run(self) -> None:
        """Read the resources that arrive, endlessly."""
        async with asyncio.TaskGroup() as group:
            for _ in range(ABREAST):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._more.clear()
                await self._more.wait()
            key, at = self._waiting.popitem(last=False)
            self._reading[key] = None
            await self._one(key, at)
            if (again := self._reading.pop(key)) is not None:
                self._waiting[key] = again

    async def _one(self, key: ResourceId, at: SteadyTime) -> None:
        pause = _AGAIN
        for left in reversed(range(TRIES)):
            try:
                found = await self._read(key)
            except ReadError as error:
                if left:
                    await asyncio.sleep(pause)
                    pause *= 2
                    continue
                _log.warning("source %s: an event is left to the next sync: %s", self._source, error)
                self.counts["failed"] += 1
                return
            self._take(key, found)
            self.counts["read"] += 1
            self.seconds += self._clock() - at
            return
