"""The suffixes that other resolvers forward to pldns: for some names, or for the whole catalogue.

Does not know which names are served, nor how another resolver is configured.
"""

from collections.abc import Iterable

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_rows import CatalogueRows, MappingRule
from zones.azure.suffix_trie import example_below, pattern
from zones.dns.name import Name, canonical_key, from_text, is_under, is_wildcard, parent


def of_names(names: Iterable[Name], catalogue: Catalogue) -> set[Name]:
    """Return a suffix for each public or private name.

    It is the catalogue's `forwarder`, without one the private zone of the name, else the name itself: other names below
    the same parent may be elsewhere.
    """
    plain = {parent(name) if is_wildcard(name) else name for name in names}
    return {catalogue.forwarder(name) or catalogue.zone_of(name) or name for name in plain}


def of_catalogue(rows: CatalogueRows, cloud: str | None) -> set[Name]:
    """Return the suffixes of all rows, or of the rows of one cloud and of the configuration. None is an opt-in suffix.

    Some may lie below others: see `topmost`.
    """
    suffixes = (
        rows.catalogue.forwarder(_example(text, row.rule))
        for row in rows
        if cloud in {None, row.cloud} or row.rule is MappingRule.CONFIGURED
        for text in (row.public, row.private)
        if text
    )
    return {suffix for suffix in suffixes if suffix is not None}


def topmost(names: Iterable[Name]) -> list[Name]:
    """Return the names that do not lie below another one, in canonical order (RFC 4034 section 6.1)."""
    found: list[Name] = []
    for name in sorted(set(names), key=canonical_key):  # an ancestor directly precedes the names below it
        if not found or not is_under(name, found[-1]):
            found.append(name)
    return found


def _example(text: str, rule: MappingRule) -> Name:
    """Return a name that a row is for. A row of an exception without placeholders is for exactly one name."""
    return from_text(text) if rule is MappingRule.EXCEPTION and "{" not in text else example_below(pattern(text))
