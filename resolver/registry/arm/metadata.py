"""What tools ask of a cloud before they use resources: its endpoints, tenants, subscriptions and locations."""

from typing import Final

from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.access import Caller
from resolver.registry.service.call import Call
from resolver.registry.store.row import Json
from resolver.registry_settings import RegistrySettings, RegistrySubscription

_SUFFIXES: Final = {
    "acrLoginServer": "azurecr.io",
    "keyVaultDns": "vault.azure.net",
    "mhsmDns": "managedhsm.azure.net",
    "sqlServerHostname": "database.windows.net",
    "storage": "core.windows.net",
}
"""Those of the public cloud: the names of the registry's endpoints are in it."""


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
