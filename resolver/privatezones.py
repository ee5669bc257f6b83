"""The private DNS zones of all sources as the estate holds them: what was read last, and what there is to say of it.

A check of the endpoints. Joins the pure parts; refuses to know how zones are read, and when.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from resolver import settings
from resolver.sources.reading import PrivateReading
from zones import disagreement
from zones.finding import Finding, finding
from zones.ledger import Ledger
from zones.privatezone import PrivateZone

AGAIN: Final = 10.0
"""Seconds between two comparisons with the endpoints, at least: each takes all of them."""
_FAULTS: Final = 1000  # faults that are told of one source


class PrivateZones:
    """By source and key. Time is an argument."""

    def __init__(self, sources: Iterable[settings.Source], ledger: Ledger) -> None:
        self._ledger = ledger
        self._modes = {each.name: each.azure.private_dns for each in sources if each.azure}
        self._zones: dict[str, dict[str, PrivateZone]] = {
            name: {} for name, mode in self._modes.items() if mode != "off"
        }
        self._checked = 0.0
        self._stale = False
        """Zones or endpoints have changed since they were compared."""

    def of(self, source: str) -> Mapping[str, PrivateZone]:
        """What a source gave last, by key."""
        return self._zones[source]

    def all(self) -> Iterator[tuple[str, list[PrivateZone]]]:
        """What each source gave last: what to save."""
        return ((name, list(zones.values())) for name, zones in self._zones.items())

    def restore(self, saved: Iterable[tuple[str, list[PrivateZone]]]) -> None:
        """What sources gave before a restart; not of those whose zones are not to be read any more."""
        for name, zones in saved:
            if name in self._zones:
                self._zones[name] = {zone.key: zone for zone in zones}
        self._stale = True

    def take(self, source: str, reading: PrivateReading, now: float) -> bool:
        """Take what a reading gave; what it does not name stays. True when a zone changed."""
        before = self._zones[source]
        after = {key: zone for key, zone in before.items() if key not in reading.gone} | reading.zones
        self._zones[source] = after
        self._tell(source, reading, after, now)
        if after == before:
            return False
        self._stale = True
        return True

    def _tell(self, source: str, reading: PrivateReading, zones: Mapping[str, PrivateZone], now: float) -> None:
        why = dict(islice(sorted(reading.unreadable.items()), _FAULTS))
        if reading.error:
            why[f"{source}: private DNS zones"] = reading.error
        facts = [finding("source-unreadable", subject, _KEPT, message=message) for subject, message in why.items()]
        self._ledger.set_source(f"{source} private dns", facts, now)
        faults = (*reading.faults, *(fault for zone in zones.values() for fault in zone.faults))
        self._ledger.set_faults(f"{source} private dns", faults[:_FAULTS], now)

    def moved(self) -> None:
        """Endpoints have changed."""
        self._stale = True

    def check(self, now: float) -> None:
        """Compare zones and endpoints, if it is time and one of them has changed."""
        if self._stale and now - self._checked >= AGAIN:
            self._stale, self._checked = False, now
            self._ledger.set_source("private dns", self._disagreements(), now)

    def _disagreements(self) -> Iterator[Finding]:
        ledger = self._ledger
        zones = {key: zone for own in self._zones.values() for key, zone in own.items()}.values()
        if zones:
            yield from disagreement.of_records(zones, ledger.served(), ledger.endpoints, ledger.catalogue)
            yield from disagreement.of_links(zones, ledger.networks, self._region)

    def _region(self, vnet: str) -> str:
        found = self._ledger.vnets.get(vnet)
        return found.region if found else ""


_KEPT: Final = "what it gave before is kept"
