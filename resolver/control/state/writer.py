"""Writes the state directory: the saved inventory for control, and the warm-start file for workers.

Each is written only if it has changed. Does not know when to write.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from resolver.channel import warm_start
from resolver.channel.frames import Commit, Hello, encode
from resolver.control.estate import saved_inventory
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.feed.session import FeedSession
from resolver.control.state import inventory_file
from resolver.process import wall_clock

READ_TIMES: Final = 300.0
"""Seconds. By so much the times of the last readings may be older in the saved inventory, while no data changes."""
_CLOCK: Final = 5.0
"""Seconds. A smaller step of the system's clock is not worth a write."""
_NEW_WORKER: Final = Hello(-1, 0, "", "", 0, 0)
"""The greeting of a worker that has nothing: the file is a snapshot for it."""


class StateWriter:
    """Writes the state of an estate into the directory that its settings name; nothing where they name none."""

    def __init__(self, estate: Estate, feed: Feed, *, saved_texts: Mapping[str, str]) -> None:
        """`saved_texts`: the texts of zone files in the saved inventory that the estate was made from."""
        self._directory = estate.settings.state_directory
        self._estate = estate
        self._feed = feed
        self.has_unsaved_texts = saved_texts != estate.zone_texts
        """Whether the estate was made from texts of zone files that the saved inventory did not have."""
        self._saved = None if self.has_unsaved_texts else self._revision()
        """What `_revision` returned for the saved inventory; None: it lacks something."""
        self._saved_times = self._read_times()
        self._warm = b"", -1
        """Digest of the configuration and serial in the warm-start file."""

    @property
    def is_behind(self) -> bool:
        """True if one of the files lacks a change."""
        warm = self._feed.complete and self._warm[1] != self._feed.serial
        return bool(self._directory) and (warm or self._lacks_inventory)

    @property
    def _lacks_inventory(self) -> bool:
        if self._saved != self._revision():
            return True
        return any(when - self._saved_times.get(name, 0.0) >= READ_TIMES for name, when in self._read_times().items())

    def _revision(self) -> tuple[int, int, int]:
        """Return what differs whenever the saved inventory would differ, but for the times of readings."""
        return self._estate.revision, self._estate.board.revision, round(wall_clock.step() / _CLOCK)

    def _read_times(self) -> dict[str, float]:
        """Return when each remote source was last read whole. Files are read again at the start."""
        sources = self._estate.sources.values()
        return {each.name: each.last_success for each in sources if each.remote and each.last_success is not None}

    async def save(self, *, even_unchanged: bool = False) -> None:
        """Write each file that has changed. An error becomes a finding, and the next call tries again.

        `even_unchanged`: write the inventory for the times of the last readings alone.
        """
        if not self._directory:
            return
        if even_unchanged or self._lacks_inventory:
            await self._write(inventory_file.FORMAT.name, self._save_inventory)
        if self._feed.complete and self._warm != (warm_start.digest(self._estate.settings), self._feed.serial):
            await self._write(warm_start.FORMAT.name, self._save_warm_start)

    async def _write(self, name: str, write: Callable[[], Awaitable[None]]) -> None:
        path, state = str(Path(self._directory) / name), self._estate.state
        try:
            await asyncio.to_thread(Path(self._directory).mkdir, mode=0o700, exist_ok=True)  # someone may remove it
            await write()
        except OSError as error:
            why = error.strerror or str(error)
            state.failed(path, why, wall_clock.now())
        else:
            state.written(path, wall_clock.now())

    async def _save_warm_start(self) -> None:
        digest = warm_start.digest(self._estate.settings)
        self._warm = digest, await write_warm_start(self._feed, self._directory, digest)

    async def _save_inventory(self) -> None:
        revision, times = self._revision(), self._read_times()
        pieces = saved_inventory.pieces_of(self._estate, wall_clock.now(), wall_clock.step())
        await asyncio.to_thread(inventory_file.write, self._directory, pieces)
        self._saved, self._saved_times = revision, times


async def write_warm_start(feed: Feed, directory: str, configuration: bytes) -> int:
    """Replace the warm-start file and return the serial in it. Raises OSError; the old file stays.

    `configuration`: the digest of the configuration. A change during the write is in the file or not, name by name.
    Control sends it to each worker that starts with the file, as after any snapshot.
    """
    serial = 0
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(warm_start.FORMAT.replacing(directory, configuration))
        for frame in FeedSession(feed, _NEW_WORKER, lambda: None).snapshot(partial=False):
            file.write(encode(frame))
            if isinstance(frame, Commit):
                serial = frame.serial
            await asyncio.sleep(0)  # a file takes everything at once; other tasks must run
        await asyncio.to_thread(stack.pop_all().close)
    return serial
