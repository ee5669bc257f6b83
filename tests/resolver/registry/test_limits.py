"""Azure's limits in the registry: a request beyond one is refused, and one that comes near succeeds with a line."""

import logging
from typing import Any

import pytest

from resolver.registry.model.resource_id import ArmId
from resolver.registry.registry import Registry
from resolver.registry.service.call import Call
from tests.registry_shapes import (
    BOTH,
    PROVIDER,
    account,
    caller,
    endpoint,
    group,
    network,
    vnet,
)
from tests.resolver.registry.conftest import Arm

HUB = network("hub", "virtualNetworks")


def _vault(name: str) -> str:
    return f"{group(subscription=PROVIDER)}/providers/Microsoft.KeyVault/vaults/{name}"


async def _fill(registry: Registry, count: int) -> None:
    """Count endpoints in the network `HUB` without making these."""

    def put(call: Call) -> None:
        for i in range(count):
            made = ArmId.parse(network(f"other{i}"))
            body: Any = {"id": str(made), "properties": {"networkInterfaces": []}}
            call.tx.put(made, body, network=HUB.casefold())

    await registry.write(caller(BOTH), put)


def _scaled(policy: str) -> dict[str, Any]:
    body = vnet()
    del body["properties"]["subnets"]
    body["properties"]["privateEndpointVNetPolicies"] = policy
    return body


async def test_a_network_has_1000_endpoints_and_5000_with_high_scale(lab: Arm, registry: Registry) -> None:
    await _fill(registry, 999)
    assert (await lab("PUT", network("last"), endpoint(account(), "blob"))).status == 201
    answer = await lab("PUT", network("more"), endpoint(account(), "blob"))
    assert (answer.status, answer.code) == (400, "OperationNotAllowed")
    assert "1,000 private endpoints" in answer.body["error"]["message"]
    assert answer.body["error"]["target"] == HUB
    scaled = (await lab("PUT", HUB, _scaled("basic"))).body
    assert scaled["properties"]["privateEndpointVNetPolicies"] == "Basic"
    assert (await lab("PUT", network("more"), endpoint(account(), "blob"))).status == 201
    back = await lab("PUT", HUB, _scaled("Disabled"))
    assert (back.status, back.code) == (400, "OperationNotAllowed")
    assert "1,001 private endpoints" in back.body["error"]["message"]
    await lab("DELETE", network("more"))
    assert (await lab("PUT", HUB, _scaled("Disabled"))).status == 200


async def test_a_tool_that_does_not_know_high_scale_does_not_end_it(lab: Arm) -> None:
    await lab("PUT", HUB, _scaled("Basic"))
    kept = (await lab("PUT", HUB, vnet())).body["properties"]["privateEndpointVNetPolicies"]
    assert kept == "Basic"
    assert (await lab("PUT", HUB, _scaled("Huge"))).code == "InvalidRequestContent"


async def test_people_read_of_a_limit_that_is_near_and_the_response_stays_plain(
    lab: Arm, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    await _fill(registry, 798)
    with caplog.at_level(logging.WARNING, "resolver.registry"):
        for name, lines in (("a", 0), ("b", 1), ("c", 1)):
            answer = await lab("PUT", network(name), endpoint(account(), "blob"))
            assert answer.status == 201
            assert "warning" not in str(answer.headers).lower()
            assert len(caplog.records) == lines
    assert "800 of the 1,000 private endpoints that a virtual network can have" in caplog.text
    assert HUB in caplog.text


@pytest.mark.parametrize(
    ("target", "groups", "other", "most"),
    [
        (_vault("kv"), "vault", _vault("kv2"), 64),
        (f"{group(subscription=PROVIDER)}/providers/Microsoft.Web/sites/app", "sites", "", 100),
    ],
)
async def test_a_key_vault_and_an_app_have_limits_of_their_own(
    lab: Arm, target: str, groups: str, other: str, most: int
) -> None:
    for each in filter(None, (target, other)):
        assert (await lab("PUT", each, {"location": "westeurope", "properties": {}})).status == 201
    for i in range(most):
        assert (await lab("PUT", network(f"pe{i}"), endpoint(target, groups))).status == 201
    answer = await lab("PUT", network("more"), endpoint(target, groups))
    assert (answer.status, answer.code) == (400, "OperationNotAllowed")
    assert answer.body["error"]["target"] == target
    elsewhere = endpoint(other, groups) if other else endpoint(target, "sites-stage")
    assert (await lab("PUT", network("more"), elsewhere)).status == 201


@pytest.mark.parametrize(
    ("kind", "groups"),
    [
        ("Microsoft.ContainerService/managedClusters", "management"),
        ("Microsoft.HDInsight/clusters", "gateway"),
        ("Microsoft.RecoveryServices/vaults", "AzureBackup"),
        ("Microsoft.Network/applicationGateways", "frontend"),
    ],
)
async def test_some_services_have_no_static_addresses(lab: Arm, kind: str, groups: str) -> None:
    target = f"{group(subscription=PROVIDER)}/providers/{kind}/it"
    assert (await lab("PUT", target, {"location": "westeurope", "properties": {}})).status == 201
    wanted = [{"name": "c", "properties": {"groupId": groups, "memberName": groups, "privateIPAddress": "10.1.0.77"}}]
    answer = await lab("PUT", network("pe"), endpoint(target, groups, ipConfigurations=wanted))
    assert (answer.status, answer.code) == (
        400,
        "PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames",
    )
    assert (await lab("GET", network("pe"))).status == 404
    assert (await lab("PUT", network("pe"), endpoint(target, groups, ipConfigurations=[]))).status == 201


async def test_a_private_link_service_has_no_static_addresses(lab: Arm) -> None:
    nat = network("hub/subnets/nat", "virtualNetworks")
    policies = {"addressPrefix": "10.1.2.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    await lab("PUT", nat, {"properties": policies})
    frontend = f"{network('lb', 'loadBalancers')}/frontendIPConfigurations/one"
    service = {
        "location": "westeurope",
        "properties": {
            "loadBalancerFrontendIpConfigurations": [{"id": frontend}],
            "ipConfigurations": [{"name": "n", "properties": {"subnet": {"id": nat}}}],
        },
    }
    target = network("svc", "privateLinkServices")
    assert (await lab("PUT", target, service)).status == 201
    wanted = [{"name": "c", "properties": {"privateIPAddress": "10.1.0.77"}}]
    answer = await lab("PUT", network("pe"), endpoint(target, ipConfigurations=wanted))
    assert answer.code == "PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames"
