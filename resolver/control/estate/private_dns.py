"""The private DNS zones of all sources: the last reading of each, the records they provide, and findings about them.

Does not know how or when zones are read, or who serves the provided records. Pure; times are in seconds since the
epoch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from resolver.azure_settings import PrivateDnsMode
from resolver.control.estate.static_zones import ServedZone
from resolver.settings import SourceSettings
from resolver.sources.reading import PrivateReading
from zones.azure.endpoint import Fault, ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.dns.zonefile import Zone
from zones.findings import checks, drift
from zones.findings.board import Board, Topic
from zones.findings.faults import Reporter
from zones.findings.finding import Finding
from zones.ledger.ledger import Ledger
from zones.table import overlay
from zones.table.overlay import Claimed

COMPARE_INTERVAL: Final = 10.0
"""Least seconds between two comparisons of zones and endpoints. Each comparison walks all endpoints."""
_MOST: Final = 1000  # faults and unreadable zones that are reported of one source


class PrivateDnsZones:
    """The private DNS zones by source and key."""

    def __init__(self, sources: Iterable[SourceSettings], ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board
        self._modes = {each.name: each.private_dns for each in sources if each.private_dns != "off"}
        self._zones: dict[str, dict[ResourceId, PrivateZone]] = {name: {} for name in self._modes}
        self._watched: frozenset[Name] = frozenset()
        """The private names at which a claim decides whether a record is provided."""
        self._compared_at = 0.0
        self._comparison_due = False
        """Zones or endpoints have changed since the last comparison."""

    def mode(self, source: str) -> PrivateDnsMode:
        """Return what private DNS zones of a source are read for."""
        return self._modes.get(source, "off")

    def of(self, source: str) -> Mapping[ResourceId, PrivateZone]:
        """Return the last reading of a source, by key."""
        return self._zones[source]

    def all(self) -> Iterator[tuple[str, list[PrivateZone]]]:
        """Yield the last reading of each source, to be saved."""
        return ((name, list(zones.values())) for name, zones in self._zones.items())

    def created(self) -> dict[str, dict[Name, set[bytes]]]:
        """Return the packed addresses of the records that private endpoints created, by the endpoint's name, folded."""
        found: dict[str, dict[Name, set[bytes]]] = {}
        for zone in self._by_key().values():
            for record in zone.records:
                if record.rrset.type in drift.ADDRESSES and (maker := record.maker):
                    found.setdefault(maker, {}).setdefault(record.owner, set()).update(record.rrset.rdatas)
        return found

    def _by_key(self) -> dict[ResourceId, PrivateZone]:
        """Return every zone once: several sources may read one zone."""
        return {key: zone for own in self._zones.values() for key, zone in own.items()}

    # -- changes

    def restore(self, saved: Iterable[tuple[str, list[PrivateZone]]], now: WallTime) -> None:
        """Put saved zones back. Zones of a source with `private_dns: off` are left out."""
        for name, zones in saved:
            if name in self._zones:
                self._zones[name] = {zone.key: zone for zone in zones}
                self._report_faults(name, (), now)
        self._zones_changed()

    def take(self, source: str, reading: PrivateReading, now: WallTime) -> bool:
        """Apply a reading and return whether a zone changed. A zone that the reading does not name stays."""
        before = self._zones[source]
        after = {key: zone for key, zone in before.items() if key not in reading.gone} | reading.zones
        self._zones[source] = after
        why = dict(islice(sorted(reading.unreadable.items()), _MOST))
        facts = [
            checks.unreadable(subject, message, has_data=_has_zones(subject, before))
            for subject, message in why.items()
        ]
        if reading.error:
            facts.append(checks.unreadable(f"{source}: private DNS zones", reading.error, has_data=bool(before)))
        self._board.replace(Topic.PRIVATE_DNS, source, facts, now)
        self._report_faults(source, reading.faults, now)
        if after == before:
            return False
        self._zones_changed()
        return True

    def _report_faults(self, source: str, faults: Iterable[Fault], now: WallTime) -> None:
        """Report the faults of the zones of a source, and of rows that are no zone."""
        faults = (*faults, *(fault for zone in self._zones[source].values() for fault in zone.faults))
        self._board.replace_faults(Reporter("private-dns", source), faults[:_MOST], now)

    def _zones_changed(self) -> None:
        candidates = self._ledger.catalogue.candidates
        owners = {record.owner for zone in self._serving() for record in zone.records}
        privates = (mapping.name for owner in owners for mapping in candidates(owner))
        self._watched = frozenset((*owners, *privates))
        self._comparison_due = True

    def endpoints_changed(self) -> None:
        """Make a comparison due, if there are zones to compare."""
        self._comparison_due |= any(self._zones.values())

    # -- the comparison with endpoints

    def comparison(self, now: WallTime) -> Callable[[], list[Finding]] | None:
        """Return a function that compares zones and endpoints as they are now; None if no comparison is due.

        The function may run in any thread. It takes a second for 100,000 endpoints with one record each.
        """
        if not self._comparison_due or now - self._compared_at < COMPARE_INTERVAL:
            return None
        self._comparison_due, self._compared_at = False, now
        ledger = self._ledger
        zones = list(self._by_key().values())
        regions = {key: vnet.region for key, vnet in ledger.vnets.items()}
        links = list(drift.of_links(zones, ledger.networks, lambda vnet: regions.get(vnet, "")))
        claims, endpoints = list(ledger.served()) if zones else [], dict(ledger.endpoints)
        return lambda: [*drift.of_records(zones, claims, endpoints, ledger.catalogue), *links]

    def compared(self, facts: list[Finding], now: WallTime) -> None:
        """Report the findings of a comparison."""
        self._board.replace(Topic.DRIFT, "", facts, now)

    # -- the records that zones provide

    def concerns(self, changed: AbstractSet[Name]) -> bool:
        """Return whether changed claims at these private names can change the provided records."""
        return not self._watched.isdisjoint(changed)

    def provided(self, files: Mapping[Name, Zone]) -> Iterator[ServedZone]:
        """Yield the zones to serve for sources with `private_dns: serve`, beside these zone files."""
        for origin, zone in overlay.provided(self._serving(), files, self._claimed).items():
            yield ServedZone(origin, zone.names, is_open=self._is_open(origin), is_provided=True)

    def _serving(self) -> list[PrivateZone]:
        return [zone for name, own in self._zones.items() if self._modes[name] == "serve" for zone in own.values()]

    def _is_open(self, origin: Name) -> bool:
        """Return whether the zone is one of endpoints or of Azure's services: a name that it lacks may be public."""
        catalogue = self._ledger.catalogue
        return catalogue.zone_of(origin) == origin or catalogue.covers(origin)

    def _claimed(self, name: Name) -> Claimed:
        holders = [self._ledger.holder(claim.endpoint) for claim in self._ledger.find(name)]
        return "served" if any(holder.served for holder in holders) else "known" if holders else ""


def _has_zones(subject: str, zones: Iterable[ResourceId]) -> bool:
    """Return whether the subject, a zone or a subscription, has one of these zones."""
    inner = f"/{subject.strip('/').casefold()}/"
    return any(inner in f"{key}/" for key in zones)
