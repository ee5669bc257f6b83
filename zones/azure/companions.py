"""Companions: endpoints whose clients need another endpoint too.

Data Lake clients also call blob; users of a Databricks workspace log in through the endpoint for browser
authentication of their region. The rows are in `data/additions.json`. Does not know networks and findings.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from zones.azure.additions import CompanionIn, CompanionRow
from zones.azure.endpoint import Endpoint

_T = TypeVar("_T")


class Need(NamedTuple):
    """What clients of an endpoint need: another endpoint with the group id `group` (folded)."""

    group: str
    within: CompanionIn


class CompanionKind(NamedTuple):
    """A resource type (folded) with endpoints that need each other, and where the other endpoint may be."""

    type: str
    within: CompanionIn


class Companions:
    """The rows by resource type and group id. All rows of one resource type have the same `within`."""

    def __init__(self, rows: Iterable[CompanionRow] = ()) -> None:
        self._needs: dict[str, dict[str, Need]] = defaultdict(dict)
        self._kinds: dict[str, dict[str, CompanionKind]] = defaultdict(dict)
        """By folded group id and the part of a target's id that shows its resource type."""
        for row in rows:
            kind, group, needs = row.resource_type.casefold(), row.group.casefold(), row.needs.casefold()
            part = f"/providers/{kind}/"
            self._needs[group][part] = Need(needs, row.within)
            self._kinds[group][part] = self._kinds[needs][part] = CompanionKind(kind, row.within)

    def need(self, group: str, endpoint: Endpoint) -> Need | None:
        """Return what clients of an endpoint with this group id (folded) need; usually None."""
        return _of_type(self._needs.get(group), endpoint)

    def key(self, endpoint: Endpoint) -> str:
        """Return the key of the endpoints among which a companion of this endpoint may be; empty for most endpoints.

        That is the key of its target, or its resource type and region. Endpoints without a target have no companions.
        """
        kind = self.kind(endpoint)
        if kind is None:
            return ""
        return endpoint.target_key if kind.within is CompanionIn.RESOURCE else f"{kind.type} in {endpoint.region}"

    def kind(self, endpoint: Endpoint) -> CompanionKind | None:
        """Return the kind of an endpoint that needs another, or that another may need. Fast: called for each change."""
        for group in endpoint.groups:
            if found := _of_type(self._kinds.get(group.casefold()), endpoint):
                return found
        return None


def _of_type(by_type: Mapping[str, _T] | None, endpoint: Endpoint) -> _T | None:
    """Return the value for the resource type of the endpoint's target."""
    if by_type:
        target = endpoint.target_key
        for part, value in by_type.items():
            if part in target:
                return value
    return None
