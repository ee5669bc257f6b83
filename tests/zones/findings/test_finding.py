"""Findings: stable codes and ids, JSON, and a section of docs/findings.md for each code."""

import re

import msgspec
import pytest
from msgspec import structs

from tests.paths import ROOT
from zones.findings.finding import CODES, Finding, Severity, finding

DOCS = ROOT / "docs" / "findings.md"


def test_a_finding_has_the_severity_of_its_code() -> None:
    assert finding("address-reused", "10.0.0.1", "all are served").severity is Severity.ERROR
    assert finding("zone-unknown", "a.example", "served").severity is Severity.INFO


def test_the_id_is_made_of_code_subject_winner_and_rule_alone() -> None:
    fact = finding("conflicting-address", "a.example", "served", addresses=["10.0.0.1"])
    same = structs.replace(fact, evidence={}, action="other", severity=Severity.INFO, networks=("weu",))

    assert fact.id == same.id
    others = [structs.replace(fact, **{key: "other"}) for key in ("code", "subject", "winner", "rule")]
    assert len({fact.id, *(other.id for other in others)}) == 5


def test_ids_are_the_same_in_every_process() -> None:
    assert finding("zone-unknown", "a.example", "").id == "1e7abbd661a4"


def test_a_finding_survives_json() -> None:
    fact = structs.replace(finding("pin-ignored", "a.example", "served", pins=[{"until": None}]), networks=("a", "b"))

    assert msgspec.json.decode(msgspec.json.encode(fact), type=Finding) == fact


# -- docs


def sections() -> dict[str, str]:
    """Heading to text of the sections about codes."""
    parts = re.split(r"^### `([a-z-]+)`.*$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_code_has_a_section_and_every_section_a_code() -> None:
    assert sorted(sections()) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_section_says_what_it_means_and_what_to_do(code: str) -> None:
    text = sections()[code]

    assert f"*{CODES[code]}*" in text
    for part in ("**Means.**", "**Hurts.**", "**Meanwhile.**", "**To do.**"):
        assert part in text, part
    assert "```json" in text


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_section_is_a_finding(code: str) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", sections()[code], flags=re.DOTALL)
    fact = msgspec.json.decode(example, type=dict[str, object])

    assert fact["code"] == code
    assert fact["severity"] == CODES[code]
    assert {"subject", "evidence"} <= fact.keys()
