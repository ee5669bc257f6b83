"""Zones that are served as they are written: zone files, and zones whose records private DNS zones provide.

Owns which of the two is served at an origin. Does not know how either is read, or which names endpoints claim. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
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
    """All static zones by origin. `origins`: those of the zone files, of which none has been read yet."""

    def __init__(self, origins: Iterable[Name]) -> None:
        self._origins = frozenset(origins)
        self._files: dict[Name, Zone] = {}
        self._has_files = False
        """The zone files have been set once."""
        self._served: dict[Name, ServedZone] = {}
        self._changed: dict[Name, frozenset[Name]] = {}
        """Names whose records have changed or come from a private DNS zone, with the origins of the zones concerned."""

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
    def changed(self) -> AbstractSet[Name]:
        """The names whose records have changed since the zone files were read first, or are provided."""
        return self._changed.keys()

    def concerned(self, name: Name) -> frozenset[Name]:
        """Return the origins of the zones whose records at this name have changed, zones that are gone included."""
        return self._changed.get(name, frozenset())

    def set_files(self, zones: Mapping[Name, Zone], origins: Iterable[Name]) -> set[Name]:
        """Replace the zone files. Return the names whose records changed.

        `origins`: those of all files, also of files that cannot be read and have no valid text.

        A zone that a file and a private DNS zone have is the file's.
        """
        self._origins = frozenset(origins)
        self._files = dict(zones)
        served = {
            origin: ServedZone(origin, zone.names, is_open=False, is_provided=False) for origin, zone in zones.items()
        }
        reserved = self._files.keys() | self._origins
        before = self._served.items()
        provided = {origin: each for origin, each in before if each.is_provided and origin not in reserved}
        first, self._has_files = not self._has_files, True
        return self._replace(served | provided, is_first=first)

    def set_provided(self, zones: Iterable[ServedZone]) -> set[Name]:
        """Replace the provided zones. Returns the names whose records changed, apexes included.

        A zone file, even one that cannot be read, comes before a provided zone of the same origin.
        """
        reserved = self._files.keys() | self._origins
        provided = {zone.origin: zone for zone in zones if zone.origin not in reserved}
        return self._replace({origin: each for origin, each in self._served.items() if not each.is_provided} | provided)

    def continue_from(self, earlier: "StaticZones") -> set[Name]:
        """Return the names whose records differ from those of an earlier estate. Workers have the earlier ones."""
        after, self._served = self._served, dict(earlier)
        self._changed = {name: earlier.concerned(name) for name in earlier.changed}
        return self._replace(after)

    def _replace(self, after: dict[Name, ServedZone], *, is_first: bool = False) -> set[Name]:
        """Replace all zones. Return the names whose records changed. `is_first`: the first snapshot will have them."""
        before, self._served = self._served, after
        changed: set[Name] = set()
        for origin in before.keys() | after.keys():
            old, new = before.get(origin), after.get(origin)
            if is_first and new and not new.is_provided:
                continue
            names, records = (old.names if old else {}), (new.names if new else {})
            for name in [each for each in names.keys() | records.keys() if names.get(each) != records.get(each)]:
                self._changed[name] = self._changed.get(name, frozenset()) | {origin}
                changed.add(name)
        return changed
