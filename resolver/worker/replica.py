"""A worker's copy of the served state, kept in step by control's frames; compiled answers are evicted as it changes.

Rows apply in place, atomic per name, in slices: the caller lets queries run between them.
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
from zones.networks.network import Network, translated
from zones.table.table import Table, Touched

_SLICE: Final = 16
"""Rows applied in one go, some 0.3 ms for which queries wait; a turn of the loop between costs 0.02 ms."""


class Replica:
    """Applies frames to a table. `epoch` and `serial` tell control what it has; `epoch` is empty before that."""

    def __init__(self, table: Table, answers: AnswerCache, clients: Clients) -> None:
        self.epoch = ""
        self.serial = 0
        self.generation = 0
        """Stamp of the last snapshot that began, whole or not: the next one has another, or could not be swept."""
        self.evicted = 0
        """Compiled answers that changes have dropped."""
        self._table = table
        self._answers = answers
        self._clients = clients
        self._places: list[int] = []
        """Our index of the network that each bit stands for in this connection."""
        self._moved = False
        """They are not the same."""
        self._clientele: list[Network] = []
        """Networks of which others follow."""
        self._opening: Begin | None = None
        """The snapshot that is not whole yet. One that is partial stays open until the next begins."""
        self._static: set[tuple[Name, Name]] = set()
        """Zone-file names that the open snapshot brought."""

    def take(self, frame: Down) -> Iterator[None]:
        """Apply one frame, yielding between slices."""
        match frame:
            case Begin():
                self._opening, self.generation, self._static = frame, frame.generation, set()
                if not self.epoch:
                    gc.disable()  # nothing of a first load is garbage
            case Masks(masks=masks, networks=networks):
                self._meet(networks)
                for number, octets in masks:
                    mask = int.from_bytes(octets, "little")
                    self._table.masks[number] = translated(mask, self._places) if self._moved else mask
            case Clientele(networks=networks, more=more):
                self._clientele += (Network(name, clients, key=key) for key, name, clients in networks)
                if not more:
                    self._enroll()
            case Rows(rows=rows):
                for start in range(0, len(rows), _SLICE):
                    for name, row in rows[start : start + _SLICE]:
                        self._evict(self._table.apply(Name(name), self._beside(name, row) if self._partial else row))
                    yield
            case Static(origin=origin, names=names, is_open=is_open):
                for start in range(0, len(names), _SLICE):
                    for name, rrsets in names[start : start + _SLICE]:
                        self._static.add((Name(origin), Name(name)))
                        touched = self._table.apply_static(Name(origin), Name(name), rrsets, is_open=is_open)
                        self._evict(touched)
                    yield
            case Commit():
                yield from self._commit(frame)

    def _meet(self, identities: list[str]) -> None:
        """The bits that follow stand for these networks."""
        if identities:
            self._places += map(self._clients.networks.index, identities)
            self._moved = self._places != list(range(len(self._places)))
            self._answers.widen(len(self._clients.networks.names))

    def _enroll(self) -> None:
        """Take the networks that have come. Answers count by the names of networks."""
        networks, clientele = self._clients.networks, tuple(self._clientele)
        before = list(networks.names)
        self._clients.become(clientele)
        self._clientele = []
        self._answers.widen(len(networks.names))
        if any(old not in {"", new} for old, new in zip(before, networks.names, strict=False)):
            self._answers.clear()

    def lost(self, *, doubtful: bool = False) -> None:
        """The line is gone: an open snapshot will never end. `doubtful`: ask for a whole one, nobody knows why."""
        self._opening = None
        self._places, self._clientele = [], []
        gc.enable()
        if doubtful:
            self.serial = -1

    @property
    def _partial(self) -> bool:
        return self._opening is not None and self._opening.partial

    def _beside(self, name: bytes, row: bytes) -> bytes:
        """The row to have where some source has given nothing: it may be in what there is of the name.

        A row that this snapshot has not brought stays as it is where it is seen by a network that would lose the name.
        """
        had = self._table.owned.rows.get(Name(name))
        if had and had[0] != self.generation and self._sight(had) & ~self._sight(row):
            return had
        return restamped(row, self.generation)

    def _sight(self, row: bytes) -> int:
        """Mask of the networks that see the row."""
        return reduce(or_, (self._table.masks[number] for number in classes(row)), 0)

    def _commit(self, frame: Commit) -> Iterator[None]:
        awaited = frozenset(map(Name, frame.awaited))
        if self._partial:  # what the worker has was told by a control that had read that source: not anew, but all
            self._say(awaited, unsynced=frame.unsynced and self._table.unsynced, stale=True)
            return
        if self._opening is not None:
            for touched in self._table.sweep(self._opening.generation):
                self._evict(touched)
                yield
            self._sweep_static(awaited)
            if not self.epoch:
                gc.freeze()  # without collecting: what was loaded lives as long as the process
                gc.enable()
            self.epoch, self._opening = self._opening.epoch, None
        self.serial = frame.serial
        self._say(awaited, unsynced=frame.unsynced, stale=frame.stale)

    def _say(self, awaited: frozenset[Name], *, unsynced: bool, stale: bool) -> None:
        """What a commit says beside the names."""
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
