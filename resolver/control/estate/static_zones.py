"""Zones that are served as they are written: zone files, and zones whose records private DNS zones provide.

Owns which of the two is served at an origin. Does not know how either is read, or which names endpoints claim. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from zones.dns.name import Name
from zones.dns.record import RRset
from zones.dns.zonefile import Zone


@dataclass(frozen=True, slots=True)
class ServedZone:
    """A static zone as workers serve it. `names` holds the RRsets of each name, the SOA among those of the apex."""

    origin: Name
    names: Mapping[Name, tuple[RRset, ...]]
    is_open: bool
    """A name that the zone lacks is answered as in a zone of endpoints: the name may be public."""
    is_provided: bool
    """A private DNS zone provides the records; else a zone file does."""


class StaticZones(Mapping[Name, ServedZone]):
    """All static zones by origin. `origins` are those of the zone files in the configuration."""

    def __init__(self, origins: Iterable[Name]) -> None:
        self._origins = frozenset(origins)
        self._files: dict[Name, Zone] = {}
        self._served: dict[Name, ServedZone] = {}
        self._providers: dict[Name, frozenset[Name]] = {}
        """Names with provided records now or earlier, with the origins of the zones that had them."""

    def __getitem__(self, origin: Name) -> ServedZone:
        return self._served[origin]

    def __iter__(self) -> Iterator[Name]:
        return iter(self._served)

    def __len__(self) -> int:
        return len(self._served)

    @property
    def files(self) -> Mapping[Name, Zone]:
        """The zone files by origin."""
        return self._files

    @property
    def awaited(self) -> frozenset[Name]:
        """Origins of configured zone files that cannot be read and of which no text is saved."""
        return self._origins - self._files.keys()

    @property
    def has_provided(self) -> bool:
        """True if any name has provided records, or had."""
        return bool(self._providers)

    def provided_in(self, name: Name) -> frozenset[Name]:
        """Return the origins of the zones that provide records at this name, or did."""
        return self._providers.get(name, frozenset())

    def set_files(self, zones: Mapping[Name, Zone]) -> None:
        """Replace the zone files. Nothing is provided until the next `set_provided`."""
        self._files = dict(zones)
        self._served = {
            origin: ServedZone(origin, zone.names, is_open=False, is_provided=False) for origin, zone in zones.items()
        }

    def set_provided(self, zones: Iterable[ServedZone]) -> set[Name]:
        """Replace the provided zones. Returns the names whose records changed, apexes included.

        A zone file, even one that cannot be read, comes before a provided zone of the same origin.
        """
        reserved = self._files.keys() | self._origins
        provided = {zone.origin: zone for zone in zones if zone.origin not in reserved}
        before = {origin: zone for origin, zone in self._served.items() if zone.is_provided}
        changed: set[Name] = set()
        for origin in before.keys() | provided.keys():
            old, new = before.get(origin), provided.get(origin)
            names, records = (old.names if old else {}), (new.names if new else {})
            for name in [each for each in names.keys() | records.keys() if names.get(each) != records.get(each)]:
                self._providers[name] = self._providers.get(name, frozenset()) | {origin}
                changed.add(name)
        self._served = {origin: zone for origin, zone in self._served.items() if not zone.is_provided} | provided
        return changed
