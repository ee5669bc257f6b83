"""`check`, `lookup` and `config show`, which need no daemon."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from resolver import settings
from resolver.cli import explain
from resolver.cli.settings import load
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord
from zones.dns.name import from_text

Run = Callable[..., Any]


def test_check_counts_and_tells_what_it_found(run: Run, config: Path) -> None:
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "5 endpoints, 4 served" in ran.out
    assert "findings: 1 info" in ran.out
    (row,) = [line for line in ran.out.splitlines() if "endpoint-pending" in line]
    assert "waits" in row
    assert row.endswith("→ not served")


def test_check_exits_2_for_an_error_and_says_who_claims_the_name(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested)
    assert ran.code == 2
    (row,) = [line for line in ran.out.splitlines() if "conflicting-address" in line]
    assert "served: 10.1.0.9 of rival; not served: 10.1.0.4 of shop (rule: resource-id); in east, west" in row
    assert "the rule `incumbent` is skipped" in ran.err


def test_check_as_json_has_the_findings_as_the_daemon_gives_them(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested, "-o", "json")
    assert ran.code == 2
    assert ran.json["counts"]["findings"] == {"error": 1, "warning": 0, "info": 1}
    assert ran.json["findings"][0]["evidence"]["winners"][0]["addresses"] == ["10.1.0.9"]
    assert ran.json["skipped"] == ["incumbent"]


def test_check_tells_all_mistakes_of_the_configuration_with_their_lines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text("dns: {lisen: []}\nsauces: []\n")
    ran = run("check", "-c", file)
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert len(lines) == 2
    assert f"pldns: {file}:1:" in lines[0]
    assert "`listen`" in lines[0]
    assert f"{file}:2:1" in lines[1]


def test_check_goes_on_where_a_file_cannot_be_read(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "bad.json").write_text('{"value": [')
    ran = run("check", "-c", config)
    assert ran.code == 0
    assert "1 unreadable" in ran.out
    assert "source-unreadable" in ran.out


def test_check_shows_as_many_findings_as_asked(run: Run, contested: Path) -> None:
    ran = run("check", "-c", contested, "--limit", "1")
    assert "conflicting-address" in ran.out
    assert "endpoint-pending" not in ran.out
    assert "1 more are not shown" in ran.err


def test_set_overrides_the_file(run: Run, config: Path) -> None:
    ran = run("config", "show", "-c", config, "--set", "dns.workers=3", "-o", "json")
    rows = {row["path"]: row for row in ran.json}
    assert rows["dns.workers"] == {"path": "dns.workers", "value": 3, "origin": "flag dns.workers"}
    assert rows["admin.listen"]["origin"].startswith(f"{config}:")


def lookup(run: Run, config: Path, *arguments: str) -> Any:  # noqa: ANN401 - what JSON can hold
    ran = run("lookup", *arguments, "-c", config, "-o", "json")
    assert ran.code == 0, ran.err
    return ran.json


def test_lookup_tells_network_zone_claims_winner_and_answer(run: Run, config: Path) -> None:
    ran = run("lookup", "kv.vault.azure.net", "--client", "10.2.0.1", "-c", config)
    assert ran.code == 0
    assert re.search(r"^network +west$", ran.out, re.MULTILINE)
    assert re.search(r"^zone +privatelink\.vaultcore\.azure\.net$", ran.out, re.MULTILINE)
    assert re.search(r"^west +kv\.privatelink\S+ +10\.2\.0\.5 +Approved +yes$", ran.out, re.MULTILINE)
    assert re.search(r"^east +kv\.privatelink\S+ +10\.1\.0\.5 +Approved +no$", ran.out, re.MULTILINE)
    assert "winner   A 10.2.0.5: west (the only claim here)" in ran.out
    assert ran.out.splitlines()[-1] == "kv.privatelink.vaultcore.azure.net. 10 IN A 10.2.0.5"


def test_with_networks_from_topology_the_virtual_networks_of_the_sources_count(run: Run, config: Path) -> None:
    text = config.read_text()
    config.write_text(re.sub(r"^networks:\n(?: .*\n)+", "networks: auto\n", text, flags=re.MULTILINE))
    assert "no source knows a virtual network" in run("check", "-c", config).err

    vnet = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/West"
    space = {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}
    (config.parent / "endpoints" / "vnets.json").write_text(json.dumps([{"id": vnet, **space}]))
    assert "no source knows" not in run("check", "-c", config).err
    said = lookup(run, config, "kv.vault.azure.net", "--client", "10.2.0.1")
    assert (said["network"], said["answer"][-1].split()[-1]) == ("west", "10.2.0.5")
    assert lookup(run, config, "kv.vault.azure.net", "--client", "10.1.0.1")["network"] == "none"


def test_lookup_names_the_rule_of_a_contest(run: Run, contested: Path) -> None:
    said = lookup(run, contested, "shop.blob.core.windows.net")
    (record,) = said["decided"]
    (answer,) = record["answers"]
    assert (answer["endpoints"], answer["losers"], answer["rule"]) == (["rival"], ["shop"], "resource-id")
    assert said["skipped"] == ["incumbent"]
    assert "is skipped" in run("lookup", "shop.blob.core.windows.net", "-c", contested).err


def test_lookup_follows_an_alias_of_a_zone_file_to_the_private_address(run: Run, config: Path) -> None:
    said = lookup(run, config, "files.corp.example", "--client", "10.1.0.1")
    assert [step["name"] for step in said["steps"]] == [
        "files.corp.example", "shop.blob.core.windows.net", "shop.privatelink.blob.core.windows.net",
    ]  # fmt: skip
    assert said["answer"][-1].endswith(" IN A 10.1.0.4")
    assert said["rcode"] == "NOERROR"


def test_lookup_names_the_upstream_that_would_be_asked(run: Run, config: Path) -> None:
    said = lookup(run, config, "out.corp.example")
    assert said["rcode"] is None
    assert said["upstream"]["group"] == "public"
    assert said["upstream"]["name"] == "www.example.net"
    assert said["answer"] == ["out.corp.example. 60 IN CNAME www.example.net."]
    assert "from upstream `public` (udp://127.0.0.1 port" in run("lookup", "out.corp.example", "-c", config).out


@pytest.mark.parametrize(
    ("name", "rtype", "client", "rcode", "what"),
    [
        ("shop.blob.core.windows.net", "AAAA", "10.1.0.1", "NOERROR", "this type is not"),
        ("other.privatelink.blob.core.windows.net", "A", "10.1.0.1", "NXDOMAIN", "denies"),
        ("app.happy.westeurope.azurecontainerapps.io", "A", "10.1.0.1", "NOERROR", "wildcard"),
        ("4.0.1.10.in-addr.arpa", "PTR", "10.1.0.1", "NOERROR", "served address"),
        ("localhost", "A", "10.1.0.1", "NOERROR", "by pldns itself"),
        ("shop.blob.core.windows.net", "A", "192.0.2.7", "REFUSED", "dns.allow"),
        ("www.example.net", "AXFR", "10.1.0.1", "REFUSED", "for no upstream"),
    ],
)
def test_lookup_says_why(run: Run, config: Path, name: str, rtype: str, client: str, rcode: str, what: str) -> None:
    said = lookup(run, config, name, rtype, "--client", client)
    assert said["rcode"] == rcode
    assert what in said["steps"][-1]["what"]


def test_lookup_shows_the_claim_behind_a_wildcard(run: Run, config: Path) -> None:
    said = lookup(run, config, "app.happy.westeurope.azurecontainerapps.io")
    assert [claim["endpoint"] for claim in said["claims"]] == ["star"]


def test_a_client_in_no_network_sees_no_claim(run: Run, config: Path) -> None:
    said = lookup(run, config, "kv.vault.azure.net", "--client", "10.9.0.1")
    assert said["network"] == "none"
    assert [claim["visible"] for claim in said["claims"]] == [False, False]
    assert said["decided"] == []
    assert said["upstream"]["name"] == "kv.vault.azure.net"


def test_what_lingers_is_said_to_be_removed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = load(config, {})
    estate = Estate(structs.replace(accepted.control, sources=(settings.SourceSettings("hub", "azure"),)))
    record = NicRecord(from_text("a.blob.core.windows.net"), (b"\x0a\0\0\4",))
    estate.ledger.apply(
        {"a": Endpoint("a", "/ID/a", "a", ConnectionState.APPROVED, records=(record,), source="hub")}, 0.0
    )
    estate.ledger.apply({"a": None}, 60.0)
    asked = explain.question("a.blob.core.windows.net", "A", "10.1.0.9")
    explain.write(explain.explain(accepted, estate, asked, 61.0))
    out = capsys.readouterr().out
    assert "removed, lingers until 1970-01-01T00:06:00.000Z  yes" in out
    assert "winner   A 10.0.0.4: /ID/a (the only claim here)" in out
