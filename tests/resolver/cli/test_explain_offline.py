"""`pldns explain` without a daemon: from the configuration, its files and the saved inventory."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
EXAMPLE = Path(__file__).parents[3] / "examples/hub-spoke/pldns.yaml"


def explained(run: Run, config: Path, *arguments: str) -> Any:  # noqa: ANN401 - what JSON can hold
    ran = run("explain", *arguments, "-c", config, "-o", "json")
    assert ran.code == 0, ran.err
    return ran.json


def test_the_first_line_says_that_there_is_no_daemon(run: Run, config: Path) -> None:
    ran = run("explain", "kv.vault.azure.net", "--client", "10.2.0.1", "-c", config)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].startswith("without a daemon (no daemon answers at ")
    assert "kv.vault.azure.net A for 10.2.0.1 over udp: NOERROR 10.2.0.5 of west" in lines
    assert "├─ west won: the only claim that is visible here" in lines
    assert lines[-1] == "└─ kv.vault.azure.net. 10 IN A 10.2.0.5"
    found = explained(run, config, "kv.vault.azure.net", "--client", "10.2.0.1")
    assert (found["worker"], found["saved"], found["configuration"]) == (None, None, str(config))


def claims(found: Any) -> dict[str, Any]:  # noqa: ANN401 - what JSON can hold
    return {claim["endpoint"]: claim for step in found["steps"] for claim in step["claims"]}


def test_automatic_networks_come_from_the_virtual_networks_of_the_sources(run: Run, config: Path) -> None:
    text = config.read_text()
    config.write_text(re.sub(r"^networks:\n(?: .*\n)+", "networks: auto\n", text, flags=re.MULTILINE))
    assert "no source knows a virtual network" in run("check", "-c", config).err

    vnet = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/West"
    space = {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}
    (config.parent / "endpoints" / "vnets.json").write_text(json.dumps([{"id": vnet, **space}]))
    assert "no source knows" not in run("check", "-c", config).err
    found = explained(run, config, "kv.vault.azure.net", "--client", "10.2.0.1")
    assert (found["network"]["name"], found["answer"]["answer"][-1].split()[-1]) == ("west", "10.2.0.5")
    assert explained(run, config, "kv.vault.azure.net", "--client", "10.1.0.1")["network"]["name"] is None


def test_explain_and_check_show_names_that_the_configuration_gives(run: Run, config: Path) -> None:
    folder = config.parent / "endpoints"
    (folder / "pls.yaml").write_text("endpoints: [{name: pls, records: [{ips: 10.2.0.9}]}]\n")
    assert "an item for `names`: - {name: …, endpoint: pls}" in run("check", "-c", config).out
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
    assert re.search(
        rf"a\.example +names\[1\] \({config}:{line}\) names no endpoint: no source has an endpoint", checked
    )
    found = explained(run, config, "db.partner.example", "--client", "10.2.0.1")
    assert [(claim["configured"], claim["standing"]) for claim in claims(found).values()] == [(True, "won")]
    assert "`names` in the configuration gives the name" in run("explain", "db.partner.example", "-c", config).out
    assert "zone-unknown" not in checked


def test_explain_says_that_the_network_excepts_a_claim(run: Run, config: Path) -> None:
    text = config.read_text()
    for item in ("SHOP", "shop.blob.core.windows.net"):
        config.write_text(re.sub(r"(\{name: west, [^}]*)\}", rf"\1, except: [{item}]}}", text))
        found = explained(run, config, "shop.blob.core.windows.net", "--client", "10.2.0.1")
        assert claims(found)["shop"]["standing"] == "excepted"
        assert found["steps"][-1]["upstream"]["group"] == "public"
        found = explained(run, config, "shop.blob.core.windows.net", "--client", "10.1.0.1")
        assert claims(found)["shop"]["standing"] == "won"
    config.write_text(re.sub(r"(\{name: west, [^}]*)\}", r"\1, except: [nobody]}", text))
    checked = run("check", "-c", config).out
    assert re.search(r"except-ignored +\w+ +west +nobody \(networks\[\d\]\.except\[0\] .* matches nothing", checked)


def test_explain_names_the_rule_of_a_contest(run: Run, contested: Path) -> None:
    found = claims(explained(run, contested, "shop.blob.core.windows.net"))
    assert {key: (claim["standing"], claim["rule"]) for key, claim in found.items()} == {
        "rival": ("won", "resource-id"), "shop": ("lost", "resource-id"),
    }  # fmt: skip


def test_explain_follows_an_alias_in_a_zone_file_to_the_private_address(run: Run, config: Path) -> None:
    found = explained(run, config, "files.corp.example", "--client", "10.1.0.1")
    assert [step["name"] for step in found["steps"]] == [
        "files.corp.example", "shop.blob.core.windows.net", "shop.privatelink.blob.core.windows.net",
    ]  # fmt: skip
    assert found["answer"]["answer"][-1].endswith(" IN A 10.1.0.4")
    assert found["answer"]["rcode"] == "NOERROR"


def test_explain_names_the_upstream_that_would_be_asked(run: Run, config: Path) -> None:
    found = explained(run, config, "out.corp.example")
    assert found["answer"] is None
    use = found["steps"][-1]["upstream"]
    assert (use["group"], use["name"], use["state"]) == ("public", "www.example.net", "miss")
    assert found["steps"][0]["records"] == ["out.corp.example. 60 IN CNAME www.example.net."]
    assert "upstream group public would be asked" in run("explain", "out.corp.example", "-c", config).out


def test_asking_an_upstream_needs_a_daemon(run: Run, config: Path) -> None:
    ran = run("explain", "out.corp.example", "--ask", "-c", config)
    assert (ran.code, ran.out) == (1, "")
    assert "need a running daemon" in ran.err


@pytest.mark.parametrize(
    ("name", "rtype", "client", "rcode", "what"),
    [
        ("shop.blob.core.windows.net", "AAAA", "10.1.0.1", "NOERROR", "a public name of an endpoint"),
        ("other.privatelink.blob.core.windows.net", "A", "10.1.0.1", "NXDOMAIN", "does not have this name"),
        ("app.happy.westeurope.azurecontainerapps.io", "A", "10.1.0.1", "NOERROR", "by a wildcard"),
        ("4.0.1.10.in-addr.arpa", "PTR", "10.1.0.1", "NOERROR", "the address is served"),
        ("localhost", "A", "10.1.0.1", "NOERROR", "pldns answers this name itself"),
        ("shop.blob.core.windows.net", "A", "192.0.2.7", "REFUSED", "dns.allow"),
        ("www.example.net", "AXFR", "10.1.0.1", "REFUSED", "never answered"),
    ],
)
def test_explain_says_why(run: Run, config: Path, name: str, rtype: str, client: str, rcode: str, what: str) -> None:
    found = explained(run, config, name, rtype, "--client", client)
    assert found["answer"]["rcode"] == rcode
    assert what in " ".join([found["why"], *(step["why"] for step in found["steps"])])


def test_explain_shows_the_claim_behind_a_wildcard(run: Run, config: Path) -> None:
    found = explained(run, config, "app.happy.westeurope.azurecontainerapps.io")
    assert list(claims(found)) == ["star"]


def test_an_endpoint_of_azure_is_shown_with_its_place(run: Run) -> None:
    """At the name, and at the PTR name of its address; with the subnet, and the prefix that allows the client."""
    for name in ("stcontososhop.blob.core.windows.net", "10.1.2.7"):
        ran = run("explain", name, "--client", "127.0.1.1", "-c", EXAMPLE, "--set", "state.directory=/nonexistent")
        assert ran.code == 0, ran.err
        out = " ".join(ran.out.replace("│", " ").split())
        assert "├─ allowed: 127.0.0.0/8 of `dns.allow` holds the address" in out
        assert "├─ target stcontososhop (rg-shop-weu), group blob" in out
        assert "├─ subnet snet-endpoints of virtual network vnet-shop-weu (rg-shop-network-weu)" in out
        assert re.search(r"├─ first seen \S+Z, last seen \S+Z └─ source estate \(\S+\.json\): fresh, last read", out)
        assert max(map(len, ran.out.splitlines())) <= 80
    (claim,) = explained(run, EXAMPLE, "10.1.2.7", "--client", "127.0.1.1", "--set", "state.directory=/nonexistent")[
        "steps"
    ][0]["claims"]
    assert (claim["subnet"], claim["standing"]) == ("snet-endpoints", "won")


def test_a_zone_file_shows_no_terms_of_endpoints(run: Run, config: Path) -> None:
    out = run("explain", "files.corp.example", "-c", config).out
    assert "├─ zone corp.example of a zone file: on_miss nxdomain\n" in out


def test_a_mistake_is_found_without_asking_anybody(run: Run, config: Path) -> None:
    ran = run("explain", "https://kv.vault.azure.net/keys", "-c", config)
    assert ran.err == "pldns: https://kv.vault.azure.net/keys is a URL; the name in it is kv.vault.azure.net\n"


def test_no_claim_is_visible_to_a_client_in_no_network(run: Run, config: Path) -> None:
    found = explained(run, config, "kv.vault.azure.net", "--client", "10.9.0.1")
    assert found["network"]["name"] is None
    assert {claim["standing"] for claim in claims(found).values()} == {"not-visible"}
    assert found["steps"][-1]["upstream"]["name"] == "kv.vault.azure.net"


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("shpo.blob.core.windows.net", "shop.blob.core.windows.net"),
        ("shpo.privatelink.blob.core.windows.net", "shop.privatelink.blob.core.windows.net"),
        ("fils.corp.example", "files.corp.example"),
        ("shop.blob.core.windows.net", None),
        ("quite-another.blob.core.windows.net", None),
        ("www.example.net", None),
    ],
)
def test_a_mistyped_name_brings_the_nearest_known_name(run: Run, config: Path, asked: str, nearest: str | None) -> None:
    assert explained(run, config, asked)["nearest"] == nearest
    out = run("explain", asked, "-c", config).out
    assert (f"\nnearest: {nearest} (no endpoint" in out) == (nearest is not None)


def test_a_network_can_be_the_client(run: Run, config: Path) -> None:
    ran = run("explain", "kv.vault.azure.net", "--client", "west", "-c", config)
    assert "\nclient 10.2.0.0, the first address of network west\n" in ran.out
    assert "NOERROR 10.2.0.5 of west" in ran.out
    ran = run("explain", "kv.vault.azure.net", "--client", "wets", "-c", config)
    assert (ran.code, ran.out) == (1, "")
    assert "nearest: `west`" in ran.err
