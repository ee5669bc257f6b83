"""Azure's catalogue of private link zones: the private name for a public name, and its zone.

The data is Microsoft's table (learn.microsoft.com/azure/private-link/private-endpoint-dns) for the commercial,
government and China clouds, in `data/private-link-zones.json`, and what the table does not say, in
`data/additions.json`. A placeholder such as `{regionName}` matches exactly one label. Does not know endpoints, claims
and networks: the catalogue maps names, whether or not an endpoint has them.
"""

from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from zones.azure.additions import Additions
from zones.azure.catalogue_table import CatalogueEntry, CatalogueTable, Suffix
from zones.azure.companions import Companions
from zones.azure.sharing import SharedNames
from zones.azure.suffix_rules import UNKNOWN_ZONE, PrivateZoneRule, SuffixRules, ZoneChoice
from zones.azure.suffix_trie import (
    PRIVATELINK,
    Labels,
    SuffixMatch,
    SuffixTrie,
    filled,
    is_placeholder,
    is_private_label,
    may_be_private,
    pattern,
)
from zones.azure.wildcards import NoPrivateWildcard, Wildcards
from zones.dns.name import MAX_NAME, Name, from_labels, from_text, is_under, labels, parent

_SITES: Final = "microsoft.web/sites"

_OF_SERVICE: Final = frozenset((b"{regionname}", b"{regioncode}", b"{region}", b"{partitionid}", b"{dnsprefix}"))
"""Placeholders for labels that a service chooses, not a customer."""

_DATA: Final = files("zones.azure").joinpath("data")


class PrivateName(NamedTuple):
    """A private name and its zone, with the placeholders filled in."""

    name: Name
    zone: Name


class SharedWildcard(NamedTuple):
    """A wildcard on a NIC whose names are not only those of the endpoint's resource.

    The endpoint owns the private wildcards and not the public one. `missing` is the reason where there are none.
    """

    public: Name
    privates: tuple[PrivateName, ...]
    missing: NoPrivateWildcard


