"""The catalogue with a cache: results are kept by parent name.

No rule of the catalogue depends on the first label, unless that begins with `privatelink`, or the whole name is an
exception. So the result for one name is valid for its siblings, one cache entry serves a whole zone, and the packet
path seldom walks the patterns.
"""

from functools import lru_cache
from typing import Final

from zones.azure.catalogue import Catalogue
from zones.azure.suffix_trie import PRIVATELINK
from zones.dns.name import MAX_NAME, ROOT, Name, parent

_REMEMBERED: Final = 4096  # parents, some 500 bytes each; bounded, since clients can invent any number of names
_PRIVATELINK: Final = PRIVATELINK
_PROBE: Final = b"\x01x"


class CatalogueIndex:
    """The catalogue's `candidates`, zones and `public`, fast for siblings of names that were looked up before."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._exceptional = catalogue.exceptional | {ROOT}
        self._candidates = lru_cache(_REMEMBERED)(self._candidates_below)
        self._zones = lru_cache(_REMEMBERED)(self._zones_above)
        self._publics = lru_cache(_REMEMBERED)(self._public_of_child)
        self._claimed = lru_cache(_REMEMBERED)(self._claimed_below)
        self._covered = lru_cache(_REMEMBERED)(self._is_covered)
        self.is_opt_in = lru_cache(_REMEMBERED)(self._is_opt_in)

    def is_special(self, name: Name) -> bool:
        """Return True where the catalogue's result may differ from that for the name's siblings."""
        return name in self._exceptional or name.startswith(_PRIVATELINK, 1)

    def candidates(self, name: Name) -> tuple[Name, ...]:
        """Return every private name that a public name may map to, the default first."""
        if self.is_special(name):
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
        """Return every private-link zone that the name lies in, longest first, whether or not it has endpoints."""
        return self._zones_above(name) if self.is_special(name) else self._zones(Name(_PROBE + parent(name)))

    def _zones_above(self, name: Name) -> tuple[Name, ...]:
        zone = self._catalogue.zone_of(name)
        return (zone, *self._zones_above(parent(zone))) if zone else ()

    def public(self, private: Name) -> Name | None:
        """Return the default public FQDN of a private name; None where there is none."""
        if self.is_special(private):
            return self._catalogue.public(private)
        above = self._publics(parent(private))
        return Name(private[: 1 + private[0]] + above) if above else None

    def _public_of_child(self, above: Name) -> Name | None:
        public = self._catalogue.public(Name(_PROBE + above))
        return parent(public) if public else None

    def has_one_forwarder(self, public: Name, private: Name) -> bool:
        """Return True where one suffix covers a public name and its private name: see `Catalogue.forwarded_suffix`."""
        if self.is_special(public):  # an exception may be a forwarded suffix itself: `adf.azure.us`
            return self._catalogue.forwarded_suffix(public, private) is not None
        return self._covered(parent(public), parent(private))

    def _is_covered(self, public: Name, private: Name) -> bool:
        names = (Name(_PROBE + public), Name(_PROBE + private))
        return self._catalogue.forwarded_suffix(*names) is not None

    def claimed(self, fqdn: Name, kind: str, groups: tuple[str, ...]) -> tuple[Name, Name | None]:
        """Return the private name and the zone of a claim on `fqdn`.

        `kind` and `groups` are the resource type and group ids of the endpoint. Where no suffix matches, the private
        name is the FQDN itself and the zone is None.
        """
        if self.is_special(fqdn):
            return self._catalogue.map(fqdn, kind, groups) or (fqdn, None)
        tail, zone = self._claimed(parent(fqdn), kind, groups)
        private = Name(fqdn[: 1 + fqdn[0]] + tail)
        return (private, zone) if len(private) <= MAX_NAME else (fqdn, None)

    def _claimed_below(self, above: Name, kind: str, groups: tuple[str, ...]) -> tuple[Name, Name | None]:
        mapping = self._catalogue.map(Name(_PROBE + above), kind, groups)
        return (parent(mapping.name), mapping.zone) if mapping else (above, None)

    def _is_opt_in(self, zone: Name) -> bool:
        """Return True for a zone that is private only for names of one resource type."""
        return self._catalogue.zone_of(zone) == zone and not self._catalogue.covers(zone)
