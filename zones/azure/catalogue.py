"""Azure's catalogue of private link zones: which private name stands behind a public one, and in which zone.

The data is Microsoft's table (learn.microsoft.com/azure/private-link/private-endpoint-dns) for the commercial,
government and China clouds, in `data/private-link-zones.json`. A placeholder such as `{regionName}` stands for
exactly one label. Refuses to know endpoints, claims and networks: it says what a name
could stand for, not who holds it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache
from importlib.resources import files
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from zones.dns.name import MAX_NAME, Name, from_labels, from_text, labels

_PRIVATE: Final = frozenset((b"privatelink", b"privatelink-global"))
"""Labels that mark a name as private. A public name has none, and no placeholder stands for one."""
_DIGITS_ONLY: Final = b"{partitionid}"
_FQDN_IS_PRIVATE: Final = "microsoft.containerservice/managedclusters"
"""AKS: the API server's FQDN lies in the privatelink zone itself; it has no public form."""
_SITES: Final = "microsoft.web/sites"

Labels = tuple[bytes, ...]
T = TypeVar("T")


class PrivateName(NamedTuple):
    """A private name and the zone that it lies in, placeholders filled in."""

    name: Name
    zone: Name


class CatalogueEntry(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=False):
    """One row of Microsoft's table. `zones` and `public_forwarders` are texts that may hold placeholders."""

    id: str
    cloud: str
    service: str
    resource_type: str
    group_ids: tuple[str, ...]
    zones: tuple[str, ...] = msgspec.field(name="createZones")
    public_forwarders: tuple[str, ...]
    note: str = ""


class Suffix(msgspec.Struct, frozen=True, rename="camel"):
    """One public suffix and the private zone of the names below it. `derived`: they differ by `privatelink.` alone."""

    public_suffix: str
    private_zone: str
    derived: bool
    opt_in: bool = False


class _File(msgspec.Struct, frozen=True, rename="camel"):
    entries: tuple[CatalogueEntry, ...]
    fqdn_suffix_map: tuple[Suffix, ...]


_Alternative = tuple[frozenset[str], Labels]


class _Rule(NamedTuple):
    """What a public suffix maps to; `alternatives` are group ids and the zone that they choose instead."""

    zone: Labels
    alternatives: tuple[_Alternative, ...]
    only_types: frozenset[str]
    """Resource types that alone may use an opt-in suffix; empty for an ordinary one."""


class _Zone(NamedTuple):
    """A private zone: the suffix of its names' default public form, and the types that alone may use it."""

    public: Labels | None
    only_types: frozenset[str]


class _SuffixMatch(NamedTuple, Generic[T]):
    """A pattern of `depth` labels that a name ends in, and what its placeholders stood for."""

    depth: int
    bound: dict[bytes, bytes]
    value: T


