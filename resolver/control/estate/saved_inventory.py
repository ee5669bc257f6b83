"""The saved inventory as values: taken from an estate in pieces, and joined again.

Holds the last good data of each source, what its syncs have left open, lingering claims, first-seen times and the
holders of names. There is never a copy of the whole, and no piece takes long to encode, even for a million endpoints.
Does not know files (`state.inventory_file`) or how an estate is made of it (`assemble`). Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Final, TypeVar

import msgspec

from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import Position
from resolver.control.guard.sync_state import SyncState
from zones.azure.endpoint import ConfiguredRecord, ConnectionState, Endpoint, NicRecord, ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.claims.contest import Claim, Incumbent, Rule
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.ledger.carry_over import CarryOver, LedgerSnapshot
from zones.ledger.tombstones import Tombstone
from zones.networks.network import NetworkMask

_PIECE: Final = 2_000
"""Items in one piece: about 500 KiB."""


class Lingering(msgspec.Struct, frozen=True, array_like=True):
    """A lingering claim, with the fields of its endpoint that lingering needs."""

    until: WallTime
    endpoint: ResourceId
    id: str
    target: str
    groups: tuple[str, ...]
    region: str
    subscription: str
    vnet: ResourceId
    source: str
    where: str
    name: bytes
    public: bytes
    zone: bytes | None
    addresses: tuple[bytes, ...]
    first_seen: WallTime
    configured: bool = False
    """The configuration gave the name (`names`)."""

    @property
    def tombstone(self) -> Tombstone:
        """The same as the ledger holds it."""
        public = Name(self.public)
        zone = None if self.zone is None else Name(self.zone)
        kind = ConfiguredRecord if self.configured else NicRecord
        endpoint = Endpoint(
            self.endpoint, self.id, self.id.rpartition("/")[2], ConnectionState.APPROVED, self.target, self.groups,
            region=self.region, subscription=self.subscription, vnet=self.vnet,
            records=(kind(public, self.addresses),), source=self.source, where=self.where,
        )  # fmt: skip
        claim = Claim(self.endpoint, Name(self.name), public, zone, self.addresses, self.first_seen)
        return Tombstone(claim, endpoint, self.until)


def _lingering(stone: Tombstone) -> Lingering:
    claim, endpoint = stone.claim, stone.endpoint
    return Lingering(
        stone.until, claim.endpoint, endpoint.id, endpoint.target, endpoint.groups, endpoint.region,
        endpoint.subscription, endpoint.vnet, endpoint.source, endpoint.where, bytes(claim.name), bytes(claim.public),
        None if claim.zone is None else bytes(claim.zone), claim.addresses, claim.first_seen,
        endpoint.has_configured(claim.public),
    )  # fmt: skip


class SavedInventory(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a restart needs to answer at once and to change no winner; or one piece of it.

    Times are in seconds since the epoch. Each piece has some items of the lists; the first piece has all else.
    """

    saved_at: WallTime = WallTime(0.0)
    sources: dict[str, WallTime] = {}
    """When each source that has data was last read whole."""
    parts: list[tuple[str, str, Resources]] = []
    """(source, part, its last good data)."""
    networks: tuple[str, ...] = ()
    """Identities of the networks by bit, for the masks in `held`."""
    first_seen: Sequence[tuple[ResourceId, bytes, WallTime]] = []
    """(endpoint, public FQDN, time)."""
    held: Sequence[tuple[bytes, Sequence[tuple[bytes, ResourceId, Rule]]]] = []
    """(name, holders). A holder is (mask of networks, little-endian; endpoint; the rule by which it won)."""
    findings: dict[str, WallTime] = {}
    """First-seen times by finding id."""
    zone_texts: dict[str, str] = {}
    """The last good text of each zone file, by path."""
    sync_states: dict[str, SyncState] = msgspec.field(default_factory=dict, name="standings")
    """What the syncs of each source have left open, if anything."""
    lingering: list[Lingering] = []
    private: list[tuple[str, list[PrivateZone]]] = []
    """The private DNS zones of each source."""
    positions: dict[str, Position] = {}
    """What each source of type `hub` has of its hub."""
    clock_step: float = 0.0
    """Seconds to add to every time of the file: by so much the system's clock was set while the daemon ran."""

    @property
    def memory(self) -> CarryOver:
        """The part that the ledger carries over a restart."""
        return CarryOver(
            self.networks,
            {(endpoint, Name(fqdn)): seen for endpoint, fqdn, seen in self.first_seen},
            {
                Name(name): tuple(
                    (NetworkMask(int.from_bytes(mask, "little")), key, rule) for mask, key, rule in holders
                )
                for name, holders in self.held
            },
            dict(self.findings),
        )

    def only(self, sources: Iterable[str]) -> "SavedInventory":
        """Return the data of these sources alone, without what the ledger carries over."""
        names = {name for name in sources if name in self.sources}
        return SavedInventory(
            self.saved_at,
            {name: when for name, when in self.sources.items() if name in names},
            [each for each in self.parts if each[0] in names],
            sync_states={name: sync_state for name, sync_state in self.sync_states.items() if name in names},
            private=[each for each in self.private if each[0] in names],
            positions={name: position for name, position in self.positions.items() if name in names},
            clock_step=self.clock_step,
        )


