"""Resources that are to be read again at once, since somebody says that they have changed.

Each is read by its id and what it is now is handed on; a hint says no more than where to look. Refuses to know who
gives hints, and what becomes of what was read.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from resolver.sources.reading import ReadError
from zones.azure.resource import Resources

WAITING: Final = 1_000
"""Ids that wait to be read; with more of them a whole sync is quicker."""
ABREAST: Final = 8
TRIES: Final = 4
LAG: Final = 120.0
"""Seconds for which a whole sync may still show what was there before: Resource Graph is behind."""
_AGAIN: Final = 1.0  # seconds until the second try, twice as many until the next

_log = logging.getLogger(__name__)

Read = Callable[[str], Awaitable[Resources | None]]


class Hints:
    """Of one source. `read` is its `read_one`; `take` gets what a resource is now, None: gone.

    `whole` asks for a sync.
    """

    def __init__(
        self,
        source: str,
        read: Read,
        take: Callable[[str, Resources | None], None],
        whole: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Hints by what became of them."""
        self.seconds = 0.0
        """From hints to when what they told of was read and taken, added up."""
        self._source = source
        self._read = read
        self._take = take
        self._whole = whole
        self._clock = clock
        self._waiting: OrderedDict[str, float] = OrderedDict()
        """Since when each waits."""
        self._reading: dict[str, float | None] = {}
        """Being read, and since when it was hinted at meanwhile, so once more."""
        self._given: OrderedDict[str, float] = OrderedDict()
        """When the last hint on each came, the latest at the end."""
        self._more = asyncio.Event()

    def give(self, key: str, at: float | None = None) -> None:
        """Read the resource with this normalised id, once more if it is being read: that may be what was before.

        `at`: when it was hinted at (monotonic), if that is not now.
        """
        at = self._clock() if at is None else at
        self._given[key] = at
        self._given.move_to_end(key)
        while len(self._given) > WAITING:
            self._given.popitem(last=False)
        if key in self._reading:
            meanwhile = self._reading[key]
            self._reading[key] = at if meanwhile is None else meanwhile
            return
        if len(self._waiting) >= WAITING and key not in self._waiting:
            self.counts["overflow"] += 1
            self._waiting.clear()
            self._whole()
            return
        self._waiting.setdefault(key, at)
        self._more.set()

    def since(self, when: float) -> list[str]:
        """What a sync that began at `when` (monotonic) may have seen as it was before, the latest first."""
        return [key for key, given in reversed(self._given.items()) if given >= when - LAG]

    async def run(self) -> None:
        """Read what comes, for ever."""
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

    async def _one(self, key: str, at: float) -> None:
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
