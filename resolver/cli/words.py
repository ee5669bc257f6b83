"""Findings in words: the evidence of each as a sentence that a person can act on. Takes findings as JSON has them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from resolver.cli import output

COLUMNS: Final = ("severity", "code", "subject", "what was found")

Json = Mapping[str, Any]


def row(finding: Json) -> tuple[str, str, str, str]:
    """One row of the table of findings."""
    subject = " ".join(output.short(part) for part in finding["subject"].split(" "))
    return finding["severity"], finding["code"], subject, sentence(finding)


def sentence(finding: Json) -> str:
    """Evidence, where it holds, and what was done about it."""
    evidence = {key: value for key, value in finding["evidence"].items() if key != "networks_total"}
    said = _contest(evidence, finding["rule"]) if "winners" in evidence else "; ".join(_facts(evidence))
    networks = _listed(finding["networks"], finding["evidence"].get("networks_total"))
    where = f"; in {networks}" if networks else ""
    return f"{said}{where} → {finding['action']}"


def _contest(evidence: Json, rule: str) -> str:
    winners, losers = (
        _listed([_claimant(claim) for claim in evidence[side]], evidence.get(f"{side}_total"))
        for side in ("winners", "losers")
    )
    served = f"served: {winners}" if winners else "served: none"
    return f"{served}{f'; not served: {losers}' if losers else ''} (rule: {rule})"


def _claimant(claim: Json) -> str:
    return f"{' '.join(claim['addresses'])} of {output.short(claim['endpoint'])}"


def _facts(evidence: Json) -> Iterator[str]:
    """`key: value` for each thing that was seen; lists are cut short where their total says so."""
    for key, value in evidence.items():
        if value in ("", [], {}, None) or key.endswith("_total"):
            continue
        text = _listed(value, evidence.get(f"{key}_total")) if isinstance(value, list) else _plain(value)
        yield f"{key.replace('_', ' ')}: {text}"


def _listed(values: Sequence[Any], total: int | None) -> str:
    text = ", ".join(map(_plain, values))
    return f"{text} and {total - len(values)} more" if total and total > len(values) else text


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return f"({'; '.join(_facts(value))})"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return output.short(str(value))
