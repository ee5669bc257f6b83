"""Resource providers: the types of each, and whether a subscription is registered with it."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Final

from resolver.registry.arm.api_version import NETWORK_VERSIONS
from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.access import check_access
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.registration import NETWORK
from resolver.registry.service import registrations
from resolver.registry.service.call import Call
from resolver.registry.service.types import NETWORK_TYPES
from resolver.registry.store.row import Json
from zones.azure.catalogue import read_table

_RESOURCES: Final = ("resourceGroups", "subscriptions", "tenants", "providers", "deployments")
_ANY: Final = ["2025-04-01", "2024-11-01", "2022-12-01", "2021-04-01"]
"""Versions that are shown for types whose version the registry does not check."""


def every(asked: Asked, call: Call) -> Reply:
    """Return the resource providers."""
    return Reply(200, {"value": [_shown(call, asked.subscription, each) for each in _types()]})


def one(asked: Asked, call: Call) -> Reply:
    """Return one resource provider. Raises `ArmFailure` 404."""
    return Reply(200, _shown(call, asked.subscription, _named(asked)))


def register(asked: Asked, call: Call) -> Reply:
    """Register the subscription with a provider. Raises `ArmFailure` 403 and 404."""
    check_access(call.caller, asked.scope, "register/action")
    registrations.register(call, asked.subscription, _named(asked))
    return one(asked, call)


def unregister(asked: Asked, call: Call) -> Reply:
    """End the registration of the subscription with a provider. Raises `ArmFailure` 403, 404 and 409."""
    check_access(call.caller, asked.scope, "unregister/action")
    namespace = _named(asked)
    registrations.unregister(call, asked.subscription, namespace, _types()[namespace])
    return one(asked, call)


def _named(asked: Asked) -> str:
    wanted = asked.path["namespace"].casefold()
    for namespace in _types():
        if namespace.casefold() == wanted:
            return namespace
    raise ArmFailure(404, "InvalidResourceNamespace", f"The resource namespace {wanted[:80]!r} is invalid.")


@cache
def _types() -> Mapping[str, tuple[str, ...]]:
    """Return the types by namespace."""
    types: defaultdict[str, dict[str, None]] = defaultdict(dict)
    types["Microsoft.Resources"] |= dict.fromkeys(_RESOURCES)
    types[NETWORK] |= dict.fromkeys(NETWORK_TYPES)
    for entry in read_table().entries:
        namespace, _, kind = entry.resource_type.partition("/")
        types[namespace].setdefault(kind)
    return {namespace: tuple(kinds) for namespace, kinds in types.items()}


def _shown(call: Call, subscription: str, namespace: str) -> Json:
    registered = registrations.is_registered(call, subscription, namespace)
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": kind,
                "locations": list(call.settings.locations),
                "apiVersions": list(NETWORK_VERSIONS if namespace == NETWORK else _ANY),
                "capabilities": "SupportsTags, SupportsLocation",
            }
            for kind in _types()[namespace]
        ],
    }
