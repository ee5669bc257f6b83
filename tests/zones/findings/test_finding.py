"""Findings: the codes with their evidence, stable ids, and a section of docs/findings.md for each code."""

import re

import msgspec
import pytest
from msgspec import structs

from resolver.admin.findings_reference import MARK, reference
from resolver.admin.resources import evidence as encoding
from tests.paths import ROOT
from zones.claims.contest import Rule
from zones.findings import endpoint_evidence, name_evidence, source_evidence
from zones.findings.codes import TYPES
from zones.findings.evidence import Evidence, Listed, Severity, listed
from zones.findings.fields import fields
from zones.findings.finding import finding
from zones.findings.name_evidence import AddressReused, ZoneUnknown

SEVERITIES = {kind.code: kind.severity for kind in TYPES}
DOCS = ROOT / "docs" / "findings.md"
UNKNOWN = ZoneUnknown(endpoints=Listed(), expected_zones=Listed(), resources=Listed())
REUSED = AddressReused(endpoints=listed(["/ID/x"]), names=Listed())


def test_a_finding_has_the_severity_and_the_action_of_its_code() -> None:
    fact = finding("10.0.0.1", REUSED)
    assert (fact.code, fact.severity, fact.action) == ("address-reused", Severity.ERROR, AddressReused.action)
    assert finding("a.example", UNKNOWN).severity is Severity.INFO


def test_the_id_is_made_of_code_subject_winner_and_rule_alone() -> None:
    fact = finding("a.example", UNKNOWN)
    more = structs.replace(UNKNOWN, endpoints=listed(["/ID/x"]))
    same = structs.replace(fact, evidence=more, action="other", severity=Severity.ERROR, networks=listed(["weu"]))

    assert fact.id == same.id
    others = [structs.replace(fact, **{key: "other"}) for key in ("subject", "winner", "rule")]
    others.append(structs.replace(fact, evidence=REUSED))
    assert len({fact.id, *(other.id for other in others)}) == 5


def test_ids_are_the_same_in_every_process() -> None:
    assert finding("a.example", UNKNOWN).id == "1e7abbd661a4"


def test_a_rule_is_its_text_in_an_id() -> None:
    won = structs.replace(finding("a.example", UNKNOWN), rule=Rule.PIN)
    assert won.id == structs.replace(won, rule="pin").id


# -- evidence


def test_every_evidence_type_is_registered() -> None:
    modules = (endpoint_evidence, name_evidence, source_evidence)
    defined = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    assert {each for each in defined if issubclass(each, Evidence) and hasattr(each, "code")} - set(TYPES) == {
        source_evidence.SourceDisagreement  # its subclasses are
    }


@pytest.mark.parametrize("kind", TYPES)
def test_every_evidence_type_explains_itself(kind: type[Evidence]) -> None:
    assert kind.meaning.endswith(".")
    assert kind.action
    assert kind.__doc__
    assert all(field.description for field in fields(kind))


def test_types_of_one_code_have_one_severity() -> None:
    assert {(kind.code, kind.severity) for kind in TYPES} == set(SEVERITIES.items())


# -- docs


def sections() -> dict[str, str]:
    """Heading to text of the sections about codes."""
    parts = re.split(r"^### `([a-z-]+)`.*$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_reference_is_up_to_date() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text[text.index(MARK) :] == reference(), "run `python -m resolver.admin.findings_reference docs/findings.md`"


def test_every_code_has_a_section_and_every_section_a_code() -> None:
    assert sorted(sections()) == sorted(SEVERITIES)


@pytest.mark.parametrize("code", SEVERITIES)
def test_a_section_says_what_it_means_and_what_to_do(code: str) -> None:
    text = sections()[code]

    assert f"*{SEVERITIES[code]}*" in text
    for part in ("**Meaning.**", "**Effect.**", "**What pldns does.**", "**What to do.**"):
        assert part in text, part
    assert "```json" in text


@pytest.mark.parametrize("code", SEVERITIES)
def test_the_example_of_a_section_is_a_finding(code: str) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", sections()[code], flags=re.DOTALL)
    fact = msgspec.json.decode(example, type=dict[str, object])

    assert fact["code"] == code
    assert fact["severity"] == SEVERITIES[code]
    assert {"subject", "evidence", "action"} <= fact.keys()
    assert any(fits(fact["evidence"], encoding.schema_of(kind)) for kind in TYPES if kind.code == code)


def fits(value: object, schema: encoding.Json) -> bool:
    """Whether JSON has the keys that the schema asks for, and no others."""
    if schema.get("type") == "array":
        return isinstance(value, list) and all(fits(each, schema["items"]) for each in value)
    if "anyOf" in schema:
        return any(fits(value, each) for each in schema["anyOf"])
    if schema.get("type") != "object":
        return not isinstance(value, dict | list)
    properties = schema["properties"]
    return (
        isinstance(value, dict)
        and set(schema["required"]) <= value.keys() <= properties.keys()
        and all(fits(each, properties[key]) for key, each in value.items())
    )
