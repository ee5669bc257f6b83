"""Rows in Azure's form from the state that `terraform show -json` writes.

Reads `azurerm_private_endpoint`, `azurerm_virtual_network` and `azurerm_virtual_network_peering` of the root module and
of all modules in it. A state lists resources that exist, but it has less than Azure:

- The state of a connection. Terraform creates an endpoint with an automatic connection only if the connection is
  approved, so that one is Approved. A manual connection is approved by someone else later. Its state is taken from a
  data source `azurerm_private_endpoint_connection`, and is unknown without one: then the endpoint is not served.
- The state of a peering. Two VNets are peers if the state has a peering in each direction.
- The names of an endpoint with a DNS zone group: `custom_dns_configs` is empty then, and the private names in
  `private_dns_zone_configs` are used.

Does not know documents. Pure. Attributes: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

ENDPOINT: Final = "azurerm_private_endpoint"
CONNECTION: Final = "azurerm_private_endpoint_connection"
VNET: Final = "azurerm_virtual_network"
PEERING: Final = "azurerm_virtual_network_peering"

Values = Mapping[str, Any]


class ResourceJson(Struct, gc=False):
    """A resource or data source of the state."""

    type: str = ""
    address: str = ""
    values: Any = None


class ModuleJson(Struct):
    """A module and the modules in it."""

    resources: list[ResourceJson] | None = None
    child_modules: list["ModuleJson"] | None = None


class StateJson(Struct):
    """The `values` of the output."""

    root_module: ModuleJson | None = None


def rows(state: StateJson) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a row in Azure's form for each resource, with its address. Other resources have only a type."""
    resources = list(_all(state.root_module or ModuleJson()))
    states = {
        _place(each.values): _text(_first(each.values, "private_service_connection").get("status"))
        for each in resources
        if each.type == CONNECTION and isinstance(each.values, Mapping)
    }
    peerings = dict(_peerings(resources))
    for each in resources:
        if each.type in (CONNECTION, PEERING):
            continue
        if not isinstance(each.values, Mapping) or each.type not in (ENDPOINT, VNET):
            yield each.address, {"type": each.type}
        elif each.type == ENDPOINT:
            yield each.address, _endpoint(each.values, states.get(_place(each.values), ""))
        else:
            yield each.address, _vnet(each.values, peerings)


def _all(module: ModuleJson) -> Iterator[ResourceJson]:
    left = [module]
    while left:
        module = left.pop()
        yield from module.resources or ()
        left += reversed(module.child_modules or ())


def _endpoint(values: Values, state: str) -> dict[str, Any]:
    connection = _first(values, "private_service_connection")
    is_manual = connection.get("is_manual_connection") is True
    target = connection.get("private_connection_resource_id") or connection.get("private_connection_resource_alias")
    configs = [
        {"fqdn": config.get("fqdn"), "ipAddresses": config.get("ip_addresses")}
        for config in _objects(values.get("custom_dns_configs")) or _record_sets(values)
    ]
    properties = {
        "subnet": {"id": values.get("subnet_id")},
        "networkInterfaces": [{"id": nic.get("id")} for nic in _objects(values.get("network_interface"))],
        "manualPrivateLinkServiceConnections" if is_manual else "privateLinkServiceConnections": [
            {
                "privateLinkServiceId": target,
                "groupIds": connection.get("subresource_names"),
                "privateLinkServiceConnectionState": {"status": state or ("" if is_manual else "Approved")},
            }
        ],
        "customDnsConfigs": configs,
    }
    return {
        "id": values.get("id"), "name": values.get("name"), "location": values.get("location"),
        "type": "Microsoft.Network/privateEndpoints", "properties": properties,
    }  # fmt: skip


def _record_sets(values: Values) -> list[Values]:
    """Return the record sets of the zone group, which have the private names."""
    return [
        record
        for zone in _objects(values.get("private_dns_zone_configs"))
        for record in _objects(zone.get("record_sets"))
    ]


def _vnet(values: Values, peerings: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    key = _text(values.get("id")).casefold()
    peers = [text for (near, far), text in peerings.items() if near == key and (far, near) in peerings]
    properties = {
        "addressSpace": {"addressPrefixes": values.get("address_space")},
        "virtualNetworkPeerings": [
            {"peeringState": "Connected", "remoteVirtualNetwork": {"id": peer}} for peer in peers
        ],
    }
    return {
        "id": values.get("id"), "name": values.get("name"), "location": values.get("location"),
        "type": "Microsoft.Network/virtualNetworks", "properties": properties,
    }  # fmt: skip


def _peerings(resources: list[ResourceJson]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the folded ids of the near and the far VNet of each peering, and the id of the far one as written."""
    for each in resources:
        if each.type == PEERING and isinstance(each.values, Mapping):
            near = _text(each.values.get("id")).casefold().rpartition("/virtualnetworkpeerings/")[0]
            far = _text(each.values.get("remote_virtual_network_id"))
            yield (near, far.casefold()), far


def _place(values: Any) -> tuple[str, str]:  # noqa: ANN401 - any JSON value
    """Return the resource group and name of an endpoint, folded: what a data source is looked up by."""
    found = values if isinstance(values, Mapping) else {}
    return _text(found.get("resource_group_name")).casefold(), _text(found.get("name")).casefold()


def _first(values: Values, key: str) -> Values:
    return next(iter(_objects(values.get(key))), {})


def _objects(value: Any) -> list[Values]:  # noqa: ANN401 - any JSON value
    """Return the objects of a block, which Terraform writes as a list."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) else ""
