"""The rules for each public suffix, from every set of rows: which private zone its names have, for which endpoints.

Of several rows for one suffix the order is: the configuration, exceptions by resource type and group, rows for some
groups of a suffix, the row for all endpoints. Does not match names.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from zones.azure.catalogue_table import CatalogueTable, Suffix
from zones.azure.suffix_trie import Labels, is_private_label, pattern


class ZoneChoice(NamedTuple):
    """A private zone of a public suffix, and the resource types and group ids that it is for; empty: all. Folded."""

    zone: Labels
    types: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def is_default(self) -> bool:
        """Return whether the zone is for all endpoints."""
        return not self.types and not self.groups

    def fits(self, kind: str, groups: AbstractSet[str]) -> bool:
        """Return whether the zone is for an endpoint of a resource type, with these group ids. Both are folded."""
        return (not self.types or kind in self.types) and (not self.groups or not self.groups.isdisjoint(groups))


class PrivateZoneRule(NamedTuple):
    """A private zone: the public suffix of its names, and the only resource types that may use an opt-in zone."""

    public: Labels | None
    only_types: frozenset[str]


UNKNOWN_ZONE = PrivateZoneRule(None, frozenset())
"""A zone that only its label `privatelink` shows."""
_FQDN_IS_PRIVATE = "microsoft.containerservice/managedclusters"
"""AKS: the FQDN of the API server is in the privatelink zone itself. There is no public FQDN."""


class SuffixRules:
    """The choices of each public suffix, and the rule of each private zone.

    `added` are suffixes that the table lacks, and exceptions for some types and groups. `configured` are those of the
    configuration. Both come before the table at the same suffix.
    """

    def __init__(self, table: CatalogueTable, added: Collection[Suffix], configured: Collection[Suffix]) -> None:
        self._types: dict[Labels, set[str]] = defaultdict(set)
        self._groups: dict[Labels, set[str]] = defaultdict(set)
        for entry in table.entries:
            for zone in map(pattern, entry.zones):
                self._groups[zone].update(group.casefold() for group in entry.group_ids)
                self._types[zone].add(entry.resource_type.casefold())
        self.opt_in = {pattern(each.public_suffix) for each in table.fqdn_suffix_map if each.opt_in}
        """The public suffixes that only one resource type uses."""
        self.derived = {pattern(each.public_suffix) for each in table.fqdn_suffix_map if each.is_derived}
        """The public suffixes that only follow from the name of a private zone."""
        self.bare = {pattern(each.forwarder) for each in table.bare_forwarders}
        """The public suffixes from which no private zone follows."""
        self.choices: dict[Labels, tuple[ZoneChoice, ...]] = {}
        """By public suffix, in the order of precedence. A choice for all endpoints comes last."""
        rows: dict[Labels, list[ZoneChoice]] = defaultdict(list)
        for suffix in (*_some_first(configured), *_some_first(added)):
            rows[pattern(suffix.public_suffix)].append(_choice(suffix))
        for suffix in table.fqdn_suffix_map:
            rows[pattern(suffix.public_suffix)] += self._of_table(suffix)
        for public, choices in rows.items():
            end = next((i for i, choice in enumerate(choices, 1) if choice.is_default), len(choices))
            self.choices[public] = tuple(choices[:end])
        self.zones = self._zones(table.fqdn_suffix_map, (*added, *configured))
        """The rule of each private zone."""

    def _of_table(self, suffix: Suffix) -> Iterator[ZoneChoice]:
        """The choices of a row: zones with another private label than the row's, for their groups, then the row's."""
        public, zone = pattern(suffix.public_suffix), pattern(suffix.private_zone)
        if suffix.opt_in:
            yield ZoneChoice(zone, frozenset(self._types[zone]))
            return
        for other in sorted(self._groups):
            if other[1:] == public == zone[1:] and other != zone and is_private_label(other[0]):
                yield ZoneChoice(other, frozenset(), frozenset(self._groups[other]))
        yield ZoneChoice(zone)

    def _zones(self, table: Iterable[Suffix], others: Iterable[Suffix]) -> dict[Labels, PrivateZoneRule]:
        # A zone that only entries name, such as AKS's `{subzone}` zone, has no public suffix.
        zones = dict.fromkeys(filter(None, self._types), UNKNOWN_ZONE)
        # The last suffix wins: the default public form of a Key Vault name is the one that is not derived.
        for suffix in sorted(table, key=lambda item: item.is_derived, reverse=True):
            public, zone = pattern(suffix.public_suffix), pattern(suffix.private_zone)
            shown = None if _FQDN_IS_PRIVATE in self._types[zone] else public
            only_types = frozenset(self._types[zone] if suffix.opt_in else ())
            for choice in self._of_table(suffix):
                zones[choice.zone] = PrivateZoneRule(shown, only_types)
        for suffix in others:
            zones.setdefault(pattern(suffix.private_zone), PrivateZoneRule(pattern(suffix.public_suffix), frozenset()))
        return zones


def _some_first(suffixes: Iterable[Suffix]) -> list[Suffix]:
    """Return the suffixes, those for some endpoints before those for all."""
    return sorted(suffixes, key=lambda suffix: not (suffix.types or suffix.groups))


def _choice(suffix: Suffix) -> ZoneChoice:
    return ZoneChoice(
        pattern(suffix.private_zone),
        frozenset(map(str.casefold, suffix.types)),
        frozenset(map(str.casefold, suffix.groups)),
    )
