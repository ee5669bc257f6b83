"""`pldns check`: reads the configuration and the sources once, and prints the inventory and its findings.

Needs no daemon.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from resolver.admin.resources import claims as claim_items
from resolver.admin.resources import findings as finding_items
from resolver.admin.resources import sources as source_items
from resolver.admin.resources import wording
from resolver.admin.resources.claims import ClaimItem
from resolver.admin.resources.sources import SourceItem
from resolver.admin.resources.status import Counts, counts
from resolver.cli import finding_text, output, progress, skipped_rules
from resolver.cli.configuration import load
from resolver.control.estate.estate import NO_VNETS, Estate
from resolver.control.estate.source_health import SourceStatus
from resolver.offline.load import offline
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.parsed_zones import ParsedZones
from zones.findings.evidence import Severity

_FILES: Final = 10
"""Files of a source whose resources are listed that pldns does not need."""

_TYPES: Final = 5
"""Types that are listed of each file."""


def run(path: Path, flags: Mapping[str, str], as_json: bool, limit: int) -> int:
    """Print counts, sources and findings.

    Return 2 when one of the findings is an error, or a source of files has no resource or no name at all, else 0.
    """
    parsed = ParsedZones()
    with progress.steps(2) as begin:
        begin("configuration")
        accepted, now = load(path, flags, parsed), WallTime(time.time())
        begin("sources")
        estate = offline(accepted.control, now, parsed)
    numbers = counts(estate, now)
    facts = sorted(estate.board, key=finding_items.most_severe_first)
    shown = facts if as_json else facts[: limit or None]
    findings = [finding_items.finding(estate.board, fact, now).model_dump(mode="json") for fact in shown]
    sources = [source_items.source(estate, status, now) for status in estate.sources.values()]
    empty = dict(_empty(estate))
    if as_json:
        output.data({
            "counts": numbers.model_dump(mode="json"), "sources": [each.model_dump() for each in sources],
            "empty": empty, "names": [each.model_dump() for each in claim_items.configured(estate)],
            "warnings": list(accepted.warnings), "findings": findings, "skipped": skipped_rules.RULES,
        })  # fmt: skip
    else:
        for warning in accepted.warnings:
            output.note(warning)
        if estate.lacks_vnets:
            output.note(NO_VNETS)
        _write(numbers, sources, empty)
        _write_names(claim_items.configured(estate)[: limit or None])
        finding_text.write(findings)
        output.more(len(findings), len(facts))
        if skipped_rules.may_differ(fact.rule for fact in facts):
            output.note(skipped_rules.NOTE)
    return 2 if numbers.findings[Severity.ERROR] or empty else 0


def _empty(estate: Estate) -> Iterator[tuple[str, str]]:
    """Yield each source of files that gives no resource, or endpoints without any name, with the reason."""
    served = {each.source for each in estate.ledger.endpoints.values() if each.served}
    named = {each.source for each in estate.ledger.endpoints.values() if each.served and each.records}
    for status in estate.sources.values():
        parts = estate.inventory.of(status.name)
        if status.type != "files":
            continue
        if not any(data.endpoints or data.nics or data.vnets for data in parts.values()):
            yield status.name, f"no private endpoint, network interface or virtual network: {_why(status, parts)}"
        elif status.name in served - named:
            yield status.name, "no private endpoint has a name, so nothing is served: see `name-missing`"


def _why(status: SourceStatus, parts: Mapping[str, Resources]) -> str:
    """Return why a source of files has no resource."""
    if status.unreadable or status.last_error:
        return "it cannot be read"
    if not status.parts:
        return "no file in the folder has a name that ends in .json, .yaml or .yml"
    if status.passed_over:
        return "the files have only other resources"
    if any(data.zone_groups for data in parts.values()):
        return "the files have only DNS zone groups"
    if any(data.faults for data in parts.values()):
        return "no resource in the files can be read"
    return "the files are empty lists, as after an expired login or in the wrong subscription"


def _write(counts: Counts, sources: list[SourceItem], empty: Mapping[str, str]) -> None:
    output.line(
        f"{output.counted(counts.endpoints, 'endpoint')}, {counts.served} served: "
        f"{output.counted(counts.claims, 'claim')}, "
        f"{output.counted(counts.names, 'private name')}; {output.counted(counts.vnets, 'virtual network')}, "
        f"{output.counted(counts.networks, 'network')}, {output.counted(counts.zone_files, 'zone file')}"
    )
    for source in sources:
        parts = output.counted(source.parts, "file" if source.type == "files" else "saved subscription")
        bad = f", {source.unreadable} unreadable" if source.unreadable else ""
        state = source.last_error or f"{parts}{bad}"
        path = "" if state.startswith(source.path) else f"{source.path}: "
        output.line(f"source {source.name}: {path}{state}")
        if source.name in empty:
            output.line(f"  {empty[source.name]}")
        for passed in source.passed_over[:_FILES]:
            types = [f"{name} ({count})" for name, count in passed.types.items()]
            kinds = wording.listed(types[:_TYPES], len(types))
            output.line(f"  {passed.file}: {output.counted(passed.count, 'resource')} of types {kinds}, not needed")
        if source.passed_over_total > _FILES:
            output.line(f"  {source.passed_over_total - _FILES} more files with resources that are not needed")
    severities = [output.counted(count, severity) for severity, count in counts.findings.items() if count]
    output.line(f"findings: {', '.join(severities) or 'none'}")


def _write_names(claims: list[ClaimItem]) -> None:
    """Print the names that the configuration gives to endpoints."""
    for claim in claims:
        endpoint = f"{wording.short(claim.endpoint)} ({claim.state}{'' if claim.served else ', not served'})"
        output.line(f"name {claim.public}: {', '.join(claim.addresses)} of {endpoint}, named by the configuration")
