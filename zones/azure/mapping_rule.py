"""How the catalogue maps one name, and by which of its rules; and the rows of the catalogue as a list.

For people who look something up. Slow: goes through all rows. The mapping itself comes from `catalogue`, so that what
is shown here is what is served.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from zones.azure.additions import SharedMark
from zones.azure.catalogue import Catalogue, PrivateName, read_additions, read_table
from zones.azure.catalogue_table import CatalogueEntry, SharedBy, Suffix
from zones.azure.sharing import names_match
from zones.azure.suffix_trie import SuffixTrie, filled, is_placeholder, pattern
from zones.dns.name import Name, from_labels, from_text, labels, parent, to_text


class MappingRule(StrEnum):
    """The kind of row that decides."""

    EXCEPTION = "exception"
    """An exception of `additions.json`, for exactly this name or for some resource types."""
    CONFIGURED = "configured"
    """A suffix of `catalogue.suffixes` in the configuration."""
    TABLE = "table"
    """A row of Microsoft's table."""
    ADDED = "added"
    """A suffix of `additions.json`, which the table lacks."""
    LABEL = "label"
    """No row: the name is private only because it has a label `privatelink`."""


class Sharing(NamedTuple):
    """Names that no single resource owns. No `groups`: of all groups. No `names`: all names of the row."""

    by: SharedBy
    groups: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class CatalogueRow(NamedTuple):
    """A public suffix (of an exception: a public name) with its private zone (or name); either may be empty."""

    rule: MappingRule
    public: str
    private: str
    cloud: str = ""
    service: str = ""
    resource_types: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    entry: str = ""
    """Id of the entry in Microsoft's table."""
    shared: tuple[Sharing, ...] = ()
    source: str = ""
    """The documentation, where that is not Microsoft's table."""


class MappedName(NamedTuple):
    """A private name that a name maps to, and the rule."""

    private: PrivateName
    rule: MappingRule
    suffix: str = ""
    """The public suffix that matched; empty for an exact exception and for a private name."""
    entries: tuple[str, ...] = ()
    """Ids of the entries of Microsoft's table with this zone."""
    resource_types: tuple[str, ...] = ()
    """The only resource types whose endpoints have the private name; empty: all."""
    groups: tuple[str, ...] = ()
    source: str = ""


class NameMapping(NamedTuple):
    """What the catalogue says about a name."""

    name: Name
    is_private: bool
    mapped: tuple[MappedName, ...]
    """The private names, the default first. A private name maps to itself."""
    public: Name | None
    """The default public name of a private name."""
    at_suffix: str
    """The public suffix at or above the name, where no private name follows."""
    shared: tuple[Sharing, ...]
    """Who shares the public name. No `names`."""
    wildcard: str
    """The wildcard at or above the name that many resources share; empty: none."""


class _SuffixRow(NamedTuple):
    """A suffix with the kind of row that it is from."""

    rule: MappingRule
    suffix: Suffix
    source: str = ""