class Catalogue:
    """Maps names: by exceptions for exact names, then by suffix.

    The longest suffix wins; at equal length a literal label beats a placeholder. A name has at least one label before
    the suffix. `configured` are suffixes of the configuration. At the same suffix, they come before the table.
    """

    def __init__(self, table: CatalogueTable, additions: Additions, configured: Collection[Suffix] = ()) -> None:
        self._entries = table.entries
        kinds = {e.id: [(e.resource_type.casefold(), g.casefold()) for g in e.group_ids] for e in table.entries}
        added = [row.suffix for row in additions.suffixes]
        self.shared = SharedNames(additions.shared, kinds, (*configured, *added))
        """Public names that no single resource owns."""
        self.companions = Companions(additions.companions)
        by_type = [suffix for row in additions.exceptions if (suffix := row.suffix)]
        rules = SuffixRules(table, (*by_type, *added), configured)
        self._public: SuffixTrie[tuple[ZoneChoice, ...]] = SuffixTrie()
        """The choices of each public suffix; none where no private name follows (`inference.ml.azure.com`)."""
        self._private: SuffixTrie[PrivateZoneRule] = SuffixTrie()
        self._covered: SuffixTrie[bool] = SuffixTrie()
        bare = rules.bare.union(pattern(row.forwarder) for row in additions.forwarders)
        for public, choices in (dict.fromkeys(bare, ()) | rules.choices).items():
            self._public.add(public, choices)
        for zone, rule in rules.zones.items():
            self._private.add(zone, rule)
        for covered in (rules.choices.keys() | bare) - rules.opt_in:
            self._covered.add(covered, value=True)
        suffixes = rules.choices.keys() | bare | _forwarders(table)
        self._forwarded: SuffixTrie[bool] = SuffixTrie()
        for forwarded in suffixes - rules.opt_in - (rules.derived - _forwarders(table)):
            self._forwarded.add(_literal(forwarded), value=True)
        forms = [pattern(row.private) for row in additions.wildcards if row.private]
        self.words = _words([*suffixes, *rules.zones, *forms])
        """The labels of all suffixes and zones, without placeholders: the parts of a name that reveal no customer."""
        named = (*table.region_codes, *(row.name for row in additions.regions))
        self.regions = frozenset(name.encode() for name in named)
        """The names of regions."""
        codes = {code.encode() for code in table.region_codes.values()}
        self._wildcards = Wildcards(suffixes, rules.opt_in, self.words, self.regions | codes, additions.wildcards)
        self.exact: dict[Name, PrivateName] = {}
        """Exceptions by exact public FQDN."""
        for row in additions.exceptions:
            if row.fqdn and (known := self.map(from_text(row.private), row.resource_type, ())):
                self.exact[from_text(row.fqdn)] = known
        self._exact_privates = {mapping.name for mapping in self.exact.values()}

    @property
    def exceptional(self) -> set[Name]:
        """The public and private names of exceptions for exact names. Their siblings may map differently."""
        by_suffix = {mapping.name for fqdn in self.exact for mapping in self._by_suffix(labels(fqdn))}
        return by_suffix.union(self.exact, self._exact_privates)

    def candidates(self, name: Name) -> tuple[PrivateName, ...]:
        """Return every private name that a public name may map to, the default first; none for a private name.

        Normally there is one; below `wvd…` there are two. An opt-in suffix (`azure.com`) counts only where no ordinary
        suffix matches, and the caller checks that an endpoint claims the result. Names over 255 octets are left out.
        """
        if (exact := self.exact.get(name)) is not None:
            return (exact,)
        parts = labels(name)
        if may_be_private(name) and self._zone(parts):
            return ()
        return tuple(self._by_suffix(parts))

    def _by_suffix(self, parts: list[bytes]) -> Iterable[PrivateName]:
        """Return the private names by the longest suffix, and by shorter ones until a suffix is for all endpoints."""
        found: list[tuple[bool, SuffixMatch[tuple[ZoneChoice, ...]], ZoneChoice]] = []
        for match in self._public.below(parts):
            found += [(choice.is_default, match, choice) for choice in match.value]
            if not match.value or found[-1][0]:
                break
        found.sort(key=lambda each: not each[0])
        return (made for _, match, choice in found if (made := self._mapping(parts, match, choice.zone)))

    def map(self, fqdn: Name, resource_type: str, groups: Collection[str]) -> PrivateName | None:
        """Return the private name and zone of a claim on `fqdn` by an endpoint of that resource type and group ids.

        An exception for exactly this name decides, then the suffix. Types and group ids only choose between zones that
        share one suffix. A private name maps to itself. Return None where no zone is known.
        """
        if (exact := self.exact.get(fqdn)) is not None:
            return exact
        parts, kind = labels(fqdn), resource_type.casefold()
        if may_be_private(fqdn) and (zone := self._zone(parts)):
            if zone.value.only_types and kind not in zone.value.only_types:
                return None
            return PrivateName(fqdn, from_labels(parts[-zone.depth :]))
        wanted = {group.casefold() for group in groups}
        for match in self._public.below(parts):
            for choice in match.value:
                if choice.fits(kind, wanted):
                    return self._mapping(parts, match, choice.zone)
            if not match.value:
                break
        return None

    def shared_wildcard(
        self, fqdn: Name, resource_type: str, groups: Collection[str], others: Iterable[Name]
    ) -> SharedWildcard | None:
        """Return the private wildcards for a public wildcard that the endpoint's resource shares; None for its own.

        `others` are the FQDNs of the same endpoint. A wildcard with a `privatelink` label is the endpoint's own.
        """
        if (may_be_private(fqdn) and self._zone(labels(fqdn))) or not self._wildcards.is_shared(
            fqdn, resource_type.casefold()
        ):
            return None
        forms = self._wildcards.private_forms(fqdn, others)
        if forms is None:
            mapping = self.map(fqdn, resource_type, groups)
            return SharedWildcard(fqdn, (mapping,) if mapping else (), NoPrivateWildcard.NO_RULE)
        privates = tuple(PrivateName(name, zone) for name in forms.names if (zone := self.zone_of(name)))
        return SharedWildcard(fqdn, privates, forms.missing)

    def zone_of(self, name: Name) -> Name | None:
        """Return the longest private zone at or above `name`, opt-in zones included; None where there is none.

        Where the catalogue knows no zone, the zone begins at the last label `privatelink` or `privatelink-…`. A zone
        whose own first label is a placeholder (`{subzone}.privatelink.…`, AKS) only has names strictly below it:
        `api.privatelink.eastus.azmk8s.io` is a record, not an apex.
        """
        parts = labels(name)
        zone = self._zone(parts) if may_be_private(name) else None
        return from_labels(parts[-zone.depth :]) if zone else None

    def has_zone(self, zone: Name) -> bool:
        """Return True for a private zone of the table or of the configuration; not for each label `privatelink`."""
        parts = labels(zone)
        return any(
            match.depth == len(parts) and is_private_label(parts[0]) for match in self._private.at_or_below(parts)
        )

    def covers(self, name: Name) -> bool:
        """Return True for private-link names, and at or below a public suffix. Fast, for the packet path.

        Names of opt-in suffixes and zones are not covered: without `management.azure.com` no source could be read.
        """
        parts = labels(name)
        if next(self._covered.walk(parts), None) is not None:
            return True
        zone = self._zone(parts) if may_be_private(name) else None
        return zone is not None and not zone.value.only_types

    def public(self, name: Name) -> Name | None:
        """Return the default public FQDN of a private name, which has `name` among its `candidates`.

        Usually that is the name without `privatelink`, but `kv.vault.azure.net` for
        `kv.privatelink.vaultcore.azure.net`. Return None for AKS (the FQDN is the private name), for an apex, for the
        private name of an exception, and where the name without the label would map to another name.
        """
        parts = labels(name)
        match = self._zone(parts)
        if match is None or match.value.public is None or match.depth == len(parts) or name in self._exact_privates:
            return None
        public = from_labels(parts[: -match.depth] + filled(match.value.public, match.bound))
        return public if any(mapping.name == name for mapping in self.candidates(public)) else None

    def forwarder(self, name: Name) -> Name | None:
        """Return the suffix that another resolver forwards for a public or private name; None without one.

        It is the shortest documented or configured suffix at or above the name, else the shortest other suffix above
        it. Opt-in suffixes (`azure.com`) do not count: they have too many names that pldns does not have.
        """
        parts = labels(name)
        depths = [match.depth for match in self._forwarded.at_or_below(parts) or self._covered.below(parts)]
        return from_labels(parts[-min(depths) :]) if depths else None

    def forwarded_suffix(self, public: Name, private: Name) -> Name | None:
        """Return the suffix by which another resolver forwards a public name and its private name; None without one.

        It is the `forwarder` of the public name, or an opt-in suffix. Where the catalogue has none, it is the private
        zone without its label `privatelink`.
        """
        suffix = self.forwarder(public)
        if suffix is None and (opted := self._public.below(parts := labels(public))):
            suffix = from_labels(parts[-opted[-1].depth :])
        if suffix is None and (zone := self.zone_of(private)):
            suffix = parent(zone)
        return suffix if suffix and is_under(public, suffix) and is_under(private, suffix) else None

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

    def _mapping(
        self, parts: list[bytes], match: SuffixMatch[tuple[ZoneChoice, ...]], zone: Labels
    ) -> PrivateName | None:
        """Return the private name in a zone; None where it would exceed 255 octets.

        The zone is looked up again for the whole name: AKS has a longer one, `{subzone}.privatelink.…`, below some.
        """
        private = parts[: -match.depth] + filled(zone, match.bound)
        name = from_labels(private)
        found = self._zone(private)
        return PrivateName(name, from_labels(private[-found.depth :])) if found and len(name) <= MAX_NAME else None

    def _zone(self, parts: list[bytes]) -> SuffixMatch[PrivateZoneRule] | None:
        """Return the zone of a private name; None for a public name.

        A first label `privatelink-…` below a public suffix is the name of a resource: `privatelink-kv.vault.azure.net`.
        """
        for match in self._private.at_or_below(parts):
            if match.depth < len(parts) or is_private_label(parts[0]):
                return match
        at = max((i for i, label in enumerate(parts) if is_private_label(label)), default=-1)
        if at < 0 or (at == 0 and parts[0] != PRIVATELINK and self._covered.below(parts)):
            return None
        return SuffixMatch(len(parts) - at, {}, UNKNOWN_ZONE)


