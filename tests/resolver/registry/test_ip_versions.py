"""Endpoints with IPv6 addresses: `ipVersionType`."""

from typing import Any

import pytest

from tests.registry_shapes import account, dual_stack_vnet, endpoint, network
from tests.resolver.registry.conftest import Arm

SIX = network("six", "virtualNetworks")
NEAR = account("near")
"""A target in the region of the network."""
ZONE = network("privatelink.blob.core.windows.net", "privateDnsZones")


async def _prepare(arm: Arm) -> None:
    assert (await arm("PUT", SIX, dual_stack_vnet())).status == 201
    assert (await arm("PUT", NEAR, {"location": "westeurope", "properties": {}})).status == 201


def _wish(kind: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return endpoint(NEAR, "blob", ipVersionType=kind, subnet={"id": f"{SIX}/subnets/pe"}, **properties)


async def _rows(arm: Arm, body: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 - JSON
    nic = (await arm("GET", body["properties"]["networkInterfaces"][0]["id"])).body
    rows = (each["properties"] for each in nic["properties"]["ipConfigurations"])
    names = ("privateIPAddressVersion", "privateIPAddress", "privateIPAllocationMethod")
    return [(each[names[0]], each[names[1]], each[names[2]]) for each in rows]


@pytest.mark.parametrize(
    ("kind", "addresses"),
    [
        ("IPv4", {"IPv4": "10.6.0.4"}),
        ("ipv6", {"IPv6": "fd00:6::4"}),
        ("DualStack", {"IPv4": "10.6.0.4", "IPv6": "fd00:6::4"}),
    ],
)
async def test_each_member_has_an_address_of_each_version(lab: Arm, kind: str, addresses: dict[str, str]) -> None:
    await _prepare(lab)
    made = (await lab("PUT", network("pe"), _wish(kind))).body
    assert made["properties"]["ipVersionType"].casefold() == kind.casefold()
    assert await _rows(lab, made) == [(version, each, "Dynamic") for version, each in addresses.items()]
    (config,) = made["properties"]["customDnsConfigs"]
    assert config == {"fqdn": "near.blob.core.windows.net", "ipAddresses": list(addresses.values())}
    group = {"privateDnsZoneConfigs": [{"name": "one", "properties": {"privateDnsZoneId": ZONE}}]}
    zones = (await lab("PUT", f"{network('pe')}/privateDnsZoneGroups/default", {"properties": group})).body
    records = zones["properties"]["privateDnsZoneConfigs"][0]["properties"]["recordSets"]
    wanted = {"IPv4": "A", "IPv6": "AAAA"}
    assert {each["recordType"]: each["ipAddresses"] for each in records} == {
        wanted[version]: [each] for version, each in addresses.items()
    }


async def test_the_addresses_of_one_version_may_be_static(lab: Arm) -> None:
    await _prepare(lab)
    wanted = {"groupId": "blob", "memberName": "blob", "privateIPAddress": "fd00:6::77"}
    configurations = [{"name": "c", "properties": wanted}]
    made = (await lab("PUT", network("pe"), _wish("DualStack", ipConfigurations=configurations))).body
    assert await _rows(lab, made) == [("IPv4", "10.6.0.4", "Dynamic"), ("IPv6", "fd00:6::77", "Static")]
    other = await lab("PUT", network("two"), _wish("IPv6", ipConfigurations=configurations))
    assert other.code == "PrivateIPAddressInUse"
    other = await lab("PUT", network("two"), _wish("IPv4", ipConfigurations=configurations))
    assert (other.status, other.code) == (400, "InvalidRequestContent")
    twice = await lab("PUT", network("two"), _wish("DualStack", ipConfigurations=configurations * 2))
    assert twice.code == "PrivateEndpointIpConfigurationInvalidMember"


async def test_an_ipv6_address_is_held_too(lab: Arm) -> None:
    await _prepare(lab)
    await lab("PUT", network("pe"), _wish("IPv6"))
    await lab("DELETE", network("pe"))
    made = (await lab("PUT", network("two"), _wish("IPv6"))).body
    assert await _rows(lab, made) == [("IPv6", "fd00:6::5", "Dynamic")]


async def test_where_an_endpoint_has_no_ipv6_addresses(lab: Arm) -> None:
    await _prepare(lab)
    hub = endpoint(NEAR, "blob", ipVersionType="DualStack")
    far = _wish("IPv6")
    link = far["properties"]["privateLinkServiceConnections"][0]["properties"]
    link["privateLinkServiceId"] = account()  # in northeurope
    for body, word in ((hub, "IPv6 prefix"), (far, "northeurope"), (_wish("IPv5"), "DualStack")):
        answer = await lab("PUT", network("pe"), body)
        assert (answer.status, answer.code) == (400, "InvalidRequestContent")
        assert word in answer.body["error"]["message"]
        assert (await lab("GET", network("pe"))).status == 404


async def test_the_versions_of_an_endpoint_stay_the_same(lab: Arm) -> None:
    await _prepare(lab)
    await lab("PUT", network("pe"), _wish("IPv4"))
    assert (await lab("PUT", network("pe"), _wish("DualStack"))).code == "PropertyChangeNotAllowed"
    assert (await lab("PUT", network("pe"), _wish("ipv4"))).status == 200
