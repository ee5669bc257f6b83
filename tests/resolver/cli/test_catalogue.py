"""`pldns catalogue`: the rows, the mapping of one name, and what the command loads."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SUFFIX = "\ncatalogue: {suffixes: [{public: svc.example, private: privatelink.svc.example, shared: tenant}]}\n"


@pytest.fixture
def suffixes(config: Path) -> str:
    config.write_text(config.read_text() + SUFFIX)
    (config.parent / "endpoints" / "svc.yaml").write_text(
        "endpoints:\n"
        "  - {name: one, target: a, group: x, records: [{fqdn: n.svc.example, ips: [10.1.0.21]}]}\n"
        "  - {name: two, target: b, group: x, records: [{fqdn: n.svc.example, ips: [10.1.0.22]}]}\n"
    )
    return str(config)


def test_the_table_has_every_row_of_a_cloud(run: Run) -> None:
    ran = run("catalogue", "--cloud", "china")
    assert ran.code == 0
    assert ran.out.startswith("PUBLIC ")
    assert "azurecr.cn " in ran.out
    assert "core.windows.net" not in ran.out


def test_json_has_the_same_rows(run: Run) -> None:
    items = run("catalogue", "-o", "json").json
    (row,) = [item for item in items if item["entry"] == "commercial-datafactory-factories-portal"]
    assert row == {
        "rule": "table", "cloud": "commercial", "service": "Azure Data Factory", "entry": row["entry"],
        "resource_types": ["Microsoft.DataFactory/factories"], "groups": ["portal"], "public": "adf.azure.com",
        "private": "privatelink.adf.azure.com",
        "shared": [{"by": "service", "groups": [], "names": ["adf.azure.com"]}], "source": None,
    }  # fmt: skip


def test_a_name_maps_by_a_rule_whatever_its_case_and_final_dot(run: Run) -> None:
    ran = run("catalogue", "Shop.BLOB.core.windows.net.")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[:4] == [
        "name     shop.blob.core.windows.net",
        "private  shop.privatelink.blob.core.windows.net",
        "zone     privatelink.blob.core.windows.net",
        "rule     Microsoft's table, suffix blob.core.windows.net",
    ]
    found = run("catalogue", "Shop.BLOB.core.windows.net.", "-o", "json").json
    assert found["kind"] == "public"
    assert found["mapped"][0]["private"] == "shop.privatelink.blob.core.windows.net"
    assert "commercial-storage-storageaccounts-blob" in found["mapped"][0]["entries"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("adf.azure.com", "rule     an exception from the rule of its suffix"),
        ("adf.azure.com", "shared   by all resources of the service"),
        ("x.privatelink.partner.example", "public   none follows from the private name"),
        ("x.privatelink.partner.example", "rule     the label `privatelink` alone; no zone of the catalogue fits"),
        ("kv.privatelink.vaultcore.azure.net", "public   kv.vault.azure.net"),
        ("www.example.org", "private  none: no public suffix of the catalogue is above the name"),
        ("blob.core.windows.net", "private  none: the name is a public suffix itself; names below have private names"),
        ("x.aznbcontent.net", "private  none: no private name follows from names below aznbcontent.net"),
        ("rdweb.wvd.microsoft.com", "only for the group global"),
        (
            "weu.pl-auth.azuredatabricks.net",
            "shared   by all resources of the region, for the group browser_authentication",
        ),
        (
            "*.weu.inference.ml.azure.com",
            "wildcard *.{regionName}.inference.ml.azure.com is shared by many resources; no endpoint owns names below",
        ),
        (
            "*.weu.inference.ml.azure.com",
            "served   *.{guid}.inference.{regionName}.privatelink.api.azureml.ms, for each endpoint with that wildcard",
        ),
        ("privatelink.blob.core.windows.net", "public   none: the name is the private zone itself"),
    ],
)
def test_what_is_said_of_a_name(run: Run, name: str, line: str) -> None:
    ran = run("catalogue", name)
    assert ran.code == 0
    assert line in ran.out.splitlines()


def test_the_configuration_adds_suffixes_to_every_tool(run: Run, suffixes: str) -> None:
    assert "`catalogue.suffixes` of the configuration" in run("catalogue", "n.svc.example", "-c", suffixes).out
    assert [item["rule"] for item in run("catalogue", "-c", suffixes, "-o", "json").json].count("configured") == 1
    assert "no public suffix" in run("catalogue", "n.svc.example").out

    found = run("explain", "n.svc.example", "--client", "10.1.0.1", "-c", suffixes, "-o", "json").json
    assert found["answer"]["answer"][0].endswith("CNAME n.privatelink.svc.example.")
    facts = run("check", "-c", suffixes, "-o", "json").json["findings"]
    (shared,) = [fact for fact in facts if fact["subject"] == "n.privatelink.svc.example"]
    assert (shared["code"], shared["evidence"]["shared_by"]) == ("shared-global-name", "tenant")


def test_a_mistake_in_the_configuration_is_shown(run: Run, config: Path) -> None:
    config.write_text(config.read_text() + "\ncatalogue: {suffixes: [{public: com, private: privatelink.com}]}\n")
    ran = run("catalogue", "a.com", "-c", str(config))
    assert (ran.code, ran.out) == (1, "")
    assert "catalogue.suffixes[0].public" in ran.err


def test_a_name_that_is_no_name_is_a_mistake(run: Run) -> None:
    ran = run("catalogue", "a..b")
    assert (ran.code, ran.out) == (1, "")
    assert "a..b" in ran.err


def test_the_command_loads_neither_control_nor_the_configuration() -> None:
    code = "import sys; from resolver.cli import main; main(['catalogue', 'a.example']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"resolver.control", "resolver.admin", "resolver.config", "aiohttp", "asyncio", "yaml", "rich"} & set(
        loaded
    )
