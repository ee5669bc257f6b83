"""What control writes into the state directory: the saved inventory, and what is served (`state`, `headstart`).

What is served is written as a snapshot, as to a worker that is not there yet.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from pathlib import Path
from typing import Final

from resolver.channel import warm_start
from resolver.channel.frames import Commit, Hello, encode
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.feed.session import FeedSession
from resolver.control.state import inventory, inventory_file
from resolver.settings import ControlSettings

_NOBODY: Final = Hello(-1, 0, "", "", 0, 0)

_log = logging.getLogger(__name__)


class Keeper:
    """Writes what has changed since the last time. Without a directory nothing is written."""

    def __init__(self, config: ControlSettings, estate: Estate, feed: Feed) -> None:
        self.due = False
        """Something was taken since the inventory was written last."""
        self.zone_texts: dict[str, str] = {}
        """Of the zone files that were read."""
        self._directory = config.state_directory
        self._under = warm_start.digest(config)
        self._estate = estate
        self._feed = feed
        self._kept = -1
        """Serial of what was written last for workers."""

    async def save(self) -> None:
        """Write both; what cannot be written is tried again the next time."""
        if not self._directory:
            return
        try:
            await self._save()
            await self._keep()
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._directory, error.strerror or error)

    async def _save(self) -> None:
        if not self.due:
            return
        self.due = False
        pieces = inventory.of_estate(self._estate, self.zone_texts, time.time())
        try:
            await asyncio.to_thread(inventory_file.write, self._directory, pieces)
        except OSError:
            self.due = True
            raise

    async def _keep(self) -> None:
        """Once all sources had a part in what is served."""
        if self._feed.complete and self._feed.serial != self._kept:
            self._kept = await write(self._feed, self._directory, self._under)


async def write(feed: Feed, directory: str, under: bytes) -> int:
    """Replace the file; returns the serial that a worker has with it. Raises OSError; the old one stays.

    `under`: the digest of the configuration. What changes meanwhile is in it or not, name by name; a worker that began
    with it is told that by control, as after any snapshot.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(inventory_file.replacing(Path(directory) / warm_start.FILE))
        file.write(bytes(warm_start.HEAD))
        checksum, serial = hashlib.sha256(), 0
        for frame in FeedSession(feed, _NOBODY, lambda: None).snapshot(partial=False):
            octets = encode(frame)
            file.write(octets)
            checksum.update(octets)
            if isinstance(frame, Commit):
                serial = frame.serial
            await asyncio.sleep(0)  # a file takes all; others have their turn
        file.seek(0)
        file.write(warm_start.head(under, checksum.digest()))
        await asyncio.to_thread(stack.pop_all().close)
    return serial
