"""Private endpoints: each test has one fact of the page "What is a private endpoint?", in other words."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.registry_shapes import (
    AUDITOR,
    CONSUMER,
    NETWORKER,
    PROVIDER,
    SUBNET,
    SUPPLIER,
    account,
    endpoint,
    group,
    network,
    status_of,
    vnet,
)
from tests.resolver.registry.conftest import Arm


async def _nic(arm: Arm, body: Any) -> Any:  # noqa: ANN401 - JSON
    return (await arm("GET", body["properties"]["networkInterfaces"][0]["id"])).body


def _addresses(nic: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [each["properties"]["privateIPAddress"] for each in nic["properties"]["ipConfigurations"]]


# -- the network interface and its addresses


async def test_a_network_interface_is_made_with_an_endpoint_and_goes_with_it(lab: Arm) -> None:
    made = (await lab("PUT", network("pe"), endpoint(account(), "blob"))).body
    nic = await _nic(lab, made)
    assert nic["properties"]["privateEndpoint"]["id"] == made["id"]
    (config,) = nic["properties"]["ipConfigurations"]
    link = config["properties"]["privateLinkConnectionProperties"]
    assert link == {"groupId": "blob", "requiredMemberName": "blob", "fqdns": ["acct.blob.core.windows.net"]}
    assert (await lab("DELETE", nic["id"])).code == "NicInUseWithPrivateEndpoint"
    assert (await lab("PUT", nic["id"], {"location": "westeurope"})).status == 405
    assert (await lab("DELETE", network("pe"))).status == 202
    assert (await lab("GET", nic["id"])).code == "ResourceNotFound"


async def test_the_address_is_from_the_subnet_and_stays_the_same(lab: Arm) -> None:
    made = (await lab("PUT", network("pe"), endpoint(account(), "blob"))).body
    (address,) = _addresses(await _nic(lab, made))
    assert ip_address(address) in ip_network("10.1.0.0/24")
    (connection,) = (await lab("GET", f"{account()}/privateEndpointConnections")).body["value"]
    for status in ("Rejected", "Approved"):
        state = {"privateLinkServiceConnectionState": {"status": status}}
        assert (await lab("PUT", connection["id"], {"properties": state})).status == 200
        assert _addresses(await _nic(lab, made)) == [address]
    again = await lab("PUT", network("pe"), endpoint(account(), "blob") | {"tags": {"a": "b"}})
    assert again.status == 200
    assert _addresses(await _nic(lab, again.body)) == [address]


async def test_a_static_address_is_given_once(lab: Arm) -> None:
    wanted = [{"name": "c", "properties": {"groupId": "blob", "memberName": "blob", "privateIPAddress": "10.1.0.77"}}]
    made = await lab("PUT", network("pe"), endpoint(account(), "blob", ipConfigurations=wanted))
    nic = await _nic(lab, made.body)
    assert _addresses(nic) == ["10.1.0.77"]
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAllocationMethod"] == "Static"
    other = await lab("PUT", network("pe2"), endpoint(account(), "blob", ipConfigurations=wanted))
    assert (other.status, other.code) == (400, "PrivateIPAddressInUse")
    assert (await lab("GET", network("pe2"))).status == 404


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.1.0.3", "PrivateIPAddressInReservedRange"),
        ("10.1.0.255", "PrivateIPAddressInReservedRange"),
        ("10.2.0.9", "PrivateIPAddressNotInSubnet"),
        ("nonsense", "InvalidIPAddressFormat"),
    ],
)
async def test_an_address_that_cannot_be_given_is_refused(lab: Arm, address: str, code: str) -> None:
    wanted = [{"name": "c", "properties": {"groupId": "blob", "memberName": "blob", "privateIPAddress": address}}]
    answer = await lab("PUT", network("pe"), endpoint(account(), "blob", ipConfigurations=wanted))
    assert (answer.status, answer.code) == (400, code)


async def test_a_released_address_is_not_given_again_for_a_while(lab: Arm) -> None:
    first = (await lab("PUT", network("one"), endpoint(account(), "blob"))).body
    (address,) = _addresses(await _nic(lab, first))
    await lab("DELETE", network("one"))
    second = (await lab("PUT", network("two"), endpoint(account(), "blob"))).body
    assert _addresses(await _nic(lab, second)) != [address]


async def test_a_full_subnet_is_refused(lab: Arm) -> None:
    small = {"properties": {"addressPrefix": "10.1.9.0/29"}}
    assert (await lab("PUT", network("hub/subnets/small", "virtualNetworks"), small)).status == 201
    body = endpoint(account(), "blob", subnet={"id": network("hub/subnets/small", "virtualNetworks")})
    for i in range(3):
        assert (await lab("PUT", network(f"pe{i}"), body)).status == 201
    answer = await lab("PUT", network("pe3"), body)
    assert (answer.status, answer.code) == (400, "SubnetIsFull")


async def test_the_interface_has_the_name_that_the_consumer_chooses(lab: Arm) -> None:
    body = endpoint(account(), "blob", customNetworkInterfaceName="my-nic")
    made = (await lab("PUT", network("pe"), body)).body
    assert made["properties"]["networkInterfaces"] == [{"id": network("my-nic", "networkInterfaces")}]
    assert made["properties"]["customNetworkInterfaceName"] == "my-nic"
    assert (await lab("PUT", network("pe2"), body)).code == "NetworkInterfaceNameInUse"


# -- where an endpoint may be


async def test_an_endpoint_is_in_the_region_of_its_network_and_its_target_anywhere(lab: Arm) -> None:
    elsewhere = endpoint(account(), "blob") | {"location": "eastus"}
    assert (await lab("PUT", network("pe"), elsewhere)).code == "InvalidResourceReference"
    assert (await lab("GET", account())).body["location"] == "northeurope"
    assert (await lab("PUT", network("pe"), endpoint(account(), "blob"))).status == 201


async def test_an_endpoint_is_in_the_subscription_of_its_network(lab: Arm) -> None:
    answer = await lab("PUT", network("pe", subscription=PROVIDER), endpoint(account(), "blob"))
    assert answer.code == "InvalidResourceReference"


async def test_several_endpoints_may_have_one_target(lab: Arm) -> None:
    for name in ("one", "two"):
        assert (await lab("PUT", network(name), endpoint(account(), "blob"))).status == 201
    assert len((await lab("GET", f"{account()}/privateEndpointConnections")).body["value"]) == 2


async def test_an_endpoint_is_for_one_sub_resource(lab: Arm) -> None:
    assert (await lab("PUT", network("pe"), endpoint(account(), "blob", "file"))).code == "OnlyOneGroupIdPermitted"
    assert (await lab("PUT", network("pe"), endpoint(account(), "vault"))).code == "InvalidGroupId"
    assert (await lab("PUT", network("pe"), endpoint(account()))).status == 400
    for sub in ("blob", "file"):
        assert (await lab("PUT", network(sub), endpoint(account(), sub))).status == 201


async def test_an_endpoint_has_one_connection(lab: Arm) -> None:
    body = endpoint(account(), "blob")
    body["properties"]["manualPrivateLinkServiceConnections"] = body["properties"]["privateLinkServiceConnections"]
    assert (await lab("PUT", network("pe"), body)).code == "InvalidRequestContent"


async def test_what_lasts_cannot_be_changed(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    answer = await lab("PUT", network("pe"), endpoint(account(), "file"))
    assert (answer.status, answer.code) == (409, "PropertyChangeNotAllowed")


async def test_a_missing_target_or_subnet_is_refused(lab: Arm) -> None:
    assert (await lab("PUT", network("pe"), endpoint(account("none"), "blob"))).code == "InvalidResourceReference"
    body = endpoint(account(), "blob", subnet={"id": f"{SUBNET}x"})
    assert (await lab("PUT", network("pe"), body)).code == "InvalidResourceReference"
    body = endpoint(account(), "blob", subnet={"id": account()})
    assert (await lab("PUT", network("pe"), body)).code == "LinkedInvalidPropertyId"


# -- approval


async def test_a_caller_with_rights_on_the_target_is_approved_at_once(lab: Arm) -> None:
    made = (await lab("PUT", network("pe"), endpoint(account(), "blob"))).body
    assert status_of(made) == "Approved"
    assert made["properties"]["customDnsConfigs"] == [
        {"fqdn": "acct.blob.core.windows.net", "ipAddresses": ["10.1.0.4"]}
    ]


@pytest.mark.parametrize("manual", [False, True])
async def test_a_caller_without_rights_waits_and_learns_no_name(lab: Arm, manual: bool) -> None:
    made = (await lab("PUT", network("pe"), endpoint(account(), "blob", manual=manual), client=NETWORKER)).body
    assert status_of(made) == "Pending"
    assert made["properties"]["customDnsConfigs"] == []
    nic = await _nic(lab, made)
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"]["fqdns"] == []


async def test_the_owner_decides_at_any_time_and_both_sides_show_the_same(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob", manual=True), client=NETWORKER)
    connections = f"{account()}/privateEndpointConnections"
    (connection,) = (await lab("GET", connections, client=SUPPLIER)).body["value"]
    assert connection["properties"]["privateEndpoint"]["id"] == network("pe")
    for status in ("Approved", "Rejected", "Approved"):
        state = {"privateLinkServiceConnectionState": {"status": status, "description": "because"}}
        shown = (await lab("PUT", connection["id"], {"properties": state}, client=SUPPLIER)).body
        seen = (await lab("GET", network("pe"), client=NETWORKER)).body
        assert status_of(seen) == status
        link = seen["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
        both = (link, shown["properties"])
        assert {each["privateLinkServiceConnectionState"]["description"] for each in both} == {"because"}
    assert (await lab("DELETE", connection["id"], client=SUPPLIER)).status == 202
    assert (await lab("GET", connections, client=SUPPLIER)).body["value"] == []
    assert status_of((await lab("GET", network("pe"))).body) == "Disconnected"
    again = await lab("PUT", network("pe"), endpoint(account(), "blob", manual=True))
    assert again.code == "PrivateEndpointCannotBeUpdatedInDisconnectedState"
    answer = await lab("PUT", connection["id"], {"properties": {}})
    assert (answer.status, answer.code) == (404, "ResourceNotFound")
    assert (await lab("DELETE", network("pe"))).status == 202


async def test_a_connection_of_an_endpoint_with_a_long_name_can_be_approved(lab: Arm) -> None:
    await lab("PUT", network("e" * 80), endpoint(account(), "blob", manual=True), client=NETWORKER)
    (connection,) = (await lab("GET", f"{account()}/privateEndpointConnections")).body["value"]
    state = {"privateLinkServiceConnectionState": {"status": "Approved"}}
    assert (await lab("PUT", connection["id"], {"properties": state}, client=SUPPLIER)).status == 200


async def test_an_endpoint_whose_target_is_deleted_is_disconnected(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    assert (await lab("DELETE", account())).status == 202
    assert status_of((await lab("GET", network("pe"))).body) == "Disconnected"


async def test_each_side_sees_its_own_subscription_only(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob", manual=True), client=NETWORKER)
    assert (await lab("GET", network("pe"), client=SUPPLIER)).code == "AuthorizationFailed"
    assert (await lab("GET", account(), client=NETWORKER)).code == "AuthorizationFailed"
    assert (await lab("GET", network("pe"), client=AUDITOR)).status == 200
    assert (await lab("DELETE", network("pe"), client=AUDITOR)).code == "AuthorizationFailed"
    listed = (await lab("GET", "/subscriptions", client=SUPPLIER)).body["value"]
    assert [each["subscriptionId"] for each in listed] == [PROVIDER]


async def test_a_message_of_more_than_140_characters_is_refused(lab: Arm) -> None:
    body = endpoint(account(), "blob", manual=True)
    link = body["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    link["requestMessage"] = "x" * 141
    assert (await lab("PUT", network("pe"), body)).status == 400


# -- groups


async def test_a_group_takes_its_resources_with_it(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    answer = await lab("DELETE", group())
    assert answer.status == 202
    assert (await lab("GET", group())).code == "ResourceGroupNotFound"
    assert (await lab("GET", f"{account()}/privateEndpointConnections")).body["value"] == []
    await lab("PUT", group(), {"location": "westeurope"})
    assert (await lab("GET", f"/subscriptions/{CONSUMER}/providers/Microsoft.Network/networkInterfaces")).body == {
        "value": []
    }
    await lab("PUT", network("hub", "virtualNetworks"), vnet())


async def test_a_network_with_an_endpoint_cannot_be_deleted(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    assert (await lab("DELETE", network("hub", "virtualNetworks"))).code == "InUseSubnetCannotBeDeleted"
    assert (await lab("DELETE", SUBNET)).code == "InUseSubnetCannotBeDeleted"
    held = (await lab("GET", SUBNET)).body["properties"]["privateEndpoints"]
    assert held == [{"id": network("pe")}]
