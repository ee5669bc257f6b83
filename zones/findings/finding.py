"""A finding: a fact about the inventory that a person should know. docs/findings.md explains each code."""

import hashlib

import msgspec

from zones.claims.contest import Rule
from zones.findings.evidence import NOTHING, Evidence, Listed, Severity


class Finding(msgspec.Struct, frozen=True):
    """One fact. Findings with the same `id` are the same fact, also over restarts."""

    subject: str
    """The name, endpoint id, address, VNet, file, source or group of upstreams that the finding is about."""
    evidence: Evidence
    severity: Severity
    action: str
    """What pldns does, in a sentence."""
    networks: Listed[str] = NOTHING
    """Networks in which the finding holds; empty for a finding that no network limits."""
    winner: str = ""
    """Id of the endpoint that won a contest; empty without one winner."""
    rule: Rule = Rule.NONE

    @property
    def code(self) -> str:
        """Code of the evidence."""
        return self.evidence.code

    @property
    def id(self) -> str:
        """Made of code, subject, winner and rule only."""
        text = f"{self.code}\x1f{self.subject}\x1f{self.winner}\x1f{self.rule}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def finding(subject: str, evidence: Evidence) -> Finding:
    """Return a finding with the usual severity and action of its code."""
    return Finding(subject, evidence, evidence.severity, evidence.action)
