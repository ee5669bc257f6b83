"""The real `az` against a registry. `make az` installs azure-cli into `build/az`, or PLDNS_AZ names the program."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import PATIENCE, Daemon, until
from tests.live.registry import RegistryClient, configuration
from tests.paths import ROOT
from tests.registry_shapes import BOTH, CONSUMER, PROVIDER, TENANT, account, network

AZ = Path(os.environ.get("PLDNS_AZ") or ROOT / "build/az/bin/az")
pytestmark = pytest.mark.live


class Az:
    """The command, with a home of its own, for one registry."""

    def __init__(self, home: Path, registry: RegistryClient) -> None:
        self._environment = {
            **os.environ,
            "AZURE_CONFIG_DIR": str(home),
            "REQUESTS_CA_BUNDLE": str(registry.authority),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "1",
        }

    def __call__(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command, which must succeed. Return what it prints."""
        done = subprocess.run(
            [AZ, *words, "--output", "json"], env=self._environment, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"az {' '.join(words)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[Daemon, Az]]:
    """A daemon with an empty registry, and an `az` that is logged in. azure-cli has 700 MB, so CI does not have it."""
    if not AZ.exists():
        pytest.skip(f"there is no {AZ}: run `make az`, or set PLDNS_AZ to the program")
    config, registry = configuration(tmp_path)
    daemon = Daemon(tmp_path, config).start()
    try:
        daemon.ready()
        az = Az(tmp_path / "az", registry)
        az("cloud", "register", "-n", "lab", "--endpoint-resource-manager", registry.origin)
        az("cloud", "set", "-n", "lab")
        az("login", "--service-principal", "-u", BOTH.id, "-p", BOTH.secret, "--tenant", TENANT)
        yield daemon, az
    finally:
        daemon.stop()


def test_az_creates_approves_rejects_and_deletes_and_dig_agrees(lab: tuple[Daemon, Az]) -> None:
    daemon, az = lab
    for subscription in (CONSUMER, PROVIDER):
        az("group", "create", "-n", "rg", "-l", "westeurope", "--subscription", subscription)
    az(
        "network", "vnet", "create", "-g", "rg", "-n", "hub", "-l", "westeurope", "--address-prefixes", "10.1.0.0/16",
        "--subnet-name", "pe", "--subnet-prefixes", "10.1.0.0/24",
    )  # fmt: skip
    body = json.dumps({"location": "northeurope", "kind": "StorageV2", "properties": {}})
    az("resource", "create", "--id", account(), "--api-version", "2023-05-01", "--is-full-object", "--properties", body)
    create = (
        "network", "private-endpoint", "create", "-g", "rg", "-l", "westeurope", "--vnet-name", "hub", "--subnet", "pe",
        "--connection-name", "one",
    )  # fmt: skip

    # automatic
    az(*create, "-n", "auto", "--private-connection-resource-id", account(), "--group-id", "blob")
    until(lambda: daemon.addresses("acct.blob.core.windows.net") == {"10.1.0.4"})
    (nic,) = az("network", "nic", "list", "-g", "rg")
    assert nic["ipConfigurations"][0]["privateIPAddress"] == "10.1.0.4"

    # manual
    name = "acct.file.core.windows.net"
    az(*create, "-n", "asked", "--private-connection-resource-id", account(), "--group-id", "file",
       "--manual-request", "true", "--request-message", "please")  # fmt: skip
    rows = az("network", "private-endpoint-connection", "list", "--id", account())
    (waiting,) = [row["id"] for row in rows if row["name"].startswith("asked.")]
    assert not daemon.addresses(name)
    az("network", "private-endpoint-connection", "approve", "--id", waiting, "--description", "yes")
    until(lambda: daemon.addresses(name))
    az("network", "private-endpoint-connection", "reject", "--id", waiting, "--description", "no")
    until(lambda: not daemon.addresses(name))
    az("network", "private-endpoint-connection", "delete", "--id", waiting, "--yes")
    shown = az("network", "private-endpoint", "show", "-g", "rg", "-n", "asked")
    (link,) = shown["manualPrivateLinkServiceConnections"]
    assert link["privateLinkServiceConnectionState"]["status"] == "Disconnected"

    # by alias
    az("network", "vnet", "subnet", "create", "-g", "rg", "--vnet-name", "hub", "-n", "nat", "--address-prefixes",
       "10.1.1.0/24", "--private-link-service-network-policies", "Disabled")  # fmt: skip
    service = az("network", "private-link-service", "create", "-g", "rg", "-n", "svc", "-l", "westeurope",
                 "--vnet-name", "hub", "--subnet", "nat", "--lb-name", "lb", "--lb-frontend-ip-configs", "fe",
                 "--visibility", CONSUMER, "--auto-approval", CONSUMER, "--fqdns", "app.corp.example")  # fmt: skip
    az(*create, "-n", "by-alias", "--private-connection-resource-id", service["alias"], "--manual-request", "true")
    until(lambda: daemon.addresses("app.corp.example"))

    # a DNS zone group, and the end
    zone = network("privatelink.blob.core.windows.net", "privateDnsZones")
    made = az("network", "private-endpoint", "dns-zone-group", "create", "-g", "rg", "--endpoint-name", "auto", "-n",
              "default", "--zone-name", "blob", "--private-dns-zone", zone)  # fmt: skip
    (record,) = made["privateDnsZoneConfigs"][0]["recordSets"]
    assert (record["recordSetName"], record["ipAddresses"]) == ("acct", ["10.1.0.4"])
    az("group", "delete", "-n", "rg", "--yes")
    until(lambda: not daemon.addresses("acct.blob.core.windows.net"))
    assert az("group", "exists", "-n", "rg") is False
