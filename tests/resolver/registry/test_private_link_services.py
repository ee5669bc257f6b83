"""Private link services: the alias, who sees it, and whose connections are approved at once."""

from typing import Any

from tests.registry_shapes import CONSUMER, NETWORKER, PROVIDER, SUPPLIER, endpoint, group, network, status_of, vnet
from tests.resolver.registry.conftest import Arm

SERVICE = network("svc", "privateLinkServices", subscription=PROVIDER)
NAT = network("net/subnets/nat", "virtualNetworks", subscription=PROVIDER)
FRONTEND = network("lb/frontendIPConfigurations/fe", "loadBalancers", subscription=PROVIDER)


def _service(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "location": "westeurope",
        "properties": {
            "loadBalancerFrontendIpConfigurations": [{"id": FRONTEND}],
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": NAT}}}],
            "fqdns": ["app.corp.example"],
            **properties,
        },
    }


async def _made(arm: Arm, **properties: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a service that the supplier made, with the network for its NAT addresses."""
    await arm("PUT", network("net", "virtualNetworks", subscription=PROVIDER), vnet("10.9.0.0/16", "10.9.0.0/24"))
    subnet = {"addressPrefix": "10.9.1.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    await arm("PUT", NAT, {"properties": subnet})
    answer = await arm("PUT", SERVICE, _service(**properties), client=SUPPLIER)
    assert answer.status == 201, answer
    return answer.body


async def test_an_alias_has_the_name_a_guid_and_the_region_and_stays(lab: Arm) -> None:
    made = await _made(lab)
    prefix, guid, *rest = made["properties"]["alias"].split(".", 2)
    assert (prefix, len(guid), rest) == ("svc", 36, ["westeurope.azure.privatelinkservice"])
    again = await lab("PUT", SERVICE, _service(fqdns=[]))
    assert again.body["properties"]["alias"] == made["properties"]["alias"]


async def test_an_alias_connects_with_the_manual_flow_and_waits_for_the_owner(lab: Arm) -> None:
    alias = (await _made(lab, visibility={"subscriptions": ["*"]}))["properties"]["alias"]
    automatic = await lab("PUT", network("pe"), endpoint(alias), client=NETWORKER)
    assert (automatic.status, automatic.code) == (400, "InvalidRequestContent")
    made = (await lab("PUT", network("pe"), endpoint(alias, manual=True), client=NETWORKER)).body
    assert status_of(made) == "Pending"
    assert made["properties"]["customDnsConfigs"] == []
    (connection,) = (await lab("GET", SERVICE, client=SUPPLIER)).body["properties"]["privateEndpointConnections"]
    state = {"privateLinkServiceConnectionState": {"status": "Approved", "description": "yes"}}
    await lab("PUT", connection["id"], {"properties": state}, client=SUPPLIER)
    seen = (await lab("GET", network("pe"), client=NETWORKER)).body
    assert status_of(seen) == "Approved"
    assert [each["fqdn"] for each in seen["properties"]["customDnsConfigs"]] == ["app.corp.example"]


async def test_a_listed_subscription_is_approved_at_once(lab: Arm) -> None:
    lists = {"visibility": {"subscriptions": [CONSUMER]}, "autoApproval": {"subscriptions": [CONSUMER]}}
    alias = (await _made(lab, **lists))["properties"]["alias"]
    made = await lab("PUT", network("pe"), endpoint(alias, manual=True), client=NETWORKER)
    assert status_of(made.body) == "Approved"


async def test_a_service_that_is_not_visible_is_not_found_by_its_alias(lab: Arm) -> None:
    alias = (await _made(lab))["properties"]["alias"]
    path = f"{group()}/providers/Microsoft.Network/locations/westeurope/checkPrivateLinkServiceVisibility"
    assert (await lab("POST", path, {"privateLinkServiceAlias": alias}, client=NETWORKER)).body == {"visible": False}
    answer = await lab("PUT", network("pe"), endpoint(alias, manual=True), client=NETWORKER)
    assert answer.code == "PrivateLinkServiceAliasNotFound"
    answer = await lab("PUT", network("pe"), endpoint(SERVICE, manual=True), client=NETWORKER)
    assert answer.code == "LinkedAuthorizationFailed"
    await lab("PUT", SERVICE, _service(visibility={"subscriptions": [CONSUMER]}))
    assert (await lab("POST", path, {"privateLinkServiceAlias": alias}, client=NETWORKER)).body == {"visible": True}


async def test_auto_approval_is_a_part_of_visibility(lab: Arm) -> None:
    await _made(lab)
    answer = await lab("PUT", SERVICE, _service(autoApproval={"subscriptions": [CONSUMER]}))
    assert (answer.status, answer.code) == (400, "InvalidRequestContent")


async def test_eight_services_fit_behind_one_load_balancer(lab: Arm) -> None:
    await _made(lab)
    answers = [
        await lab("PUT", network(f"svc{i}", "privateLinkServices", subscription=PROVIDER), _service()) for i in range(8)
    ]
    assert [each.status for each in answers] == [201] * 7 + [400]
    assert answers[-1].code == "OperationNotAllowed"


async def test_a_service_with_connections_stays(lab: Arm) -> None:
    await _made(lab, visibility={"subscriptions": ["*"]})
    await lab("PUT", network("pe"), endpoint(SERVICE))
    assert (await lab("DELETE", SERVICE)).code == "PrivateLinkServiceInUse"
    await lab("DELETE", network("pe"))
    assert (await lab("DELETE", SERVICE)).status == 202


async def test_a_nat_subnet_has_no_policies(lab: Arm) -> None:
    await _made(lab)
    body = _service()
    body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] = NAT.replace("/nat", "/pe")
    answer = await lab("PUT", f"{SERVICE}2", body)
    assert answer.code == "PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"
