"""How the catalogue maps one name, and by which of its rows: for people who ask about a name.

Slow: goes through all rows. The private name comes from `catalogue`, so that what is shown here is what is served.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from zones.azure.catalogue import PrivateName
from zones.azure.catalogue_rows import CatalogueRows, MappingRule, Sharing, SuffixRow, is_below, is_zone, sharing
from zones.azure.catalogue_table import CatalogueEntry
from zones.azure.sharing import names_match, widest
from zones.azure.suffix_trie import SuffixMatch, SuffixTrie, filled, pattern
from zones.dns.name import Name, from_labels, from_text, is_wildcard, labels, parent, to_text


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
    publics: tuple[Name, ...]
    """The public names of a private name, the default first; empty for a public name."""
    at_suffix: str
    """The public suffix at or above the name, where no private name follows."""
    shared: tuple[Sharing, ...]
    """Who shares the public name; `names` is empty."""
    wildcard: str
    """The wildcard at or above the name that many resources share; empty: none."""
    private_form: str
    """The private wildcard that an endpoint with that wildcard has, with placeholders; empty: none."""


def mapping(name: Name, rows: CatalogueRows) -> NameMapping:
    """Return how a name, in lower case, maps."""
    catalogue = rows.catalogue
    found = catalogue.candidates(name)
    is_private = not found and catalogue.zone_of(name) is not None
    publics = _publics(name, rows) if is_private else ()
    mapped = (_private(name, rows),) if is_private else tuple(_mapped(name, each, rows) for each in found)
    wildcard, private_form = _shared_wildcard(name, mapped, rows)
    return NameMapping(
        name=name,
        is_private=is_private,
        mapped=mapped,
        publics=publics,
        at_suffix="" if mapped else _suffix_above(name, rows),
        shared=_widest(_shared(publics or (name,), mapped, rows)),
        wildcard=wildcard,
        private_form=private_form,
    )


def _publics(private: Name, rows: CatalogueRows) -> tuple[Name, ...]:
    """Return the public names of a private name: the one by its suffix, and those with exceptions."""
    default = rows.catalogue.public(private)
    exact = [from_text(row.fqdn) for row in rows.additions.exceptions if row.fqdn and from_text(row.private) == private]
    return (*((default,) if default else ()), *exact)


def _mapped(name: Name, private: PrivateName, rows: CatalogueRows) -> MappedName:
    """Return the rule by which a public name has this private name."""
    entries = _entries(private.zone, rows)
    ids = tuple(entry.id for entry in entries)
    for exact in rows.additions.exceptions:
        if exact.fqdn and from_text(exact.fqdn) == name:
            return MappedName(private, MappingRule.EXCEPTION, entries=ids, source=exact.source)
    matches = _matching(name, rows.suffixes)
    for match in matches:
        above = labels(name)[: -match.depth]
        for rule, suffix, _, source in match.value:
            if from_labels(above + filled(pattern(suffix.private_zone), match.bound)) == private.name:
                types = suffix.types or tuple(entry.resource_type for entry in entries if suffix.opt_in)
                return MappedName(
                    private, rule, suffix.public_suffix, ids if rule is MappingRule.TABLE else (),
                    tuple(dict.fromkeys(types)), suffix.groups, source,
                )  # fmt: skip
    # A zone that only entries name, for their groups: `privatelink-global.wvd.microsoft.com`.
    groups = tuple(dict.fromkeys(group for entry in entries for group in entry.group_ids))
    text = next((row.suffix.public_suffix for match in matches for row in match.value), "")
    return MappedName(private, MappingRule.TABLE, text, ids, (), groups)


def _matching(name: Name, suffixes: Iterable[SuffixRow]) -> list[SuffixMatch[list[SuffixRow]]]:
    """Return the suffixes above a name, the longest first, each with its rows in the order of precedence."""
    found: dict[tuple[bytes, ...], list[SuffixRow]] = {}
    for row in suffixes:
        found.setdefault(pattern(row.suffix.public_suffix), []).append(row)
    trie: SuffixTrie[list[SuffixRow]] = SuffixTrie()
    for public, rows in found.items():
        trie.add(public, rows)
    return trie.below(labels(name))


def _private(name: Name, rows: CatalogueRows) -> MappedName:
    """Return the rule by which a name is private itself."""
    zone = rows.catalogue.zone_of(name) or name
    private = PrivateName(name, zone)
    for exact in rows.additions.exceptions:
        if exact.fqdn and from_text(exact.private) == name:
            ids = tuple(entry.id for entry in _entries(zone, rows))
            return MappedName(private, MappingRule.EXCEPTION, entries=ids, source=exact.source)
    if entries := _entries(zone, rows):
        return MappedName(private, MappingRule.TABLE, entries=tuple(entry.id for entry in entries))
    for rule, suffix, _, source in rows.suffixes:
        if is_zone(suffix.private_zone, zone):
            return MappedName(private, rule, suffix.public_suffix, source=source)
    return MappedName(private, MappingRule.LABEL)


def _entries(zone: Name, rows: CatalogueRows) -> list[CatalogueEntry]:
    """Return the entries of Microsoft's table with a zone."""
    return [entry for entry in rows.table.entries if any(is_zone(each, zone) for each in entry.zones)]


def _suffix_above(name: Name, rows: CatalogueRows) -> str:
    """Return the longest public suffix at or above a name; empty where there is none."""
    suffixes: SuffixTrie[str] = SuffixTrie()
    forwarders = (text for entry in rows.table.entries for text in entry.public_forwarders)
    bare = (each.forwarder for each in rows.table.bare_forwarders)
    for text in (*forwarders, *bare, *(row.suffix.public_suffix for row in rows.suffixes)):
        suffixes.add(pattern(text), text)
    return next((match.value for match in suffixes.at_or_below(labels(name))), "")


def _shared(publics: Collection[Name], mapped: Iterable[MappedName], rows: CatalogueRows) -> Iterator[Sharing]:
    """Yield who shares one of the public names: the marks of the entries, and of the suffixes of the configuration."""
    ids = {entry for each in mapped for entry in each.entries}
    for entry in rows.table.entries:
        for mark in rows.additions.shared if entry.id in ids else ():
            if mark.entry == entry.id and any(names_match(mark.names, each) for each in publics):
                yield sharing(mark, entry)
    for row in rows.suffixes:
        if row.suffix.shared and any(is_below(each, row.suffix.public_suffix) for each in publics):
            yield Sharing(row.suffix.shared, row.suffix.groups)


def _widest(found: Iterable[Sharing]) -> tuple[Sharing, ...]:
    """Return one sharing for each set of groups: the one with the most resources."""
    by_groups: dict[tuple[str, ...], Sharing] = {}
    for each in found:
        before = by_groups.get(each.groups)
        by_groups[each.groups] = each if before is None else each._replace(by=widest((before.by, each.by)))
    return tuple(by_groups.values())


def _shared_wildcard(name: Name, mapped: Collection[MappedName], rows: CatalogueRows) -> tuple[str, str]:
    """Return the wildcard at or above a public name that no endpoint owns, and its private form; empty: none."""
    for row in rows.additions.wildcards:
        if row.private and len(name) > 1 and is_below(parent(name), row.public.removeprefix("*.")):
            return row.public, row.private
    if not is_wildcard(name):
        return "", ""
    ids = {entry for each in mapped for entry in each.entries}
    types = {entry.resource_type for entry in rows.table.entries if entry.id in ids} or {""}
    shared = (rows.catalogue.shared_wildcard(name, each, (), ()) for each in types)
    if not all(shared):
        return "", ""
    return to_text(name), next((to_text(each.private.name) for each in mapped), "")
