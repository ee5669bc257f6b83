"""What the admin interface makes in the registry: endpoints, networks and targets, in few words."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from resolver.registry.portal import Portal
from resolver.registry.registry import Registry
from tests.filled_registry import opened, write
from tests.registry_shapes import CONSUMER, PROVIDER, SUBNET, account, group, network, vnet
from tests.resolver.admin.json_client import Client, get, post

Control = Any  # of conftest
ENDPOINTS = "/v1/registry/endpoints"
WANTED = {"name": "pe", "subnet": "hub/pe", "target": "acct", "sub_resource": "blob"}
PLACE = {"group": "own", "location": "westeurope", "subscription": "consumer"}


@pytest.fixture
async def registry(tmp_path: Path, control: Control) -> AsyncIterator[Registry]:
    async with opened(tmp_path) as made:
        control.registry = Portal(made)
        yield made


async def test_an_endpoint_needs_a_name_a_subnet_and_a_target(client: Client, registry: Registry) -> None:
    made = await post(client, ENDPOINTS, WANTED, 201)
    assert (made["id"], made["state"], made["target"]) == (network("pe"), "Approved", account())
    assert (made["subnet"], made["addresses"]) == (SUBNET, ["10.1.0.4"])
    assert made["names"] == ["acct.blob.core.windows.net"]
    problem = await post(client, ENDPOINTS, WANTED, 412)
    assert problem["detail"] == f"{network('pe')} exists already."
    changes = (await get(client, "/v1/audit"))["items"]
    assert [(each["action"], each["target"]) for each in changes] == [
        ("registry.create", "pe"), ("registry.create", network("pe"))
    ]  # fmt: skip
    assert changes[0]["after"] == {"status": 412, "refused": "PreconditionFailed"}


async def test_an_endpoint_can_say_everything(client: Client, registry: Registry) -> None:
    wanted = {
        **WANTED, "subnet": SUBNET, "target": account(), "group": "other", "manual": True, "message": "Please",
        "addresses": ["10.1.0.77"],
    }  # fmt: skip
    made = await post(client, ENDPOINTS, wanted, 201)
    assert made["id"] == group("other") + "/providers/Microsoft.Network/privateEndpoints/pe"
    assert (made["state"], made["message"], made["addresses"]) == ("Pending", "Please", ["10.1.0.77"])
    gone = await post(client, f"{ENDPOINTS}/pe/delete", {"etag": made["etag"]})
    assert gone == made
    assert (await get(client, ENDPOINTS))["items"] == []


@pytest.mark.parametrize(
    ("change", "status", "azure", "says"),
    [
        ({"subnet": "nowhere"}, 404, "ResourceNotFound", "no subnet 'nowhere'"),
        ({"target": "nobody"}, 404, "ResourceNotFound", "no target 'nobody'"),
        ({"sub_resource": ""}, 400, "InvalidGroupId", "Choose one: blob"),
        ({"sub_resource": "sofa"}, 400, "InvalidGroupId", "sofa"),
        ({"addresses": ["10.1.0.4", "10.1.0.5"]}, 400, "PrivateEndpointIpConfigurationInvalidMember", "1 addresses"),
        ({"addresses": ["10.1.0.1"]}, 400, "PrivateIPAddressInReservedRange", "10.1.0.1"),
        ({"name": "a/b"}, 400, "LinkedInvalidPropertyId", "a/b"),
        ({"message": "x" * 141}, 400, "InvalidRequestContent", "140"),
    ],
)
async def test_a_wrong_request_gets_azures_code_and_leaves_nothing(
    client: Client, registry: Registry, change: dict[str, Any], status: int, azure: str, says: str
) -> None:
    problem = await post(client, ENDPOINTS, {**WANTED, "group": "new", **change}, status)
    assert problem["azure"] == azure
    assert says in problem["detail"]
    assert (await get(client, ENDPOINTS))["items"] == []


async def test_the_lists_to_choose_from(client: Client, registry: Registry) -> None:
    await post(client, ENDPOINTS, WANTED, 201)
    (subnet,) = (await get(client, "/v1/registry/subnets?subscription=consumer"))["items"]
    assert subnet == {
        "id": SUBNET, "name": "pe", "vnet": network("hub", "virtualNetworks"), "location": "westeurope",
        "prefixes": ["10.1.0.0/24"], "endpoints": 1,
    }  # fmt: skip
    (target,) = (await get(client, "/v1/registry/targets?name=ACCT"))["items"]
    assert (target["id"], target["type"], target["alias"]) == (account(), "Microsoft.Storage/storageAccounts", "")
    assert "dfs" in target["sub_resources"]
    assert (await get(client, "/v1/registry/targets?subscription=consumer"))["items"] == []


async def test_a_network_and_a_target_come_with_their_group(client: Client, registry: Registry) -> None:
    wanted = {"name": "lab", "prefixes": ["10.9.0.0/16"], "subnets": [{"name": "pe", "prefix": "10.9.1.0/24"}], **PLACE}
    (subnet,) = (await post(client, "/v1/registry/networks", wanted, 201))["subnets"]
    assert subnet["id"] == f"{group('own')}/providers/Microsoft.Network/virtualNetworks/lab/subnets/pe"
    target = await post(
        client, "/v1/registry/targets", {"name": "kv", "type": "microsoft.keyvault/Vaults", **PLACE}, 201
    )
    assert target["id"] == f"{group('own')}/providers/Microsoft.KeyVault/vaults/kv"
    made = await post(client, ENDPOINTS, {"name": "v", "subnet": "lab/pe", "target": "kv"}, 201)
    assert made["names"] == ["kv.vault.azure.net"]
    problem = await post(client, "/v1/registry/networks", {**wanted, "subscription": ""}, 400)
    assert f"provider ({PROVIDER})" in problem["detail"]
    assert f"consumer ({CONSUMER})" in problem["detail"]
    problem = await post(client, "/v1/registry/targets", {"name": "kv", "type": "vaults", **PLACE}, 400)
    assert problem["azure"] == "InvalidResourceType"
    assert "Microsoft.RecoveryServices/vaults or Microsoft.KeyVault/vaults" in problem["detail"]
    made = await post(client, "/v1/registry/targets", {"name": "st", "type": "storageaccounts", **PLACE}, 201)
    assert made["type"] == "Microsoft.Storage/storageAccounts"


async def test_a_subnet_that_two_networks_have_needs_the_name_of_one(client: Client, registry: Registry) -> None:
    await write(registry, {network("spoke", "virtualNetworks"): vnet("10.2.0.0/16", "10.2.0.0/24")})
    problem = await post(client, ENDPOINTS, {**WANTED, "subnet": "pe"}, 409)
    assert (problem["azure"], SUBNET in problem["detail"]) == ("AmbiguousName", True)
    made = await post(client, ENDPOINTS, {**WANTED, "subnet": "spoke/pe"}, 201)
    assert made["addresses"] == ["10.2.0.4"]
