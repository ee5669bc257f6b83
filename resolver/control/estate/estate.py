"""The private estate: everything that is known of the private namespace, and the one way to change it.

Joins inventory, ledger, private DNS zones, static zones and the health of the sources. Each change is one transaction:
it returns every name whose answers changed, those of private DNS zones included. Does not know how sources are read, or
workers. Pure: time is an argument, in seconds since the epoch.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from resolver.control.estate.activity import Activity
from resolver.control.estate.part_log import PartLog
from resolver.control.estate.private_dns import PrivateDnsZones
from resolver.control.estate.source_health import SourceHealth, SourceStatus
from resolver.control.estate.state_health import StateHealth
from resolver.control.estate.static_zones import StaticZones
from resolver.control.guard import file_guard
from resolver.control.guard.sync_state import NothingHeld, SyncDecision, accept
from resolver.settings import ControlSettings
from resolver.sources.reading import PartChange, PrivateReading, Scan, ZoneFiles, part_changes
from zones.azure.catalogue import catalogue
from zones.azure.configured_names import ConfiguredNames
from zones.azure.inventory import Inventory, InventoryChange
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.claims.policy import Conflicts, Pin, Policies
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.findings import checks
from zones.findings.board import Board, Topic
from zones.findings.faults import Reporter
from zones.findings.finding import Finding
from zones.ledger.carry_over import CarryOver
from zones.ledger.ledger import Ledger
from zones.networks.network import Networks
from zones.table.table import Table

NO_VNETS: Final = "networks: auto: no source knows a virtual network, so only networks made by hand have clients"


class Estate:
    """The parts of the estate and the changes to them.

    `memory`: what the ledger carries over a restart. `operator_pins`: the pins that operators have made.
    """

    def __init__(
        self, config: ControlSettings, memory: CarryOver | None = None, operator_pins: tuple[Pin, ...] = ()
    ) -> None:
        self.settings = config
        self.operator_pins = operator_pins
        self.networks = Networks(
            config.networks,
            auto=config.auto,
            listeners=[each.network for each in config.listeners],
            identities=memory.identities if memory else (),
        )
        self.policies = Policies(config.zones.defaults, config.zones.overrides)
        conflicts = Conflicts(config.conflicts.policy, config.conflicts.policies, self.pins)
        hold_down = {source.name: float(source.hold_down) for source in config.sources if source.remote}
        self.board = Board(memory.findings if memory else None)
        self.ledger = Ledger(self.networks, catalogue(config.catalogue), conflicts, self.board, memory, hold_down)
        self.inventory = Inventory([source.name for source in config.sources])
        self.names = ConfiguredNames(config.names, self.inventory.endpoints)
        self.private = PrivateDnsZones(config.sources, self.ledger, self.board)
        self.static = StaticZones(map(from_text, config.zones.origins))
        self.health = SourceHealth(config.sources, self.board)
        self.state = StateHealth(self.board)
        self.activity = Activity()
        self.part_log = PartLog()
        self.zone_files = ZoneFiles({})
        """The zone files as they were read last."""
        self.revision = 0
        """Counts the changes that the saved inventory must have."""

    @property
    def sources(self) -> Mapping[str, SourceStatus]:
        """The status of each source by name."""
        return self.health.statuses

    @property
    def pins(self) -> tuple[Pin, ...]:
        """All pins, those of the configuration first."""
        return (*self.settings.conflicts.pins, *self.operator_pins)

    @property
    def zone_texts(self) -> Mapping[str, str]:
        """The last good text of each zone file, by path: what the saved inventory keeps."""
        return self.zone_files.texts

    # -- changes: each returns the names whose rows or provided records changed

    def take(self, changes: Iterable[PartChange], now: WallTime) -> set[Name]:
        """Apply new data of parts of sources, as one change, so that no source comes first at a name.

        A part that cannot be read keeps its last good data, with the finding `source-unreadable`.
        """
        readable: dict[tuple[str, str], Resources | None] = {}
        for source, part, data in changes:
            self.health.read_part(source, part, data, now)
            if not isinstance(data, str):
                readable[source, part] = data
        self.revision += bool(readable)
        self.part_log.changed(readable)
        change = self.inventory.update(readable)
        self.activity.record(readable, change, self.ledger)
        return self._apply(change, now)

    def _apply(self, change: InventoryChange, now: WallTime) -> set[Name]:
        for subject, faults in change.faults.items():
            self.board.replace_faults(Reporter("inventory", subject), faults, now)
        changed = self.ledger.set_vnets(change.vnets, now) if change.vnets else set()
        endpoints = self.names.apply(change.endpoints)
        changed |= self.ledger.apply(endpoints, now)
        for name, ignored in self.names.checked().items():
            self.board.replace(Topic.NAME, name, checks.of_names(name, ignored), now)
        if endpoints:  # an endpoint that is not served changes no row, but it may own a record of a zone
            self.private.endpoints_changed()
        return self._settled(changed)

    def take_scans(self, scans: Mapping[str, Scan], now: WallTime) -> set[Name]:
        """Apply scans of file sources, by source, as one change. The guard decides about each source."""
        had = {source: self.inventory.of(source) for source in scans}
        scans = {source: scan.completed(had[source]) for source, scan in scans.items()}
        before = {source: self.sources[source].sync_state for source in scans}
        decisions = {
            source: file_guard.decide(had[source], dict(scan.changes), before[source], self.sources[source].guard, now)
            for source, scan in scans.items()
        }
        for source, part, data in part_changes(scans):
            if isinstance(data, str):
                self.health.read_part(source, part, data, now)
            elif part not in decisions[source].parts:  # the part can be read, and its data stays
                self.health.read_part(source, part, had[source].get(part), now)
            self.sources[source].dropped -= {part}
        changed = self.take(
            [(source, part, data) for source, each in decisions.items() for part, data in each.parts.items()], now
        )
        for source, scan in scans.items():
            if scan.error:
                self.health.failed(source, scan.error, now)
                continue
            self.health.decided(source, decisions[source], now)
            self.sources[source].parts = scan.parts
            if decisions[source].sync_state.held is None:
                self.health.read(source, scan.parts, now)
            self.health.scanned(source, scan.incomplete, scan.passed_over, now)
            self.revision += before[source] != decisions[source].sync_state
        return changed

    def accept_held_scan(self, source: str, now: WallTime) -> set[Name]:
        """Publish the held scan of a source of files. Raises `NothingHeld`."""
        status = self.sources[source]
        held = status.sync_state.held
        if held is None:
            raise NothingHeld
        decision = accept(held)
        changed = self.take([(source, part, data) for part, data in decision.parts.items()], now)
        self.health.decided(source, decision, now)
        self.health.read(source, status.parts, held.at)
        self.revision += 1
        return changed

    def take_sync(self, source: str, decision: SyncDecision, read_at: WallTime, now: WallTime) -> set[Name]:
        """Apply the guard's decision about a sync of a remote source that was read at `read_at`."""
        status = self.sources[source]
        was_synced = status.synced
        changed = self.take_decision(source, decision, now)
        if decision.sync_state.held is None:
            self.health.read(source, len(self.inventory.of(source).keys() | decision.lost.keys()), read_at)
        self.revision += was_synced != status.synced
        return changed

    def take_decision(self, source: str, decision: SyncDecision, now: WallTime) -> set[Name]:
        """Apply the guard's decision about new data of a source. The source does not count as read."""
        status = self.sources[source]
        before = status.sync_state
        had, unreadable = self.inventory.of(source), self.health.unreadable_parts(source)
        for part in unreadable.keys() - decision.lost.keys() - decision.parts.keys():
            self.health.read_part(source, part, None, now)
        changes: list[PartChange] = [
            (source, part, data)
            for part, data in decision.parts.items()
            if part in unreadable or part not in had or data != had[part]
        ]
        changed = self.take([*changes, *((source, part, why) for part, why in decision.lost.items())], now)
        self.health.decided(source, decision, now)
        self.revision += before != status.sync_state
        return changed

    def drop_held_sync(self, source: str, now: WallTime) -> None:
        """Forget the held sync of a source. The next sync is decided without it. Raises `NothingHeld`."""
        if self.sources[source].sync_state.held is None:
            raise NothingHeld
        self.health.dropped(source, now)
        self.revision += 1

    def take_private_dns(self, source: str, reading: PrivateReading, now: WallTime) -> set[Name]:
        """Apply a reading of a source's private DNS zones."""
        if not self.private.take(source, reading, now):
            return set()
        self.revision += 1
        self.part_log.zones_changed()
        return self._apply(self.inventory.set_created(self.private.created()), now) | self._provide()

    def restore_private_dns(self, saved: Iterable[tuple[str, list[PrivateZone]]], now: WallTime) -> None:
        """Put saved private DNS zones back. Endpoints are taken after it, so that they have the right names at once."""
        self.private.restore(saved, now)
        self.inventory.set_created(self.private.created())

    def take_comparison(self, findings: list[Finding], now: WallTime) -> set[Name]:
        """Apply the result of `private.comparison`."""
        self.private.compared(findings, now)
        return self._provide()

    def become(self, other: "Estate", kept: Iterable[str], now: WallTime) -> set[Name]:
        """Take over everything of an estate that was made from this one for another configuration.

        `kept`: the sources with the same settings in both; their status stays. Every holder of this estate goes on with
        the parts of the other one. Return the names whose rows or static records differ.
        """
        before = self.ledger.rows
        other.health.continue_from(self.health, kept, now)
        changed = other.static.continue_from(self.static)
        self.state.continue_on(other.board, now)
        other.board.acknowledge(self.board.acknowledgements.given)
        other.revision, other.activity, other.state = self.revision + 1, self.activity, self.state
        other.part_log = self.part_log
        other.part_log.replaced()
        self.__dict__.update(other.__dict__)
        after = self.ledger.rows
        return changed | {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}

    def take_zone_files(self, files: ZoneFiles, now: WallTime) -> set[Name]:
        """Replace all zone files."""
        self.revision += files.texts != self.zone_texts
        for path in self.board.of(Topic.ZONE_FILE).keys() | files.findings.keys():
            self.board.replace(Topic.ZONE_FILE, path, files.findings.get(str(path), ()), now)
        self.zone_files = files
        changed = self.static.set_files(files.zones, files.origins.values())
        # Always: `changed` is empty at the first reading, because no worker has other records yet.
        names = {name: origin for origin, zone in files.zones.items() for name in zone.names}
        self.ledger.set_static(names, now)
        return changed | self._provide()

    def expire(self, now: WallTime) -> set[Name]:
        """Remove the claims that have lingered for their whole hold-down."""
        changed = self.ledger.expire(now)
        self.revision += bool(changed)
        return self._settled(changed)

    def set_operator_pins(self, pins: tuple[Pin, ...], now: WallTime) -> set[Name]:
        """Replace the pins that operators have made."""
        self.operator_pins = pins
        self.revision += 1
        return self._settled(self.ledger.repin(self.pins, now))

    def reconsider_pins(self, now: WallTime) -> set[Name]:
        """Evaluate the pinned names again, because a pin has expired."""
        self.revision += 1  # the rule by which an incumbent won may be another one, although no row is
        return self._settled(self.ledger.reconsider(now))

    def _settled(self, changed: set[Name]) -> set[Name]:
        """Add the names at which private DNS zones provide other records, now that these rows have changed."""
        if changed:
            self.private.endpoints_changed()
        return changed | self._provide() if self.private.concerns(changed) else changed

    def _provide(self) -> set[Name]:
        return self.static.set_provided(self.private.provided(self.static.files))

    # -- reading

    def comparison(self, now: WallTime) -> Callable[[], list[Finding]] | None:
        """Return the comparison of private DNS zones and endpoints that is due (`PrivateDnsZones.comparison`)."""
        return self.private.comparison(now)

    @property
    def lacks_vnets(self) -> bool:
        """True where virtual networks should make networks and no source knows one (`NO_VNETS`)."""
        return self.networks.auto and not self.ledger.vnets

    def table(self) -> Table:
        """Return the served table as a worker would hold it."""
        table = Table(self.ledger.catalogue, self.policies)
        table.masks = self.ledger.classes.masks
        for name, row in self.ledger.rows.items():
            table.apply(name, row)
        for origin, zone in self.static.items():
            for name, rrsets in zone.names.items():
                table.apply_static(origin, name, rrsets, is_open=zone.is_open)
        table.unsynced, table.awaited, table.stale = self.health.unsynced, self.static.awaited, self.health.stale
        return table
