"""`pldns suffixes`: what is listed, and the syntax of the products that tests cannot run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resolver.cli.options import ForwarderProduct
from tests.paths import ROOT

Run = Callable[..., Any]
ESTATE = [
    "corp.example", "azurecontainerapps.io", "vault.azure.net", "vaultcore.azure.net", "blob.core.windows.net",
]  # fmt: skip


def write_zone(config: Path, origin: str, records: str = "") -> None:
    """Replace the estate's one zone file."""
    soa = "@ SOA ns.example. h.example. 1 3600 300 2419200 30\n@ NS ns.example.\n"
    (config.parent / "corp.zone").write_text(f"$ORIGIN {origin}.\n$TTL 60\n{soa}{records}")


def test_an_estate_has_the_suffixes_of_its_endpoints_and_zone_files(run: Run, config: Path) -> None:
    ran = run("suffixes", "-c", config)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == ESTATE
    assert run("suffixes", "-c", config, "-o", "json").json == ESTATE


def test_names_that_are_never_asked_upstream_are_forwarded_too(run: Run, config: Path) -> None:
    text = config.read_text().replace("zones:", "zones:\n  private_only: [use-application-dns.net, x.corp.example]")
    config.write_text(text)
    found = run("suffixes", "-c", config, "-o", "json").json
    assert sorted(found) == sorted([*ESTATE, "use-application-dns.net"])


def test_names_outside_the_catalogue_are_forwarded_alone(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "more.yaml").write_text(
        "endpoints:\n"
        "  - {name: rm, target: rm, records: [{fqdn: management.azure.com, ips: [10.1.0.30]}]}\n"
        "  - {name: pay, target: pay, records: [{fqdn: pay.fabrikam.example, ips: [10.1.0.31]}]}\n"
        "  - {name: late, target: late, state: Pending, records: [{fqdn: late.documents.azure.com, ips: [10.1.0.8]}]}\n"
    )
    found = run("suffixes", "-c", config, "-o", "json").json
    assert {"management.azure.com", "pay.fabrikam.example"} <= set(found)
    assert not {"azure.com", "fabrikam.example", "documents.azure.com"} & set(found)


def test_the_records_of_a_private_link_zone_file_have_public_names(run: Run, config: Path) -> None:
    write_zone(config, "privatelink.documents.azure.com", "cosmos A 10.1.0.40\n")
    found = run("suffixes", "-c", config, "-o", "json").json
    assert "documents.azure.com" in found
    assert "corp.example" not in found


def test_all_suffixes_include_those_of_the_estate(run: Run, config: Path) -> None:
    everything = set(run("suffixes", "--all", "-c", config, "-o", "json").json)
    assert everything > {*ESTATE, "redis.azure.net", "vaultcore.azure.cn"}
    china = set(run("suffixes", "--all", "--cloud", "china", "-c", config, "-o", "json").json)
    assert china > {*ESTATE, "vaultcore.azure.cn"}
    assert "redis.azure.net" not in china


def test_more_suffixes_can_be_named(run: Run, config: Path) -> None:
    also = ["--also", "10.in-addr.arpa", "--also", "X.blob.core.windows.net."]
    assert sorted(run("suffixes", "-c", config, *also).out.splitlines()) == sorted([*ESTATE, "10.in-addr.arpa"])


