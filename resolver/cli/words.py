"""Findings in words: the evidence of each as a sentence that a person can act on. Takes findings as JSON has them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from resolver.cli import output
from zones.findings import fields

COLUMNS: Final = ("severity", "code", "subject", "what was found")

Json = Mapping[str, Any]


SOURCES: Final = ("source", "type", "state", "last success", "next sync", "absent", "what is wrong")


def source(told: Json) -> tuple[str, ...]:
    """One row of the table of sources."""
    sync = told["sync"] or {}
    following = "under way" if sync.get("syncing") else sync.get("next") or "when it changes"
    state = "held" if is_held(told) else told["freshness"] or "never read"
    absent = str(sync["absent"]) if sync else ""
    return (
        told["name"], told["type"], state, told["last_success"] or "never", following, absent, told["last_error"]
    )  # fmt: skip


def is_held(told: Json) -> bool:
    """A sync of this source waits for an operator."""
    return bool(told["sync"] and told["sync"]["held"])


def held(told: Json) -> Iterator[str]:
    """The sync that is held, if one is, and what to do."""
    if is_held(told):
        name, sync = told["name"], told["sync"]["held"]
        yield f"source {name}: held since {sync['since']}: it would remove {', '.join(sync['reasons'])}"
        total = sync["endpoints"] + sync["vnets"]
        yield f"  {_listed([output.short(each) for each in sync['ids']], total)}"
        yield f"  `pldns sync accept {name}` takes it; `pldns sync drop {name}` forgets it, and judges the next one"


def degraded(status: Json) -> Iterator[str]:
    """Parts of sources that cannot be read; what is wrong with a whole source is in the table."""
    for each in status["degraded"]:
        if each["scope"]:
            yield f"source {each['source']}: {each['scope']}: {each['message']}"
    if more := status["degraded_total"] - len(status["degraded"]):
        yield f"and {more} more"


def row(finding: Json) -> tuple[str, str, str, str]:
    """One row of the table of findings."""
    subject = " ".join(output.short(part) for part in finding["subject"].split(" "))
    return finding["severity"], finding["code"], subject, sentence(finding)


def sentence(finding: Json) -> str:
    """Evidence, where it holds, and what was done about it."""
    evidence = finding["evidence"]
    labels = fields.labels(finding["code"])
    said = _contest(evidence, finding["rule"]) if "winners" in evidence else "; ".join(_facts(evidence, labels))
    networks = _listed(finding["networks"], finding["networks_total"])
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


def _facts(evidence: Json, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield `label: value` for each key that has a value. A list ends with the number of items that it leaves out."""
    for key, value in evidence.items():
        if value in ("", [], {}, None) or key.removesuffix("_total") in evidence.keys() - {key}:
            continue
        text = _listed(value, evidence.get(f"{key}_total")) if isinstance(value, list) else _plain(value)
        yield f"{labels.get(key, key.replace('_', ' '))}: {text}"


def _listed(values: Sequence[Any], total: int | None) -> str:
    text = ", ".join(map(_plain, values))
    return f"{text} and {total - len(values)} more" if total and total > len(values) else text


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return f"({'; '.join(_facts(value, {}))})"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return output.short(str(value))
