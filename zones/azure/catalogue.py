"""Azure's catalogue of private link zones: the private name for a public name, and its zone.

The data is Microsoft's table (learn.microsoft.com/azure/private-link/private-endpoint-dns) for the commercial,
government and China clouds, in `data/private-link-zones.json`. A placeholder such as `{regionName}` matches exactly one
label. Does not know endpoints, claims and networks: the catalogue maps names, whether or not an endpoint has them.
"""

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from zones.azure.additions import Additions
from zones.azure.companions import Companions
from zones.azure.sharing import SharedNames
from zones.azure.suffix_trie import PRIVATE, Labels, SuffixMatch, SuffixTrie
from zones.dns.name import MAX_NAME, Name, from_labels, from_text, labels

_FQDN_IS_PRIVATE: Final = "microsoft.containerservice/managedclusters"
"""AKS: the FQDN of the API server is in the privatelink zone itself. There is no public FQDN."""
_SITES: Final = "microsoft.web/sites"


class PrivateName(NamedTuple):
    """A private name and its zone, with the placeholders filled in."""

    name: Name
    zone: Name


class CatalogueEntry(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=False):
    """One row of Microsoft's table. `zones` and `public_forwarders` are texts that may have placeholders."""

    id: str
    cloud: str
    service: str
    resource_type: str
    group_ids: tuple[str, ...]
    zones: tuple[str, ...] = msgspec.field(name="createZones")
    public_forwarders: tuple[str, ...]
    note: str = ""


class Suffix(msgspec.Struct, frozen=True, rename="camel"):
    """A public suffix and the private zone for the names below it.

    `derived`: the zone is the suffix with `privatelink.` in front. `opt_in`: only one resource type uses the suffix.
    """

    public_suffix: str
    private_zone: str
    derived: bool
    opt_in: bool = False


class _File(msgspec.Struct, frozen=True, rename="camel"):
    entries: tuple[CatalogueEntry, ...]
    fqdn_suffix_map: tuple[Suffix, ...]


_Alternative = tuple[frozenset[str], Labels]


class _Rule(NamedTuple):
    """The private zone of a public suffix. `alternatives` are sets of group ids, each with another zone for them."""

    zone: Labels
    alternatives: tuple[_Alternative, ...]
    only_types: frozenset[str]
    """The only resource types that may use an opt-in suffix; empty for an ordinary suffix."""


class _Zone(NamedTuple):
    """A private zone: the public suffix of its names, and the only resource types that may use it."""

    public: Labels | None
    only_types: frozenset[str]


