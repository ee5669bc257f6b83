"""What questions have taught about EDNS at one server, by name.

One name can lead to a faulty server behind the upstream server. What was learned from it therefore holds for that name
and not for others. Pure: time is an argument.
"""

from collections import OrderedDict
from enum import IntEnum
from typing import Final

from zones.clocks import SteadyTime
from zones.dns.name import Name

KEPT: Final = 900.0
"""Seconds for which a lesson holds. Then the whole query is tried again."""
_MOST: Final = 1_000  # names of one server


class Edns(IntEnum):
    """How much of EDNS (RFC 6891) a query has. A lower value asks less of the server."""

    NONE = 0
    """No OPT record, and therefore no DO."""
    BARE = 1
    """An OPT record without the options that this server adds."""
    FULL = 2
    """An OPT record with all options."""


_FULL: Final = Edns.FULL  # an attribute of an enumeration takes long to read


class EdnsLessons:
    """The names that one server answers only with less than the full EDNS."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: OrderedDict[Name, tuple[Edns, SteadyTime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._names)

    def of(self, name: Name, now: SteadyTime) -> Edns:
        """Return how a query for `name` is to be made."""
        found = self._names.get(name) if self._names else None
        if found is None:
            return _FULL
        if now < found[1]:
            return found[0]
        del self._names[name]
        return _FULL

    def learn(self, name: Name, edns: Edns, now: SteadyTime) -> bool:
        """Record that `name` was answered with `edns` and not with more. Return whether that is new."""
        if self.of(name, now) <= edns:
            return False  # the query was made so because of the lesson, which must end
        self._names[name] = edns, SteadyTime(now + KEPT)
        self._names.move_to_end(name)
        if len(self._names) > _MOST:
            self._names.popitem(last=False)
        return True
