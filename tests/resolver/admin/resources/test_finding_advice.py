"""Every finding says what to do, and the commands are safe to paste."""

import shlex

import pytest
from msgspec import structs

from resolver.admin.resources.evidence import encoded
from resolver.admin.resources.finding_advice import advice
from tests.resolver.admin.resources.test_finding_sentences import PE, sample
from zones.findings.codes import TYPES
from zones.findings.evidence import Evidence

HOSTILE = "/subscriptions/s/resourceGroups/$(reboot)/providers/Microsoft.Network/privateEndpoints/pe'; rm -rf /"


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_code_has_advice_for_any_evidence(kind: type[Evidence]) -> None:
    evidence = encoded(kind(**{field.name: sample(field.type) for field in structs.fields(kind)}))
    text, commands = advice(kind.code, evidence, PE)
    assert text.endswith(".")
    assert all(shlex.split(each)[0] in {"az", "pldns"} for each in commands)


def test_commands_name_the_resources_of_the_finding() -> None:
    claimant = {"endpoint": PE, "addresses": ["10.0.0.4"]}
    evidence = {"winners": [claimant], "losers": [claimant]}
    assert advice("duplicate-endpoint", evidence, "a.example").commands == (
        f"az network private-endpoint delete --ids {PE}",
        f"pldns pin set a.example {PE} --reason '…'",
    )
    found = advice("endpoint-disconnected", {"target": "/x/y"}, PE)
    assert found.commands == (
        "az network private-endpoint-connection list --id /x/y",
        f"az network private-endpoint delete --ids {PE}",
    )
    assert advice("endpoint-pending", {"target": "alias.guid"}, PE).commands == ()


def test_texts_of_the_estate_are_one_word_of_a_shell() -> None:
    for command in advice("endpoint-rejected", {"target": HOSTILE}, HOSTILE).commands:
        assert shlex.split(command)[-1] == HOSTILE
    assert advice("address-reused", {}, "1'; drop").commands == ()