class Catalogue:
    """Maps names by suffix.

    The longest suffix wins; at equal length a literal label beats a placeholder. A name has at least one label before
    the suffix.
    """

    def __init__(self, suffixes: Collection[Suffix], entries: Collection[CatalogueEntry], additions: Additions) -> None:
        self._entries = tuple(entries)
        kinds = {e.id: [(e.resource_type.casefold(), g.casefold()) for g in e.group_ids] for e in entries}
        self.shared = SharedNames(additions.shared, kinds)
        """Public names that no single resource owns."""
        self.companions = Companions(additions.companions)
        self._public: SuffixTrie[_Rule] = SuffixTrie()
        self._private: SuffixTrie[_Zone] = SuffixTrie()
        self._covered: SuffixTrie[bool] = SuffixTrie()
        groups: dict[Labels, set[str]] = defaultdict(set)
        types: dict[Labels, set[str]] = defaultdict(set)
        for entry in entries:
            for zone in map(_pattern, entry.zones):
                groups[zone].update(group.casefold() for group in entry.group_ids)
                types[zone].add(entry.resource_type.casefold())
        # A zone that only entries name, such as AKS's `{subzone}` zone, has no public suffix.
        zones = dict.fromkeys(types, _Zone(None, frozenset()))
        for suffix in sorted(suffixes, key=lambda item: item.derived, reverse=True):
            public, zone = _pattern(suffix.public_suffix), _pattern(suffix.private_zone)
            only_types = frozenset(types[zone] if suffix.opt_in else ())
            rule = _Rule(zone, _alternatives(public, zone, groups), only_types)
            self._public.add(public, rule)
            if not suffix.opt_in:
                self._covered.add(public, value=True)
            # The last suffix wins: the default public form of a Key Vault name is the one that is not derived.
            shown = None if _FQDN_IS_PRIVATE in types[zone] else public
            zones |= {each: _Zone(shown, only_types) for each in (zone, *(other for _, other in rule.alternatives))}
        patterns = [zone for zone in zones if zone] + [_pattern(suffix.public_suffix) for suffix in suffixes]
        self.words = frozenset(label for pattern in patterns for label in pattern if not label.startswith(b"{"))
        """The labels of all suffixes and zones, without placeholders: the parts of a name that reveal no customer."""
        for zone, value in zones.items():
            self._private.add(zone, value)
            if not value.only_types:
                self._covered.add(zone, value=True)

    def candidates(self, name: Name) -> tuple[PrivateName, ...]:
        """Return every private name that a public name may map to, the default first; none for a private name.

        Normally there is one; below `wvd…` there are two. An opt-in suffix (`azure.com`) counts only where no ordinary
        suffix matches, and the caller checks that an endpoint claims the result. Names over 255 octets are left out.
        """
        parts = labels(name)
        if not PRIVATE.isdisjoint(parts):
            return ()
        found = self._public.below(parts)
        if not found:
            return ()
        match = next((m for m in found if not m.value.only_types), found[0])
        zones = (match.value.zone, *(zone for _, zone in match.value.alternatives))
        return tuple(mapping for zone in zones if (mapping := self._mapping(parts, match, zone)))

    def map(self, fqdn: Name, resource_type: str, groups: Collection[str]) -> PrivateName | None:
        """Return the private name and zone of a claim on `fqdn` by an endpoint of that resource type and group ids.

        The suffix decides. A group id only chooses between zones that share one suffix. A private name maps to itself.
        Return None where no zone is known.
        """
        parts, kind = labels(fqdn), resource_type.casefold()
        if not PRIVATE.isdisjoint(parts):
            zone = self._zone(parts)
            if zone is None or not _allows(zone.value.only_types, kind):
                return None
            return PrivateName(fqdn, from_labels(parts[-zone.depth :]))
        match = next((m for m in self._public.below(parts) if _allows(m.value.only_types, kind)), None)
        if match is None:
            return None
        wanted = {group.casefold() for group in groups}
        alternatives = (zone for ids, zone in match.value.alternatives if not ids.isdisjoint(wanted))
        return self._mapping(parts, match, next(alternatives, match.value.zone))

    def zone_of(self, name: Name) -> Name | None:
        """Return the longest private zone at or above `name`, opt-in zones included; None where there is none.

        A zone whose own first label is a placeholder (`{subzone}.privatelink.…`, AKS) only has names strictly below it:
        `api.privatelink.eastus.azmk8s.io` is a record, not an apex.
        """
        parts = labels(name)
        zone = self._zone(parts)
        return from_labels(parts[-zone.depth :]) if zone else None

    def covers(self, name: Name) -> bool:
        """Return True at or below a public suffix or a private zone, except opt-in ones. Fast, for the packet path."""
        return next(self._covered.walk(labels(name)), None) is not None

    def public(self, name: Name) -> Name | None:
        """Return the default public FQDN of a private name, which has `name` among its `candidates`.

        Usually that is the name without `privatelink`, but `kv.vault.azure.net` for
        `kv.privatelink.vaultcore.azure.net`. Return None for AKS (the FQDN is the private name), for an apex, and where
        the name without the label would map to another zone.
        """
        parts = labels(name)
        match = self._zone(parts)
        if match is None or match.value.public is None or match.depth == len(parts):
            return None
        public = from_labels(parts[: -match.depth] + _filled(match.value.public, match.bound))
        return public if any(mapping.name == name for mapping in self.candidates(public)) else None

    def by_resource(self, resource_type: str, group: str) -> tuple[CatalogueEntry, ...]:
        """Return the rows for a resource type and group id, of all clouds. Case does not matter.

        App Service slots have group ids `sites-SLOT`. A row without a fixed group id matches any.
        """
        kind, wanted = resource_type.casefold(), group.casefold()
        if kind == _SITES and wanted.startswith("sites"):
            wanted = "sites"
        return tuple(
            entry
            for entry in self._entries
            if entry.resource_type.casefold() == kind
            and (not entry.group_ids or any(g.startswith("{") or g.casefold() == wanted for g in entry.group_ids))
        )

    def _mapping(self, parts: list[bytes], match: SuffixMatch[_Rule], zone: Labels) -> PrivateName | None:
        """Return the private name in a zone; None where it would exceed 255 octets.

        The zone is looked up again for the whole name: AKS has a longer one, `{subzone}.privatelink.…`, below some.
        """
        private = parts[: -match.depth] + _filled(zone, match.bound)
        name = from_labels(private)
        found = self._zone(private)
        return PrivateName(name, from_labels(private[-found.depth :])) if found and len(name) <= MAX_NAME else None

    def _zone(self, parts: list[bytes]) -> SuffixMatch[_Zone] | None:
        found = self._private.at_or_below(parts)
        return next((m for m in found if m.depth < len(parts) or parts[0] in PRIVATE), None)


def _alternatives(public: Labels, default: Labels, groups: dict[Labels, set[str]]) -> tuple[_Alternative, ...]:
    """Return the zones with another private label than the default zone has, each with its group ids."""
    if default[1:] != public:
        return ()
    zones = ((label, *public) for label in sorted(PRIVATE))
    return tuple((frozenset(groups[zone]), zone) for zone in zones if zone != default and zone in groups)


def _pattern(text: str) -> Labels:
    return tuple(labels(from_text(text)))


def _filled(pattern: Labels, bound: dict[bytes, bytes]) -> list[bytes]:
    return [bound.get(label, label) for label in pattern]


def _allows(only_types: frozenset[str], kind: str) -> bool:
    return not only_types or kind in only_types


@cache
def catalogue() -> Catalogue:
    """Return the catalogue of all three clouds. The first call reads the files."""
    data = files("zones.azure").joinpath("data")
    content = msgspec.json.decode(data.joinpath("private-link-zones.json").read_bytes(), type=_File)
    additions = msgspec.json.decode(data.joinpath("additions.json").read_bytes(), type=Additions)
    return Catalogue(content.fqdn_suffix_map, content.entries, additions)