def test_without_a_configuration_the_whole_catalogue_is_listed(run: Run) -> None:
    everything = run("suffixes").out.splitlines()
    assert everything == run("suffixes", "--all", "-o", "json").json
    assert len(everything) > 150
    assert "corp.example" not in everything


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--cloud", "china"], "--all"),
        (["--for", "bind"], "--server"),
        (["--server", "10.0.0.53"], "--for"),
        (["--for", "bind", "--server", "10.0.0.53", "-o", "json"], "-o json"),
        (["--for", "bind", "--server", "pldns.example"], "pldns.example"),
        (["--for", "windows", "--server", "10.0.0.53:5300"], "port 53"),
        (["--for", "isc"], "isc"),
        (["--also", "a..b"], "a..b"),
    ],
)
def test_a_mistake_is_one_line(run: Run, config: Path, arguments: list[str], text: str) -> None:
    ran = run("suffixes", "-c", config, *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert text in ran.err
    assert ran.err.count("\n") == 1


def test_an_estate_without_names_makes_no_configuration(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "all.yaml").write_text("endpoints: []\n")
    (config.parent / "corp.zone").unlink()
    config.write_text(config.read_text().replace("  files: [./corp.zone]\n", ""))
    assert run("suffixes", "-c", config).out == ""
    ran = run("suffixes", "-c", config, "--for", "bind", "--server", "10.0.0.53")
    assert (ran.code, ran.out) == (1, "")
    assert "--all" in ran.err


def test_a_source_that_cannot_be_read_is_noted(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "all.yaml").write_text("endpoints: [")
    ran = run("suffixes", "-c", config)
    assert (ran.code, ran.out.splitlines()) == (0, ["corp.example"])
    assert ran.err.startswith("pldns: source estate: its names are missing: ")


def test_a_name_that_is_no_host_name_is_left_out(run: Run, config: Path) -> None:
    write_zone(config, "0/25.2.0.192.in-addr.arpa")
    ran = run("suffixes", "-c", config)
    assert "in-addr.arpa" not in ran.out
    assert "0/25.2.0.192.in-addr.arpa is left out" in ran.err


def lines(run: Run, config: Path, product: str, *servers: str) -> list[str]:
    """Return the text for a product, without comments."""
    arguments = [word for server in servers for word in ("--server", server)]
    ran = run("suffixes", "-c", config, "--for", product, *arguments)
    assert (ran.code, ran.err) == (0, "")
    shown: list[str] = ran.out.splitlines()
    start = len([line for line in shown if re.match(r"(#|//|--) ", line)])
    assert start >= 2, "a comment says how the text is used"
    assert "10.0.0.53" in shown[0]
    return shown[start:]


def test_coredns_gets_one_server_block(run: Run, config: Path) -> None:
    assert lines(run, config, "coredns", "10.0.0.53", "[fd00::53]", "10.0.1.53:5300") == [
        f"{' '.join(ESTATE)} {{",
        "    forward . 10.0.0.53 [fd00::53]:53 10.0.1.53:5300",
        "    cache",
        "    errors",
        "}",
    ]


def test_windows_gets_a_conditional_forwarder_for_each_suffix(run: Run, config: Path) -> None:
    found = lines(run, config, "windows", "10.0.0.53", "fd00::53")
    assert found == [
        f'Add-DnsServerConditionalForwarderZone -Name "{each}" -MasterServers 10.0.0.53,fd00::53' for each in ESTATE
    ]


def test_an_azure_ruleset_gets_a_rule_for_each_suffix(run: Run, config: Path) -> None:
    long = f"{'a' * 60}.{'b' * 60}.example"
    write_zone(config, long)
    found = lines(run, config, "azure-ruleset", "10.0.0.53", "10.0.1.53:5300")
    names = [re.search(r" -n (\S+) --domain-name (\S+) ", line) for line in found]
    assert [match[2] for match in names if match] == [f"{long}.", *(f"{each}." for each in ESTATE[1:])]
    assert all(re.fullmatch(r"[a-zA-Z][\w-]{,79}", match[1], re.ASCII) for match in names if match)
    assert found[2] == (
        'az dns-resolver forwarding-rule create -g "$RESOURCE_GROUP" --ruleset-name "$RULESET" '
        "-n pldns-vault_azure_net --domain-name vault.azure.net. --target-dns-servers "
        """'[{"ip-address": "10.0.0.53", "port": 53}, {"ip-address": "10.0.1.53", "port": 5300}]'"""
    )


def test_a_single_label_cannot_be_a_rule_of_azure(run: Run, config: Path) -> None:
    write_zone(config, "corp")
    ran = run("suffixes", "-c", config, "--for", "azure-ruleset", "--server", "10.0.0.53")
    assert (ran.code, ran.out) == (1, "")
    assert "two labels" in ran.err


@pytest.mark.parametrize(
    ("product", "line"),
    [
        ("unbound", "    forward-addr: fd00::53@5300"),
        ("bind", 'zone "corp.example" { type forward; forward only; forwarders { 10.0.0.53; fd00::53 port 5300; }; };'),
        ("dnsmasq", "server=/corp.example/fd00::53#5300"),
        (
            "knot-resolver",
            "policy.add(policy.suffix(policy.STUB({'10.0.0.53', 'fd00::53@5300'}), forwarded))",
        ),
    ],
)
def test_a_server_may_have_a_port(run: Run, config: Path, product: str, line: str) -> None:
    assert line in lines(run, config, product, "10.0.0.53", "[fd00::53]:5300")


def test_unbound_gives_its_own_zones_up(run: Run, config: Path) -> None:
    write_zone(config, "corp.test")
    found = lines(run, config, "unbound", "10.0.0.53")
    assert [line for line in found if "local-zone" in line] == ['    local-zone: "corp.test" transparent']
    assert not [line for line in found if "localhost" in line]


@pytest.mark.parametrize("product", ForwarderProduct)
def test_every_suffix_is_in_the_text_of_every_product(run: Run, config: Path, product: ForwarderProduct) -> None:
    text = "\n".join(lines(run, config, product, "10.0.0.53"))
    assert all(re.search(rf"(?<![\w.-]){re.escape(each)}(?![\w-])", text) for each in ESTATE)


def test_the_documentation_shows_what_is_printed(run: Run, config: Path) -> None:
    (config.parent / "endpoints" / "all.yaml").write_text(
        "endpoints: [{name: kv, target: kv, group: vault, records: [{fqdn: kv.vault.azure.net, ips: [10.1.0.5]}]}]"
    )
    config.write_text(config.read_text().replace("  files: [./corp.zone]\n", ""))
    shown = re.findall(
        r"^```console\n\$ pldns (suffixes --for \S+ --server \S+)\n```\n\n```\n(.*?)^```",
        (ROOT / "docs/behind.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert len(shown) == len(ForwarderProduct)
    for command, text in shown:
        assert run(*command.split(), "-c", config).out == text
