"""The types of resources that the registry has, by their folded full names.

Any type of the catalogue of private-link resources is a target; the other types are listed here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.fqdns import is_link_type
from resolver.registry.model.registration import NETWORK
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service import (
    connections,
    network_interfaces,
    private_endpoints,
    private_link_services,
    resource_groups,
    targets,
    virtual_networks,
    zone_groups,
)
from resolver.registry.service.call import CONNECTIONS, ENDPOINT, GROUP, NIC, SERVICE, VNET, Call
from resolver.registry.service.endpoint_body import check_changeable
from resolver.registry.service.endpoint_dns import ZONE_GROUPS
from resolver.registry.service.resources import ResourceType
from resolver.registry.service.virtual_networks import PEERINGS, SUBNETS
from resolver.registry.store.row import Row

_FIRST: Final = (ENDPOINT.casefold(), SERVICE.casefold())
"""The types that use resources of other types, and are deleted before these."""


def _delete_group(call: Call, row: Row) -> None:
    """Delete a group with all that is in it. Raises `ArmFailure` where another group uses something in it."""
    call.tx.delete(row)
    contents = call.tx.in_group(row.subscription, row.key.rpartition("/")[2])
    for kind in (*_FIRST, ""):
        for each in contents:
            if (each.type == kind or (not kind and each.type not in _FIRST)) and call.tx.get(each.key):
                _delete_from_group(call, each)


def _delete_from_group(call: Call, row: Row) -> None:
    if row.type == SERVICE.casefold():
        for connection in connections.of_target(call, row):
            connections.delete(call, connection)
    kind = type_of(ArmId.parse(row.id))
    if kind.delete and row.type != NIC.casefold():
        kind.delete(call, row)


_TYPES: Final[Mapping[str, ResourceType]] = MappingProxyType(
    {
        each.name.casefold(): each
        for each in (
            ResourceType(GROUP, resource_groups.put, _delete_group),
            ResourceType(VNET, virtual_networks.put, virtual_networks.delete, virtual_networks.shown),
            ResourceType(
                SUBNETS, virtual_networks.put_subnet, virtual_networks.delete_subnet, virtual_networks.shown_subnet,
                has_parent=True,
            ),
            ResourceType(PEERINGS, virtual_networks.put_peering, virtual_networks.delete_peering, has_parent=True),
            ResourceType(
                ENDPOINT, private_endpoints.put, private_endpoints.delete, check_changeable=check_changeable
            ),
            ResourceType(ZONE_GROUPS, zone_groups.put, zone_groups.delete, has_parent=True),
            ResourceType(NIC, None, network_interfaces.delete),
            ResourceType(
                SERVICE, private_link_services.put, private_link_services.delete, private_link_services.shown
            ),
        )
    }
)  # fmt: skip
NETWORK_TYPES: Final = tuple(each.name.partition("/")[2] for each in _TYPES.values() if each.name.startswith(NETWORK))


def type_of(found: ArmId) -> ResourceType:
    """Return the type of a resource. Raises `ArmFailure` 404 for one that the registry does not have."""
    known = _TYPES.get(found.type.casefold())
    if known:
        return known
    parent = found.parent
    if parent and found.types and found.types[-1].casefold() == CONNECTIONS.casefold() and is_link_type(parent.type):
        return ResourceType(found.type, connections.put, connections.delete, has_parent=True)
    if is_link_type(found.type):
        return ResourceType(found.type, targets.put, targets.delete, targets.shown)
    raise ArmFailure(
        404,
        "InvalidResourceType",
        f"The resource type '{'/'.join(found.types)}' could not be found in the namespace '{found.namespace}'. The "
        "registry has virtual networks, private endpoints, private link services, and the resources that private "
        "endpoints can connect to.",
        found.type,
    )
