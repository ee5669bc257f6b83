"""Findings as text. Takes findings as JSON of the admin interface.

In a file or a pipe a finding is one line. On a terminal, findings of one code with one action have one heading, and the
text is folded to the width of the terminal.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from resolver.admin.resources import finding_sentences, wording
from resolver.cli import output
from zones.findings import fields

COLUMNS: Final = ("severity", "code", "id", "subject", "what was found")

Json = Mapping[str, Any]


def write(findings: Sequence[Json]) -> None:
    """Print findings, in their order."""
    if not sys.stdout.isatty():
        output.table(COLUMNS, list(map(row, findings)))
        return
    width = shutil.get_terminal_size().columns
    for (severity, code, action), some in groupby(
        findings, lambda each: (each["severity"], each["code"], each["action"])
    ):
        output.styled(severity, f" {code} → {action}", width)
        for each in some:
            output.line(output.folded(f"{_subject(each)} ({each['id']})", width, 2))
            output.line(output.folded(_found(each) + _acknowledged(each), width, 4))


def row(finding: Json) -> tuple[str, str, str, str, str]:
    """Return one row of the table of findings."""
    return finding["severity"], finding["code"], finding["id"], _subject(finding), sentence(finding)


def _subject(finding: Json) -> str:
    return " ".join(wording.short(part) for part in finding["subject"].split(" "))


def sentence(finding: Json) -> str:
    """Return what was found, the networks in which the finding holds, what pldns does, and its acknowledgement."""
    return f"{_found(finding)} → {finding['action']}{_acknowledged(finding)}"


def _acknowledged(finding: Json) -> str:
    given = finding.get("acknowledged")
    if not given:
        return ""
    until = f" until {given['until']}" if given["until"] else ""
    return f" [acknowledged by {given['by']}{until}: {given['note']}]"


def _found(finding: Json) -> str:
    evidence, code = finding["evidence"], finding["code"]
    found = finding_sentences.sentence(code, evidence, finding["subject"])
    if found is None:
        found = "; ".join(_facts(evidence, fields.labels(code)))
    networks = wording.listed(finding["networks"], finding["networks_total"])
    return f"{found}; in {networks}" if networks else found


def _facts(evidence: Json, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield `label: value` for each piece of evidence that has a value. A list says how many items it leaves out."""
    for key, value in evidence.items():
        if value in ("", [], {}, None) or key.removesuffix("_total") in evidence.keys() - {key}:
            continue
        text = _listed(value, evidence.get(f"{key}_total")) if isinstance(value, list) else _plain(value)
        yield f"{labels.get(key, key.replace('_', ' '))}: {text}"


def _listed(values: Sequence[Any], total: int | None) -> str:
    return wording.listed(map(_plain, values), total)


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return f"({'; '.join(_facts(value, {}))})"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return wording.short(str(value))
