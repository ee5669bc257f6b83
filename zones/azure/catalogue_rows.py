"""The catalogue as a list of rows, for people who read it: each public suffix with its private zone.

The rows are those of Microsoft's table, of `additions.json` and of the configuration. Slow: `catalogue` maps names.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from zones.azure.additions import SharedMark
from zones.azure.catalogue import Catalogue, read_additions, read_table
from zones.azure.catalogue_table import CatalogueEntry, SharedBy, Suffix
from zones.azure.suffix_trie import SuffixMatch, SuffixTrie, example_below, pattern
from zones.dns.name import Name, from_labels, labels, to_text


class MappingRule(StrEnum):
    """The kind of row that decides about a name."""

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
    """Names that no single resource owns. Without `groups`: for all groups. Without `names`: all names of the row."""

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


class SuffixRow(NamedTuple):
    """A suffix with the kind of row that it is from."""

    rule: MappingRule
    suffix: Suffix
    cloud: str = ""
    source: str = ""


class CatalogueRows:
    """The rows of one catalogue. `configured` are the suffixes with which the catalogue was made."""

    def __init__(self, catalogue: Catalogue, configured: tuple[Suffix, ...]) -> None:
        self.catalogue = catalogue
        self.table = read_table()
        self.additions = read_additions()
        by_type = ((row.suffix, row) for row in self.additions.exceptions)
        self.suffixes = (
            *(SuffixRow(MappingRule.CONFIGURED, suffix) for suffix in configured),
            *(SuffixRow(MappingRule.EXCEPTION, suffix, row.cloud, row.source) for suffix, row in by_type if suffix),
            *(SuffixRow(MappingRule.ADDED, row.suffix, row.cloud, row.source) for row in self.additions.suffixes),
            *(SuffixRow(MappingRule.TABLE, suffix) for suffix in self.table.fqdn_suffix_map),
        )
        """All suffixes, in the order of precedence."""

    def __iter__(self) -> Iterator[CatalogueRow]:
        """The rows: exceptions, suffixes of the configuration and of `additions.json`, then Microsoft's table."""
        for row in self.additions.exceptions:
            if row.fqdn:
                types = (row.resource_type,) if row.resource_type else ()
                yield CatalogueRow(
                    MappingRule.EXCEPTION, row.fqdn, row.private, row.cloud, resource_types=types, source=row.source
                )
        for rule, suffix, cloud, source in self.suffixes:
            if rule is not MappingRule.TABLE:
                shared = (Sharing(suffix.shared),) if suffix.shared else ()
                yield CatalogueRow(
                    rule, suffix.public_suffix, suffix.private_zone, cloud, resource_types=suffix.types,
                    groups=suffix.groups, shared=shared, source=source,
                )  # fmt: skip
        for bare in self.additions.forwarders:
            yield CatalogueRow(MappingRule.ADDED, bare.forwarder, "", bare.cloud, source=bare.source)
        for entry in self.table.entries:
            yield from self._of_entry(entry)

    def _of_entry(self, entry: CatalogueEntry) -> Iterator[CatalogueRow]:
        marks = [mark for mark in self.additions.shared if mark.entry == entry.id]
        seen = set()
        for public in entry.public_forwarders:
            zone = self._zone_below(public, entry)
            seen.add(zone)
            yield _row(entry, public, zone, marks)
        yield from (_row(entry, "", zone, marks) for zone in entry.zones if zone not in seen)

    def _zone_below(self, public: str, entry: CatalogueEntry) -> str:
        """Return the private zone of the entry's names below a public suffix; empty where none follows."""
        found = self.catalogue.map(example_below(pattern(public)), entry.resource_type, entry.group_ids)
        if found is None:
            return ""
        return next((zone for zone in entry.zones if is_zone(zone, found.zone)), to_text(found.zone))


def sharing(mark: SharedMark, entry: CatalogueEntry, names: Iterable[str] = ()) -> Sharing:
    """Return a mark of an entry. The groups are left out where the mark is for all groups of the entry."""
    return Sharing(mark.scope, mark.groups if len(mark.groups) < len(entry.group_ids) else (), tuple(names))


def is_zone(text: str, zone: Name) -> bool:
    """Return whether a zone is one of those that a text with placeholders describes."""
    return any(match.depth == len(labels(zone)) for match in _matches(zone, text))


def is_below(name: Name, suffix: str) -> bool:
    """Return whether a name is at or below a suffix, which may have placeholders."""
    return bool(_matches(name, suffix))


def _matches(name: Name, text: str) -> list[SuffixMatch[bool]]:
    trie: SuffixTrie[bool] = SuffixTrie()
    trie.add(pattern(text), value=True)
    return trie.at_or_below(labels(name))


def _row(entry: CatalogueEntry, public: str, zone: str, marks: Iterable[SharedMark]) -> CatalogueRow:
    shared = []
    for mark in marks:
        names = [name for name in mark.names if public and is_below(from_labels(list(pattern(name))), public)]
        if names or not mark.names:
            shared.append(sharing(mark, entry, names))
    return CatalogueRow(
        MappingRule.TABLE, public, zone, entry.cloud, entry.service, (entry.resource_type,), entry.group_ids, entry.id,
        tuple(shared),
    )  # fmt: skip
