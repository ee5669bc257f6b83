"""What control sends to its workers: snapshots as a socket drains, then changes; each name's whole state, never a diff.

A worker that falls behind costs a set of names, not a queue of frames: what it is sent is the state at that moment.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from resolver import channel
from resolver.channel import Begin, Commit, Down, Masks, Rows, Static
from resolver.estate import Estate
from zones.name import Name
from zones.served import restamped

_ROWS: Final = 500
"""Rows of one frame: some 100 KiB."""
_REMEMBERED: Final = 50_000
"""Changed names that are remembered for workers that were away."""

_log = logging.getLogger(__name__)


class Feed:
    """The served state as a sequence of changes. Serials count the changes of this epoch."""

    def __init__(self, estate: Estate) -> None:
        self.epoch = uuid.uuid4().hex
        self.serial = 0
        self.complete = False
        """Every source has its saved or first inventory: only then may a snapshot replace what a worker has."""
        self.links: set[Link] = set()
        self._estate = estate
        self._recent: deque[tuple[int, frozenset[Name]]] = deque()

    def changed(self, names: Iterable[Name] = ()) -> None:
        """These names have a new state, or what a commit says has changed."""
        fresh = frozenset(names)
        self.serial += 1
        self._recent.append((self.serial, fresh))
        remembered = sum(len(each) for _, each in self._recent)
        while remembered > _REMEMBERED and self._recent:
            remembered -= len(self._recent.popleft()[1])
        for link in self.links:
            link.dirty |= fresh
            link.wake.set()

    def since(self, epoch: str, serial: int) -> set[Name] | None:
        """Names that changed after that serial; None if that is not known any more."""
        if epoch != self.epoch or serial > self.serial:
            return None
        if serial < self.serial and (not self._recent or self._recent[0][0] > serial + 1):
            return None
        return {name for at, names in self._recent if at > serial for name in names}

    def snapshot(self, generation: int) -> Iterator[Down]:
        """Everything there is, as frames. The ledger may change between two of them."""
        ledger = self._estate.ledger
        names = iter(list(ledger.rows))
        while chunk := list(islice(names, _ROWS)):
            yield Rows([(name, restamped(row, generation)) for name in chunk if (row := ledger.rows.get(name))])
        for origin, zone in self._estate.static.items():
            static = iter(zone.names.items())
            while part := list(islice(static, _ROWS)):
                yield Static(origin, part)

    def changes(self, names: Iterable[Name]) -> Iterator[Down]:
        """The state of some names now, as frames."""
        rows, each = self._estate.ledger.rows, iter(names)
        while chunk := list(islice(each, _ROWS)):
            yield Rows([(name, rows.get(name, b"")) for name in chunk])

    def masks(self, sent: int) -> tuple[int, Masks | None]:
        """Classes from the `sent`th on, and how many there are then."""
        masks = self._estate.ledger.classes.masks
        new = list(islice(masks.items(), sent, None))
        frame = Masks([(number, mask.to_bytes((mask.bit_length() + 7) // 8, "little")) for number, mask in new])
        return len(masks), frame if new else None

    def commit(self) -> Commit:
        """The end of a snapshot or of changes."""
        return Commit(self.serial, self._estate.unsynced)


class Link:
    """One worker's connection."""

    def __init__(self, feed: Feed, index: int, hello: channel.Hello, writer: asyncio.StreamWriter) -> None:
        self.index = index
        self.hello = hello
        self.serial = 0
        """The last serial that the worker has applied in this connection."""
        self.dirty: set[Name] = set()
        self.wake = asyncio.Event()
        self._feed = feed
        self._writer = writer
        self._sent_masks = 0
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._next = 0

    async def run(self) -> None:
        """Send until the connection ends."""
        missed = self._feed.since(self.hello.epoch, self.hello.serial)
        self._feed.links.add(self)
        try:
            if missed is None:
                await self._snapshot()
            else:
                self.dirty |= missed
                self.wake.set()
            while True:
                await self.wake.wait()
                self.wake.clear()
                await self._changes()
        finally:
            self._feed.links.discard(self)

    async def _snapshot(self) -> None:
        """A worker without a table gets what there is; one that has a table keeps it until we know everything."""
        while self.hello.epoch and not self._feed.complete:
            await self.wake.wait()
            self.wake.clear()
        self.dirty.clear()
        generation = self.hello.generation % 255 + 1  # not the one that the worker's rows have, nor 0: that is changes'
        await self._send(Begin(self._feed.epoch, generation))
        for frame in self._feed.snapshot(generation):
            await self._send(frame)
        await self._send(self._feed.commit())
        self.wake.set()

    async def _changes(self) -> None:
        names, self.dirty = self.dirty, set()
        for frame in self._feed.changes(names):
            await self._send(frame)
        await self._send(self._feed.commit())

    async def _send(self, frame: Down) -> None:
        """Send when the socket has drained; the classes that a row needs go before it."""
        if isinstance(frame, Rows):
            self._sent_masks, masks = self._feed.masks(self._sent_masks)
            if masks:
                self._writer.write(channel.encode(masks))
        self._writer.write(channel.encode(frame))
        await self._writer.drain()

    async def ask(self, what: str, **arguments: Any) -> Any:  # noqa: ANN401 - what a worker tells is a plain value
        """Ask the worker; its reply. The caller bounds the time."""
        self._next += 1
        number = self._next
        reply = self._asked[number] = asyncio.get_running_loop().create_future()
        self._writer.write(channel.encode(channel.Ask(number, what, arguments)))
        try:
            return await reply
        finally:
            del self._asked[number]

    def replied(self, frame: channel.Reply) -> None:
        """A reply came."""
        waiting = self._asked.get(frame.id)
        if waiting and not waiting.done():
            waiting.set_result(frame.body)
