"""The saved inventory: what sources gave last and left open, what lingers, first-seen times, who held contested names.

One file, replaced atomically: a magic line, the SHA-256 of the rest, then MessagePack. A file that does not check is
set aside, never believed and never overwritten.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from resolver.estate import Estate
from resolver.guard import Standing
from zones.contest import Claim
from zones.endpoint import Endpoint, NicRecord, State
from zones.memory import Memory
from zones.name import Name
from zones.privatezone import PrivateZone
from zones.resource import Resources, subscription
from zones.tombstones import Tombstone

FILE: Final = "inventory.v2"
_MAGIC: Final = b"pldns inventory 2\n"

_log = logging.getLogger(__name__)


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


class Saved(msgspec.Struct, frozen=True):
    """What a restart needs so that it answers at once and flips no winner. Times in seconds since the epoch."""

    saved_at: float
    sources: dict[str, float] = {}
    """When each source that has given anything was last read whole."""
    parts: list[tuple[str, str, Resources]] = []
    """(source, part, what it gave)."""
    networks: tuple[str, ...] = ()
    first_seen: list[tuple[str, bytes, float]] = []
    """(endpoint, public FQDN, time)."""
    held: list[tuple[bytes, list[tuple[bytes, str, str]]]] = []
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


def of(
    memory: Memory,
    sources: dict[str, float],
    parts: list[tuple[str, str, Resources]],
    zone_texts: dict[str, str],
    now: float,
    standings: dict[str, Standing] | None = None,
    lingering: Iterable[Tombstone] = (),
    private: Iterable[tuple[str, list[PrivateZone]]] = (),
) -> Saved:
    """What there is to save."""
    return Saved(
        now,
        sources,
        parts,
        memory.networks,
        [(endpoint, name, seen) for (endpoint, name), seen in memory.first_seen.items()],
        [
            (name, [(mask.to_bytes((mask.bit_length() + 7) // 8, "little"), key, rule) for mask, key, rule in holders])
            for name, holders in memory.held.items()
        ],
        memory.findings,
        zone_texts,
        standings or {},
        [_lingering(stone) for stone in lingering],
        list(private),
    )


def of_estate(estate: Estate, zone_texts: dict[str, str], now: float) -> Saved:
    """What there is to save of an estate."""
    sources = estate.sources.values()
    read = {each.name: each.last_success for each in sources if each.synced and each.last_success is not None}
    standings = {each.name: each.standing for each in sources if each.remote}
    parts, lingering = list(estate.inventory.parts()), estate.ledger.tombstones
    return of(estate.ledger.memory(), read, parts, zone_texts, now, standings, lingering, estate.private.all())


def encode(saved: Saved) -> bytes:
    """The file's content."""
    body = msgspec.msgpack.encode(saved)
    return _MAGIC + hashlib.sha256(body).digest() + body


def write(directory: str, content: bytes) -> None:
    """Replace the saved inventory. Raises OSError; the old one stays."""
    with replacing(Path(directory) / FILE) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` at the end: a reader sees the old one or the new one, whole.

    Raises OSError; the old one stays. Only one process may write in a directory: what an earlier one left half written
    is written over.
    """
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(directory: str) -> Saved | None:
    """The saved inventory; None where there is none. Raises OSError, and ValueError for one that does not check."""
    try:
        content = (Path(directory) / FILE).read_bytes()
    except FileNotFoundError:
        return None
    return decode(content)


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


def read(directory: str) -> Saved | None:
    """The saved inventory; None where there is none that can be read and checks: that one is renamed to `….broken`."""
    path = Path(directory) / FILE
    try:
        return load(directory)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        broken = path.with_suffix(".broken")
        _log.error("the saved inventory %s is not used: %s; it is now %s", path, why, broken)
        with contextlib.suppress(OSError):
            path.replace(broken)
        return None


def decode(content: bytes) -> Saved:
    """The inverse of `encode`. Raises ValueError."""
    if not content.startswith(_MAGIC):
        raise ValueError("it is not of this version")
    checksum, body = content[len(_MAGIC) : len(_MAGIC) + 32], content[len(_MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != checksum:
        raise ValueError("its checksum is wrong")
    return msgspec.msgpack.decode(body, type=Saved)
