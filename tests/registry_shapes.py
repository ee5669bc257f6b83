"""Bodies and ids of resources for tests of the registry, and its clients and subscriptions."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from resolver.registry.model.access import Caller
from resolver.registry_roles import RegistryRoles

TENANT: Final = "10000000-0000-4000-a000-000000000001"
CONSUMER: Final = "20000000-0000-4000-a000-00000000000c"
PROVIDER: Final = "20000000-0000-4000-a000-00000000000d"
"""Two subscriptions: one has networks and endpoints, the other has what these connect to."""
VERSION: Final = "2025-05-01"
_SECRET: Final = "a secret for tests"  # noqa: S105 - of no service


class Answer(NamedTuple):
    """A response: status, headers in lower case, and body."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of the error; empty where there is none."""
        return str(self.body["error"]["code"]) if isinstance(self.body, dict) and "error" in self.body else ""


class Client(NamedTuple):
    """A client of the registry."""

    id: str
    name: str
    secret: str = _SECRET


BOTH: Final = Client("30000000-0000-4000-a000-000000000001", "both")
"""Owns both subscriptions."""
NETWORKER: Final = Client("30000000-0000-4000-a000-000000000002", "networker")
"""A consumer in the first subscription, with no role in the other."""
SUPPLIER: Final = Client("30000000-0000-4000-a000-000000000003", "supplier")
"""Owns the second subscription, and has no role in the first."""
AUDITOR: Final = Client("30000000-0000-4000-a000-000000000004", "auditor")
"""Reads both subscriptions."""

_ROLES: Final[dict[Client, dict[str, list[str]]]] = {
    BOTH: {"owner": [CONSUMER, PROVIDER]},
    NETWORKER: {"consumer": [CONSUMER]},
    SUPPLIER: {"owner": [PROVIDER]},
    AUDITOR: {"reader": [CONSUMER, PROVIDER]},
}


def clients() -> list[dict[str, Any]]:
    """Return the clients as the configuration has them."""
    return [
        {"id": each.id, "name": each.name, "sha256": sha256(each.secret.encode()).hexdigest(), **roles}
        for each, roles in _ROLES.items()
    ]


def accepted_clients() -> list[dict[str, Any]]:
    """Return the clients as the accepted settings have them."""
    return [
        {**{key: each[key] for key in ("id", "name", "sha256")}, "roles": _ROLES[client]}
        for client, each in zip(_ROLES, clients(), strict=True)
    ]


def caller(client: Client) -> Caller:
    """Return a client as the caller of a request."""
    roles = {role: frozenset(subscriptions) for role, subscriptions in _ROLES[client].items()}
    return Caller(client.id, client.name, RegistryRoles(**roles))


# -- resources


def group(name: str = "rg", subscription: str = CONSUMER) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def network(name: str, kind: str = "privateEndpoints", *, subscription: str = CONSUMER) -> str:
    """Return the id of a resource of `Microsoft.Network` in the group `rg`."""
    return f"{group(subscription=subscription)}/providers/Microsoft.Network/{kind}/{name}"


def account(name: str = "acct") -> str:
    """Return the id of a storage account of the provider."""
    return f"{group(subscription=PROVIDER)}/providers/Microsoft.Storage/storageAccounts/{name}"


def vnet(prefix: str = "10.1.0.0/16", subnet: str = "10.1.0.0/24") -> dict[str, Any]:
    subnets = [{"name": "pe", "properties": {"addressPrefix": subnet}}]
    space = {"addressPrefixes": [prefix]}
    return {"location": "westeurope", "properties": {"addressSpace": space, "subnets": subnets}}


def dual_stack_vnet() -> dict[str, Any]:
    subnets = [{"name": "pe", "properties": {"addressPrefixes": ["10.6.0.0/24", "fd00:6::/64"]}}]
    space = {"addressPrefixes": ["10.6.0.0/16", "fd00:6::/48"]}
    return {"location": "westeurope", "properties": {"addressSpace": space, "subnets": subnets}}


SUBNET: Final = network("hub/subnets/pe", "virtualNetworks")


def endpoint(target: str, *groups: str, manual: bool = False, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the body of an endpoint in the subnet of the virtual network `hub`."""
    link: dict[str, Any] = {"privateLinkServiceId": target, "groupIds": list(groups)}
    if manual:
        link["requestMessage"] = "Please"
    kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    connections = {kind: [{"name": "one", "properties": link}]}
    return {"location": "westeurope", "properties": {"subnet": {"id": SUBNET}, **connections, **properties}}


def status_of(body: Any) -> str:  # noqa: ANN401 - JSON
    """Return the state of an endpoint's connection."""
    properties = body["properties"]
    both = properties["privateLinkServiceConnections"] + properties["manualPrivateLinkServiceConnections"]
    return str(both[0]["properties"]["privateLinkServiceConnectionState"]["status"])


def first_resources() -> dict[str, Any]:
    """Return the bodies, by id, of the groups, the network `hub` and the storage account `acct`."""
    storage = {"location": "northeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    groups = {group(subscription=each): {"location": "westeurope"} for each in (CONSUMER, PROVIDER)}
    return {**groups, network("hub", "virtualNetworks"): vnet(), account(): storage}
