"""Questions that tools ask before they create something: whether a name is free, and whether an alias can be used."""

from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.access import check_access
from resolver.registry.service import private_link_services
from resolver.registry.service.call import Call


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
