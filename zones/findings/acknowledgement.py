"""Acknowledgements: findings that an operator has seen and does not want counted as open.

An acknowledgement covers a finding while the finding says what it said then: severity, networks and evidence. It ends
at its time, or when an operator withdraws it. Does not know how acknowledgements are kept. Times are arguments, in
seconds since the epoch.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from zones.clocks import WallTime
from zones.findings.evidence import Severity
from zones.findings.finding import Finding

_VOLATILE: Final = ("message", "held_since")
"""Fields of evidence that say the same fact in other words, or at another time."""


class Acknowledgement(msgspec.Struct, frozen=True):
    """One operator has acknowledged the finding with the id `finding`. `until` None: without an end."""

    finding: str
    content: str
    """What the finding said: see `content_of`."""
    note: str
    by: str
    """The identity of the operator, as in the audit log."""
    at: WallTime
    until: WallTime | None = None

    def has_ended(self, now: WallTime) -> bool:
        """Return whether the time of the acknowledgement is over."""
        return self.until is not None and self.until <= now


def content_of(finding: Finding) -> str:
    """Return a digest of what a finding says. It stays the same over restarts."""
    evidence: dict[str, Any] = msgspec.to_builtins(finding.evidence)
    said = finding.severity, finding.networks, {key: evidence[key] for key in evidence if key not in _VOLATILE}
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]


class Acknowledgements:
    """The acknowledgements by finding id, and the current findings with one of these ids."""

    def __init__(self) -> None:
        self.given: Mapping[str, Acknowledgement] = {}
        self._current: dict[str, Finding] = {}

    def replace(self, given: Mapping[str, Acknowledgement], findings: Iterable[Finding]) -> None:
        """Replace all acknowledgements. `findings`: all current findings."""
        self.given = given
        self._current = {each.id: each for each in findings if each.id in given} if given else {}

    def moved(self, closed: Iterable[str], current: Iterable[Finding]) -> None:
        """Follow the findings: the ids of those that have closed, and those that are current now."""
        for key in closed:
            self._current.pop(key, None)
        self._current |= {each.id: each for each in current if each.id in self.given}

    def of(self, finding: Finding, now: WallTime) -> Acknowledgement | None:
        """Return the acknowledgement that covers a finding; None where there is none."""
        found = self.given.get(finding.id) if self.given else None
        return found if found and not found.has_ended(now) and found.content == content_of(finding) else None

    def counts(self, now: WallTime) -> Counter[tuple[str, Severity]]:
        """Return the number of acknowledged findings by code and severity."""
        return Counter((each.code, each.severity) for each in self._current.values() if self.of(each, now))
