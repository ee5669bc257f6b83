"""Where names stand in the catalogue, remembered by their parents.

No rule of the catalogue looks at the first label, unless it is `privatelink` itself: what it says of one name holds
for its siblings. So one answer serves a whole zone, and the packet path seldom walks the patterns.
"""

from functools import lru_cache
from typing import Final

from zones.azure.catalogue import Catalogue
from zones.dns.name import MAX_NAME, Name, parent

_REMEMBERED: Final = 4096  # parents, some 500 octets each; clients can make up any number of them
_PROBE: Final = b"\x01x"
_SPECIAL: Final = (b"\x0bprivatelink", b"\x12privatelink-global")
"""First labels that the catalogue looks at."""


class CatalogueIndex:
    """The catalogue's `candidates`, zones and `public`, quick for siblings of names that were asked before."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._candidates = lru_cache(_REMEMBERED)(self._candidates_below)
        self._zones = lru_cache(_REMEMBERED)(self._zones_above)
        self._publics = lru_cache(_REMEMBERED)(self._public_of_child)
        self._claimed = lru_cache(_REMEMBERED)(self._claimed_below)
        self.is_opt_in = lru_cache(_REMEMBERED)(self._is_opt_in)

    def candidates(self, name: Name) -> tuple[Name, ...]:
        """Every private name that a public one could stand for, the default first."""
        if is_special(name):
            return tuple(mapping.name for mapping in self._catalogue.candidates(name))
        tails = self._candidates(parent(name))
        if not tails:
            return ()
        label = name[: 1 + name[0]]
        return tuple(Name(label + tail) for tail in tails if len(label) + len(tail) <= MAX_NAME)

    def _candidates_below(self, above: Name) -> tuple[Name, ...]:
        probe = Name(_PROBE + above)
        return tuple(parent(mapping.name) for mapping in self._catalogue.candidates(probe))

    def zones(self, name: Name) -> tuple[Name, ...]:
        """Every zone of the catalogue that the name lies in, longest first, whether anybody sees it or not."""
        return self._zones_above(name) if is_special(name) else self._zones(Name(_PROBE + parent(name)))

    def _zones_above(self, name: Name) -> tuple[Name, ...]:
        zone = self._catalogue.zone_of(name)
        return (zone, *self._zones_above(parent(zone))) if zone else ()

    def public(self, private: Name) -> Name | None:
        """The default public FQDN of a private name."""
        if is_special(private):
            return self._catalogue.public(private)
        above = self._publics(parent(private))
        return Name(private[: 1 + private[0]] + above) if above else None

    def _public_of_child(self, above: Name) -> Name | None:
        public = self._catalogue.public(Name(_PROBE + above))
        return parent(public) if public else None

    def claimed(self, fqdn: Name, kind: str, groups: tuple[str, ...]) -> tuple[Name, Name | None]:
        """Where a claim on `fqdn` stands, and in which zone: in none at the name itself where no suffix matches.

        `kind` and `groups`: the resource type and group ids of its endpoint.
        """
        if is_special(fqdn):
            return self._catalogue.map(fqdn, kind, groups) or (fqdn, None)
        tail, zone = self._claimed(parent(fqdn), kind, groups)
        private = Name(fqdn[: 1 + fqdn[0]] + tail)
        return (private, zone) if len(private) <= MAX_NAME else (fqdn, None)

    def _claimed_below(self, above: Name, kind: str, groups: tuple[str, ...]) -> tuple[Name, Name | None]:
        mapping = self._catalogue.map(Name(_PROBE + above), kind, groups)
        return (parent(mapping.name), mapping.zone) if mapping else (above, None)

    def _is_opt_in(self, zone: Name) -> bool:
        """True for a zone that is private for the names of one resource type alone."""
        return self._catalogue.zone_of(zone) == zone and not self._catalogue.covers(zone)


def is_special(name: Name) -> bool:
    """The catalogue may say of this name what it does not say of its siblings."""
    return name.startswith(_SPECIAL) or not name[0]
