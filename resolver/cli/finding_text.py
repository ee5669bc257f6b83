"""Findings as text: the evidence of each as a sentence. Takes findings as JSON of the admin interface."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from resolver.cli import output
from zones.findings import fields

COLUMNS: Final = ("severity", "code", "subject", "what was found")

Json = Mapping[str, Any]


def row(finding: Json) -> tuple[str, str, str, str]:
    """Return one row of the table of findings."""
    subject = " ".join(output.short(part) for part in finding["subject"].split(" "))
    return finding["severity"], finding["code"], subject, sentence(finding)


def sentence(finding: Json) -> str:
    """Return the evidence, the networks in which the finding holds, and what pldns does."""
    evidence, labels = finding["evidence"], fields.labels(finding["code"])
    found = _contest(evidence, finding["rule"]) if "winners" in evidence else "; ".join(_facts(evidence, labels))
    networks = output.listed(finding["networks"], finding["networks_total"])
    where = f"; in {networks}" if networks else ""
    return f"{found}{where} → {finding['action']}"


def _contest(evidence: Json, rule: str) -> str:
    winners, losers = (
        output.listed([_claimant(claim) for claim in evidence[side]], evidence.get(f"{side}_total"))
        for side in ("winners", "losers")
    )
    served = f"served: {winners}" if winners else "served: none"
    shared = f"shared name: {', '.join(names)}; " if (names := evidence.get("shared")) else ""
    return f"{shared}{served}{f'; not served: {losers}' if losers else ''} (rule: {rule})"


def _claimant(claim: Json) -> str:
    return f"{' '.join(claim['addresses'])} of {output.short(claim['endpoint'])}"


def _facts(evidence: Json, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield `label: value` for each piece of evidence that has a value. A list tells how many items it leaves out."""
    for key, value in evidence.items():
        if value in ("", [], {}, None) or key.removesuffix("_total") in evidence.keys() - {key}:
            continue
        text = _listed(value, evidence.get(f"{key}_total")) if isinstance(value, list) else _plain(value)
        yield f"{labels.get(key, key.replace('_', ' '))}: {text}"


def _listed(values: Sequence[Any], total: int | None) -> str:
    return output.listed(map(_plain, values), total)


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return f"({'; '.join(_facts(value, {}))})"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return output.short(str(value))
