"""Findings about sources: what of them cannot be read."""

from zones.findings.finding import Finding, finding


def unreadable_finding(subject: str, why: str) -> Finding:
    """`source-unreadable` for a file, or for a whole source."""
    return finding("source-unreadable", subject, "its last good data is kept", message=why)
