"""Which subscriptions are registered with which resource providers.

In Azure a subscription must be registered with a provider before it may have resources of it, and the subscriptions of
a private endpoint and of its target with Microsoft.Network. Source:
learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types and the page
private-endpoint-overview. Here every subscription is registered with all providers until a client ends a registration.
"""

from collections.abc import Collection
from typing import Final

from resolver.registry.model.failure import ArmFailure

NETWORK: Final = "Microsoft.Network"
_ALWAYS: Final = frozenset(("microsoft.resources",))
"""Providers that need no registration."""


def registration(subscription: str, namespace: str) -> str:
    """Return one registration as it is kept, folded."""
    return f"{subscription}/{namespace}".casefold()


def can_end(namespace: str) -> bool:
    """Return whether the registration with a provider can be ended."""
    return namespace.casefold() not in _ALWAYS


def check_registered(ended: Collection[str], subscription: str, namespace: str, path: str = "") -> None:
    """Check that a subscription is registered with a provider. `ended`: the registrations that were ended.

    Raises `ArmFailure` 409 `MissingSubscriptionRegistration`. Azure's libraries read the provider's name from the
    message, between the only two single quotes, and register the subscription of their request by themselves.
    """
    if registration(subscription, namespace) in ended:
        raise ArmFailure(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription {subscription} is not registered to use namespace '{namespace}'. Register it with: az "
            f"provider register --namespace {namespace} --subscription {subscription}.",
            path,
        )
