"""What azure-mgmt-network reads: all that the registry sends has a place in Azure's models, with their type.

The models are made from Azure's specification. `DELIBERATE` has what the registry sends besides.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from azure.mgmt.network import models

from tests.registry_shapes import CONSUMER, account, endpoint, group, network, vnet
from tests.resolver.registry.conftest import Arm

_OLDER = "Azure sends it too; the specification does not have it"
DELIBERATE: Mapping[tuple[str, str], str] = {
    ("PrivateEndpointProperties", "resourceGuid"): _OLDER,
    ("PrivateLinkServiceProperties", "resourceGuid"): _OLDER,
    ("PrivateDnsZoneGroup", "type"): _OLDER,
    ("PrivateDnsZoneConfig", "id"): _OLDER,
    ("PrivateDnsZoneConfig", "type"): _OLDER,
}


def _strange(found: Any, path: str) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - a model, or a part of one
    """Return the fields for which Azure's models have no place: the model, the name, and where it is."""
    if isinstance(found, list):
        for i, each in enumerate(found):
            yield from _strange(each, f"{path}[{i}]")
    elif isinstance(found, MutableMapping) and not isinstance(found, dict):  # a model of Azure
        fields: dict[str, Any] = {each._rest_name: name for name, each in found._attr_to_rest_field.items()}  # type: ignore[attr-defined]
        kind = type(found).__name__
        for name in found:
            if name in fields:
                yield from _strange(getattr(found, fields[name]), f"{path}.{name}")
            else:
                yield kind, name, path
    elif isinstance(found, dict) and not path.endswith(".tags"):
        yield "dict", "", path  # the model could not read the value


async def test_every_field_has_a_place_in_azures_models(lab: Arm) -> None:
    hub, place = (
        network("hub", "virtualNetworks"),
        f"/subscriptions/{CONSUMER}/providers/Microsoft.Network/locations/westeurope",
    )
    nat = {"addressPrefix": "10.1.1.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    spoke, service = network("spoke", "virtualNetworks"), network("svc", "privateLinkServices")
    await lab("PUT", f"{hub}/subnets/nat", {"properties": nat})
    await lab("PUT", spoke, vnet("10.2.0.0/16", "10.2.0.0/24"))
    peering = {"properties": {"remoteVirtualNetwork": {"id": spoke}}}
    await lab("PUT", f"{hub}/virtualNetworkPeerings/a", peering)
    lists = {"subscriptions": [CONSUMER]}
    frontend = {"id": network("lb/frontendIPConfigurations/fe", "loadBalancers")}
    properties = {
        "loadBalancerFrontendIpConfigurations": [frontend],
        "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": f"{hub}/subnets/nat"}}}],
        "visibility": lists,
        "autoApproval": lists,
        "fqdns": ["app.corp.example"],
        "enableProxyProtocol": True,
    }
    await lab("PUT", service, {"location": "westeurope", "properties": properties})
    static = {"name": "one", "properties": {"groupId": "blob", "memberName": "blob", "privateIPAddress": "10.1.0.9"}}
    groups = [{"id": network("asg", "applicationSecurityGroups")}]
    one = endpoint(account(), "blob", ipConfigurations=[static], applicationSecurityGroups=groups)
    await lab("PUT", network("pe"), one | {"tags": {"a": "b"}})
    zone = {"properties": {"privateDnsZoneId": network("privatelink.blob.core.windows.net", "privateDnsZones")}}
    await lab("PUT", f"{network('pe')}/privateDnsZoneGroups/default", {"properties": {"privateDnsZoneConfigs": [zone]}})
    await lab("PUT", network("pe2"), endpoint(service, manual=True))
    nic = (await lab("GET", network("pe"))).body["properties"]["networkInterfaces"][0]["id"]

    alias = (await lab("GET", service)).body["properties"]["alias"]
    body = {"privateLinkServiceAlias": alias}
    seen = (await lab("POST", f"{place}/checkPrivateLinkServiceVisibility", body)).body
    assert models.PrivateLinkServiceVisibility(seen).visible is True
    (approving,) = (await lab("GET", f"{place}/autoApprovedPrivateLinkServices")).body["value"]
    assert models.AutoApprovedPrivateLinkService(approving).private_link_service == service
    kinds = (await lab("GET", f"{place}/availablePrivateEndpointTypes")).body["value"]
    assert {"Microsoft.Storage/storageAccounts", "Microsoft.Network/privateLinkServices"} <= {
        models.AvailablePrivateEndpointType(each).resource_name for each in kinds
    }
    strange = list(_strange(models.AvailablePrivateEndpointType(kinds[0]), "type"))
    for model, path in (
        (models.VirtualNetwork, hub),
        (models.Subnet, f"{hub}/subnets/pe"),
        (models.VirtualNetworkPeering, f"{hub}/virtualNetworkPeerings/a"),
        (models.PrivateEndpoint, network("pe")),
        (models.PrivateEndpoint, network("pe2")),
        (models.NetworkInterface, nic),
        (models.PrivateDnsZoneGroup, f"{network('pe')}/privateDnsZoneGroups/default"),
        (models.PrivateLinkService, service),
    ):
        found = await lab("GET", path)
        assert found.status == 200, path
        strange += _strange(model(found.body), path.rpartition("/")[2])
    assert {(kind, name) for kind, name, _ in strange} == DELIBERATE.keys(), strange


async def test_a_private_link_service_has_all_that_azures_example_has(lab: Arm) -> None:
    """The fields of the example `PrivateLinkServiceCreate` of version 2025-05-01, with values of this estate."""
    hub, service = network("hub", "virtualNetworks"), network("svc", "privateLinkServices")
    nat = {"addressPrefix": "10.1.1.0/24", "privateLinkServiceNetworkPolicies": "Disabled"}
    await lab("PUT", f"{hub}/subnets/nat", {"properties": nat})
    address = {
        "privateIPAddress": "10.1.1.4",
        "privateIPAllocationMethod": "Static",
        "privateIPAddressVersion": "IPv4",
        "subnet": {"id": f"{hub}/subnets/nat"},
    }
    properties = {
        "visibility": {"subscriptions": [CONSUMER]},
        "autoApproval": {"subscriptions": [CONSUMER]},
        "fqdns": ["one.corp.example", "two.corp.example"],
        "loadBalancerFrontendIpConfigurations": [{"id": network("lb/frontendIPConfigurations/fe", "loadBalancers")}],
        "ipConfigurations": [{"name": "fe", "properties": address}],
    }
    found = (await lab("PUT", service, {"location": "westeurope", "properties": properties})).body
    assert (found["name"], found["id"], found["location"]) == ("svc", service, "westeurope")
    shown = found["properties"]
    (configured,) = shown["ipConfigurations"]
    assert configured["id"] == f"{service}/ipConfigurations/fe"
    assert address.items() <= configured["properties"].items()
    for name in ("visibility", "autoApproval", "fqdns", "loadBalancerFrontendIpConfigurations"):
        assert shown[name] == properties[name]
    assert shown["provisioningState"] == "Succeeded"
    assert shown["alias"].endswith(".azure.privatelinkservice")
    assert shown["networkInterfaces"] == []  # Azure makes one for the load balancer, which the registry does not have


async def test_an_error_has_azures_shape(lab: Arm) -> None:
    answer = await lab("GET", network("none"))
    assert set(answer.body) == {"error"}
    assert {"code", "message"} <= set(answer.body["error"])
    assert answer.headers["x-ms-request-id"]
    assert answer.headers["x-ms-correlation-request-id"]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert group() not in answer.body["error"]["code"]
