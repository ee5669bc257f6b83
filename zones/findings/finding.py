"""Findings: facts about the inventory that a person should know. Codes are stable; docs/findings.md explains each."""

import hashlib
from enum import StrEnum
from typing import Any, Final

import msgspec


class Severity(StrEnum):
    """`error` makes `pldns check` and `pldns findings` exit 2."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


CODES: Final[dict[str, Severity]] = {
    "conflicting-address": Severity.ERROR,
    "address-reused": Severity.ERROR,
    "sync-held": Severity.ERROR,
    "duplicate-endpoint": Severity.WARNING,
    "shared-global-name": Severity.WARNING,
    "endpoint-rejected": Severity.WARNING,
    "endpoint-disconnected": Severity.WARNING,
    "endpoint-misplaced": Severity.WARNING,
    "companion-missing": Severity.WARNING,
    "name-missing": Severity.WARNING,
    "invalid-record": Severity.WARNING,
    "provisioning-failed": Severity.WARNING,
    "pin-ignored": Severity.WARNING,
    "static-shadows-endpoint": Severity.WARNING,
    "source-disagreement": Severity.WARNING,
    "source-unreadable": Severity.WARNING,
    "network-overlap": Severity.WARNING,
    "forward-loop": Severity.WARNING,
    "endpoint-pending": Severity.INFO,
    "zone-unknown": Severity.INFO,
    "address-changed": Severity.INFO,
}
"""Code to its ordinary severity; a contest that a pin or nearness decided is `info`."""


class Finding(msgspec.Struct, frozen=True):
    """One fact. `evidence` holds ids, addresses, paths: plain JSON values. The same `id` means the same fact."""

    code: str
    subject: str
    """The name, endpoint id, address, VNet or file that it is about."""
    evidence: dict[str, Any]
    action: str
    """What pldns did about it, in a sentence."""
    severity: Severity
    networks: tuple[str, ...] = ()
    """Networks in which it holds; bounded; empty: not bound to a network."""
    winner: str = ""
    rule: str = ""

    @property
    def id(self) -> str:
        """Stable over restarts: made of code, subject, winner and rule alone."""
        text = f"{self.code}\x1f{self.subject}\x1f{self.winner}\x1f{self.rule}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def finding(code: str, subject: str, action: str, **evidence: Any) -> Finding:  # noqa: ANN401 - any JSON value
    """A finding with the ordinary severity of its code."""
    return Finding(code=code, subject=subject, evidence=evidence, action=action, severity=CODES[code])
