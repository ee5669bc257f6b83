"""The private estate as control and offline tools hold it: inventory, ledger, zone files, and the sources' health.

Joins the pure parts; reads no file itself (`sources` and `zonefiles` do) and knows no worker. Time is an argument.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from resolver import settings
from resolver.control.estate.private_dns import PrivateZones
from resolver.control.guard.shrink_guard import Held, Judgement, Standing
from resolver.sources.reading import Part, Requests
from zones.azure.catalogue import catalogue
from zones.azure.inventory import Inventory
from zones.azure.resource import Resources
from zones.claims.policy import Conflicts, Policies
from zones.dns.name import Name, from_text
from zones.dns.zonefile import Zone
from zones.findings import checks
from zones.findings.board import Board, Topic
from zones.findings.evidence import Listed, listed
from zones.findings.faults import Reporter
from zones.findings.finding import Finding, finding
from zones.findings.source_evidence import SyncHeld
from zones.ledger.carry_over import Memory
from zones.ledger.ledger import Ledger
from zones.networks.network import Networks
from zones.table.table import Table

NO_VNETS: Final = "networks: auto: no source knows a virtual network, so only networks made by hand have clients"

FRESH: Final = 3
"""Intervals without a good sync after which what a source gave is stale."""

Freshness = Literal["fresh", "stale", "expired"]


@dataclass(slots=True)
class SourceStatus:
    """How a source is. `synced`: it has given one good inventory, live or saved; times in seconds since the epoch."""

    name: str
    type: str
    path: str
    on_unsynced: str
    synced: bool = False
    saved: bool = False
    """What it gave is from the saved inventory so far."""
    last_success: float | None = None
    last_error: str = ""
    parts: int = 0
    unreadable: int = 0
    remote: bool = False
    interval: float = float("inf")
    """Seconds between two readings."""
    expire: float = float("inf")
    standing: Standing = field(default_factory=Standing)
    """What syncs of a remote source have left open."""
    syncing: bool = False
    next_sync: float | None = None
    """When a remote source is read next; None while it is read, and for files, which are watched."""
    duration: float | None = None
    """Seconds that its last sync took."""
    failures: int = 0
    """Syncs in a row that failed."""
    results: dict[str, int] = field(default_factory=dict)
    """Syncs by what became of them: `published`, `held` or `failed`."""
    requests: Requests | None = None
    """What the syncs of a remote source cost so far."""

    def freshness(self, now: float) -> Freshness | None:
        """How old what is served of it is; None where it has given nothing."""
        if self.last_success is None or not self.synced:
            return None
        age = now - self.last_success
        return "expired" if age >= self.expire else "stale" if age >= FRESH * self.interval else "fresh"


class Degraded(NamedTuple):
    """What is wrong with a source, or with the part of it that `scope` names, while what it gave is served."""

    source: str
    scope: str
    message: str


class Estate:
    """Everything that is known of the private namespace."""

    def __init__(self, config: settings.ControlSettings, memory: Memory | None = None) -> None:
        self.settings = config
        self.networks = Networks(config.networks, auto=config.auto, listeners=config.listeners.values())
        self.policies = Policies(config.zones.defaults, config.zones.overrides)
        conflicts = Conflicts(config.conflicts.policy, config.conflicts.policies, config.conflicts.pins)
        hold_down = {source.name: float(source.hold_down) for source in config.sources if source.remote}
        self.board = Board(memory.findings if memory else None)
        self.ledger = Ledger(self.networks, catalogue(), conflicts, self.board, memory, hold_down)
        self.inventory = Inventory([source.name for source in config.sources])
        self.private = PrivateZones(config.sources, self.ledger, self.board)
        self.static: dict[Name, Zone] = {}
        """Zone files, and what private DNS zones lend."""
        self.lent: dict[Name, frozenset[Name]] = {}
        """Names that private DNS zones lend or have lent, with the origins of those."""
        self.open: frozenset[Name] = frozenset()
        """Origins of those whose zone is one of endpoints: their misses are judged as there."""
        self._files: dict[Name, Zone] = {}
        self.sources = {
            source.name: SourceStatus(
                source.name,
                source.type,
                source.path,
                source.on_unsynced,
                remote=source.remote,
                expire=float(source.expire),
            )
            for source in config.sources
        }
        self.stale = False
        """Some of what is served is no longer fresh (`look`)."""
        self._origins = frozenset(map(from_text, config.zones.origins))
        self._unreadable: dict[str, dict[str, str]] = {source.name: {} for source in config.sources}
        """Parts that cannot be read now, with the reason."""

    def take(self, changes: Iterable[tuple[str, str, Part]], now: float) -> set[Name]:
        """Take what parts of sources gave, as one: (source, part, what). Returns the names whose rows changed.

        A part that cannot be read keeps what it gave before; the finding `source-unreadable` says so.
        """
        readable: dict[tuple[str, str], Resources | None] = {}
        for source, part, given in changes:
            self._note(source, part, given, now)
            if not isinstance(given, str):
                readable[source, part] = given
        change = self.inventory.update(readable)
        for subject, faults in change.faults.items():
            self.board.replace_faults(Reporter("inventory", subject), faults, now)
        changed = self.ledger.set_vnets(change.vnets, now) if change.vnets else set()
        return changed | self.ledger.apply(change.endpoints, now)

    def _note(self, source: str, part: str, given: Part, now: float) -> None:
        unreadable = self._unreadable[source]
        if isinstance(given, str):
            unreadable[part] = given
            self.board.replace(Topic.PART, (source, part), [checks.unreadable(part, given)], now)
        elif unreadable.pop(part, None) is not None:
            self.board.replace(Topic.PART, (source, part), [], now)
        self.sources[source].unreadable = len(unreadable)

    def is_unreadable(self, source: str, part: str) -> bool:
        """This part of a source cannot be read now; what it gave before is kept."""
        return part in self._unreadable[source]

    def source_read(self, source: str, parts: int, now: float) -> None:
        """A source was read whole, and what its parts gave has been taken.

        Where not one of them can be read, it has given nothing.
        """
        status = self.sources[source]
        status.parts = parts
        self.board.replace(Topic.SOURCE, source, [], now)
        if parts and status.unreadable >= parts:
            status.last_error = "{}: {}".format(*next(iter(self._unreadable[source].items())))
            return
        status.synced, status.saved = True, False
        status.last_success, status.last_error = now, ""

    def source_failed(self, source: str, why: str, now: float) -> None:
        """A source could not be read: what it gave before stays."""
        status = self.sources[source]
        status.last_error = why
        self.board.replace(
            Topic.SOURCE, source, [checks.unreadable(source if status.remote else status.path, why)], now
        )

    def judged(self, source: str, judgement: Judgement, now: float, read_at: float) -> set[Name]:
        """Take what a sync of a remote source, read at `read_at`, came to. Returns the names whose rows changed."""
        status = self.sources[source]
        status.standing = judgement.standing
        for part in self._unreadable[source].keys() - judgement.lost.keys() - judgement.parts.keys():
            self._note(source, part, None, now)
        had, unreadable = self.inventory.of(source), self._unreadable[source]
        changes: list[tuple[str, str, Part]] = [
            (source, part, given)
            for part, given in judgement.parts.items()
            if part in unreadable or part not in had or given != had[part]
        ]
        changed = self.take([*changes, *((source, part, why) for part, why in judgement.lost.items())], now)
        self._tell(source, judgement, now)
        if judgement.standing.held is None:
            parts = self.inventory.of(source).keys() | judgement.lost.keys()
            self.source_read(source, len(parts), read_at)
        else:
            status.last_error = ""
            self.board.replace(Topic.SOURCE, source, [], now)
        return changed

    def _tell(self, source: str, judgement: Judgement, now: float) -> None:
        doubts = [checks.unreadable(key, why) for key, why in judgement.doubtful.items()]
        self.board.replace(Topic.ABSENT, source, doubts, now)
        self._tell_held(source, judgement.standing.held, now)

    def _tell_held(self, source: str, held: Held | None, now: float) -> None:
        self.board.replace(Topic.HELD, source, [held_finding(source, held)] if held else [], now)

    def degraded(self) -> list[Degraded]:
        """What is wrong with sources of which something is served; one that has given nothing is missing as a whole."""
        out = []
        for name, status in self.sources.items():
            held = status.standing.held
            if status.synced and held:
                out.append(Degraded(name, "", f"a sync would remove {', '.join(held.reasons)}; it is held"))
            if status.synced and status.last_error:
                out.append(Degraded(name, "", status.last_error))
            if status.synced:
                out += (Degraded(name, part, why) for part, why in self._unreadable[name].items())
        return out

    def dropped(self, source: str, now: float) -> None:
        """An operator drops the sync that is held: the next one is judged by itself."""
        status = self.sources[source]
        status.standing = Standing(status.standing.missing)
        self._tell_held(source, None, now)

    def look(self, now: float) -> bool:
        """See whether what is served is still fresh; True when that has changed."""
        stale = any(status.freshness(now) not in {None, "fresh"} for status in self.sources.values())
        changed, self.stale = stale != self.stale, stale
        return changed

    def restored(self, source: str, parts: int, saved_at: float, standing: Standing | None = None) -> None:
        """The saved inventory holds what this source gave before, and what its syncs have left open."""
        status = self.sources[source]
        standing = standing or Standing()
        status.standing = standing
        self._tell_held(source, standing.held, saved_at)
        status.synced, status.saved, status.parts, status.last_success = True, True, parts, saved_at

    def set_static(self, zones: Mapping[Name, Zone], now: float) -> None:
        """Take the zone files."""
        self.static = self._files = dict(zones)
        self.ledger.set_static({name: origin for origin, zone in zones.items() for name in zone.names}, now)
        self.lend()

    def lend(self) -> set[Name]:
        """Serve what private DNS zones have to lend now. Returns the names whose records changed."""
        lent = {origin: zone for origin, zone in self.private.lent(self._files).items() if origin not in self.awaited}
        before, self.static = self.static, self._files | lent
        self.open = frozenset(origin for origin in lent if self.private.is_open(origin))
        changed: set[Name] = set()
        for origin in (before.keys() | lent.keys()) - self._files.keys():
            old, new = before.get(origin), lent.get(origin)
            names, records = (old.names if old else {}), (new.names if new else {})
            for name in [each for each in names.keys() | records.keys() if names.get(each) != records.get(each)]:
                self.lent[name] = self.lent.get(name, frozenset()) | {origin}
                changed.add(name)
        return changed

    def lend_after(self, changed: set[Name]) -> set[Name]:
        """The rows of these names have changed: what private DNS zones lend may be something else now."""
        if changed:
            self.private.moved()
        return self.lend() if self.private.concerns(changed) else set()

    def is_lent(self, origin: Name) -> bool:
        """What is served of this static zone is lent by a private DNS zone; no file has it."""
        return origin in self.static and origin not in self._files

    @property
    def zone_files(self) -> int:
        """How many zones files give."""
        return len(self._files)

    @property
    def awaited(self) -> frozenset[Name]:
        """Zones of the configuration whose file cannot be read, and of which nothing is saved."""
        return self._origins - self._files.keys()

    @property
    def unsynced(self) -> bool:
        """Some source has never had data, and asks for SERVFAIL until it has."""
        return any(not status.synced and status.on_unsynced == "servfail" for status in self.sources.values())

    @property
    def lacks_vnets(self) -> bool:
        """Virtual networks are to make networks, and there is none (`NO_VNETS`)."""
        return self.networks.auto and not self.ledger.vnets

    def table(self) -> Table:
        """The served table, as a worker would hold it."""
        table = Table(catalogue(), self.policies)
        table.masks = self.ledger.classes.masks
        for name, row in self.ledger.rows.items():
            table.apply(name, row)
        for origin, zone in self.static.items():
            for name, rrsets in zone.names.items():
                table.apply_static(origin, name, rrsets, is_open=origin in self.open)
        table.unsynced, table.awaited, table.stale = self.unsynced, self.awaited, self.stale
        return table


def held_finding(source: str, held: Held) -> Finding:
    """Return the finding `sync-held`: a sync would remove so much that an operator has to decide."""
    removed = Listed(held.ids, held.endpoints + held.vnets)
    evidence = SyncHeld(
        reasons=listed(held.reasons), endpoints=held.endpoints, vnets=held.vnets, would_remove=removed,
        held_since=held.since,
    )  # fmt: skip
    return finding(source, evidence)
