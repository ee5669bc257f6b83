"""The files of `deploy/`, compared with the schemas of Kubernetes and the grammar of Terraform."""

import json
import re

import pytest

from tests.packaging.programs import TOOLS, run
from tests.paths import ROOT


@pytest.mark.parametrize("version", ["1.31", "1.34", "1.37"])
@pytest.mark.parametrize("name", ["resolver", "sidecar", "node"])
def test_kubernetes_accepts_each_document_and_knows_each_field(name: str, version: str) -> None:
    file = ROOT / f"deploy/kubernetes/{name}.yaml"
    said = run(TOOLS / "kubernetes-validate", "--strict", "--kubernetes-version", version, file)
    assert said.count(" passed for resource ") == file.read_text().count("\nkind: ")


def test_terraform_can_parse_its_file_and_each_reference_has_a_definition() -> None:
    said = run(TOOLS / "hcl2tojson", ROOT / "deploy/azure/main.tf")
    blocks = json.loads(said[said.index("{") :])
    defined = {f"var.{_bare(name)}" for block in blocks["variable"] for name in block}
    for block in blocks["resource"]:
        defined |= {f"{_bare(kind)}.{_bare(name)}" for kind, named in block.items() for name in named}
    used = set(re.findall(r"\bvar\.\w+|\bazurerm_\w+\.\w+", json.dumps(blocks)))
    assert used - {"azurerm_subscription.current"} <= defined
    assert {name for name in defined if name.startswith("var.")} <= used


def _bare(name: str) -> str:
    return name.strip('"')
