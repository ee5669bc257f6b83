"""A fault as data: how it begins and ends, from when recovery counts, and what it may do to answers.

No fault may cause a wrong answer, and none may touch a private name. Without upstream servers, a public name ends in
SERVFAIL. Where no process has the listening sockets, queries are lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from bench.questions import Outcome
from tests.chaos.mix import PUBLIC, Kind
from tests.chaos.site import Site

Over = Callable[[], bool]
"""Whether pldns has dealt with an event."""


class Since(Enum):
    """From when on the seconds to recover count."""

    BEGIN = auto()
    """The fault is an event, such as a kill."""
    END = auto()
    """The fault is a state, and pldns can recover when it ends."""


class Allowed(Enum):
    """What a fault may do to answers, besides making them late."""

    NOTHING = auto()
    PUBLIC_FAILS = auto()
    """SERVFAIL for public names."""
    LOSS = auto()
    """Queries without an answer."""

    def permits(self, kind: str, outcome: Outcome) -> bool:
        """Return whether this outcome is expected."""
        if outcome is Outcome.SERVFAIL:
            return self is Allowed.PUBLIC_FAILS and Kind(kind) in PUBLIC
        return outcome is Outcome.RIGHT or (outcome is Outcome.LOST and self is Allowed.LOSS)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `begin` returns when it has happened, perhaps with a condition that ends it."""

    name: str
    begin: Callable[[Site], Over | None]
    end: Callable[[Site], object] = lambda _: None
    hold: float = 2.0
    """Seconds for which a state lasts."""
    since: Since = Since.END
    allowed: Allowed = Allowed.NOTHING


def event(name: str, begin: Callable[[Site], Over | None], allowed: Allowed = Allowed.NOTHING) -> Fault:
    """Return a fault without a duration."""
    return Fault(name, begin, hold=0.0, since=Since.BEGIN, allowed=allowed)