class Catalogue:
    """Longest suffix wins; at equal length a literal label beats a placeholder; one label or more stands before it."""

    def __init__(self, suffixes: Collection[Suffix], entries: Collection[CatalogueEntry]) -> None:
        self._entries = tuple(entries)
        self._public: _Trie[_Rule] = _Trie()
        self._private: _Trie[_Zone] = _Trie()
        self._covered: _Trie[bool] = _Trie()
        groups: dict[Labels, set[str]] = defaultdict(set)
        types: dict[Labels, set[str]] = defaultdict(set)
        for entry in entries:
            for zone in map(_pattern, entry.zones):
                groups[zone].update(group.casefold() for group in entry.group_ids)
                types[zone].add(entry.resource_type.casefold())
        # A zone of entries alone, as AKS's `{subzone}` one, has no public form.
        zones = dict.fromkeys(types, _Zone(None, frozenset()))
        for suffix in sorted(suffixes, key=lambda item: item.derived, reverse=True):
            public, zone = _pattern(suffix.public_suffix), _pattern(suffix.private_zone)
            only_types = frozenset(types[zone] if suffix.opt_in else ())
            rule = _Rule(zone, _alternatives(public, zone, groups), only_types)
            self._public.add(public, rule)
            if not suffix.opt_in:
                self._covered.add(public, value=True)
            # The last wins: the default public form of a Key Vault name is the one that is not derived.
            shown = None if _FQDN_IS_PRIVATE in types[zone] else public
            zones |= {each: _Zone(shown, only_types) for each in (zone, *(other for _, other in rule.alternatives))}
        patterns = [zone for zone in zones if zone] + [_pattern(suffix.public_suffix) for suffix in suffixes]
        self.words = frozenset(label for pattern in patterns for label in pattern if not label.startswith(b"{"))
        """The labels of all suffixes and zones, without placeholders: what is Azure's of a name, and nobody's."""
        for zone, value in zones.items():
            self._private.add(zone, value)
            if not value.only_types:
                self._covered.add(zone, value=True)

    def candidates(self, name: Name) -> tuple[PrivateName, ...]:
        """Every private name that a public one could stand for, the default first; none for a private name.

        Normally one. Two below `wvd…`. An opt-in suffix (`azure.com`) counts only where no ordinary one matches: the
        caller asks whether somebody claims the result. Names that would pass 255 octets are left out.
        """
        parts = labels(name)
        if not _PRIVATE.isdisjoint(parts):
            return ()
        found = self._public.below(parts)
        if not found:
            return ()
        match = next((m for m in found if not m.value.only_types), found[0])
        zones = (match.value.zone, *(zone for _, zone in match.value.alternatives))
        return tuple(mapping for zone in zones if (mapping := self._mapping(parts, match, zone)))

    def map(self, fqdn: Name, resource_type: str, groups: Collection[str]) -> PrivateName | None:
        """Where a claim on `fqdn` by an endpoint of that resource type and those group ids stands.

        The suffix decides; a group id only chooses between zones that share one suffix. A name that is private already
        stands at itself. None: no zone is known for it.
        """
        parts, kind = labels(fqdn), resource_type.casefold()
        if not _PRIVATE.isdisjoint(parts):
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
        """The longest private zone, opt-in ones too, at or above `name`; None if it lies in no zone of the catalogue.

        A zone whose own first label is a placeholder (`{subzone}.privatelink.…`, AKS) has names strictly below it
        only: `api.privatelink.eastus.azmk8s.io` is a record, not an apex.
        """
        parts = labels(name)
        zone = self._zone(parts)
        return from_labels(parts[-zone.depth :]) if zone else None

    def covers(self, name: Name) -> bool:
        """True at or under a public suffix or a private zone; opt-in ones are ignored. Made for the packet path."""
        return next(self._covered.walk(labels(name)), None) is not None

    def public(self, name: Name) -> Name | None:
        """The default public FQDN of a private name: one whose `candidates` hold `name`; None where there is none.

        Usually the name without `privatelink`; `kv.vault.azure.net` for `kv.privatelink.vaultcore.azure.net`. None for
        AKS (its FQDN is the private name), for an apex, and where dropping the label leads to another zone.
        """
        parts = labels(name)
        match = self._zone(parts)
        if match is None or match.value.public is None or match.depth == len(parts):
            return None
        public = from_labels(parts[: -match.depth] + _filled(match.value.public, match.bound))
        return public if any(mapping.name == name for mapping in self.candidates(public)) else None

    def by_resource(self, resource_type: str, group: str) -> tuple[CatalogueEntry, ...]:
        """The rows for a resource type and group id, of all clouds; compared without case.

        App Service slots have groups `sites-SLOT`. A row that names no fixed group id takes any.
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

    def _mapping(self, parts: list[bytes], match: _SuffixMatch[_Rule], zone: Labels) -> PrivateName | None:
        """None when the private name would be longer than a name can be.

        The zone is asked again for the whole name: AKS has a longer one, `{subzone}.privatelink.…`, below some.
        """
        private = parts[: -match.depth] + _filled(zone, match.bound)
        name = from_labels(private)
        found = self._zone(private)
        return PrivateName(name, from_labels(private[-found.depth :])) if found and len(name) <= MAX_NAME else None

    def _zone(self, parts: list[bytes]) -> _SuffixMatch[_Zone] | None:
        found = self._private.at_or_below(parts)
        return next((m for m in found if m.depth < len(parts) or parts[0] in _PRIVATE), None)


def _alternatives(public: Labels, default: Labels, groups: dict[Labels, set[str]]) -> tuple[_Alternative, ...]:
    """The zones that are `public` behind another private label than the default zone has, with their group ids."""
    if default[1:] != public:
        return ()
    zones = ((label, *public) for label in sorted(_PRIVATE))
    return tuple((frozenset(groups[zone]), zone) for zone in zones if zone != default and zone in groups)


class _Trie(Generic[T]):
    """Patterns of labels, read from the right; a label in braces is a placeholder."""

    def __init__(self) -> None:
        self.literals: dict[bytes, _Trie[T]] = {}
        self.placeholders: dict[bytes, _Trie[T]] = {}
        self.value: T | None = None

    def add(self, pattern: Labels, value: T) -> None:
        node = self
        for label in reversed(pattern):
            children = node.placeholders if label.startswith(b"{") else node.literals
            node = children.setdefault(label, _Trie())
        node.value = value

    def walk(self, parts: list[bytes]) -> Iterator[_SuffixMatch[T]]:
        """Every pattern at the end of the name, shortest first; at equal length the placeholder first."""
        paths: list[tuple[dict[bytes, bytes], _Trie[T]]] = [({}, self)]
        for depth, label in enumerate(reversed(parts), 1):
            paths = [longer for bound, node in paths for longer in node._step(bound, label)]  # noqa: SLF001 - own class
            if not paths:
                return
            for bound, node in paths:
                if node.value is not None:
                    yield _SuffixMatch(depth, bound, node.value)

    def _step(self, bound: dict[bytes, bytes], label: bytes) -> Iterator[tuple[dict[bytes, bytes], "_Trie[T]"]]:
        for placeholder, child in self.placeholders.items():
            if label not in _PRIVATE and (placeholder != _DIGITS_ONLY or label.isdigit()):
                yield {**bound, placeholder: label}, child
        if (literal := self.literals.get(label)) is not None:
            yield bound, literal

    def at_or_below(self, parts: list[bytes]) -> list[_SuffixMatch[T]]:
        """The matches for a name that may be the pattern itself, best first."""
        return list(self.walk(parts))[::-1]

    def below(self, parts: list[bytes]) -> list[_SuffixMatch[T]]:
        """The matches for a name with one label or more before the pattern, best first."""
        return [match for match in self.at_or_below(parts) if match.depth < len(parts)]


def _pattern(text: str) -> Labels:
    return tuple(labels(from_text(text)))


def _filled(pattern: Labels, bound: dict[bytes, bytes]) -> list[bytes]:
    return [bound.get(label, label) for label in pattern]


def _allows(only_types: frozenset[str], kind: str) -> bool:
    return not only_types or kind in only_types


@cache
def catalogue() -> Catalogue:
    """The catalogue of all three clouds, read once, on the first call."""
    data = files("zones.azure").joinpath("data/private-link-zones.json").read_bytes()
    content = msgspec.json.decode(data, type=_File)
    return Catalogue(content.fqdn_suffix_map, content.entries)
