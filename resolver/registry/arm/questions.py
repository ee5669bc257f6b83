"""Questions that tools ask before they create something: what endpoints can connect to, and which names are free."""

from typing import Final

from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.access import check_access
from resolver.registry.service import private_link_services
from resolver.registry.service.call import Call
from zones.azure.catalogue import read_table
from zones.azure.endpoint import fold_region

_ENDPOINT_TYPES: Final = "Microsoft.Network/availablePrivateEndpointTypes"


def name_is_free(asked: Asked, call: Call) -> Reply:
    """Return whether no resource of a type has a name: those of targets are parts of DNS names. Raises `ArmFailure`."""
    check_access(call.caller, asked.scope, "read")
    kind, name = asked.body.needed("type"), asked.body.needed("name")
    if call.tx.has_named(kind.casefold(), name.casefold()):
        return Reply(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": f"The name {name} is taken."})
    return Reply(200, {"nameAvailable": True})


def service_is_visible(asked: Asked, call: Call) -> Reply:
    """Return whether a service with an alias is visible to the subscription. Raises `ArmFailure`."""
    check_access(call.caller, asked.scope, "read")
    alias = asked.body.needed("privateLinkServiceAlias")
    return Reply(200, {"visible": private_link_services.visible_by_alias(call, alias, asked.subscription)})


def approving_services(asked: Asked, call: Call) -> Reply:
    """Return the private link services of a location that approve the connections of the subscription by themselves."""
    check_access(call.caller, asked.scope, "read")
    found = private_link_services.approving(call, asked.subscription, fold_region(asked.path["place"]))
    return Reply(200, {"value": [{"privateLinkService": each} for each in found]})


def endpoint_types(asked: Asked, call: Call) -> Reply:
    """Return the types of resources that endpoints can connect to. They are the same in every location."""
    check_access(call.caller, asked.scope, "read")
    types = {entry.resource_type.casefold(): entry.resource_type for entry in read_table().entries}
    rows = [
        {
            "name": (name := kind.replace("/", ".")),
            "id": f"/subscriptions/{asked.subscription}/providers/{_ENDPOINT_TYPES}/{name}",
            "type": _ENDPOINT_TYPES,
            "resourceName": kind,
            "displayName": kind,
        }
        for kind in (types[key] for key in sorted(types))
    ]
    return Reply(200, {"value": rows})
