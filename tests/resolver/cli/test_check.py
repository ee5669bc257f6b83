"""`pldns check`: counts, findings and mistakes of the configuration, without a daemon."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_check_prints_counts_and_findings(run: Run, config: Path) -> None:
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "5 endpoints, 4 served" in ran.out
    assert "findings: 1 info" in ran.out
    (row,) = [line for line in ran.out.splitlines() if "endpoint-pending" in line]
    assert "waits" in row
    assert row.endswith("→ not served")


def test_check_exits_2_for_an_error_and_names_the_claims(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested)
    assert ran.code == 2
    (row,) = [line for line in ran.out.splitlines() if "conflicting-address" in line]
    assert "10.1.0.9 of rival is served, 10.1.0.4 of shop is not: endpoints of different resources claim" in row
    assert "; in east, west → the first endpoint by resource id is served" in row
    assert "the rule `incumbent` is skipped" in ran.err


def test_check_as_json_has_findings_in_the_form_of_the_admin_interface(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested, "-o", "json")
    assert ran.code == 2
    assert ran.json["counts"]["findings"] == {"error": 1, "warning": 0, "info": 1}
    assert ran.json["findings"][0]["evidence"]["winners"][0]["addresses"] == ["10.1.0.9"]
    assert ran.json["skipped"] == ["incumbent"]


def test_check_prints_every_mistake_of_the_configuration_with_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text("dns: {lisen: []}\nsauces: []\n")
    ran = run("check", "-c", file)
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert len(lines) == 2
    assert f"pldns: {file}:1:" in lines[0]
    assert "`listen`" in lines[0]
    assert f"{file}:2:1" in lines[1]


def test_check_continues_after_a_file_that_cannot_be_read(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "bad.json").write_text('{"value": [')
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "1 unreadable" in ran.out
    assert "source-unreadable" in ran.out


def test_check_prints_at_most_limit_findings(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested, "--limit", "1")
    assert "conflicting-address" in ran.out
    assert "endpoint-pending" not in ran.out
    assert "1 more not shown" in ran.err


def test_check_uses_the_saved_data_of_a_remote_source(run: Run, config: Path) -> None:
    config.write_text(config.read_text().replace("sources: [", "sources: [{name: hub, type: azure}, "))
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "\nsource hub: https://management.azure.com: no data of this source is saved in " in ran.out
    assert f"\nsource estate: {config.parent / 'endpoints'}: 1 file\n" in ran.out


def one_file(config: Path, content: object, name: str = "all.json") -> Path:
    """Replace the estate with one file, and return the configuration."""
    folder = config.parent / "endpoints"
    (folder / "all.yaml").unlink()
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return config


NETWORK = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network"


def test_check_exits_2_for_a_page_of_a_longer_list(run: Run, config: Path) -> None:
    row = {"id": f"{NETWORK}/privateEndpoints/a", "properties": {"privateLinkServiceConnections": []}}
    ran = run("check", "-c", one_file(config, {"count": 1, "data": [row], "total_records": 250, "skip_token": "t"}))
    assert ran.code == 2
    (line,) = [line for line in ran.out.splitlines() if "source-incomplete" in line]
    assert "all.json" in line
    assert "1 of 250 rows" in line


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "the files are empty lists, as after an expired login"),
        ("", "it cannot be read"),
        ([{"type": "Microsoft.KeyVault/vaults", "id": "x"}], "the files have only other resources"),
        ([{"id": f"{NETWORK}/privateEndpoints/a", "properties": 3}], "no resource in the files can be read"),
        (
            [{"id": f"{NETWORK}/privateEndpoints/a/privateDnsZoneGroups/default", "privateDnsZoneConfigs": []}],
            "the files have only DNS zone groups",
        ),
    ],
)
def test_check_exits_2_for_a_source_without_any_resource(run: Run, config: Path, content: object, reason: str) -> None:
    one_file(config, content)
    ran = run("check", "-c", config)
    assert ran.code == 2
    assert f"\n  no private endpoint, network interface or virtual network: {reason}" in ran.out
    assert "last good data" not in ran.out
    assert reason in run("check", "-c", config, "-o", "json").json["empty"]["estate"]


def test_check_exits_2_for_a_source_whose_endpoints_have_no_name(run: Run, config: Path) -> None:
    connection = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    endpoints = [
        {"id": f"{NETWORK}/privateEndpoints/{name}", "properties": {"privateLinkServiceConnections": [connection]}}
        for name in "ab"
    ]
    ran = run("check", "-c", one_file(config, endpoints))
    assert ran.code == 2
    assert "\n  no private endpoint has a name, so nothing is served: see `name-missing`\n" in ran.out
    assert "export `az network nic list` too" in ran.out
    nic = {"id": f"{NETWORK}/networkInterfaces/n", "properties": {
        "privateEndpoint": {"id": f"{NETWORK}/privateEndpoints/a"},
        "ipConfigurations": [{"properties": {"privateIPAddress": "10.1.0.4", "privateLinkConnectionProperties": {
            "groupId": "blob", "fqdns": ["a.blob.core.windows.net"]}}}]}}  # fmt: skip
    (config.parent / "endpoints" / "nics.json").write_text(json.dumps([nic]))
    assert run("check", "-c", config).code == 0


def test_check_exits_2_for_a_folder_without_files_and_for_a_missing_one(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "all.yaml").unlink()
    ran = run("check", "-c", config)
    assert ran.code == 2
    assert "no file in the folder has a name that ends in" in ran.out
    (config.parent / "endpoints").rmdir()
    ran = run("check", "-c", config)
    assert ran.code == 2
    assert "it has never been read, so that no data of it is served" in ran.out


def test_check_names_what_it_passes_over_once_for_each_file(run: Run, config: Path) -> None:
    rows = [{"type": f"Microsoft.Other/kind{i}", "id": "x"} for i in range(7) for _ in range(7 - i)]
    file = config.parent / "endpoints" / "others.json"
    file.write_text(json.dumps(rows))
    ran = run("check", "-c", config)
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if "not needed" in line]
    assert line.startswith(f"  {file}: 28 resources of types microsoft.other/kind0 (7), microsoft.other/kind1 (6), ")
    assert line.endswith("microsoft.other/kind4 (3) and 2 more, not needed")


def test_check_says_what_to_export_instead_of_target_resources(run: Run, config: Path) -> None:
    account = {
        "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a",
        "privateEndpointConnections": [{"id": "x"}],
    }
    ran = run("check", "-c", one_file(config, [account]))
    assert ran.code == 2
    assert "source-unreadable" in ran.out
    assert "az network private-endpoint list" in ran.out
