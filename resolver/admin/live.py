"""The overview, made at most once in two seconds, however many pages are open.

Does not know what the overview has, or how it is sent.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

EVERY: Final = 2.0
"""Seconds from one overview to the next."""


class Live:
    """The newest overview as JSON. `make` makes one."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._made = float("-inf")
        self._present = b""
        self._watchers = 0
        self._task: asyncio.Task[None] | None = None
        self._next = asyncio.Event()

    def present(self) -> bytes:
        """Return an overview that is at most `EVERY` seconds old."""
        if time.monotonic() - self._made >= EVERY:
            self._renew()
        return self._present

    async def next(self) -> bytes:
        """Wait for the next overview and return it. Only while `watching`."""
        await self._next.wait()
        return self._present

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Have a new overview made every `EVERY` seconds while the block of any watcher runs."""
        self._watchers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._task.cancel()
                self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._renew()

    def _renew(self) -> None:
        self._present, self._made = self._make(), time.monotonic()
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()
