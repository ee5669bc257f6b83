"""One worker's connection: sends the feed as the socket drains, and matches replies to requests.

Does not know what to send (`feed`) or what becomes of a worker's reports (`worker_server`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

from resolver import settings_change
from resolver.channel.frames import Configure, Down, Hello, MemoryReport, ReplyFrame, RequestFrame, encode
from resolver.channel.requests import Reply, ReplyT, Request, WorkerRequest
from resolver.control.feed.feed import Feed
from resolver.control.feed.session import FeedSession
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import WorkerSettings
from zones.clocks import WallTime

_SEND: Final = 1 << 16
"""Octets that are sent at once: thousands of small zones have a frame each."""


@dataclass(slots=True)
class WorkerStatus:
    """What control knows of one worker."""

    index: int
    pid: int = 0
    instance: str = ""
    serial: int = 0
    """The last serial that the worker has applied."""
    connected: bool = False
    synced: bool = False
    """The worker answers from a state in which every source has data."""
    sandbox: SandboxLevel | None = None
    """How far the process is confined."""
    restarts: int = 0
    """Starts of this worker after the first one that this control has seen."""
    restarted: WallTime | None = None
    """When it connected after the last of these."""
    settings: bytes = b""
    """`settings_change.digest` of the settings that the worker answers with."""
    memory: MemoryReport | None = None
    """What the worker uses of memory."""

    def has(self, serial: int, settings: bytes) -> bool:
        """Return whether the worker has applied a serial, and answers with the settings that have this digest."""
        return self.serial >= serial and self.settings == settings


class ByteStream(Protocol):
    """The part of `asyncio.StreamWriter` that a link uses."""

    def write(self, data: bytes | bytearray) -> None:
        """Queue octets to send."""

    async def drain(self) -> None:
        """Wait until there is room for more octets."""


class WorkerLink:
    """One connection of the worker with this index."""

    def __init__(self, feed: Feed, index: int, hello: Hello, stream: ByteStream, settings: WorkerSettings) -> None:
        """`settings`: what the worker should have. It is sent them if it has other ones."""
        self._settings = settings
        self._has = hello.settings, hello.table_settings
        """The digests of the settings that the worker has been sent, or had."""
        self._was_repeated = False
        """The present settings are to be sent although the worker has them."""
        self.index = index
        self.hello = hello
        self._feed = feed
        self._stream = stream
        self._wake = asyncio.Event()
        self._session = FeedSession(feed, hello, self._wake.set)
        self._asked: dict[int, asyncio.Future[Reply]] = {}
        self._next = 0

    async def run(self) -> None:
        """Send the state, then each change, until the connection ends. Raises OSError and `ChannelError`."""
        self._feed.listeners.add(self._session)
        try:
            if self._session.has_table and self._has[1] != settings_change.table_digest(self._settings):
                while not self._feed.complete:  # the new table must not lack what the present one has
                    await self._changed()
            if self._send_settings() or not self._session.resume():
                if self._session.has_table:
                    await self._wait_for_sources()
                await self._send(self._session.snapshot(partial=False))
            while True:
                await self._changed()
                if self._send_settings():
                    await self._send(self._session.snapshot(partial=False))
                else:
                    await self._send(self._session.changes())
        finally:
            self._feed.listeners.discard(self._session)

    def configure(self, settings: WorkerSettings) -> None:
        """Send these settings with the next changes, also if they are the present ones: files may have changed."""
        self._settings, self._was_repeated = settings, True
        self._wake.set()

    def _send_settings(self) -> bool:
        """Send the settings if the worker has not got them. Return whether it needs a new table for them."""
        has = settings_change.digest(self._settings), settings_change.table_digest(self._settings)
        needs_table = has[1] != self._has[1]
        if has != self._has or self._was_repeated:
            self._stream.write(encode(Configure(self._settings)))
        self._has, self._was_repeated = has, False
        if needs_table:
            self._feed.listeners.discard(self._session)
            self._session = FeedSession(self._feed, Hello(self.index, 0, "", "", 0, 0), self._wake.set)
            self._feed.listeners.add(self._session)
        return needs_table

    async def _wait_for_sources(self) -> None:
        """Wait until every source has data, so that a snapshot may replace the table of this worker.

        The worker keeps its table meanwhile. Once the sources that are late have failed, it receives the known state in
        addition to that table.
        """
        while not self._feed.settled:
            await self._changed()
        if not self._feed.complete:
            await self._send(self._session.snapshot(partial=True))
        while not self._feed.complete:
            await self._changed()
            await self._send(self._session.changes())

    async def _changed(self) -> None:
        await self._wake.wait()
        self._wake.clear()

    async def _send(self, frames: Iterable[Down]) -> None:
        """Send frames. Each one is made when the socket has taken those before, except for a few small ones."""
        waiting = bytearray()
        for frame in frames:
            waiting += encode(frame)
            if len(waiting) >= _SEND:
                self._stream.write(waiting)
                await self._stream.drain()
                waiting = bytearray()
        self._stream.write(waiting)
        await self._stream.drain()

    async def ask(self, request: WorkerRequest[ReplyT]) -> ReplyT:
        """Send a request and return the worker's reply. The caller limits the time.

        Raises `TypeError` when the reply is not one to this request.
        """
        self._next += 1
        number = self._next
        reply = self._asked[number] = asyncio.get_running_loop().create_future()
        self._stream.write(encode(RequestFrame(number, cast("Request", request))))
        try:
            return request.checked(await reply)
        finally:
            del self._asked[number]

    def replied(self, frame: ReplyFrame) -> None:
        """Hand a reply to the request that waits for it."""
        waiting = self._asked.get(frame.id)
        if waiting and not waiting.done():
            waiting.set_result(frame.body)


async def ask_all(
    links: Mapping[int, WorkerLink], patience: float, request: WorkerRequest[ReplyT]
) -> dict[int, ReplyT]:
    """Return the replies that arrive within `patience` seconds, by worker index."""
    asked = {index: asyncio.ensure_future(link.ask(request)) for index, link in links.items()}
    if asked:
        _, late = await asyncio.wait(asked.values(), timeout=patience)
        for each in late:
            each.cancel()
    return {
        i: each.result() for i, each in asked.items() if not each.cancelled() and each.done() and not each.exception()
    }
