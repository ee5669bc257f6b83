"""The real `az` against a registry, from the README's short path on, with what `dig` says after each step."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.az import Lab
from tests.live.daemon import until
from tests.live.registry import RegistryClient
from tests.registry_shapes import endpoint, vnet

pytestmark = pytest.mark.live
MANY = 501
"""Endpoints: one more than a page has."""
NETWORK = "Microsoft.Network"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The README's registry after its last command, with a group `many` that was there before."""
    made = Lab(tmp_path_factory.mktemp("az"))
    try:
        _fill(made.start(), made.subscription)
        made.follow_the_readme()
        yield made
    finally:
        made.stop()
    assert "Traceback" not in (text := made.daemon.log.read_text()), text


def _fill(registry: RegistryClient, subscription: str) -> None:
    """Write a group with many endpoints."""
    group = f"/subscriptions/{subscription}/resourceGroups/many"
    wide = f"{group}/providers/{NETWORK}/virtualNetworks/wide"
    target = f"{group}/providers/Microsoft.Storage/storageAccounts/many"

    registry.put(group, {"location": "westeurope"})
    registry.put(wide, vnet("10.8.0.0/16", "10.8.0.0/20"))
    registry.put(target, {"location": "westeurope", "kind": "StorageV2"})
    one = endpoint(target, "blob", subnet={"id": f"{wide}/subnets/pe"})
    for i in range(MANY):
        registry.put(f"{group}/providers/{NETWORK}/privateEndpoints/pe{i}", one)


def _create(lab: Lab, name: str, target: str, *words: str) -> Any:  # noqa: ANN401 - JSON
    return lab.az(
        "network", "private-endpoint", "create", "-g", "rg", "-n", name, "--vnet-name", "hub", "--subnet", "pe",
        "--connection-name", "one", "--private-connection-resource-id", target, *words,
    )  # fmt: skip


def _target(lab: Lab) -> str:
    return f"/subscriptions/{lab.subscription}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"


def test_the_readmes_short_path_ends_with_an_answer(lab: Lab) -> None:
    assert lab.printed == lab.promised


def test_an_owner_approves_rejects_and_removes_a_manual_connection(lab: Lab) -> None:
    name, private = "acct.file.core.windows.net", "acct.privatelink.file.core.windows.net"
    rows = lab.az("network", "private-link-resource", "list", "--id", _target(lab))
    assert {"blob", "file"} <= {each["properties"]["groupId"] for each in rows}
    made = _create(lab, "asked", _target(lab), "--group-id", "file", "--manual-request", "true",
                   "--request-message", "please")  # fmt: skip
    assert made["manualPrivateLinkServiceConnections"][0]["requestMessage"] == "please"
    assert lab.dig(name) == []
    nic = lab.az("network", "nic", "show", "--ids", made["networkInterfaces"][0]["id"])
    assert nic["privateEndpoint"]["id"] == made["id"]
    address = nic["ipConfigurations"][0]["privateIPAddress"]

    connections = lab.az("network", "private-endpoint-connection", "list", "--id", _target(lab))
    (waiting,) = [each["id"] for each in connections if each["name"].startswith("asked.")]
    lab.az("network", "private-endpoint-connection", "approve", "--id", waiting, "--description", "yes")
    until(lambda: lab.dig(name) == [f"{name}. 10 IN CNAME {private}.", f"{private}. 10 IN A {address}"])
    lab.az("network", "private-endpoint-connection", "reject", "--id", waiting, "--description", "no")
    until(lambda: lab.dig(name) == [])
    lab.az("network", "private-endpoint-connection", "delete", "--id", waiting, "--yes")
    until(lambda: lab.dig(name) == [])
    asked = ("network", "private-endpoint", "{}", "-g", "rg", "-n", "asked")
    (link,) = lab.az(*(each.format("show") for each in asked))["manualPrivateLinkServiceConnections"]
    assert link["privateLinkServiceConnectionState"]["status"] == "Disconnected"
    why = lab.refused(*(each.format("update") for each in asked), "--request-message", "again")
    assert "PrivateEndpointCannotBeUpdatedInDisconnectedState" in why