def _forwarders(table: CatalogueTable) -> set[Labels]:
    """Return the public suffixes of the entries, except those that have the name of a resource in them."""
    patterns = (pattern(forwarder) for entry in table.entries for forwarder in entry.public_forwarders)
    return {each for each in patterns if _OF_SERVICE.issuperset(label for label in each if is_placeholder(label))}


def _literal(suffix: Labels) -> Labels:
    """Return a suffix without its placeholders and what is before them: no other resolver can forward these."""
    start = max((at for at, label in enumerate(suffix, 1) if is_placeholder(label)), default=0)
    return suffix[start:]


def _words(patterns: Iterable[Labels]) -> frozenset[bytes]:
    return frozenset(label for each in patterns for label in each if not label.startswith((b"{", b"*")))


@cache
def catalogue(configured: tuple[Suffix, ...] = ()) -> Catalogue:
    """Return the catalogue of all three clouds, with the suffixes of the configuration. The first call reads files."""
    return Catalogue(read_table(), read_additions(), configured)


def read_table() -> CatalogueTable:
    """Read Microsoft's table."""
    return msgspec.json.decode(_DATA.joinpath("private-link-zones.json").read_bytes(), type=CatalogueTable)


def read_additions() -> Additions:
    """Read what the table does not say."""
    return msgspec.json.decode(_DATA.joinpath("additions.json").read_bytes(), type=Additions)
