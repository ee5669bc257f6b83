"""Virtual networks: their subnets and peerings."""

import pytest

from tests.registry_shapes import BOTH, NETWORKER, PROVIDER, SUBNET, account, endpoint, network, vnet
from tests.resolver.registry.conftest import Arm

HUB, SPOKE = network("hub", "virtualNetworks"), network("spoke", "virtualNetworks")


async def _state(arm: Arm, peering: str) -> str:
    return str((await arm("GET", peering)).body["properties"]["peeringState"])


def _peering(remote: str) -> dict[str, object]:
    return {"properties": {"remoteVirtualNetwork": {"id": remote}}}


async def test_a_peering_is_connected_when_both_sides_have_one(lab: Arm) -> None:
    await lab("PUT", SPOKE, vnet("10.2.0.0/16", "10.2.0.0/24"))
    to_spoke, to_hub = f"{HUB}/virtualNetworkPeerings/a", f"{SPOKE}/virtualNetworkPeerings/b"
    await lab("PUT", to_spoke, _peering(SPOKE))
    assert await _state(lab, to_spoke) == "Initiated"
    await lab("PUT", to_hub, _peering(HUB))
    assert [await _state(lab, each) for each in (to_spoke, to_hub)] == ["Connected"] * 2
    shown = (await lab("GET", HUB)).body["properties"]["virtualNetworkPeerings"]
    assert [each["properties"]["remoteVirtualNetwork"]["id"] for each in shown] == [SPOKE]
    assert (await lab("PUT", f"{HUB}/virtualNetworkPeerings/c", _peering(SPOKE))).status == 400
    await lab("DELETE", SPOKE)
    assert await _state(lab, to_spoke) == "Disconnected"


async def test_a_peering_needs_another_network_that_exists(lab: Arm) -> None:
    path = f"{HUB}/virtualNetworkPeerings/a"
    assert (await lab("PUT", path, _peering(HUB))).status == 400
    assert (await lab("PUT", path, _peering(SPOKE))).code == "InvalidResourceReference"


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.9.0.0/24", "NetcfgInvalidSubnet"),
        ("10.1.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.1.1.0/30", "NetcfgInvalidSubnet"),
        ("10.1.1.1/24", "InvalidAddressPrefixFormat"),
    ],
)
async def test_a_subnet_that_does_not_fit_is_refused(lab: Arm, prefix: str, code: str) -> None:
    answer = await lab("PUT", f"{HUB}/subnets/two", {"properties": {"addressPrefix": prefix}})
    assert (answer.status, answer.code) == (400, code)


async def test_subnets_of_a_body_replace_those_before_unless_one_is_in_use(lab: Arm) -> None:
    body = vnet()
    body["properties"]["subnets"] = [{"name": "other", "properties": {"addressPrefix": "10.1.5.0/24"}}]
    assert (await lab("PUT", HUB, body)).status == 200
    shown = (await lab("GET", HUB)).body["properties"]["subnets"]
    assert [each["name"] for each in shown] == ["other"]
    await lab("PUT", HUB, vnet())
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    assert (await lab("PUT", HUB, body)).code == "InUseSubnetCannotBeDeleted"
    del body["properties"]["subnets"]
    assert (await lab("PUT", HUB, body)).status == 200
    assert (await lab("GET", SUBNET)).status == 200


async def test_a_subnet_in_use_keeps_its_prefix(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    answer = await lab("PUT", SUBNET, {"properties": {"addressPrefix": "10.1.7.0/24"}})
    assert answer.code == "InUsePrefixCannotBeDeleted"
    answer = await lab("PUT", SUBNET, {"properties": {"addressPrefixes": ["10.1.0.0/24", "10.1.7.0/24"]}})
    assert answer.body["properties"]["addressPrefixes"] == ["10.1.0.0/24", "10.1.7.0/24"]
    shrunk = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.3.0.0/16"]}}}
    assert (await lab("PUT", HUB, shrunk)).code == "NetcfgInvalidSubnet"


async def test_a_peering_needs_a_role_on_both_sides(lab: Arm) -> None:
    other = network("far", "virtualNetworks", subscription=PROVIDER)
    await lab("PUT", other, vnet("10.3.0.0/16", "10.3.0.0/24"))
    answer = await lab("PUT", f"{HUB}/virtualNetworkPeerings/p", _peering(other), client=NETWORKER)
    assert (answer.status, answer.code) == (403, "LinkedAuthorizationFailed")
    assert (await lab("PUT", f"{HUB}/virtualNetworkPeerings/p", _peering(other), client=BOTH)).status == 201
