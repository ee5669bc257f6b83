"""The names that endpoints own: rows, and what follows from them (visible zones, the tree of names, pointers).

A row belongs to a private name and has the public FQDNs that lead to it. Does not know static zones and policies.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Final, NamedTuple

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.azure.explicit_names import ExplicitNames
from zones.claims.row import BY_RULE, ClassNumber, Variant, unpack
from zones.dns.name import MAX_NAME, Name, ancestry, is_wildcard, parent, reverse, wildcard
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.sharded_dict import ShardedDict
from zones.table.visibility import NameTree, Visibility

_PUBLICS: Final = attrgetter("publics")


class OwnedName(NamedTuple):
    """The claim that answers for a name: the private name that it leads to, and the variant of the row there."""

    private: Name
    variant: Variant


class EndpointData:
    """Rows by private name, with their indexes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.masks: dict[ClassNumber, NetworkMask] = {}
        """Mask of networks by class number."""
        self.catalogue_index = CatalogueIndex(catalogue)
        self.rows: ShardedDict[Name, bytes] = ShardedDict()
        self.tree = NameTree()
        """The names above every owned name, private or public."""
        self.zones = Visibility()
        """Private-link zones with an owned name."""
        self._explicit = ExplicitNames(self.catalogue_index)
        self.explicit = self._explicit.privates
        self._public_stars: Counter[Name] = Counter()
        self._by_address: ShardedDict[bytes, tuple[Name, ...]] = ShardedDict()

    def apply(self, name: Name, row: bytes) -> set[Name]:
        """Replace the row of one private name. Return the names whose answers this could alter."""
        shard = self.rows.shard(name)
        old = shard.get(name, b"")
        moved: set[Name] = set()
        if old[1:] != row[1:]:
            self._move(name, list(unpack(old)), list(unpack(row)), moved)
        if len(row) > 1:
            shard[name] = row
        else:
            shard.pop(name, None)
        return moved

    def _move(self, name: Name, before: list[Variant], after: list[Variant], moved: set[Name]) -> None:
        for variant in after:
            if variant.networks not in self.masks:  # before any change
                raise KeyError(variant.networks)
        was, now = set(self._presences(name, before)), set(self._presences(name, after))
        zones, is_star = self.catalogue_index.zones(name)[:1], is_wildcard(name)
        for owner, number in now - was:  # first, so that a name that stays does not vanish in between
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
        if any(map(_PUBLICS, before)) or any(
            map(_PUBLICS, after)
        ):  # a public name by rule is not stored: it is derived
            self._explicit.replace(name, {public for variant in after for public in variant.publics})
        if not is_star:
            self._move_addresses(name, _addresses(before), _addresses(after), moved)

    def _presences(self, name: Name, variants: Iterable[Variant]) -> Iterator[tuple[Name, ClassNumber]]:
        """(name, class) of every name that a row owns."""
        for variant in variants:
            yield name, variant.networks
            for public in self.publics(variant, name):
                yield public, variant.networks

    def _move_addresses(self, name: Name, before: set[bytes], after: set[bytes], moved: set[Name]) -> None:
        moved.update(map(reverse, before | after))
        for address in after - before:
            shard = self._by_address.shard(address)
            shard[address] = (*shard.get(address, ()), name)
        for address in before - after:
            shard = self._by_address.shard(address)
            shard[address] = tuple(other for other in shard[address] if other != name)
            if not shard[address]:
                del shard[address]

    # -- reading

    def variant(self, private: Name, network: NetworkIndex) -> Variant | None:
        """Return the variant of a private name that a network sees."""
        if network != NONE and (row := self.rows.get(private)):
            for variant in unpack(row):
                if self.masks[variant.networks] >> network & 1:
                    return variant
        return None

    def owned_name(self, name: Name, network: NetworkIndex) -> OwnedName | None:
        """Return the claim on exactly this name, private or public, that a network sees."""
        if network == NONE:
            return None
        if variant := self.variant(name, network):
            return OwnedName(name, variant)
        for private in self.privates(name):
            variant = self.variant(private, network)
            if variant and name in self.publics(variant, private):
                return OwnedName(private, variant)
        return None

    def held_name(self, name: Name) -> Name | None:
        """Return the private name with the row for a name, as if one network saw every endpoint; None without a row."""
        found = self._held_at(name)
        if found is not None:
            return found
        for at in ancestry(name)[1:]:
            if self._held_at(at) is not None and not self.tree.counts(at):
                return None  # `at` exists, and has no wildcard below it
            star = wildcard(at)
            if self.rows.get(star):
                return star
            if self.is_public_star(star):
                return next((each for each in self.privates_below(star, name) if self.rows.get(_star_over(each))), None)
            if self.tree.counts(at):
                return None
        return None

    def _held_at(self, name: Name) -> Name | None:
        """Return the private name with the row for exactly this name."""
        if self.rows.get(name):
            return name
        for private in self.privates(name):
            if any(name in self.publics(variant, private) for variant in unpack(self.rows.get(private) or b"")):
                return private
        return None

    def privates(self, name: Name) -> tuple[Name, ...]:
        """Return the private names that a public name may lead to: explicit ones, then those of the catalogue."""
        derived = self.catalogue_index.candidates(name)
        return (*self.explicit.get(name, ()), *derived) if self.explicit else derived

    def privates_below(self, star: Name, name: Name) -> tuple[Name, ...]:
        """Return the private names that a name below a public wildcard may lead to, in the order of `privates`."""
        derived = self.catalogue_index.candidates(name)
        if star not in self.explicit:
            return derived
        inside = name[: len(name) - len(parent(star))]
        ends = [parent(private) for private in self.explicit[star] if is_wildcard(private)]
        return (*(Name(inside + end) for end in ends if len(inside) + len(end) <= MAX_NAME), *derived)

    def publics(self, variant: Variant, private: Name) -> tuple[Name, ...]:
        """Return the public FQDNs that lead to a private name."""
        if not variant.flags & BY_RULE:
            return variant.publics
        derived = self.catalogue_index.public(private)
        return (derived,) if derived else ()

    def is_public_star(self, name: Name) -> bool:
        """Return whether any endpoint claims this public wildcard."""
        return name in self._public_stars

    def pointing(self, address: bytes, network: NetworkIndex) -> Iterator[Name]:
        """The FQDNs with this address in a network; the private name where no public FQDN leads to it."""
        for private in self._by_address.get(address) or ():
            variant = self.variant(private, network)
            if variant and address in (*variant.a, *variant.aaaa):
                yield from self.publics(variant, private) or (private,)


def _star_over(name: Name) -> Name:
    return wildcard(parent(name))


def _addresses(variants: Iterable[Variant]) -> set[bytes]:
    return {address for variant in variants for address in (*variant.a, *variant.aaaa)}
