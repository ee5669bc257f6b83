"""The served state as a numbered sequence of changes, and the frames that carry it to workers.

Owns which names changed at which serial, and how rows, zones, visibility classes and networks are cut into frames. A
frame carries the whole state of a name, never a difference. Does not know connections, or what a worker already has
(`session`). Pure: the epoch is an argument.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice, takewhile
from typing import Final, Protocol, TypeVar

from resolver.channel.frames import Clientele, Commit, Down, Masks, Rows, Static
from resolver.control.estate.estate import Estate
from zones.claims.row import ClassNumber, restamped
from zones.dns.name import Name
from zones.dns.record import RRset
from zones.networks.network import NetworkMask

_ROWS: Final = 500
"""Rows in one frame: about 100 KiB."""
_OCTETS: Final = 1 << 20
"""Octets in one frame, approximately: a name can have many records, or differ between many networks."""
_NETWORKS: Final = 2_000
"""Networks in one frame: names and prefixes, about 100 KiB."""
_REMEMBERED: Final = 50_000
"""Changed names that are remembered for workers that reconnect."""


class ChangeListener(Protocol):
    """A worker's session, as the feed knows it."""

    def mark(self, names: Iterable[Name]) -> None:
        """Record that these names, or the content of a commit, changed."""


class Feed:
    """The served state as a sequence of changes. `epoch` names this life of control; serials count changes within it.

    A worker that falls behind costs one set of names, not a queue of frames: it receives each name as the name is when
    the frame is made.
    """

    def __init__(self, estate: Estate, epoch: str) -> None:
        self.epoch = epoch
        self.serial = 0
        self.complete_since = 0
        """Serial of the first state in which every source has data; 0 before that."""
        self.listeners: set[ChangeListener] = set()
        """Sessions of the connected workers. Each one is notified of changes."""
        self._estate = estate
        self._changed: OrderedDict[Name, int] = OrderedDict()
        """The serial of each name's last change, the latest at the end."""
        self._forgotten = 0
        """Up to this serial, some changes are no longer remembered."""
        self._announced: object = None
        """The state beside the names at the last change: what a commit carries, and the version of the networks."""

    @property
    def complete(self) -> bool:
        """True when every source has data, saved or live, or was added by a reload.

        Only then may a snapshot replace what a worker has.
        """
        return all(status.synced or status.joined for status in self._estate.sources.values())

    @property
    def settled(self) -> bool:
        """True when every source has data or has failed. Before that, a source may only be slower than the others."""
        return all(status.synced or status.joined or status.last_error for status in self._estate.sources.values())

    def changed(self, names: Iterable[Name] = ()) -> None:
        """Start a new serial if a name, the networks or the content of a commit changed, and notify the listeners."""
        fresh = frozenset(names)
        estate = self._estate
        commit = estate.health.unsynced, estate.static.awaited, estate.health.stale
        state = commit, estate.networks.version, self.complete, self.settled
        if not fresh and state == self._announced:
            return
        self._announced = state
        self.serial += 1
        if len(fresh) > _REMEMBERED:  # a load: every worker that is away will ask for a snapshot
            self._changed.clear()
            self._forgotten = self.serial
        else:
            self._remember(fresh)
        if self.complete and not self.complete_since:
            self.complete_since = self.serial
        for listener in self.listeners:
            listener.mark(fresh)

    def _remember(self, names: Iterable[Name]) -> None:
        for name in names:
            self._changed[name] = self.serial
            self._changed.move_to_end(name)
        while len(self._changed) > _REMEMBERED:
            _, self._forgotten = self._changed.popitem(last=False)

    def since(self, epoch: str, serial: int) -> set[Name] | None:
        """Return the names that changed after this serial; None if they are no longer remembered."""
        if epoch != self.epoch or not self._forgotten <= serial <= self.serial:
            return None
        return {name for name, _ in takewhile(lambda item: item[1] > serial, reversed(self._changed.items()))}

    # -- frames

    def snapshot(self, generation: int) -> Iterator[Down]:
        """Yield the whole state as frames. The estate may change between two frames."""
        rows = self._estate.ledger.rows
        names = list(rows)
        for chunk in _chunks(((name, restamped(row, generation)) for name in names if (row := rows.get(name))), _row):
            yield Rows(chunk)
        for origin, zone in list(self._estate.static.items()):  # zones may come and go between two frames
            for part in _chunks(zone.names.items(), _records):
                yield Static(origin, part, zone.is_open)

    def changes(self, names: Collection[Name]) -> Iterator[Down]:
        """Yield the current state of these names as frames."""
        rows = self._estate.ledger.rows
        for chunk in _chunks(((name, rows.get(name, b"")) for name in names), _row):
            yield Rows(chunk)
        yield from self._static(names)

    def _static(self, names: Collection[Name]) -> Iterator[Static]:
        """Yield the records of static zones at these names, where the records have changed.

        A worker serves a zone while the zone has its apex. So a new zone ends with its apex, and a zone that goes
        begins with it: no worker serves half a zone.
        """
        estate = self._estate
        found: dict[Name, list[Name]] = {}
        for name in names if estate.static.changed else ():
            for origin in estate.static.concerned(name):
                found.setdefault(origin, []).append(name)
        for origin, own in found.items():
            zone = estate.static.get(origin)
            own.sort(key=lambda name: (name == origin) == (zone is not None))
            records = ((name, zone.names.get(name, ()) if zone else ()) for name in own)
            for part in _chunks(records, _records):
                yield Static(origin, part, zone is not None and zone.is_open)

    def masks(self, sent: int, bits: int) -> Iterator[Masks]:
        """Yield the classes from number `sent` on, after the identities of the networks from bit number `bits` on."""
        masks, identities = self._estate.ledger.classes.masks, self._estate.networks.identities
        new = [(number, mask.to_bytes((mask.bit_length() + 7) // 8, "little")) for number, mask in _after(masks, sent)]
        networks = identities[bits:] if new else []
        for part in (networks[start : start + _NETWORKS] for start in range(0, len(networks), _NETWORKS)):
            yield Masks([], part)
        for chunk in _chunks(new, _mask):
            yield Masks(chunk)

    def clientele(self) -> tuple[int, list[Clientele]]:
        """Return the version of the networks, and the frames that say which clients are in which network.

        Only where virtual networks make networks: version 0 and no frame elsewhere.
        """
        networks = self._estate.networks
        if not networks.auto:
            return 0, []
        clients = [(network.key, network.name, network.clients) for network in networks.now]
        starts = range(0, max(len(clients), 1), _NETWORKS)
        return networks.version, [
            Clientele(clients[start : start + _NETWORKS], start + _NETWORKS < len(clients)) for start in starts
        ]

    def commit(self) -> Commit:
        """Return the frame that ends a snapshot or a batch of changes which starts now.

        Make the commit before the first frame of the batch: a change that happens while the batch is sent is not
        certain to be in it, and a worker that loses its connection must ask for that change again.
        """
        health = self._estate.health
        return Commit(self.serial, health.unsynced, tuple(self._estate.static.awaited), health.stale)


_T = TypeVar("_T")


def _chunks(items: Iterable[_T], octets: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Cut items into lists that fit one frame each. An item is read only when its frame is made."""
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


def _after(masks: Mapping[ClassNumber, NetworkMask], sent: int) -> Iterable[tuple[ClassNumber, NetworkMask]]:
    return islice(masks.items(), sent, None) if len(masks) > sent else ()


def _mask(item: tuple[int, bytes]) -> int:
    return 16 + len(item[1])


def _row(item: tuple[Name, bytes]) -> int:
    return len(item[0]) + len(item[1])


def _records(item: tuple[Name, tuple[RRset, ...]]) -> int:
    return sum(len(rdata) + 8 for rrset in item[1] for rdata in rrset.rdatas)
