"""What operators decide while pldns runs: acknowledged findings and pins.

Each decision is saved before it takes effect.

Does not know who may decide.
"""

from collections.abc import Callable, Mapping
from typing import Final

from resolver.control.estate.estate import Estate
from resolver.control.state import decisions_file
from resolver.control.state.decisions_file import Decisions
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.findings.acknowledgement import Acknowledgement, content_of
from zones.findings.finding import Finding

MOST: Final = 1000
"""Most acknowledgements that are kept, and most pins."""


class TooManyDecisions(Exception):  # noqa: N818 - reads as a sentence
    """As many decisions are kept as may be. The message is one line."""


class OperatorDecisions:
    """The decisions that apply to an estate. They are kept in its state directory, if it has one."""

    def __init__(self, estate: Estate, decided: Decisions, publish: Callable[[set[Name]], None]) -> None:
        """`decided`: the decisions before the start, whose pins the estate has already."""
        self._estate = estate
        self._publish = publish
        estate.board.acknowledge({each.finding: each for each in decided.acknowledgements})

    @property
    def _given(self) -> Mapping[str, Acknowledgement]:
        return self._estate.board.acknowledgements.given

    def acknowledge(
        self, finding: Finding, note: str, by: str, until: WallTime | None, now: WallTime
    ) -> Acknowledgement:
        """Acknowledge a finding, in place of an earlier acknowledgement. Raises `TooManyDecisions` and OSError."""
        given = {key: each for key, each in self._given.items() if not each.has_ended(now)}
        if finding.id not in given and len(given) >= MOST:
            raise TooManyDecisions(f"{MOST} findings are acknowledged, which is the most; withdraw one first")
        made = Acknowledgement(finding.id, content_of(finding), note, by, now, until)
        self._acknowledge({**given, finding.id: made})
        return made

    def withdraw(self, finding: str) -> Acknowledgement:
        """Remove the acknowledgement of the finding with this id, and return it. Raises KeyError and OSError."""
        removed = self._given[finding]
        self._acknowledge({key: each for key, each in self._given.items() if key != finding})
        return removed

    def pin(self, made: Pin, now: WallTime) -> Pin | None:
        """Apply a pin, and return the pin that it replaces: one of the same name and network.

        Raises `TooManyDecisions` and OSError.
        """
        left, before = self._without(made.name, made.network, now)
        if len(left) >= MOST:
            raise TooManyDecisions(f"operators have made {MOST} pins, which is the most; remove one first")
        self._pin((*left, made), now)
        return before

    def unpin(self, name: str, network: str | None, now: WallTime) -> Pin:
        """Remove an operator's pin, and return it. Raises KeyError and OSError."""
        left, removed = self._without(name, network, now)
        if removed is None:
            raise KeyError(name)
        self._pin(tuple(left), now)
        return removed

    def _without(self, name: str, network: str | None, now: WallTime) -> tuple[list[Pin], Pin | None]:
        """Return the pins without that of a name in a network, and that pin. Pins that have ended are left out."""
        pins = [each for each in self._estate.operator_pins if not each.has_ended(now)]
        left = [each for each in pins if (each.name, each.network) != (name, network)]
        return left, next((each for each in pins if each not in left), None)

    def _acknowledge(self, given: Mapping[str, Acknowledgement]) -> None:
        self._save(Decisions(tuple(given.values()), self._estate.operator_pins))
        self._estate.board.acknowledge(given)

    def _pin(self, pins: tuple[Pin, ...], now: WallTime) -> None:
        self._save(Decisions(tuple(self._given.values()), pins))
        self._publish(self._estate.set_operator_pins(pins, now))

    def _save(self, decisions: Decisions) -> None:
        if directory := self._estate.settings.state_directory:
            decisions_file.write(directory, decisions)
