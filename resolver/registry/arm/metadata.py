"""What tools ask of a cloud before they use resources: its endpoints, tenants, subscriptions and providers."""

from collections import defaultdict
from typing import Final

from resolver.registry.arm.api_version import NETWORK_VERSIONS
from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.access import Caller
from resolver.registry.model.failure import ArmFailure
from resolver.registry.service.call import Call
from resolver.registry.service.types import NETWORK, NETWORK_TYPES
from resolver.registry.store.row import Json
from resolver.registry_settings import RegistrySettings, RegistrySubscription
from zones.azure.catalogue import read_table

_SUFFIXES: Final = {
    "acrLoginServer": "azurecr.io",
    "keyVaultDns": "vault.azure.net",
    "mhsmDns": "managedhsm.azure.net",
    "sqlServerHostname": "database.windows.net",
    "storage": "core.windows.net",
}
"""Those of the public cloud: the names of the registry's endpoints are in it."""
_RESOURCES: Final = ("resourceGroups", "subscriptions", "tenants", "providers", "deployments")
_ANY: Final = ["2025-04-01", "2024-11-01", "2022-12-01", "2021-04-01"]
"""Versions that are shown for types whose version the registry does not check."""


def endpoints(origin: str, settings: RegistrySettings) -> Reply:
    """Return the endpoints of the cloud (`az cloud register`)."""
    return Reply(
        200,
        {
            "name": "pldns",
            "resourceManager": origin,
            "portal": origin,
            "authentication": {
                "loginEndpoint": origin,
                "audiences": [origin],
                "tenant": settings.tenant,
                "identityProvider": "AAD",
            },
            "graph": origin,
            "graphAudience": origin,
            "microsoftGraphResourceId": origin,
            "gallery": origin,
            "batch": origin,
            "media": origin,
            "sqlManagement": origin,
            "vmImageAliasDoc": origin,
            "activeDirectoryDataLake": origin,
            "suffixes": _SUFFIXES,
        },
    )


def tenants(settings: RegistrySettings) -> Reply:
    """Return the one tenant."""
    tenant = {"id": f"/tenants/{settings.tenant}", "tenantId": settings.tenant, "displayName": "pldns"}
    return Reply(200, {"value": [{**tenant, "tenantCategory": "Home", "countryCode": "", "domains": []}]})


def subscriptions(caller: Caller, settings: RegistrySettings) -> Reply:
    """Return the subscriptions in which the caller has a role."""
    seen = caller.roles.visible
    return Reply(200, {"value": [_subscription(each, settings) for each in settings.subscriptions if each.id in seen]})


def subscription(asked: Asked, call: Call) -> Reply:
    """Return one subscription."""
    found = next(each for each in call.settings.subscriptions if each.id == asked.subscription)
    return Reply(200, _subscription(found, call.settings))


def locations(asked: Asked, call: Call) -> Reply:
    """Return the locations."""
    rows = [
        {
            "id": f"/subscriptions/{asked.subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": name,
            "regionalDisplayName": name,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name in call.settings.locations
    ]
    return Reply(200, {"value": rows})


def providers(asked: Asked, call: Call) -> Reply:
    """Return the resource providers: all are registered."""
    return Reply(200, {"value": _providers(asked.subscription, call.settings)})


def provider(asked: Asked, call: Call) -> Reply:
    """Return one resource provider, which is registered. Raises `ArmFailure` 404."""
    wanted = asked.path["namespace"]
    for row in _providers(asked.subscription, call.settings):
        if row["namespace"].casefold() == wanted.casefold():
            return Reply(200, row)
    raise ArmFailure(404, "InvalidResourceNamespace", f"The resource namespace {wanted[:80]!r} is invalid.")


def _providers(subscription_id: str, settings: RegistrySettings) -> list[Json]:
    types: defaultdict[str, dict[str, None]] = defaultdict(dict)
    types["Microsoft.Resources"] |= dict.fromkeys(_RESOURCES)
    types[NETWORK] |= dict.fromkeys(NETWORK_TYPES)
    for entry in read_table().entries:
        namespace, _, kind = entry.resource_type.partition("/")
        types[namespace].setdefault(kind)
    return [
        {
            "id": f"/subscriptions/{subscription_id}/providers/{namespace}",
            "namespace": namespace,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [
                {
                    "resourceType": kind,
                    "locations": list(settings.locations),
                    "apiVersions": list(NETWORK_VERSIONS if namespace == NETWORK else _ANY),
                    "capabilities": "SupportsTags, SupportsLocation",
                }
                for kind in kinds
            ],
        }
        for namespace, kinds in types.items()
    ]


def _subscription(found: RegistrySubscription, settings: RegistrySettings) -> Json:
    return {
        "id": f"/subscriptions/{found.id}",
        "subscriptionId": found.id,
        "tenantId": settings.tenant,
        "displayName": found.name,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {"locationPlacementId": "", "quotaId": "", "spendingLimit": "Off"},
    }
