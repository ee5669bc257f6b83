"""The private estate as control and offline tools hold it: inventory, ledger, zone files, and the sources' health.

Joins the pure parts; reads no file itself (`sources` and `zonefiles` do) and knows no worker. Time is an argument.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from resolver import settings
from zones.catalogue import catalogue
from zones.finding import Finding, finding
from zones.inventory import Inventory
from zones.ledger import Ledger
from zones.memory import Memory
from zones.name import Name, from_text
from zones.network import Networks
from zones.policy import Conflicts, Policies
from zones.resource import Resources
from zones.table import Table
from zones.zonefile import Zone

NO_VNETS: Final = "networks: auto: no source knows a virtual network, so only networks made by hand have clients"

Part = Resources | str | None
"""What a part of a source gave: resources, the reason why it cannot be read, or nothing since it is gone."""


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


class Estate:
    """Everything that is known of the private namespace."""

    def __init__(self, config: settings.Control, memory: Memory | None = None) -> None:
        self.settings = config
        self.networks = Networks(config.networks, auto=config.auto, listeners=config.listeners.values())
        self.policies = Policies(config.zones.defaults, config.zones.overrides)
        conflicts = Conflicts(config.conflicts.policy, config.conflicts.policies, config.conflicts.pins)
        self.ledger = Ledger(self.networks, catalogue(), conflicts, memory)
        self.inventory = Inventory([source.name for source in config.sources])
        self.static: dict[Name, Zone] = {}
        self.sources = {
            source.name: SourceStatus(source.name, source.type, source.path, source.on_unsynced)
            for source in config.sources
        }
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
            self.ledger.set_faults(subject, faults, now)
        changed = self.ledger.set_vnets(change.vnets, now) if change.vnets else set()
        return changed | self.ledger.apply(change.endpoints, now)

    def _note(self, source: str, part: str, given: Part, now: float) -> None:
        unreadable = self._unreadable[source]
        where = f"{source}:{part}"
        if isinstance(given, str):
            unreadable[part] = given
            self.ledger.set_source(where, [unreadable_finding(part, given)], now)
        elif unreadable.pop(part, None) is not None:
            self.ledger.set_source(where, [], now)
        self.sources[source].unreadable = len(unreadable)

    def source_read(self, source: str, parts: int, now: float) -> None:
        """A source was read whole, and what its parts gave has been taken.

        Where not one of them can be read, it has given nothing.
        """
        status = self.sources[source]
        status.parts = parts
        self.ledger.set_source(source, [], now)
        if parts and status.unreadable >= parts:
            status.last_error = "{}: {}".format(*next(iter(self._unreadable[source].items())))
            return
        status.synced, status.saved = True, False
        status.last_success, status.last_error = now, ""

    def source_failed(self, source: str, why: str, now: float) -> None:
        """A source could not be read: what it gave before stays."""
        status = self.sources[source]
        status.last_error = why
        self.ledger.set_source(source, [unreadable_finding(status.path, why)], now)

    def restored(self, source: str, parts: int, saved_at: float) -> None:
        """The saved inventory holds what this source gave before."""
        status = self.sources[source]
        status.synced, status.saved, status.parts, status.last_success = True, True, parts, saved_at

    def set_static(self, zones: Mapping[Name, Zone], now: float) -> None:
        """Take the zone files."""
        self.static = dict(zones)
        self.ledger.set_static({name: origin for origin, zone in zones.items() for name in zone.names}, now)

    @property
    def awaited(self) -> frozenset[Name]:
        """Zones of the configuration whose file cannot be read, and of which nothing is saved."""
        return self._origins - self.static.keys()

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
                table.apply_static(origin, name, rrsets)
        table.unsynced, table.awaited = self.unsynced, self.awaited
        return table


def unreadable_finding(subject: str, why: str) -> Finding:
    """`source-unreadable` for a file, or for a whole source."""
    return finding("source-unreadable", subject, "what it gave before is kept", message=why)
