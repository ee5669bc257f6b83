"""Registrations of subscriptions with resource providers: kept as the list of those that a client has ended."""

from collections.abc import Iterable
from typing import Final

from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.registration import can_end, check_registered, registration
from resolver.registry.service.call import Call
from resolver.registry.store.row import Row

_FACT: Final = "ended-registrations"


def check(call: Call, subscription: str, namespace: str, path: str = "") -> None:
    """Check that a subscription is registered with a provider. Raises `ArmFailure` 409."""
    check_registered(_ended(call), subscription, namespace, path)


def is_registered(call: Call, subscription: str, namespace: str) -> bool:
    """Return whether a subscription is registered with a provider."""
    return registration(subscription, namespace) not in _ended(call)


def register(call: Call, subscription: str, namespace: str) -> None:
    """Register a subscription with a provider again."""
    _keep(call, _ended(call) - {registration(subscription, namespace)})


def unregister(call: Call, subscription: str, namespace: str, types: Iterable[str]) -> None:
    """End a registration. `types`: those of the provider. Raises `ArmFailure` 409 while it has resources here."""
    used = next((rows[0].id for each in types if (rows := _some(call, subscription, f"{namespace}/{each}"))), "")
    if used or not can_end(namespace):
        why = f"it has resources there, such as {used}" if used else "every subscription needs it"
        raise ArmFailure(
            409,
            "CannotUnregisterResourceProvider",
            f"The registration of the subscription {subscription} with {namespace} cannot end: {why}.",
        )
    _keep(call, _ended(call) | {registration(subscription, namespace)})


def _some(call: Call, subscription: str, kind: str) -> list[Row]:
    return call.tx.listed(kind.casefold(), subscription.casefold(), limit=1)


def _ended(call: Call) -> frozenset[str]:
    return frozenset(call.tx.fact(_FACT).split())


def _keep(call: Call, ended: frozenset[str]) -> None:
    call.tx.set_fact(_FACT, " ".join(sorted(ended)))
