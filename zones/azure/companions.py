"""Companions: endpoints whose clients need another endpoint too.

Data Lake clients also call blob; users of a Databricks workspace log in through the endpoint for browser
authentication of their region. The rows are in `data/additions.json`. Does not know networks and findings.
"""

from collections.abc import Iterable
from typing import NamedTuple

from zones.azure.additions import CompanionIn, CompanionRow


class Need(NamedTuple):
    """What clients of an endpoint need: another endpoint with the group id `group` (folded)."""

    group: str
    within: CompanionIn


class Companions:
    """The rows by resource type and group id. All rows of one resource type have the same `within`."""

    def __init__(self, rows: Iterable[CompanionRow] = ()) -> None:
        self._needs: dict[tuple[str, str], Need] = {}
        self._within: dict[tuple[str, str], CompanionIn] = {}
        for row in rows:
            kind, group, needs = row.resource_type.casefold(), row.group.casefold(), row.needs.casefold()
            self._needs[kind, group] = Need(needs, row.within)
            self._within |= {(kind, group): row.within, (kind, needs): row.within}
        self.groups = frozenset(group for _, group in self._within)
        """The group ids that take part, folded."""

    def need(self, kind: str, group: str) -> Need | None:
        """Return what clients of an endpoint with this resource type and group id (both folded) need; usually None."""
        return self._needs.get((kind, group))

    def within(self, kind: str, groups: Iterable[str]) -> CompanionIn | None:
        """Return where to look for companions of an endpoint, or for endpoints that need it; None: neither exists.

        `kind` and `groups` are folded.
        """
        return next((found for group in groups if (found := self._within.get((kind, group)))), None)
