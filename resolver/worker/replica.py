"""A worker's copy of the served state, updated by the frames of control. Evicts compiled answers that change.

Rows are applied in place and atomically for each name, in slices: the caller answers queries between two slices.
"""

import gc
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Final

from resolver.channel.frames import Begin, Clientele, Commit, Down, Masks, Rows, Static
from resolver.worker.access.clients import Clients
from resolver.worker.answer.answer_cache import AnswerCache
from zones.claims.row import classes, restamped
from zones.dns.name import Name
from zones.networks.network import Network, NetworkMask, translated
from zones.networks.prefixes import NetworkIndex
from zones.table.table import Table, Touched

_SLICE: Final = 16
"""Names of one slice. A slice delays queries by about 0.3 ms, and a turn of the event loop in between costs 0.02 ms."""


class Replica:
    """Applies frames to a table. `epoch` and `serial` identify the applied state; `epoch` is empty before the first."""

    def __init__(self, table: Table, answers: AnswerCache, clients: Clients, evicted: int = 0) -> None:
        self.epoch = ""
        self.serial = 0
        self.generation = 0
        """Generation of the last snapshot that began. The next must differ, or its sweep would remove nothing."""
        self.evicted = evicted
        """How many compiled answers changes have evicted."""
        self._table = table
        self._answers = answers
        self.clients = clients
        self._bits: list[NetworkIndex] = []
        """The index of the network here, for each bit of the masks in this connection."""
        self._moved = False
        """Whether any bit differs from the index."""
        self._clientele: list[Network] = []
        """Networks received so far of a list that continues."""
        self._opening: Begin | None = None
        """The snapshot that is not complete yet. A partial one stays open until the next begins."""
        self._static_in_slice = 0
        """Static names in the present slice. It may span frames: each of thousands of small zones has its own."""
        self._static: set[tuple[Name, Name]] = set()
        """Origins and names of static records in the open snapshot."""

    def apply(self, frame: Down) -> Iterator[None]:
        """Apply one frame. Yields between slices."""
        match frame:
            case Begin():
                self._opening, self.generation, self._static = frame, frame.generation, set()
                if not self.epoch:
                    gc.disable()  # no part of a first load is garbage
            case Masks(masks=masks, networks=networks):
                self._add_bits(networks)
                for number, octets in masks:
                    mask = NetworkMask(int.from_bytes(octets, "little"))
                    self._table.masks[number] = translated(mask, self._bits) if self._moved else mask
            case Clientele(networks=networks, more=more):
                self._clientele += (Network(name, clients, key=key) for key, name, clients in networks)
                if not more:
                    self._replace_networks()
            case Rows(rows=rows):
                for start in range(0, len(rows), _SLICE):
                    for name, row in rows[start : start + _SLICE]:
                        new = self._merged(Name(name), row) if self._partial else row
                        self._evict(self._table.apply(Name(name), new))
                    yield
            case Static():
                yield from self._apply_static(Name(frame.origin), frame)
            case Commit():
                yield from self._commit(frame)

    def _apply_static(self, origin: Name, frame: Static) -> Iterator[None]:
        for each, rrsets in frame.names:
            name = Name(each)
            self._static.add((origin, name))
            self._evict(self._table.apply_static(origin, name, rrsets, is_open=frame.is_open))
            self._static_in_slice += 1
            if self._static_in_slice == _SLICE:
                self._static_in_slice = 0
                yield

    def disconnected(self, *, resync: bool = False) -> None:
        """Note that the connection ended: the open snapshot will not be completed.

        `resync`: request a complete snapshot in the next connection, because a frame could not be applied.
        """
        self._opening = None
        self._bits, self._clientele = [], []
        gc.enable()
        if resync:
            self.serial = -1

    def _add_bits(self, identities: list[str]) -> None:
        """Assign the next bits of this connection to these networks."""
        if identities:
            self._bits += map(self.clients.networks.index, identities)
            self._moved = self._bits != list(range(len(self._bits)))
            self._answers.widen(len(self.clients.networks.names))

    def _replace_networks(self) -> None:
        """Replace the networks by the received ones. Clear the answers if a name changed: their counters have it."""
        networks, clientele = self.clients.networks, tuple(self._clientele)
        before = list(networks.names)
        self.clients.replace(clientele)
        self._clientele = []
        self._answers.widen(len(networks.names))
        if any(old not in {"", new} for old, new in zip(before, networks.names, strict=False)):
            self._answers.clear()

    @property
    def _partial(self) -> bool:
        return self._opening is not None and self._opening.partial

    def _merged(self, name: Name, row: bytes) -> bytes:
        """Return the row to store for a name during a partial snapshot.

        A source that has not been read yet may own records in the present row. A present row that this snapshot has not
        brought therefore stays if a network that sees it would lose the name.
        """
        present = self._table.endpoints.rows.get(name)
        if present and present[0] != self.generation and self._visible_to(present) & ~self._visible_to(row):
            return present
        return restamped(row, self.generation)

    def _visible_to(self, row: bytes) -> int:
        """Return the mask of the networks that see the row."""
        return reduce(or_, (self._table.masks[number] for number in classes(row)), 0)

    def _commit(self, frame: Commit) -> Iterator[None]:
        awaited = frozenset(map(Name, frame.awaited))
        if self._partial:  # the present rows come from a control that had read all sources: stale, but complete
            self._set_status(awaited, unsynced=frame.unsynced and self._table.unsynced, stale=True)
            return
        if self._opening is not None:
            for touched in self._table.sweep(self._opening.generation):
                self._evict(touched)
                yield
            self._sweep_static(awaited)
            if not self.epoch:
                gc.freeze()  # without a collection: nearly all of the load lives as long as the process
                gc.enable()
            self.epoch, self._opening = self._opening.epoch, None
        self.serial = frame.serial
        self._set_status(awaited, unsynced=frame.unsynced, stale=frame.stale)

    def _set_status(self, awaited: frozenset[Name], *, unsynced: bool, stale: bool) -> None:
        """Set what a commit says about the sources. Clear the answers if it changed."""
        table = self._table
        awaited -= table.static.keys()
        if (table.awaited, table.unsynced, table.stale) != (awaited, unsynced, stale):
            table.awaited, table.unsynced, table.stale = awaited, unsynced, stale
            self._answers.clear()

    def _sweep_static(self, kept: frozenset[Name]) -> None:
        for origin, zone in list(self._table.static.items()):
            for name in list(zone.names) if origin not in kept else ():
                if (origin, name) not in self._static:
                    self._evict(self._table.remove_static(origin, name))

    def _evict(self, touched: Touched) -> None:
        if touched.names or touched.subtrees:
            self.evicted += self._answers.evict(touched.names, touched.subtrees)
