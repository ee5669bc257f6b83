"""The private DNS zones of all sources as the estate holds them: what was read last, what it lends, what to tell of it.

Joins the pure parts; refuses to know how zones are read, and when, and who is told what they lend.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from resolver import settings
from resolver.sources.reading import PrivateReading
from zones.azure.endpoint import Fault
from zones.azure.private_dns_zone import PrivateZone
from zones.dns.name import Name
from zones.dns.zonefile import Zone
from zones.findings import checks, drift
from zones.findings.board import Board, Topic
from zones.findings.faults import Reporter
from zones.findings.finding import Finding
from zones.ledger.ledger import Ledger
from zones.table import overlay
from zones.table.overlay import Claimed

AGAIN: Final = 10.0
"""Seconds between two comparisons with the endpoints, at least: each takes all of them."""
_FAULTS: Final = 1000  # faults that are told of one source


class PrivateZones:
    """By source and key. Time is an argument."""

    def __init__(self, sources: Iterable[settings.SourceSettings], ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board
        self._modes = {each.name: each.azure.private_dns for each in sources if each.azure}
        self._zones: dict[str, dict[str, PrivateZone]] = {
            name: {} for name, mode in self._modes.items() if mode != "off"
        }
        self._watched: frozenset[Name] = frozenset()
        """Private names on which it depends what is lent."""
        self._checked = 0.0
        self._stale = False
        """Zones or endpoints have changed since they were compared."""

    def of(self, source: str) -> Mapping[str, PrivateZone]:
        """What a source gave last, by key."""
        return self._zones[source]

    def all(self) -> Iterator[tuple[str, list[PrivateZone]]]:
        """What each source gave last: what to save."""
        return ((name, list(zones.values())) for name, zones in self._zones.items())

    def restore(self, saved: Iterable[tuple[str, list[PrivateZone]]], now: float) -> None:
        """What sources gave before a restart; not of those whose zones are not to be read any more."""
        for name, zones in saved:
            if name in self._zones:
                self._zones[name] = {zone.key: zone for zone in zones}
                self._blame(name, (), now)
        self._changed()

    def take(self, source: str, reading: PrivateReading, now: float) -> bool:
        """Take what a reading gave; what it does not name stays. True when a zone changed."""
        before = self._zones[source]
        after = {key: zone for key, zone in before.items() if key not in reading.gone} | reading.zones
        self._zones[source] = after
        self._tell(source, reading, now)
        if after == before:
            return False
        self._changed()
        return True

    def _changed(self) -> None:
        self._watch()
        self._stale = True

    def _tell(self, source: str, reading: PrivateReading, now: float) -> None:
        why = dict(islice(sorted(reading.unreadable.items()), _FAULTS))
        if reading.error:
            why[f"{source}: private DNS zones"] = reading.error
        facts = [checks.unreadable(subject, message) for subject, message in why.items()]
        self._board.replace(Topic.PRIVATE_DNS, source, facts, now)
        self._blame(source, reading.faults, now)

    def _blame(self, source: str, faults: Iterable[Fault], now: float) -> None:
        """Tell what is bad: of rows that are no zone, and in zones."""
        faults = (*faults, *(fault for zone in self._zones[source].values() for fault in zone.faults))
        self._board.replace_faults(Reporter("private-dns", source), faults[:_FAULTS], now)

    def moved(self) -> None:
        """Endpoints have changed."""
        self._stale |= any(self._zones.values())

    def comparison(self, now: float) -> Callable[[], list[Finding]] | None:
        """What compares zones and endpoints as they are now, in whatever thread; None if it is not time or not needed.

        For a hundred thousand endpoints with a record each that takes a second.
        """
        if not self._stale or now - self._checked < AGAIN:
            return None
        self._stale, self._checked = False, now
        ledger = self._ledger
        zones = list({key: zone for own in self._zones.values() for key, zone in own.items()}.values())
        regions = {key: vnet.region for key, vnet in ledger.vnets.items()}
        links = list(drift.of_links(zones, ledger.networks, lambda vnet: regions.get(vnet, "")))
        claims, endpoints = list(ledger.served()) if zones else [], dict(ledger.endpoints)
        return lambda: [*drift.of_records(zones, claims, endpoints, ledger.catalogue), *links]

    def compared(self, facts: list[Finding], now: float) -> None:
        """Take what a comparison found."""
        self._board.replace(Topic.DRIFT, "", facts, now)

    def lent(self, files: Mapping[Name, Zone]) -> dict[Name, Zone]:
        """What is to be served of the zones of sources with `private_dns: serve`, beside these zone files."""
        zones = [zone for name, own in self._zones.items() if self._modes[name] == "serve" for zone in own.values()]
        return overlay.lent(zones, files, self._claimed)

    def _watch(self) -> None:
        candidates = self._ledger.catalogue.candidates
        owners = {
            record.owner
            for name, own in self._zones.items()
            if self._modes[name] == "serve"
            for zone in own.values()
            for record in zone.records
        }
        privates = (mapping.name for owner in owners for mapping in candidates(owner))
        self._watched = frozenset((*owners, *privates))

    def concerns(self, changed: AbstractSet[Name]) -> bool:
        """What endpoints say of these private names may change what is lent."""
        return not self._watched.isdisjoint(changed)

    def is_open(self, origin: Name) -> bool:
        """The zone is one of endpoints, or among the names of services: what it lacks may be public."""
        catalogue = self._ledger.catalogue
        return catalogue.zone_of(origin) == origin or catalogue.covers(origin)

    def _claimed(self, name: Name) -> Claimed:
        holders = [self._ledger.holder(claim.endpoint) for claim in self._ledger.find(name)]
        return "served" if any(holder.served for holder in holders) else "known" if holders else ""
