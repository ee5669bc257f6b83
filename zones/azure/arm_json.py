"""The JSON shapes of Azure resources and of the short form, as types. `arm` turns them into resources.

The fields have Azure's names, in snake case: Microsoft.Network REST bodies (API 2025-05-01). A resource has its body
under `properties` or, from `az`, beside `id` and `name`.
"""

from typing import Any, Final

from msgspec import Struct, field

from zones.azure.arm_zone_group import ZONE_GROUP, ZoneConfigJson

ENDPOINT: Final = "microsoft.network/privateendpoints"
NIC: Final = "microsoft.network/networkinterfaces"
VNET: Final = "microsoft.network/virtualnetworks"
TYPES: Final = (ENDPOINT, NIC, VNET, ZONE_GROUP)


class ArmJson(Struct, gc=False, rename="camel"):
    """The base: names in camelCase, unknown keys ignored."""


class ReferenceJson(ArmJson):
    """A reference to another resource."""

    id: str | None = None


class ConnectionStateJson(ArmJson):
    """`privateLinkServiceConnectionState`."""

    status: str | None = None


class ConnectionBodyJson(ArmJson):
    """The properties of a connection."""

    private_link_service_id: str | None = None
    group_ids: tuple[str, ...] | None = None
    private_link_service_connection_state: ConnectionStateJson | None = None


class ConnectionJson(ConnectionBodyJson):
    """An item of `privateLinkServiceConnections`."""

    properties: ConnectionBodyJson | None = None


class DnsConfigJson(ArmJson):
    """An item of `customDnsConfigs`."""

    fqdn: str | None = None
    ip_addresses: tuple[str, ...] | None = None


class LinkPropertiesJson(ArmJson):
    """`privateLinkConnectionProperties`."""

    group_id: str | None = None
    required_member_name: str | None = None
    fqdns: tuple[str, ...] | None = None


class IpConfigurationBodyJson(ArmJson):
    """The properties of an IP configuration."""

    address: str | None = field(name="privateIPAddress", default=None)
    old_az_address: str | None = field(name="privateIpAddress", default=None)
    private_link_connection_properties: LinkPropertiesJson | None = None


class IpConfigurationJson(IpConfigurationBodyJson):
    """An item of `ipConfigurations`."""

    properties: IpConfigurationBodyJson | None = None


class NicBodyJson(ArmJson):
    """The properties of a network interface inside an endpoint."""

    ip_configurations: tuple[IpConfigurationJson, ...] | None = None


class InnerNicJson(NicBodyJson):
    """An item of `networkInterfaces`: an id, or the whole network interface (`--expand`)."""

    id: str | None = None
    properties: NicBodyJson | None = None


class AddressSpaceJson(ArmJson):
    """`addressSpace`."""

    address_prefixes: tuple[str, ...] | None = None


class PeeringBodyJson(ArmJson):
    """The properties of a peering."""

    peering_state: str | None = None
    remote_virtual_network: ReferenceJson | None = None


class PeeringJson(PeeringBodyJson):
    """An item of `virtualNetworkPeerings`."""

    properties: PeeringBodyJson | None = None


class BodyJson(ArmJson):
    """The properties of an endpoint, a network interface, a virtual network or a DNS zone group."""

    provisioning_state: str | None = None
    subnet: ReferenceJson | None = None
    network_interfaces: tuple[InnerNicJson, ...] | None = None
    private_link_service_connections: tuple[ConnectionJson, ...] | None = None
    manual_private_link_service_connections: tuple[ConnectionJson, ...] | None = None
    custom_dns_configs: tuple[DnsConfigJson, ...] | None = None
    private_endpoint: ReferenceJson | None = None
    ip_configurations: tuple[IpConfigurationJson, ...] | None = None
    address_space: AddressSpaceJson | None = None
    virtual_network_peerings: tuple[PeeringJson, ...] | None = None
    private_endpoint_v_net_policies: str | None = field(name="privateEndpointVNetPolicies", default=None)
    private_dns_zone_configs: tuple[ZoneConfigJson, ...] | None = None
    private_endpoint_connections: Any = None
    """Of a target resource."""


class RowJson(BodyJson):
    """A resource, or a row of Resource Graph."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    properties: BodyJson | None = None
    nic_id: str | None = None
    """In a row of Resource Graph: the NIC whose `ipConfigurations` are joined to the endpoint."""


class ShortRecordJson(ArmJson, forbid_unknown_fields=True):
    """A record of the short form. Without `fqdn`, the configuration may give its addresses a name (`names`)."""

    ips: str | tuple[str, ...]
    fqdn: str | None = None


class ShortJson(ArmJson, forbid_unknown_fields=True):
    """An endpoint in the short form. People write it by hand, so an unknown key is an error."""

    name: str
    target: str | None = None
    group: str | tuple[str, ...] | None = None
    groups: str | tuple[str, ...] | None = None
    network: str | None = None
    vnet: str | None = None
    state: str | None = None
    records: tuple[ShortRecordJson, ...] | None = None


class HeadJson(ArmJson):
    """The fields that identify a row that cannot be read."""

    id: Any = None
    name: Any = None
    type: Any = None


def type_by_fields(body: BodyJson) -> str:
    """Return the resource type that the fields of a body imply; empty where they imply none."""
    if body.private_link_service_connections is not None or body.manual_private_link_service_connections is not None:
        return ENDPOINT
    if is_of_endpoint(body):
        return NIC
    if body.private_dns_zone_configs is not None:
        return ZONE_GROUP
    return VNET if body.address_space else ""


def is_of_endpoint(body: BodyJson) -> bool:
    """Return True for the body of a private endpoint's NIC, False for that of a virtual machine."""
    return body.private_endpoint is not None or any(
        (config.properties or config).private_link_connection_properties for config in body.ip_configurations or ()
    )


def is_bare(body: BodyJson) -> bool:
    """Return True for a resource without its properties, as `az resource list` prints it."""
    return all(
        field is None
        for field in (
            body.subnet,
            body.network_interfaces,
            body.private_link_service_connections,
            body.manual_private_link_service_connections,
            body.custom_dns_configs,
            body.private_endpoint,
            body.ip_configurations,
            body.address_space,
            body.virtual_network_peerings,
        )
    )


def first_connection(body: BodyJson) -> ConnectionBodyJson:
    """Return the one connection of an endpoint. Azure has it in one of two arrays; the other is empty or absent."""
    both = (*(body.private_link_service_connections or ()), *(body.manual_private_link_service_connections or ()))
    return (both[0].properties or both[0]) if both else ConnectionBodyJson()
