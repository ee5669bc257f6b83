"""What control sends to its workers: snapshots as a socket drains, then changes; each name's whole state, never a diff.

A worker that falls behind costs a set of names, not a queue of frames: what it is sent is the state at that moment.
"""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final, Protocol, TypeVar, cast

from resolver.channel import frames as channel
from resolver.channel.frames import Begin, Clientele, Commit, Down, Masks, Rows, Static
from resolver.channel.requests import Reply, ReplyT, Request, WorkerRequest
from resolver.control.estate.estate import Estate
from zones.claims.row import restamped
from zones.dns.name import Name
from zones.dns.record import RRset

_ROWS: Final = 500
"""Rows of one frame: some 100 KiB."""
_OCTETS: Final = 1 << 20
"""And at most about so many of their octets: names with many records, or seen differently in many networks."""
_NETWORKS: Final = 2_000
"""Networks of one frame: names and prefixes, some 100 KiB."""
_REMEMBERED: Final = 50_000
"""Changed names that are remembered for workers that were away."""


class Feed:
    """The served state as a sequence of changes. Serials count the changes of this epoch."""

    def __init__(self, estate: Estate) -> None:
        self.epoch = uuid.uuid4().hex
        self.serial = 0
        self.complete = False
        """Every source has its saved or first inventory: only then may a snapshot replace what a worker has."""
        self.links: set[Link] = set()
        self._estate = estate
        self._changed: OrderedDict[Name, int] = OrderedDict()
        """The serial of each name's last change, the latest at the end."""
        self._forgotten = 0
        """Of the changes up to this serial, some are not remembered."""
        self._told: object = None
        """What a commit said beside the names, when the last change was told."""

    @property
    def settled(self) -> bool:
        """Every source was read, or has failed: those that are only slower than others are waited for."""
        return self.complete or all(each.synced or each.last_error for each in self._estate.sources.values())

    def changed(self, names: Iterable[Name] = ()) -> None:
        """These names have a new state, or what a commit says has changed, or the networks; else nothing happens."""
        fresh = frozenset(names)
        estate = self._estate
        told = estate.unsynced, estate.awaited, estate.stale, estate.networks.version, self.complete, self.settled
        if not fresh and told == self._told:
            return
        self._told = told
        self.serial += 1
        if len(fresh) > _REMEMBERED:  # a load: all that was away ask for a snapshot
            self._changed.clear()
            self._forgotten = self.serial
        else:
            self._remember(fresh)
        for link in self.links:
            link.dirty |= fresh
            link.wake.set()

    def _remember(self, names: Iterable[Name]) -> None:
        for name in names:
            self._changed[name] = self.serial
            self._changed.move_to_end(name)
        while len(self._changed) > _REMEMBERED:
            _, self._forgotten = self._changed.popitem(last=False)

    def since(self, epoch: str, serial: int) -> set[Name] | None:
        """Names that changed after that serial; None if that is not known any more."""
        if epoch != self.epoch or not self._forgotten <= serial <= self.serial:
            return None
        return {name for name, _ in takewhile(lambda item: item[1] > serial, reversed(self._changed.items()))}

    def snapshot(self, generation: int) -> Iterator[Down]:
        """Everything there is, as frames. The ledger may change between two of them."""
        rows = self._estate.ledger.rows
        names = list(rows)
        for chunk in _chunks(((name, restamped(row, generation)) for name in names if (row := rows.get(name))), _row):
            yield Rows(chunk)
        for origin, zone in self._estate.static.items():
            for part in _chunks(zone.names.items(), _records):
                yield Static(origin, part, origin in self._estate.open)

    def changes(self, names: Collection[Name]) -> Iterator[Down]:
        """The state of some names now, as frames."""
        rows = self._estate.ledger.rows
        for chunk in _chunks(((name, rows.get(name, b"")) for name in names), _row):
            yield Rows(chunk)
        yield from self._lent(names)

    def _lent(self, names: Collection[Name]) -> Iterator[Static]:
        """Those of them that private DNS zones lend, or have lent. A zone ends or begins with its apex, as a whole."""
        estate = self._estate
        found: dict[Name, list[Name]] = {}
        for name in names if estate.lent else ():
            for origin in estate.lent.get(name, ()):
                found.setdefault(origin, []).append(name)
        for origin, own in found.items():
            zone = estate.static.get(origin)
            own.sort(key=lambda name: (name == origin) == (zone is not None))
            records = ((name, zone.names.get(name, ()) if zone else ()) for name in own)
            for part in _chunks(records, _records):
                yield Static(origin, part, origin in estate.open)

    def masks(self, sent: int, bits: int) -> Iterator[Masks]:
        """Classes from the `sent`th on, with the identities of the networks from that bit on."""
        masks, identities = self._estate.ledger.classes.masks, self._estate.networks.identities
        new = [(number, mask.to_bytes((mask.bit_length() + 7) // 8, "little")) for number, mask in _after(masks, sent)]
        networks = identities[bits:] if new else []
        for part in (networks[start : start + _NETWORKS] for start in range(0, len(networks), _NETWORKS)):
            yield Masks([], part)
        for chunk in _chunks(new, _mask):
            yield Masks(chunk)

    def clientele(self) -> tuple[int, list[Clientele]]:
        """Which clients are in which network, where virtual networks tell that, and which version of it this is."""
        networks = self._estate.networks
        if not networks.auto:
            return 0, []
        told = [(network.key, network.name, network.clients) for network in networks.now]
        starts = range(0, max(len(told), 1), _NETWORKS)
        return networks.version, [
            Clientele(told[start : start + _NETWORKS], start + _NETWORKS < len(told)) for start in starts
        ]

    def commit(self) -> Commit:
        """The end of a snapshot or of changes that begin now.

        To be made before them: what changes while they are sent is not in them, and a worker that loses its line has to
        ask for it again.
        """
        return Commit(self.serial, self._estate.unsynced, tuple(self._estate.awaited), self._estate.stale)


_T = TypeVar("_T")


def _chunks(items: Iterable[_T], octets: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Cut into what fits a frame, each item taken only when its frame is made."""
    chunk: list[_T] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += octets(item)
        if len(chunk) == _ROWS or size >= _OCTETS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _after(masks: Mapping[int, int], sent: int) -> Iterable[tuple[int, int]]:
    return islice(masks.items(), sent, None) if len(masks) > sent else ()


def _mask(item: tuple[int, bytes]) -> int:
    return 16 + len(item[1])


def _row(item: tuple[Name, bytes]) -> int:
    return len(item[0]) + len(item[1])


def _records(item: tuple[Name, tuple[RRset, ...]]) -> int:
    return sum(len(rdata) + 8 for rrset in item[1] for rdata in rrset.rdatas)


@dataclass(slots=True)
class WorkerState:
    """A worker as control sees it. `serial`: the last state that it has applied; `synced`: one made of all sources."""

    index: int
    pid: int = 0
    instance: str = ""
    serial: int = 0
    connected: bool = False
    synced: bool = False


class Writer(Protocol):
    """What a link needs of a stream."""

    def write(self, data: bytes | bytearray) -> None:
        """Take octets to send."""

    async def drain(self) -> None:
        """Wait until there is room for more."""


class Link:
    """One worker's connection."""

    def __init__(self, feed: Feed, index: int, hello: channel.Hello, writer: Writer) -> None:
        self.index = index
        self.hello = hello
        self.serial = 0
        """The last serial that the worker has applied in this connection."""
        self.dirty: set[Name] = set()
        self.wake = asyncio.Event()
        self._feed = feed
        self._writer = writer
        self._sent_masks = self._sent_bits = 0
        self._sent_clientele = 0
        """Its version."""
        self._generation = hello.generation
        """Of the last snapshot. The next has another, so that its rows are swept, but not 0: that is changes'."""
        self._partial = False
        """What is sent goes beside what the worker has."""
        self._asked: dict[int, asyncio.Future[Reply]] = {}
        self._next = 0

    async def run(self) -> None:
        """Send until the connection ends."""
        missed = self._feed.since(self.hello.epoch, self.hello.serial)
        self._feed.links.add(self)
        try:
            if missed is None:
                if self.hello.epoch:
                    await self._bide()
                await self.snapshot()
            else:
                self.dirty |= missed
                self.wake.set()
            while True:
                await self._woken()
                await self._changes()
        finally:
            self._feed.links.discard(self)

    async def _woken(self) -> None:
        await self.wake.wait()
        self.wake.clear()

    async def _bide(self) -> None:
        """A worker that has a table keeps it until we know everything; meanwhile it is told what we know, beside it."""
        while not self._feed.settled:
            await self._woken()
        self._partial = not self._feed.complete
        if self._partial:
            await self.snapshot()
        while not self._feed.complete:
            await self._woken()
            await self._changes()
        self._partial = False

    async def snapshot(self) -> int:
        """Tell everything that there is. Returns the serial that the worker has then."""
        self.dirty.clear()
        commit, clientele = self._feed.commit(), self._feed.clientele()
        self._generation = self._generation % 255 + 1
        await self._send(Begin(self._feed.epoch, self._generation, self._partial))
        if not self.hello.epoch:
            await self._send_clientele(*clientele)  # it has nothing that a row would have to come before
        for frame in self._feed.snapshot(self._generation):
            await self._send(frame)
        await self._send_clientele(*clientele)
        await self._send(commit)
        return commit.serial

    async def _changes(self) -> None:
        names, self.dirty = self.dirty, set()
        commit, clientele = self._feed.commit(), self._feed.clientele()
        for frame in self._feed.changes(names):
            await self._send(frame)
        await self._send_clientele(*clientele)
        await self._send(commit)

    async def _send_clientele(self, version: int, frames: list[Clientele]) -> None:
        """A client comes into another network when the names that it sees are there.

        As long as some source has given nothing, its virtual networks are not known, and their clients stay.
        """
        if version != self._sent_clientele and not self._partial:
            self._sent_clientele = version
            for frame in frames:
                await self._send(frame)

    async def _send(self, frame: Down) -> None:
        """Send when the socket has drained; the classes that a row needs go before it."""
        if isinstance(frame, Rows):
            for masks in self._feed.masks(self._sent_masks, self._sent_bits):
                self._sent_masks += len(masks.masks)
                self._sent_bits += len(masks.networks)
                self._writer.write(channel.encode(masks))
        self._writer.write(channel.encode(frame))
        await self._writer.drain()

    async def ask(self, request: WorkerRequest[ReplyT]) -> ReplyT:
        """Send a request and return the worker's reply. The caller limits the time.

        Raises `TypeError` when the reply is not one to this request.
        """
        self._next += 1
        number = self._next
        reply = self._asked[number] = asyncio.get_running_loop().create_future()
        self._writer.write(channel.encode(channel.RequestFrame(number, cast("Request", request))))
        try:
            return request.checked(await reply)
        finally:
            del self._asked[number]

    def replied(self, frame: channel.ReplyFrame) -> None:
        """A reply came."""
        waiting = self._asked.get(frame.id)
        if waiting and not waiting.done():
            waiting.set_result(frame.body)


async def ask_all(links: Mapping[int, Link], patience: float, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT]:
    """Return the replies that arrive within `patience` seconds, by worker index."""
    asked = {index: asyncio.ensure_future(link.ask(request)) for index, link in links.items()}
    if asked:
        _, late = await asyncio.wait(asked.values(), timeout=patience)
        for each in late:
            each.cancel()
    return {
        i: each.result() for i, each in asked.items() if not each.cancelled() and each.done() and not each.exception()
    }
