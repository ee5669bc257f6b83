"""The bill of materials: a valid CycloneDX document with every package that runs, in Python and in the browser."""

import json
import re
from typing import Any

import pytest

from resolver.dashboard import built
from resolver.version import VERSION
from tests.packaging.programs import run
from tests.paths import ROOT

VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.from_version(sys.argv[2])).validate_str(open(sys.argv[1]).read()))
"""


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    run("make", "sbom")
    document: dict[str, Any] = json.loads((ROOT / "build/pldns.cdx.json").read_bytes())
    return document


def test_the_bill_is_valid(bill: dict[str, Any]) -> None:
    run(ROOT / "build/sbom/bin/python", "-c", VALIDATE, ROOT / "build/pldns.cdx.json", bill["specVersion"])
    assert bill["metadata"]["component"]["version"] == VERSION


def test_the_bill_has_every_locked_python_package(bill: dict[str, Any]) -> None:
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements-run.lock").read_text(), re.MULTILINE)
    assert {f"pkg:pypi/{name}@{version}" for name, version in locked} == {
        each["purl"] for each in bill["components"] if each["purl"].startswith("pkg:pypi/")
    }


def test_the_bill_has_the_libraries_that_the_page_lists_with_their_licences(bill: dict[str, Any]) -> None:
    (stored,) = (file for file in built.FOLDER.glob("licences-*.txt"))
    listed = set(re.findall(r"^(\S+) (\d+\.\d+\.\d+) \((.+)\)$", stored.read_text(), re.MULTILINE))
    assert {"preact", "@dagrejs/dagre"} <= {name for name, _, _ in listed}
    npm = [each for each in bill["components"] if each["purl"].startswith("pkg:npm/")]
    assert listed == {
        ("/".join(filter(None, (each.get("group"), each["name"]))), each["version"], each["licenses"][0]["expression"])
        for each in npm
    }
    assert all(len(bytes.fromhex(each["hashes"][0]["content"])) == 64 for each in npm)
