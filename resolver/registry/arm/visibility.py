"""What a consumer asks before it connects by an alias: whether a service has the alias and is visible."""

from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.service import private_link_services
from resolver.registry.service.call import Call, check_access


def check(asked: Asked, call: Call) -> Reply:
    """Return whether a service with the alias is visible to the subscription. Raises `ArmFailure`."""
    check_access(call.caller, asked.scope, "read")
    alias = asked.body.needed("privateLinkServiceAlias")
    return Reply(200, {"visible": private_link_services.visible_by_alias(call, alias, asked.subscription)})
