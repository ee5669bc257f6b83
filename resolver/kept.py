"""Writes what is served for workers that start later (`headstart`): the snapshot that one would be sent now."""

import asyncio
import contextlib
import hashlib
from pathlib import Path
from typing import IO, Final

from resolver import headstart, state
from resolver.channel import Hello
from resolver.feed import Feed, Link

_NOBODY: Final = Hello(-1, 0, "", "", 0, 0)


class _Paper:
    """A line that ends in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.checksum = hashlib.sha256()

    def write(self, data: bytes | bytearray) -> None:
        self._file.write(data)
        self.checksum.update(data)

    async def drain(self) -> None:
        await asyncio.sleep(0)  # a file takes all; others have their turn


async def write(feed: Feed, directory: str, under: bytes) -> int:
    """Replace the file; returns the serial that a worker has with it. Raises OSError; the old one stays.

    `under`: the digest of the configuration. What changes meanwhile is in it or not, name by name; a worker that began
    with it is told that by control, as after any snapshot.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(state.replacing(Path(directory) / headstart.FILE))
        file.write(bytes(headstart.HEAD))
        paper = _Paper(file)
        serial = await Link(feed, _NOBODY.worker, _NOBODY, paper).snapshot()
        file.seek(0)
        file.write(headstart.head(under, paper.checksum.digest()))
        await asyncio.to_thread(stack.pop_all().close)
    return serial
