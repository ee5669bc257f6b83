"""`pldns lookup`: what a client gets for a name, and why, without a daemon."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from resolver import settings
from resolver.cli import explanation
from resolver.cli import lookup as command
from resolver.cli.configuration import load
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.clocks import WallTime
from zones.dns.name import from_text

Run = Callable[..., Any]


def lookup(run: Run, config: Path, *arguments: str) -> Any:  # noqa: ANN401 - what JSON can hold
    ran = run("lookup", *arguments, "-c", config, "-o", "json")
    assert ran.code == 0, ran.err
    return ran.json


def test_lookup_prints_network_zone_claims_winner_and_answer(run: Run, config: Path) -> None:
    ran = run("lookup", "kv.vault.azure.net", "--client", "10.2.0.1", "-c", config)
    assert ran.code == 0
    assert re.search(r"^network +west$", ran.out, re.MULTILINE)
    assert re.search(r"^zone +privatelink\.vaultcore\.azure\.net$", ran.out, re.MULTILINE)
    assert re.search(r"^west +kv\.privatelink\S+ +10\.2\.0\.5 +Approved +yes$", ran.out, re.MULTILINE)
    assert re.search(r"^east +kv\.privatelink\S+ +10\.1\.0\.5 +Approved +no$", ran.out, re.MULTILINE)
    assert "winner   A 10.2.0.5: west (the only visible claim)" in ran.out
    assert ran.out.splitlines()[-1] == "kv.vault.azure.net. 10 IN A 10.2.0.5"


def test_automatic_networks_come_from_the_virtual_networks_of_the_sources(run: Run, config: Path) -> None:
    text = config.read_text()
    config.write_text(re.sub(r"^networks:\n(?: .*\n)+", "networks: auto\n", text, flags=re.MULTILINE))
    assert "no source knows a virtual network" in run("check", "-c", config).err

    vnet = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/West"
    space = {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}
    (config.parent / "endpoints" / "vnets.json").write_text(json.dumps([{"id": vnet, **space}]))
    assert "no source knows" not in run("check", "-c", config).err
    found = lookup(run, config, "kv.vault.azure.net", "--client", "10.2.0.1")
    assert (found["network"], found["answer"][-1].split()[-1]) == ("west", "10.2.0.5")
    assert lookup(run, config, "kv.vault.azure.net", "--client", "10.1.0.1")["network"] == "none"


def test_lookup_and_check_show_names_that_the_configuration_gives(run: Run, config: Path) -> None:
    folder = config.parent / "endpoints"
    (folder / "pls.yaml").write_text("endpoints: [{name: pls, records: [{ips: 10.2.0.9}]}]\n")
    assert "add to `names`: - {name: …, endpoint: pls}" in run("check", "-c", config).out
    config.write_text(
        config.read_text()
        + "names:\n  - {name: db.partner.example, endpoint: PLS}\n  - {name: a.example, endpoint: b}\n"
    )
    checked = run("check", "-c", config).out
    assert "name-missing" not in checked
    assert "name db.partner.example: 10.2.0.9 of pls (Approved), named by the configuration" in checked
    (name,) = run("check", "-c", config, "-o", "json").json["names"]
    assert (name["public"], name["endpoint"], name["configured"]) == ("db.partner.example", "pls", True)
    line = len(config.read_text().splitlines())
    assert re.search(rf"name-ignored +a\.example .*no source has an endpoint.*names\[1\] \({config}:{line}\)", checked)
    ran = run("lookup", "db.partner.example", "--client", "10.2.0.1", "-c", config)
    assert re.search(
        r"^pls +db\.partner\.example +10\.2\.0\.9 +Approved, named by the configuration +yes$", ran.out, re.MULTILINE
    )
    found = lookup(run, config, "db.partner.example", "--client", "10.2.0.1")
    assert [claim["configured"] for claim in found["claims"]] == [True]
    assert [record["configured"] for record in found["decided"]] == [["db.partner.example"]]
    assert "zone-unknown" not in checked


def test_lookup_says_that_the_network_excepts_a_claim(run: Run, config: Path) -> None:
    text = config.read_text()
    for item in ("SHOP", "shop.blob.core.windows.net"):
        config.write_text(re.sub(r"(\{name: west, [^}]*)\}", rf"\1, except: [{item}]}}", text))
        ran = run("lookup", "shop.blob.core.windows.net", "--client", "10.2.0.1", "-c", config)
        assert re.search(r"^shop .* Approved +no, excepted$", ran.out, re.MULTILINE), ran.err
        assert "from upstream" in ran.out
        ran = run("lookup", "shop.blob.core.windows.net", "--client", "10.1.0.1", "-c", config)
        assert re.search(r"^shop .* Approved +yes$", ran.out, re.MULTILINE)
    config.write_text(re.sub(r"(\{name: west, [^}]*)\}", r"\1, except: [nobody]}", text))
    checked = run("check", "-c", config).out
    assert re.search(
        r"except-ignored +west +matches nothing: \(text: nobody; place: networks\[\d\]\.except\[0\]", checked
    )


def test_lookup_names_the_rule_of_a_contest(run: Run, contested: Path) -> None:
    found = lookup(run, contested, "shop.blob.core.windows.net")
    (record,) = found["decided"]
    (answer,) = record["answers"]
    assert (answer["endpoints"], answer["losers"], answer["rule"]) == (["rival"], ["shop"], "resource-id")
    assert found["skipped"] == ["incumbent"]
    assert "is skipped" in run("lookup", "shop.blob.core.windows.net", "-c", contested).err


def test_lookup_follows_an_alias_in_a_zone_file_to_the_private_address(run: Run, config: Path) -> None:
    found = lookup(run, config, "files.corp.example", "--client", "10.1.0.1")
    assert [step["name"] for step in found["steps"]] == [
        "files.corp.example", "shop.blob.core.windows.net", "shop.privatelink.blob.core.windows.net",
    ]  # fmt: skip
    assert found["answer"][-1].endswith(" IN A 10.1.0.4")
    assert found["rcode"] == "NOERROR"


def test_lookup_names_the_upstream_that_would_be_asked(run: Run, config: Path) -> None:
    found = lookup(run, config, "out.corp.example")
    assert found["rcode"] is None
    assert found["upstream"]["group"] == "public"
    assert found["upstream"]["name"] == "www.example.net"
    assert found["answer"] == ["out.corp.example. 60 IN CNAME www.example.net."]
    assert "from upstream `public` (udp://127.0.0.1 port" in run("lookup", "out.corp.example", "-c", config).out


@pytest.mark.parametrize(
    ("name", "rtype", "client", "rcode", "what"),
    [
        ("shop.blob.core.windows.net", "AAAA", "10.1.0.1", "NOERROR", "no records of this type"),
        ("other.privatelink.blob.core.windows.net", "A", "10.1.0.1", "NXDOMAIN", "denies"),
        ("app.happy.westeurope.azurecontainerapps.io", "A", "10.1.0.1", "NOERROR", "wildcard"),
        ("4.0.1.10.in-addr.arpa", "PTR", "10.1.0.1", "NOERROR", "a served endpoint has this address"),
        ("localhost", "A", "10.1.0.1", "NOERROR", "by pldns itself"),
        ("shop.blob.core.windows.net", "A", "192.0.2.7", "REFUSED", "dns.allow"),
        ("www.example.net", "AXFR", "10.1.0.1", "REFUSED", "never sent to an upstream"),
    ],
)
def test_lookup_says_why(run: Run, config: Path, name: str, rtype: str, client: str, rcode: str, what: str) -> None:
    found = lookup(run, config, name, rtype, "--client", client)
    assert found["rcode"] == rcode
    assert what in found["steps"][-1]["what"]


def test_lookup_shows_the_claim_behind_a_wildcard(run: Run, config: Path) -> None:
    found = lookup(run, config, "app.happy.westeurope.azurecontainerapps.io")
    assert [claim["endpoint"] for claim in found["claims"]] == ["star"]


def test_no_claim_is_visible_to_a_client_in_no_network(run: Run, config: Path) -> None:
    found = lookup(run, config, "kv.vault.azure.net", "--client", "10.9.0.1")
    assert found["network"] == "none"
    assert [claim["visible"] for claim in found["claims"]] == [False, False]
    assert found["decided"] == []
    assert found["upstream"]["name"] == "kv.vault.azure.net"


def test_a_lingering_claim_is_shown_as_removed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted = load(config, {})
    estate = Estate(structs.replace(accepted.control, sources=(settings.SourceSettings("hub", "azure"),)))
    record = NicRecord(from_text("a.blob.core.windows.net"), (b"\x0a\0\0\4",))
    estate.ledger.apply(
        {
            ResourceId("a"): Endpoint(
                ResourceId("a"), "/ID/a", "a", ConnectionState.APPROVED, records=(record,), source="hub"
            )
        },
        WallTime(0.0),
    )
    estate.ledger.apply({ResourceId("a"): None}, WallTime(60.0))
    asked = explanation.question("a.blob.core.windows.net", "A", "10.1.0.9")
    command.write(explanation.explain(accepted, estate, asked, WallTime(61.0)))
    out = capsys.readouterr().out
    assert "removed, lingers until 1970-01-01T00:06:00.000Z  yes" in out
    assert "winner   A 10.0.0.4: /ID/a (the only visible claim)" in out