def rebased(saved: SavedInventory, now: WallTime) -> SavedInventory:
    """Return the inventory with times of the system's clock as it is now.

    No time may be later than `now`: where the clock was set back since the file was written, the file counts as written
    now, and all ages in it stay.
    """
    by = saved.clock_step + min(0.0, now - saved.saved_at - saved.clock_step)
    if not by:
        return saved

    def moved(when: WallTime) -> WallTime:
        return WallTime(when + by)

    return msgspec.structs.replace(
        saved, saved_at=min(now, moved(saved.saved_at)), clock_step=0.0,  # a sum may be rounded up
        sources={name: moved(when) for name, when in saved.sources.items()},
        first_seen=[(endpoint, name, moved(when)) for endpoint, name, when in saved.first_seen],
        findings={name: moved(when) for name, when in saved.findings.items()},
        sync_states={name: state.moved(by) for name, state in saved.sync_states.items()},
        lingering=[
            msgspec.structs.replace(each, until=moved(each.until), first_seen=moved(each.first_seen))
            for each in saved.lingering
        ],
    )  # fmt: skip


def pieces_of(estate: Estate, now: WallTime, clock_step: float = 0.0) -> Iterator[SavedInventory]:
    """Return the inventory to save, as it is now. Each piece is made when the iterator reaches it, in any thread."""
    sources = estate.sources.values()
    read = {each.name: each.last_success for each in sources if each.synced and each.last_success is not None}
    sync_states = {each.name: each.sync_state for each in sources if each.sync_state != SyncState()}
    parts, lingering = list(estate.inventory.parts()), list(estate.ledger.tombstones)
    recollection, private = estate.ledger.snapshot(), list(estate.private.all())
    positions = {each.name: each.position for each in sources if each.position}
    first = SavedInventory(
        now, read, findings=estate.board.times(), zone_texts=dict(estate.zone_texts), sync_states=sync_states,
        positions=positions, clock_step=clock_step,
    )  # fmt: skip
    return pieces(first, recollection, parts, lingering, private)


def pieces(
    first: SavedInventory,
    recollection: LedgerSnapshot,
    parts: Iterable[tuple[str, str, Resources]],
    lingering: Iterable[Tombstone] = (),
    private: Iterable[tuple[str, list[PrivateZone]]] = (),
) -> Iterator[SavedInventory]:
    """Yield the inventory in pieces. `first` holds all that is in no list."""
    yield msgspec.structs.replace(first, networks=recollection.networks)
    for source, part, resources in parts:
        yield from (SavedInventory(parts=[(source, part, some)]) for some in _cut(resources))
    for seen in _batches(recollection.first_seen()):
        yield SavedInventory(first_seen=seen)
    for held in _batches((name, [*map(_holder, holders)]) for name, holders in recollection.held()):
        yield SavedInventory(held=held)
    for stones in _batches(map(_lingering, lingering)):
        yield SavedInventory(lingering=stones)
    for source, zones in private:
        yield SavedInventory(private=[(source, [])])  # the source has been read, even if it has no zone
        yield from (SavedInventory(private=[(source, [zone])]) for zone in zones)


T = TypeVar("T")


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, _PIECE)):
        yield some


def _cut(resources: Resources) -> Iterator[Resources]:
    kinds = msgspec.structs.astuple(resources)
    for start in range(0, max(1, *map(len, kinds)), _PIECE):
        yield Resources(*(kind[start : start + _PIECE] for kind in kinds))


def joined(pieces: Iterable[SavedInventory]) -> SavedInventory:
    """Return the whole inventory. Raises ValueError if there is no piece."""
    left = iter(pieces)
    whole = next(left, None)
    if whole is None:
        raise ValueError("there is nothing in it")
    parts, private = [*whole.parts], [*whole.private]
    first_seen, held, lingering = [*whole.first_seen], [*whole.held], [*whole.lingering]
    for piece in left:
        parts += piece.parts
        first_seen += piece.first_seen
        held += piece.held
        lingering += piece.lingering
        private += piece.private
    return msgspec.structs.replace(
        whole, first_seen=first_seen, held=held, lingering=lingering,
        parts=[
            (*place, Resources.joined(each for _, _, each in some)) for place, some in groupby(parts, itemgetter(0, 1))
        ],
        private=[(source, [*chain(*(zones for _, zones in some))]) for source, some in groupby(private, itemgetter(0))],
    )  # fmt: skip


def _holder(incumbent: Incumbent) -> tuple[bytes, ResourceId, Rule]:
    mask, endpoint, rule = incumbent
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little"), endpoint, rule
