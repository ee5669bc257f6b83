"""What is saved of the estate: what sources gave last and left open, what lingers, first-seen times, who held names.

Shapes only, taken from an estate and put back into one; `state` knows the file. All is saved in pieces: there is never
a copy of the whole, and nothing waits for long while it is encoded, though there are a million endpoints.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Final, TypeVar

import msgspec

from resolver.control.estate.estate import Estate
from resolver.control.guard.shrink_guard import Standing
from zones.azure.endpoint import Endpoint, NicRecord, State
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources, subscription
from zones.claims.contest import Claim, Incumbent, Rule
from zones.dns.name import Name
from zones.ledger.carry_over import Memory, Recollection
from zones.ledger.tombstones import Tombstone

_PIECE: Final = 2_000
"""Items of a piece, some 500 KiB."""


class Lingering(msgspec.Struct, frozen=True, array_like=True):
    """A tombstone: the claim, and of its endpoint what lingering takes."""

    until: float
    endpoint: str
    id: str
    target: str
    groups: tuple[str, ...]
    region: str
    subscription: str
    vnet: str
    source: str
    where: str
    name: bytes
    public: bytes
    zone: bytes | None
    addresses: tuple[bytes, ...]
    first_seen: float

    @property
    def tombstone(self) -> Tombstone:
        """For the ledger."""
        public = Name(self.public)
        zone = None if self.zone is None else Name(self.zone)
        endpoint = Endpoint(
            self.endpoint, self.id, self.id.rpartition("/")[2], State.APPROVED, self.target, self.groups,
            region=self.region, subscription=self.subscription, vnet=self.vnet,
            records=(NicRecord(public, self.addresses),), source=self.source, where=self.where,
        )  # fmt: skip
        claim = Claim(self.endpoint, Name(self.name), public, zone, self.addresses, self.first_seen)
        return Tombstone(claim, endpoint, self.until)


def _lingering(stone: Tombstone) -> Lingering:
    claim, endpoint = stone.claim, stone.endpoint
    return Lingering(
        stone.until, claim.endpoint, endpoint.id, endpoint.target, endpoint.groups, endpoint.region,
        endpoint.subscription, endpoint.vnet, endpoint.source, endpoint.where, bytes(claim.name), bytes(claim.public),
        None if claim.zone is None else bytes(claim.zone), claim.addresses, claim.first_seen,
    )  # fmt: skip


class Saved(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a restart needs so that it answers at once and flips no winner, or a piece of it.

    Times in seconds since the epoch. Of lists, each piece has some items; all else is in the first.
    """

    saved_at: float = 0.0
    sources: dict[str, float] = {}
    """When each source that has given anything was last read whole."""
    parts: list[tuple[str, str, Resources]] = []
    """(source, part, what it gave)."""
    networks: tuple[str, ...] = ()
    first_seen: Sequence[tuple[str, bytes, float]] = []
    """(endpoint, public FQDN, time)."""
    held: Sequence[tuple[bytes, Sequence[tuple[bytes, str, Rule]]]] = []
    """(name, holders): masks of networks, little-endian, endpoints, and the rules that they won by."""
    findings: dict[str, float] = {}
    zone_texts: dict[str, str] = {}
    standings: dict[str, Standing] = {}
    """What the syncs of each remote source have left open."""
    lingering: list[Lingering] = []
    private: list[tuple[str, list[PrivateZone]]] = []
    """The private DNS zones of each source."""

    @property
    def memory(self) -> Memory:
        """For the ledger."""
        return Memory(
            self.networks,
            {(endpoint, Name(fqdn)): seen for endpoint, fqdn, seen in self.first_seen},
            {
                Name(name): tuple((int.from_bytes(mask, "little"), key, rule) for mask, key, rule in holders)
                for name, holders in self.held
            },
            dict(self.findings),
        )


def of_estate(estate: Estate, zone_texts: dict[str, str], now: float) -> Iterator[Saved]:
    """What there is to save of an estate now. The pieces are made when they are asked for, in a thread if need be."""
    sources = estate.sources.values()
    read = {each.name: each.last_success for each in sources if each.synced and each.last_success is not None}
    standings = {each.name: each.standing for each in sources if each.remote}
    parts, lingering = list(estate.inventory.parts()), list(estate.ledger.tombstones)
    recollection, private = estate.ledger.recollection(), list(estate.private.all())
    head = Saved(
        now, read, findings=estate.board.times(), zone_texts=dict(zone_texts), standings=standings,
    )  # fmt: skip
    return of(head, recollection, parts, lingering, private)


def of(
    head: Saved,
    recollection: Recollection,
    parts: Iterable[tuple[str, str, Resources]],
    lingering: Iterable[Tombstone] = (),
    private: Iterable[tuple[str, list[PrivateZone]]] = (),
) -> Iterator[Saved]:
    """What there is to save, in pieces. `head`: the first piece, all that is in no list."""
    yield msgspec.structs.replace(head, networks=recollection.networks)
    for source, part, resources in parts:
        yield from (Saved(parts=[(source, part, some)]) for some in _cut(resources))
    for seen in _some(recollection.first_seen()):
        yield Saved(first_seen=seen)
    for held in _some((name, [*map(_holder, holders)]) for name, holders in recollection.held()):
        yield Saved(held=held)
    for stones in _some(map(_lingering, lingering)):
        yield Saved(lingering=stones)
    for source, zones in private:
        yield Saved(private=[(source, [])])  # that it has been read, though it may have none
        yield from (Saved(private=[(source, [zone])]) for zone in zones)


T = TypeVar("T")


def _some(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while some := list(islice(left, _PIECE)):
        yield some


def _cut(resources: Resources) -> Iterator[Resources]:
    kinds = msgspec.structs.astuple(resources)
    for start in range(0, max(1, *map(len, kinds)), _PIECE):
        yield Resources(*(kind[start : start + _PIECE] for kind in kinds))


def joined(pieces: Iterable[Saved]) -> Saved:
    """The whole. Raises ValueError where there is no piece."""
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


def _holder(incumbent: Incumbent) -> tuple[bytes, str, Rule]:
    mask, endpoint, rule = incumbent
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little"), endpoint, rule


def restore(saved: Saved, estate: Estate, now: float) -> None:
    """Put what is saved into an estate that was made with its memory.

    What is of no source any more is left out, and so are subscriptions that its configuration no longer lists.
    """
    scopes = {source.name: source.azure.subscriptions if source.azure else () for source in estate.settings.sources}
    in_scope = [each for each in saved.parts if each[0] in scopes and each[1] in (scopes[each[0]] or (each[1],))]
    estate.take(in_scope, now)
    for name, last_success in saved.sources.items():
        if name in estate.sources:
            estate.restored(name, len(estate.inventory.of(name)), last_success, saved.standings.get(name))
    estate.ledger.restore((each.tombstone for each in saved.lingering), now)
    private = [
        (name, [zone for zone in zones if not (scope := scopes.get(name)) or subscription(zone.key) in scope])
        for name, zones in saved.private
    ]
    estate.private.restore(private, now)
