"""Which group of servers a name is asked of. Servers of a group are tried in the order of the configuration.

Pure: knows names and groups; how a question is asked is `exchange`'s, sockets are `net.upstream`'s.
"""

from collections.abc import Sequence
from typing import Final

from resolver.settings import UpstreamGroup
from zones.dns.name import Name, from_text

PUBLIC: Final = "public"


class UpstreamGroups:
    """The configured groups. A group is chosen by the longest of the suffixes that a name is at or under."""

    def __init__(self, groups: Sequence[UpstreamGroup]) -> None:
        self._groups = {group.name: group for group in groups}
        self._suffixes = {from_text(suffix): group.name for group in groups for suffix in group.suffixes}

    def group(self, name: str) -> UpstreamGroup | None:
        """The group of that name."""
        return self._groups.get(name)

    def route(self, name: Name) -> str:
        """The group that takes `name`; `public`, which need not be configured, takes what no suffix takes."""
        covering = self.covering_suffix(name)
        return covering[1] if covering else PUBLIC

    def covering_suffix(self, name: Name) -> tuple[Name, str] | None:
        """The longest configured suffix that `name` is at or under, and its group."""
        at = 0
        while True:
            suffix = Name(name[at:])
            if group := self._suffixes.get(suffix):
                return suffix, group
            if not name[at]:
                return None
            at += 1 + name[at]
