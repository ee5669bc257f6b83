"""Wildcards on NICs: whether the names below a wildcard belong to the endpoint's resource or to many resources.

`*.ENV.REGION.azurecontainerapps.io` is one environment's. All Machine Learning workspaces of a region, also of other
tenants, have `*.REGION.inference.ml.azure.com`. A wildcard is shared where no label of it is the resource's own. Then
it is directly below a public suffix or a sibling of one, or only regions and labels of the service lie between. Rows of
data are for the exceptions, and for private wildcards that do not follow from the suffix.

Does not know what suffixes map to.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from zones.azure.additions import Owner, WildcardRow
from zones.azure.suffix_trie import Labels, SuffixTrie, filled, pattern
from zones.dns.name import MAX_NAME, Name, from_labels, labels

_GUID: Final = re.compile(rb"(.*-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""A label that is a GUID, or ends in one (`ml-WORKSPACE-REGION-GUID`)."""
_STAMP: Final = re.compile(rb"-\d\d?$")
"""The end of `westeurope-01`, one of several deployments in a region."""
_BY_GUID: Final = b"{guid}"


class NoPrivateWildcard(StrEnum):
    """Why an endpoint has no private wildcard for a shared one."""

    NO_RULE = "the catalogue has no private form of it"
    NO_GUID = "no other name of the endpoint has the resource's GUID and the region"


class PrivateWildcards(NamedTuple):
    """The private wildcards of an endpoint for one that it shares; if there are none, the reason."""

    names: tuple[Name, ...]
    missing: NoPrivateWildcard = NoPrivateWildcard.NO_RULE


class Wildcards:
    """The rule, and the rows of data.

    `suffixes` are all public suffixes, `domains` those with several services below them (`azure.com`). `words` are
    labels of services, `regions` names and codes of regions.
    """

    def __init__(
        self,
        suffixes: Iterable[Labels],
        domains: Collection[Labels],
        words: Collection[bytes],
        regions: Collection[bytes],
        rows: Iterable[WildcardRow],
    ) -> None:
        self._suffixes: SuffixTrie[bool] = SuffixTrie()
        for suffix in suffixes:
            self._suffixes.add(suffix, value=suffix not in domains)
        self._words, self._regions = words, regions
        self._rows: SuffixTrie[WildcardRow] = SuffixTrie()
        for row in rows:
            self._rows.add(pattern(row.public), row)

    def is_shared(self, name: Name, kind: str) -> bool:
        """Return whether the names below a public wildcard are not only those of one resource.

        `kind` is the resource type of the endpoint, folded.
        """
        parts = labels(name)
        row = self._row(parts)
        if row is not None and (row.owner is Owner.SHARED or row.resource_type.casefold() == kind):
            return row.owner is Owner.SHARED
        above = parts[1:]
        while above and self._is_region(above[0]):
            above = above[1:]
        if len(above) < 2 or self._suffixes.is_above(above) or self._is_beside_suffix(above):
            return True
        match = next(iter(self._suffixes.below(above)), None)
        return match is not None and not self._has_own_label(above[: -match.depth])

    def _is_beside_suffix(self, parts: Sequence[bytes]) -> bool:
        """Return whether the name is a sibling of a public suffix, so a service: `new.windows.net`, `new.azure.com`."""
        above = parts[1:]
        while above and self._is_region(above[0]):
            above = above[1:]
        if len(above) < 2 or not self._suffixes.is_above(above):
            return False
        exact = next((match for match in self._suffixes.at_or_below(above) if match.depth == len(above)), None)
        return exact is None or not exact.value

    def _has_own_label(self, parts: Sequence[bytes]) -> bool:
        """Return whether one of the labels between a wildcard and the suffix is the resource's own.

        Labels to the right of a region are the service's.
        """
        last = max((i for i, label in enumerate(parts) if self._is_region(label)), default=len(parts))
        return any(label not in self._words and not self._is_region(label) for label in parts[:last])

    def _is_region(self, label: bytes) -> bool:
        return label in self._regions or _STAMP.sub(b"", label) in self._regions

    def private_forms(self, name: Name, others: Iterable[Name]) -> PrivateWildcards | None:
        """Return the private wildcards that a row of data gives a shared wildcard; None where no row has any.

        `others` are the FQDNs of the same endpoint, in which the resource's GUID is. The endpoint of a Machine Learning
        hub has names of several workspaces, and a private wildcard for each.
        """
        parts = labels(name)
        row = self._row(parts)
        if row is None or not row.private:
            return None
        bound = self._rows.at_or_below(parts)[0].bound
        form = pattern(row.private)
        ids = [b""] if _BY_GUID not in form else _guids(map(labels, others), set(bound.values()))
        names = (from_labels(filled(form, {**bound, _BY_GUID: guid})) for guid in ids)
        fitting = tuple(each for each in names if len(each) <= MAX_NAME)
        return PrivateWildcards(fitting, NoPrivateWildcard.NO_RULE if ids else NoPrivateWildcard.NO_GUID)

    def _row(self, parts: Sequence[bytes]) -> WildcardRow | None:
        return next((match.value for match in self._rows.at_or_below(parts) if match.depth == len(parts)), None)


def _guids(others: Iterable[Sequence[bytes]], required: set[bytes]) -> list[bytes]:
    """Return the GUIDs in names that have all the required labels: whole labels, else the ends of labels."""
    found = {
        match.group(1, 2)
        for parts in others
        if required.issubset(parts)
        for match in map(_GUID.fullmatch, parts)
        if match
    }
    whole = {guid for before, guid in found if before is None}
    return sorted(whole or {guid for _, guid in found})
