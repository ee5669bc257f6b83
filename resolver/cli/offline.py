"""Commands that need no daemon: they read the configuration and its sources themselves."""

import time
from collections.abc import Mapping
from pathlib import Path

from resolver.admin.resources import findings as finding_items
from resolver.admin.resources import sources as source_items
from resolver.admin.resources.sources import SourceItem
from resolver.admin.resources.status import Counts, counts
from resolver.cli import explain, output, words
from resolver.cli.settings import load
from resolver.control.estate.estate import NO_VNETS
from resolver.offline import load as offline
from zones.findings.evidence import Severity


def check(path: Path, flags: Mapping[str, str], as_json: bool, limit: int) -> int:
    """Write what there is and what was found; 2 when an error is among it."""
    accepted, now = load(path, flags), time.time()
    estate = offline.offline(accepted.control, now)
    numbers = counts(estate)
    facts = sorted(estate.board, key=finding_items.most_severe_first)
    shown = facts if as_json else facts[: limit or None]
    findings = [finding_items.finding(estate.board, fact, now).model_dump(mode="json") for fact in shown]
    sources = [source_items.source(status, now) for status in estate.sources.values()]
    if as_json:
        output.json_out({
            "counts": numbers.model_dump(mode="json"), "sources": [each.model_dump() for each in sources],
            "warnings": list(accepted.warnings), "findings": findings, "skipped": explain.SKIPPED,
        })  # fmt: skip
    else:
        for warning in accepted.warnings:
            output.note(warning)
        if estate.lacks_vnets:
            output.note(NO_VNETS)
        _write(numbers, sources)
        output.table(words.COLUMNS, list(map(words.row, findings)))
        output.more(len(findings), len(facts))
        if explain.is_uncertain(fact.rule for fact in facts):
            output.note(explain.SKIPPED_NOTE)
    return 2 if numbers.findings[Severity.ERROR] else 0


def _write(counts: Counts, sources: list[SourceItem]) -> None:
    output.line(
        f"{_many(counts.endpoints, 'endpoint')}, {counts.served} served: {_many(counts.claims, 'claim')}, "
        f"{_many(counts.names, 'private name')}; {_many(counts.vnets, 'virtual network')}, "
        f"{_many(counts.networks, 'network')}, {_many(counts.zone_files, 'zone file')}"
    )
    for source in sources:
        bad = f", {source.unreadable} unreadable" if source.unreadable else ""
        state = source.last_error or f"{_many(source.parts, 'file')}{bad}"
        output.line(f"source {source.name}: {source.path}: {state}")
    told = [_many(count, severity) for severity, count in counts.findings.items() if count]
    output.line(f"findings: {', '.join(told) or 'none'}")


def _many(count: int, noun: str) -> str:
    plural = noun if count == 1 or noun == Severity.INFO else f"{noun}s"
    return f"{count} {plural}"


def lookup(path: Path, flags: Mapping[str, str], asked: tuple[str, str, str], as_json: bool) -> int:
    """Write what a client gets for a name and why. `asked`: name, type, client's address."""
    question = explain.question(*asked)
    accepted, now = load(path, flags), time.time()
    said = explain.explain(accepted, offline.offline(accepted.control, now), question, now)
    if as_json:
        output.json_out(said.model_dump(mode="json"))
    else:
        explain.write(said)
    return 0
