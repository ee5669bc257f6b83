"""Who may do what in the registry: the one place that decides it, for the Resource Manager's API and for all others.

A caller has roles by subscription. The owner of a target and the consumer who connects to it each see their own side:
the resources of the subscriptions in which they have a role. Does not know how a caller proves who it is.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.resource_id import ArmId
from resolver.registry_roles import RegistryRoles

_CONNECTIONS: Final = "privateendpointconnections"
_OF_CONSUMERS: Final = (
    "microsoft.resources/resourcegroups", "microsoft.network/virtualnetworks", "microsoft.network/privateendpoints",
    "microsoft.network/privatednszones", "microsoft.network/applicationsecuritygroups",
    "microsoft.resources/subscriptions",
)  # fmt: skip
"""The types, with their children, that a consumer may change."""


class Caller(NamedTuple):
    """Who a request is from. `id`: of a client of the registry; empty for others."""

    id: str
    name: str
    roles: RegistryRoles

    @property
    def shown(self) -> str:
        """The caller in a sentence of Azure's."""
        return f"The client {self.name!r}" + (f" with object id '{self.id}'" if self.id else "")


def check_subscription(caller: Caller, known: Collection[str], wanted: str) -> None:
    """Check that a subscription is one of the registry's, and that the caller has a role in it.

    Raises `ArmFailure` 404 and 403.
    """
    folded = wanted.casefold()
    if folded not in known:
        raise ArmFailure(404, "SubscriptionNotFound", f"The subscription {wanted[:60]!r} could not be found.")
    if folded not in caller.roles.visible:
        raise ArmFailure(403, "AuthorizationFailed", f"{caller.shown} has no role in the subscription {wanted}.")


def check_access(caller: Caller, found: ArmId, operation: str) -> None:
    """Check that the caller may do this. `operation`: `read`, `write`, `delete` or the name of an action.

    Raises `ArmFailure` 403 `AuthorizationFailed`.
    """
    subscription, kind, roles = found.subscription.casefold(), found.type.casefold(), caller.roles
    if subscription in roles.owner:
        return
    own = kind.startswith(_OF_CONSUMERS) and not kind.endswith(_CONNECTIONS)
    if subscription in roles.consumer and (operation == "read" or own):
        return
    if subscription in roles.reader and operation == "read":
        return
    raise ArmFailure(
        403,
        "AuthorizationFailed",
        f"{caller.shown} does not have authorization to perform action '{found.type}/{operation}' over scope "
        f"'{found}' or the scope is invalid. The configuration of the registry gives roles.",
    )


def check_linked(caller: Caller, found: ArmId, action: str, path: str) -> None:
    """Check that the caller may use a resource that a body names. `path`: where in the body.

    Raises `ArmFailure` 403 `LinkedAuthorizationFailed`.
    """
    try:
        check_access(caller, found, action)
    except ArmFailure:
        raise ArmFailure(
            403,
            "LinkedAuthorizationFailed",
            f"{caller.shown} has permission to perform the request, but not action '{found.type}/{action}' on the "
            f"linked scope '{found}'.",
            path,
        ) from None


def may_approve(caller: Caller, target: ArmId) -> bool:
    """Return whether the caller holds `…/privateEndpointConnectionsApproval/action` on a target."""
    return target.subscription.casefold() in caller.roles.owner
