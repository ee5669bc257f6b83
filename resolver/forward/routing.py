"""Chooses the group of upstream servers for a name.

Pure. Knows names and groups. Does not know how a question is asked (`exchange`, `client`).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from resolver.settings import UpstreamGroup
from zones.dns.name import Name, from_text

PUBLIC: Final = "public"


class UpstreamGroups:
    """The configured groups. The longest suffix that a name is at or under chooses the group."""

    def __init__(self, groups: Sequence[UpstreamGroup]) -> None:
        self._groups = {group.name: group for group in groups}
        self._suffixes = {from_text(suffix): group.name for group in groups for suffix in group.suffixes}

    def __iter__(self) -> Iterator[UpstreamGroup]:
        """Iterate over the groups."""
        return iter(self._groups.values())

    @property
    def suffixes(self) -> frozenset[Name]:
        """The suffixes of all groups."""
        return frozenset(self._suffixes)

    def group(self, name: str) -> UpstreamGroup | None:
        """Return the group with this name, or None."""
        return self._groups.get(name)

    def route(self, name: Name) -> str:
        """Return the group for `name`. `public` takes all names without a suffix, and need not be configured."""
        covering = self.covering_suffix(name)
        return covering[1] if covering else PUBLIC

    def covering_suffix(self, name: Name) -> tuple[Name, str] | None:
        """Return the longest suffix that `name` is at or under and its group, or None."""
        at = 0
        while True:
            suffix = Name(name[at:])
            if group := self._suffixes.get(suffix):
                return suffix, group
            if not name[at]:
                return None
            at += 1 + name[at]
