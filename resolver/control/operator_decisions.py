"""What operators decide while pldns runs: acknowledged findings. Each decision is saved before it takes effect.

Does not know who may decide.
"""

from collections.abc import Mapping
from typing import Final

from resolver.control.estate.estate import Estate
from resolver.control.state import decisions_file
from resolver.control.state.decisions_file import Decisions
from zones.clocks import WallTime
from zones.findings.acknowledgement import Acknowledgement, content_of
from zones.findings.finding import Finding

MOST: Final = 1000
"""Most acknowledgements that are kept."""


class TooManyDecisions(Exception):  # noqa: N818 - reads as a sentence
    """As many decisions are kept as may be. The message is one line."""


class OperatorDecisions:
    """The decisions that apply to an estate. They are kept in its state directory, if it has one."""

    def __init__(self, estate: Estate, decided: Decisions) -> None:
        """`decided`: the decisions before the start."""
        self._estate = estate
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
        self._replace({**given, finding.id: made})
        return made

    def withdraw(self, finding: str) -> Acknowledgement:
        """Remove the acknowledgement of the finding with this id, and return it. Raises KeyError and OSError."""
        removed = self._given[finding]
        self._replace({key: each for key, each in self._given.items() if key != finding})
        return removed

    def _replace(self, given: Mapping[str, Acknowledgement]) -> None:
        if directory := self._estate.settings.state_directory:
            decisions_file.write(directory, Decisions(tuple(given.values())))
        self._estate.board.acknowledge(given)
