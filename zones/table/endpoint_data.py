"""What endpoints own: the rows, and what follows from them (who sees which zone, what exists below a name, pointers).

A row stands at a private name and names the public FQDNs that lead to it. Refuses to know zone files and policies.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.claims.row import BY_RULE, Variant, unpack
from zones.dns.name import Name, is_wildcard, reverse
from zones.networks.prefixes import NONE
from zones.table.sharded_dict import Buckets
from zones.table.visibility import Presence, Tree


class Held(NamedTuple):
    """The claim that answers for a name: the private name that it leads to, and the state of the row there."""

    private: Name
    variant: Variant


class Owned:
    """Rows by private name, with their indexes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.masks: dict[int, int] = {}
        self.places = CatalogueIndex(catalogue)
        self.rows: Buckets[Name, bytes] = Buckets()
        self.tree = Tree()
        """Above every owned name, private or public."""
        self.zones = Presence()
        """Zones of the catalogue with a claim in them."""
        self._public_stars: Counter[Name] = Counter()
        self._by_address: Buckets[bytes, tuple[Name, ...]] = Buckets()

    def apply(self, name: Name, row: bytes) -> set[Name]:
        """Set the whole state of one private name; returns the names whose answers it could alter."""
        bucket = self.rows.of(name)
        old = bucket.get(name, b"")
        moved: set[Name] = set()
        if old[1:] != row[1:]:
            self._move(name, list(unpack(old)), list(unpack(row)), moved)
        if len(row) > 1:
            bucket[name] = row
        else:
            bucket.pop(name, None)
        return moved

    def _move(self, name: Name, before: list[Variant], after: list[Variant], moved: set[Name]) -> None:
        for variant in after:
            if variant.networks not in self.masks:  # before anything has changed
                raise KeyError(variant.networks)
        was, now = set(self._presences(name, before)), set(self._presences(name, after))
        zones, is_star = self.places.zones(name)[:1], is_wildcard(name)
        for owner, number in now - was:  # first, so that nothing vanishes in between that stays
            self.tree.enter(owner, number, self.masks, moved)
            if is_star and owner != name:
                self._public_stars[owner] += 1
            for zone in zones if owner == name else ():
                self.zones.add(zone, number, self.masks, moved)
        for owner, number in was - now:
            self.tree.leave(owner, number, self.masks, moved)
            if is_star and owner != name:
                self._public_stars[owner] -= 1
                if not self._public_stars[owner]:
                    del self._public_stars[owner]
            for zone in zones if owner == name else ():
                self.zones.remove(zone, number, self.masks, moved)
        moved.update(owner for owner, _ in was | now)
        if not is_star:
            self._move_addresses(name, _addresses(before), _addresses(after), moved)

    def _presences(self, name: Name, variants: Iterable[Variant]) -> Iterator[tuple[Name, int]]:
        """Each name that the row owns, with the classes that see it."""
        for variant in variants:
            yield name, variant.networks
            for public in self.publics(variant, name):
                yield public, variant.networks

    def _move_addresses(self, name: Name, before: set[bytes], after: set[bytes], moved: set[Name]) -> None:
        moved.update(map(reverse, before | after))
        for address in after - before:
            bucket = self._by_address.of(address)
            bucket[address] = (*bucket.get(address, ()), name)
        for address in before - after:
            bucket = self._by_address.of(address)
            bucket[address] = tuple(other for other in bucket[address] if other != name)
            if not bucket[address]:
                del bucket[address]

    # -- reading

    def variant(self, private: Name, network: int) -> Variant | None:
        """The state of a private name in a network."""
        if network != NONE and (row := self.rows.get(private)):
            for variant in unpack(row):
                if self.masks[variant.networks] >> network & 1:
                    return variant
        return None

    def held(self, name: Name, network: int) -> Held | None:
        """The claim on exactly this name, private or public."""
        if network == NONE:
            return None
        if variant := self.variant(name, network):
            return Held(name, variant)
        for private in self.places.candidates(name):
            variant = self.variant(private, network)
            if variant and name in self.publics(variant, private):
                return Held(private, variant)
        return None

    def publics(self, variant: Variant, private: Name) -> tuple[Name, ...]:
        """The public FQDNs that lead to a private name."""
        if not variant.flags & BY_RULE:
            return variant.publics
        derived = self.places.public(private)
        return (derived,) if derived else ()

    def is_public_star(self, name: Name) -> bool:
        """Some network has a claim on this public wildcard."""
        return name in self._public_stars

    def pointing(self, address: bytes, network: int) -> Iterator[Name]:
        """The FQDNs whose address this is in the network, or the private name where no public one leads there."""
        for private in self._by_address.get(address) or ():
            variant = self.variant(private, network)
            if variant and address in (*variant.a, *variant.aaaa):
                yield from self.publics(variant, private) or (private,)


def _addresses(variants: Iterable[Variant]) -> set[bytes]:
    return {address for variant in variants for address in (*variant.a, *variant.aaaa)}