class MappingRules:
    """The rows of one catalogue. `configured` are the suffixes with which the catalogue was made."""

    def __init__(self, catalogue: Catalogue, configured: tuple[Suffix, ...]) -> None:
        self._catalogue = catalogue
        self._table = read_table()
        self._additions = read_additions()
        exceptions = ((row.suffix, row.source) for row in self._additions.exceptions)
        self._suffixes = [
            *(_SuffixRow(MappingRule.CONFIGURED, suffix) for suffix in configured),
            *(_SuffixRow(MappingRule.EXCEPTION, suffix, source) for suffix, source in exceptions if suffix),
            *(_SuffixRow(MappingRule.ADDED, row.suffix, row.source) for row in self._additions.suffixes),
            *(_SuffixRow(MappingRule.TABLE, suffix) for suffix in self._table.fqdn_suffix_map),
        ]

    # -- one name

    def of(self, name: Name) -> NameMapping:
        """Return how a name maps. `name` is in lower case."""
        found = self._catalogue.candidates(name)
        is_private = not found and self._catalogue.zone_of(name) is not None
        public = self._catalogue.public(name) if is_private else None
        mapped = (self._private(name),) if is_private else tuple(self._mapped(name, each) for each in found)
        return NameMapping(
            name=name,
            is_private=is_private,
            mapped=mapped,
            public=public,
            at_suffix="" if mapped else self._bare_suffix(name),
            shared=tuple(dict.fromkeys(self._shared(public or name, mapped))),
            wildcard=self._wildcard(name),
        )

    def _mapped(self, name: Name, private: PrivateName) -> MappedName:
        """Return the rule by which a public name has this private name."""
        entries = self._entries(private.zone)
        ids = tuple(entry.id for entry in entries)
        for exact in self._additions.exceptions:
            if exact.fqdn and from_text(exact.fqdn) == name:
                return MappedName(private, MappingRule.EXCEPTION, entries=ids, source=exact.source)
        parts = labels(name)
        rows: SuffixTrie[list[_SuffixRow]] = SuffixTrie()
        for each in self._suffixes:
            suffix = pattern(each.suffix.public_suffix)
            known = next((m.value for m in rows.at_or_below(suffix) if m.depth == len(suffix)), None)
            if known is None:
                rows.add(suffix, known := [])
            known.append(each)
        for match in rows.below(parts):
            for row in match.value:
                zone = filled(pattern(row.suffix.private_zone), match.bound)
                if from_labels(parts[: -match.depth] + zone) == private.name:
                    types = row.suffix.types or tuple(e.resource_type for e in entries if row.suffix.opt_in)
                    return MappedName(
                        private, row.rule, row.suffix.public_suffix, ids if row.rule is MappingRule.TABLE else (),
                        tuple(dict.fromkeys(types)), row.suffix.groups, row.source,
                    )  # fmt: skip
        groups = tuple(dict.fromkeys(group for entry in entries for group in entry.group_ids))
        suffix_text = next((row.suffix.public_suffix for m in rows.below(parts) for row in m.value), "")
        return MappedName(private, MappingRule.TABLE, suffix_text, ids, (), groups)

    def _private(self, name: Name) -> MappedName:
        """Return the rule by which a name is private itself."""
        zone = self._catalogue.zone_of(name) or name
        private = PrivateName(name, zone)
        if entries := self._entries(zone):
            return MappedName(private, MappingRule.TABLE, entries=tuple(entry.id for entry in entries))
        for row in self._suffixes:
            if _fits(row.suffix.private_zone, zone):
                return MappedName(private, row.rule, row.suffix.public_suffix, source=row.source)
        return MappedName(private, MappingRule.LABEL)

    def _entries(self, zone: Name) -> list[CatalogueEntry]:
        """Return the entries of Microsoft's table with a zone."""
        return [entry for entry in self._table.entries if any(_fits(each, zone) for each in entry.zones)]

    def _bare_suffix(self, name: Name) -> str:
        """Return the longest public suffix at or above a name; empty where there is none."""
        suffixes: SuffixTrie[str] = SuffixTrie()
        forwarders = (text for entry in self._table.entries for text in entry.public_forwarders)
        for text in (*forwarders, *(each.forwarder for each in self._table.bare_forwarders), *self._publics()):
            suffixes.add(pattern(text), text)
        return next((match.value for match in suffixes.at_or_below(labels(name))), "")

    def _publics(self) -> Iterator[str]:
        return (row.suffix.public_suffix for row in self._suffixes)

    def _shared(self, public: Name, mapped: Iterable[MappedName]) -> Iterator[Sharing]:
        """Who shares a public name: the marks of its entries, and of the suffixes of the configuration."""
        entries = {entry for each in mapped for entry in each.entries}
        for entry in self._table.entries:
            for mark in self._additions.shared if entry.id in entries else ():
                if mark.entry == entry.id and names_match(mark.names, public):
                    yield Sharing(mark.scope, mark.groups if len(mark.groups) < len(entry.group_ids) else ())
        for row in self._suffixes:
            if row.suffix.shared and _is_below(to_text(public), row.suffix.public_suffix):
                yield Sharing(row.suffix.shared, row.suffix.groups)

    def _wildcard(self, name: Name) -> str:
        shared: SuffixTrie[str] = SuffixTrie()
        for row in self._additions.wildcards:
            if row.private:
                shared.add(pattern(row.public)[1:], row.public)
        above = parent(name) if len(name) > 1 else name
        return next((match.value for match in shared.at_or_below(labels(above))), "")

    # -- all rows

    def rows(self) -> Iterator[CatalogueRow]:
        """Every row: those of the configuration, of `additions.json`, and of Microsoft's table."""
        for row in self._additions.exceptions:
            if row.fqdn:
                yield CatalogueRow(MappingRule.EXCEPTION, row.fqdn, row.private, row.cloud, source=row.source)
        clouds = {added.public_suffix: added.cloud for added in self._additions.suffixes}
        clouds |= {by_type.public_suffix: by_type.cloud for by_type in self._additions.exceptions}
        for each in self._suffixes:
            if each.rule is not MappingRule.TABLE:
                suffix = each.suffix
                cloud = clouds.get(suffix.public_suffix, "") if each.rule is not MappingRule.CONFIGURED else ""
                shared = (Sharing(suffix.shared),) if suffix.shared else ()
                yield CatalogueRow(
                    each.rule, suffix.public_suffix, suffix.private_zone, cloud, "", suffix.types, suffix.groups,
                    "", shared, each.source,
                )  # fmt: skip
        for entry in self._table.entries:
            yield from self._of_entry(entry)

    def _of_entry(self, entry: CatalogueEntry) -> Iterator[CatalogueRow]:
        marks = [mark for mark in self._additions.shared if mark.entry == entry.id]
        seen = set()
        for public in entry.public_forwarders:
            zone = self._zone_below(public, entry)
            seen.add(zone)
            yield _row(entry, public, zone, marks)
        yield from (_row(entry, "", zone, marks) for zone in entry.zones if zone not in seen)

    def _zone_below(self, public: str, entry: CatalogueEntry) -> str:
        """Return the private zone of the entry's names below a public suffix; empty where none follows."""
        example = [b"1" if is_placeholder(label) else label for label in pattern(public)]
        found = self._catalogue.map(from_labels([b"name", *example]), entry.resource_type, entry.group_ids)
        if found is None:
            return ""
        return next((zone for zone in entry.zones if _fits(zone, found.zone)), to_text(found.zone))


def _row(entry: CatalogueEntry, public: str, zone: str, marks: Iterable[SharedMark]) -> CatalogueRow:
    shared = []
    for mark in marks:
        names = tuple(name for name in mark.names if public and _is_below(name, public))
        if names or not mark.names:
            groups = mark.groups if len(mark.groups) < len(entry.group_ids) else ()
            shared.append(Sharing(mark.scope, groups, names))
    return CatalogueRow(
        MappingRule.TABLE, public, zone, entry.cloud, entry.service, (entry.resource_type,), entry.group_ids, entry.id,
        tuple(shared),
    )  # fmt: skip


def _fits(pattern_text: str, zone: Name) -> bool:
    """Return whether a zone is one of those that a text with placeholders describes."""
    trie: SuffixTrie[bool] = SuffixTrie()
    trie.add(pattern(pattern_text), value=True)
    parts = labels(zone)
    return any(match.depth == len(parts) for match in trie.walk(parts))


def _is_below(name: str, suffix: str) -> bool:
    trie: SuffixTrie[bool] = SuffixTrie()
    trie.add(pattern(suffix), value=True)
    return bool(trie.at_or_below(pattern(name)))
