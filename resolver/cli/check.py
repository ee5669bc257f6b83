"""`pldns check`: reads the configuration and the sources once, and prints the inventory and its findings.

Needs no daemon.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from resolver.admin.resources import claims as claim_items
from resolver.admin.resources import findings as finding_items
from resolver.admin.resources import sources as source_items
from resolver.admin.resources.claims import ClaimItem
from resolver.admin.resources.sources import SourceItem
from resolver.admin.resources.status import Counts, counts
from resolver.cli import finding_text, output, skipped_rules
from resolver.cli.configuration import load
from resolver.control.estate.estate import NO_VNETS
from resolver.offline.load import offline
from zones.clocks import WallTime
from zones.findings.evidence import Severity


def run(path: Path, flags: Mapping[str, str], as_json: bool, limit: int) -> int:
    """Print counts, sources and findings; return 2 when one of the findings is an error, else 0."""
    accepted, now = load(path, flags), WallTime(time.time())
    estate = offline(accepted.control, now)
    numbers = counts(estate)
    facts = sorted(estate.board, key=finding_items.most_severe_first)
    shown = facts if as_json else facts[: limit or None]
    findings = [finding_items.finding(estate.board, fact, now).model_dump(mode="json") for fact in shown]
    sources = [source_items.source(status, now) for status in estate.sources.values()]
    if as_json:
        output.json_out({
            "counts": numbers.model_dump(mode="json"), "sources": [each.model_dump() for each in sources],
            "warnings": list(accepted.warnings), "findings": findings,
            "names": [each.model_dump() for each in claim_items.configured(estate)], "skipped": skipped_rules.RULES,
        })  # fmt: skip
    else:
        for warning in accepted.warnings:
            output.note(warning)
        if estate.lacks_vnets:
            output.note(NO_VNETS)
        _write(numbers, sources)
        _write_names(claim_items.configured(estate)[: limit or None])
        output.table(finding_text.COLUMNS, list(map(finding_text.row, findings)))
        output.more(len(findings), len(facts))
        if skipped_rules.may_differ(fact.rule for fact in facts):
            output.note(skipped_rules.NOTE)
    return 2 if numbers.findings[Severity.ERROR] else 0


def _write(counts: Counts, sources: list[SourceItem]) -> None:
    output.line(
        f"{_many(counts.endpoints, 'endpoint')}, {counts.served} served: {_many(counts.claims, 'claim')}, "
        f"{_many(counts.names, 'private name')}; {_many(counts.vnets, 'virtual network')}, "
        f"{_many(counts.networks, 'network')}, {_many(counts.zone_files, 'zone file')}"
    )
    for source in sources:
        parts = _many(source.parts, "saved subscription" if source.sync else "file")
        bad = f", {source.unreadable} unreadable" if source.unreadable else ""
        state = source.last_error or f"{parts}{bad}"
        path = "" if state.startswith(source.path) else f"{source.path}: "
        output.line(f"source {source.name}: {path}{state}")
    severities = [_many(count, severity) for severity, count in counts.findings.items() if count]
    output.line(f"findings: {', '.join(severities) or 'none'}")


def _write_names(claims: list[ClaimItem]) -> None:
    """Print the names that the configuration gives to endpoints."""
    for claim in claims:
        endpoint = f"{output.short(claim.endpoint)} ({claim.state}{'' if claim.served else ', not served'})"
        output.line(f"name {claim.public}: {', '.join(claim.addresses)} of {endpoint}, named by the configuration")


def _many(count: int, noun: str) -> str:
    plural = noun if count == 1 or noun == Severity.INFO else f"{noun}s"
    return f"{count} {plural}"
