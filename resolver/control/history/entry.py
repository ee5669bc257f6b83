"""Entries of the history: what changed, and when.

An entry compares two states of one thing, each a JSON object as text. Does not know where entries are kept. Pure.
"""

from enum import StrEnum, auto
from typing import Final, Literal, NamedTuple

from zones.clocks import WallTime


class Kind(StrEnum):
    """What an entry is about. The key of an entry names the one thing."""

    NAME = auto()
    """The answers for a private name; the key is the name."""
    FINDING = auto()
    """A finding; the key is its id."""
    SOURCE = auto()
    """The state of a source; the key is its name."""


Change = Literal["added", "changed", "removed"]
ABSENT: Final = ""
"""The state of a thing that does not exist."""


class State(NamedTuple):
    """The state of one thing at one time."""

    kind: Kind
    key: str
    subject: str
    """What people ask for: the name, the subject of the finding, or the name of the source."""
    value: str
    """A JSON object; `ABSENT` for a thing that is gone."""
    at: WallTime
    aliases: tuple[str, ...] = ()
    """Other names under which people ask: the public FQDNs of a private name."""


class Entry(NamedTuple):
    """One change. Ids grow with time, and are never used twice."""

    id: int
    at: WallTime
    kind: Kind
    key: str
    subject: str
    before: str
    """A JSON object; `ABSENT` for a thing that is new."""
    after: str
    """A JSON object; `ABSENT` for a thing that is gone."""

    @property
    def change(self) -> Change:
        """What happened, in a word."""
        if not self.before:
            return "added"
        return "changed" if self.after else "removed"