def test_a_service_is_reached_by_its_alias(lab: Lab) -> None:
    name = "app.corp.example"
    lab.az("network", "vnet", "subnet", "create", "-g", "rg", "--vnet-name", "hub", "-n", "nat", "--address-prefixes",
           "10.1.1.0/24", "--private-link-service-network-policies", "Disabled")  # fmt: skip
    service = lab.az("network", "private-link-service", "create", "-g", "rg", "-n", "svc", "--vnet-name", "hub",
                     "--subnet", "nat", "--lb-name", "lb", "--lb-frontend-ip-configs", "fe", "--fqdns", name,
                     "--visibility", lab.subscription, "--auto-approval", lab.subscription)  # fmt: skip
    assert "alias" in lab.refused(
        "network", "private-endpoint", "create", "-g", "rg", "-n", "bad", "--vnet-name", "hub", "--subnet", "pe",
        "--connection-name", "one", "--private-connection-resource-id", service["alias"],
    )  # fmt: skip
    made = _create(lab, "by-alias", service["alias"], "--manual-request", "true")
    (link,) = made["manualPrivateLinkServiceConnections"]
    assert link["privateLinkServiceConnectionState"]["status"] == "Approved"
    (approving,) = lab.az("network", "private-link-service", "list-auto-approved", "-l", "westeurope")
    assert approving["privateLinkService"] == service["id"]
    nic = lab.az("network", "nic", "show", "--ids", made["networkInterfaces"][0]["id"])
    address = nic["ipConfigurations"][0]["privateIPAddress"]
    until(lambda: lab.dig(name) == [f"{name}. 10 IN A {address}"])


def test_zone_groups_peerings_tags_and_lists(lab: Lab) -> None:
    zones = f"/subscriptions/{lab.subscription}/resourceGroups/rg/providers/{NETWORK}/privateDnsZones"
    groups = ("network", "private-endpoint", "dns-zone-group")
    lab.az(*groups, "create", "-g", "rg", "--endpoint-name", "pe", "-n", "default", "--zone-name", "blob",
           "--private-dns-zone", f"{zones}/privatelink.blob.core.windows.net")  # fmt: skip
    (made,) = lab.az(*groups, "list", "-g", "rg", "--endpoint-name", "pe")
    (record,) = made["privateDnsZoneConfigs"][0]["recordSets"]
    assert (record["recordSetName"], record["ipAddresses"]) == ("acct", ["10.1.0.4"])
    until(lambda: lab.dig("acct.blob.core.windows.net") == lab.promised)

    lab.az("network", "vnet", "create", "-g", "rg", "-n", "spoke", "--address-prefixes", "10.2.0.0/16")
    states = [
        lab.az("network", "vnet", "peering", "create", "-g", "rg", "-n", "peering", "--vnet-name", one,
               "--remote-vnet", other, "--allow-vnet-access")["peeringState"]
        for one, other in (("hub", "spoke"), ("spoke", "hub"))
    ]  # fmt: skip
    assert states == ["Initiated", "Connected"]

    tagged = lab.az("network", "private-endpoint", "update", "-g", "rg", "-n", "pe", "--tags", "owner=me")
    assert (tagged["tags"], tagged["provisioningState"]) == ({"owner": "me"}, "Succeeded")
    assert len(lab.az("network", "private-endpoint", "list", "-g", "many")) == MANY
    assert len(lab.az("resource", "list", "-g", "many")) == 2 * MANY + 2  # each with its interface
    types = lab.az("network", "private-endpoint", "list-types", "-l", "westeurope")
    assert "Microsoft.Storage/storageAccounts" in {each["resourceName"] for each in types}


def test_deleted_endpoints_are_not_answered(lab: Lab) -> None:
    _create(lab, "short-lived", _target(lab), "--group-id", "queue")
    until(lambda: lab.dig("acct.queue.core.windows.net"))
    lab.az("network", "private-endpoint", "delete", "-g", "rg", "-n", "short-lived")
    until(lambda: lab.dig("acct.queue.core.windows.net") == [])
    assert lab.dig("many.blob.core.windows.net")
    lab.az("group", "delete", "-n", "many", "--yes")
    until(lambda: lab.dig("many.blob.core.windows.net") == [])
