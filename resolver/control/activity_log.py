"""Logs what changes in the estate: a line for each changed source, and one for each finding that opens or closes.

The lines have fields, as `key=value`. They are written about once a second, so that their number is bounded: one for
each source, and `LINES` for findings. At the start, a summary replaces the thousands of findings that open then. Does
not know what a change or a finding means.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from resolver.control.estate.activity import SourceActivity, Tally
from resolver.control.estate.estate import Estate
from resolver.control.history.recorder import HistoryRecorder
from resolver.settings import SourceType
from zones.findings.board import FindingMove
from zones.findings.evidence import Severity
from zones.findings.finding import Finding
from zones.findings.source_evidence import SourceIncomplete, SourceUnreadable, SyncHeld
from zones.findings.state_evidence import StateSetAside, StateUnwritable

LINES: Final = 20
"""Findings that are logged at a time, the most severe first. Further ones are counted in one line."""
_LEVELS: Final = {Severity.ERROR: logging.ERROR, Severity.WARNING: logging.WARNING, Severity.INFO: logging.INFO}
_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}

_log = logging.getLogger(__name__)


class ActivityLog:
    """The log of the changes of an estate that has its saved data. Nothing is logged before `started`."""

    def __init__(self, estate: Estate, history: HistoryRecorder) -> None:
        self._estate = estate
        self._history = history
        self._is_started = False
        self._restored = {name for name, status in estate.sources.items() if status.synced}
        estate.activity.take()  # the saved data is no change

    def started(self) -> None:
        """Log a summary of each source that has data, the numbers of open findings, and the first errors among them.

        A source with saved data has a second line if its files differ from that data.
        """
        self._is_started = True
        estate = self._estate
        changes = estate.activity.take()
        estate.board.take_moves()
        self._history.findings_replaced()
        for name, status in estate.sources.items():
            if status.synced:
                parts = estate.inventory.of(name)
                endpoints = sum(len(each.endpoints) for each in parts.values())
                vnets = sum(len(each.vnets) for each in parts.values())
                origin = "saved" if status.saved else "live"
                counts: dict[str, object] = {
                    "endpoints": endpoints,
                    "vnets": vnets,
                    _NOUNS[status.type]: len(parts),
                    "data": origin,
                }
                _log.info("source %s starts with: %s", name, _fields(counts))
            if name in self._restored and name in changes:
                counted = _fields(_counts(changes[name], status.type))
                _log.info("source %s changed since the last run: %s", name, counted)
        numbers = dict.fromkeys((each.value for each in Severity), 0)
        for (_, severity), count in estate.board.counts.items():
            numbers[severity.value] += count
        if any(numbers.values()):
            _log.info("findings at the start: %s (see `pldns findings`)", _fields(numbers))
        errors = [FindingMove(each, is_open=True) for each in estate.board if each.severity is Severity.ERROR]
        self._log_findings(errors, 0)

    def reconfigured(self, before: Iterable[Finding]) -> None:
        """Log the findings that another configuration opens and closes. `before`: those before it was applied."""
        old, new = {each.id: each for each in before}, {each.id: each for each in self._estate.board}
        moves = [FindingMove(each, is_open=False) for key, each in old.items() if key not in new]
        moves += [FindingMove(each, is_open=True) for key, each in new.items() if key not in old]
        self._log_findings(moves, 0)
        self._history.findings_replaced()

    def write(self) -> None:
        """Log the changes since the last call."""
        if not self._is_started:
            return
        for name, activity in self._estate.activity.take().items():
            if name in self._estate.sources:
                _log.info("source %s changed: %s", name, _fields(_counts(activity, self._estate.sources[name].type)))
        moves = self._estate.board.take_moves()
        self._history.findings_moved(moves)
        self._log_findings(*moves)

    def _log_findings(self, moves: list[FindingMove], more: int) -> None:
        moves = sorted(moves, key=lambda move: _RANKS[move.finding.severity])  # stable: otherwise as they happened
        for move in moves[:LINES]:
            fact = move.finding
            level = _LEVELS[fact.severity] if move.is_open else logging.INFO
            _log.log(level, "finding %s: %s", "opened" if move.is_open else "closed", _finding(move))
        more += max(len(moves) - LINES, 0)
        if more:
            _log.warning("%d more findings opened or closed: see `pldns findings`", more)


def _finding(move: FindingMove) -> str:
    fact = move.finding
    fields: dict[str, object] = {"code": fact.code, "severity": fact.severity.value, "subject": fact.subject}
    if fact.winner:
        fields["winner"] = fact.winner
    if fact.rule.value:
        fields["rule"] = fact.rule.value
    match fact.evidence:
        case SourceUnreadable(message=message) | StateSetAside(message=message) | StateUnwritable(message=message) if (
            move.is_open
        ):
            fields["message"] = message
        case SyncHeld(reasons=reasons) if move.is_open:
            fields["reasons"] = ", ".join(reasons.items)
        case SourceIncomplete(lacks=lacks) if move.is_open:
            fields["lacks"] = ", ".join(lacks.items)
        case _:
            pass
    return _fields(fields)


def _counts(activity: SourceActivity, kind: SourceType) -> dict[str, object]:
    return {
        **_tally("endpoints", activity.endpoints),
        **_tally("vnets", activity.vnets),
        _NOUNS[kind]: len(activity.parts),
    }


def _tally(kind: str, tally: Tally) -> dict[str, object]:
    return {f"{kind}_added": tally.added, f"{kind}_changed": tally.changed, f"{kind}_removed": tally.removed}


_NOUNS: Final[Mapping[SourceType, str]] = {
    "azure": "subscriptions",
    "files": "files",
    "registry": "resources",
    "hub": "parts",
}
"""What the parts of a source are."""


def _fields(values: Mapping[str, object]) -> str:
    """Return the values as `key=value`. A text with a space, quotation mark or equals sign is quoted as in JSON."""
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in values.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if not text or any(char in text for char in ' "=') else text
