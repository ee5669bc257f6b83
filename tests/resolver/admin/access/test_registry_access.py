"""Who may do what in the registry: the same tokens at the admin interface and at the Resource Manager's API."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.access import registry_callers
from resolver.admin.access.tokens import digest
from resolver.admin.app import application, context_of
from resolver.admin.route import Context
from resolver.admin_settings import AdminSettings, AdminToken, RoleName
from resolver.host_port import HostPort
from resolver.registry.arm.app import Access
from resolver.registry.arm.app import application as resource_manager
from resolver.registry.arm.signed_tokens import SignedTokens
from resolver.registry.portal import Portal
from resolver.registry_roles import RegistryRoles
from tests.filled_registry import SETTINGS, opened, write
from tests.registry_shapes import (
    CONSUMER,
    NETWORKER,
    PROVIDER,
    SUPPLIER,
    TENANT,
    VERSION,
    Client,
    account,
    endpoint,
    network,
)  # fmt: skip

Control = Any  # of conftest
ENDPOINTS, CONNECTIONS = "/v1/registry/endpoints", "/v1/registry/connections"
NIC = network("nic", "networkInterfaces")


def _token(name: str, role: RoleName, roles: RegistryRoles | None = None) -> AdminToken:
    return AdminToken(name, role, digest(f"pldns_{name}"), roles)


TOKENS = (
    _token("admin", "admin"),
    _token("operator", "operate"),
    _token("seer", "read"),
    _token("nobody", "registry"),
    _token("consumer", "registry", RegistryRoles(consumer=frozenset((CONSUMER,)))),
    _token("provider", "registry", RegistryRoles(owner=frozenset((PROVIDER,)))),
    _token("half", "admin", RegistryRoles(reader=frozenset((PROVIDER,)))),
)
"""The text of each is `pldns_` and its name."""


class Two(NamedTuple):
    """The admin interface and the Resource Manager's API of one registry, which share their tokens and audit log."""

    context: Context
    admin: TestClient[Any, Any]
    arm: TestClient[Any, Any]

    async def get(self, path: str, token: str) -> tuple[int, Any]:
        """Ask the admin interface. Return the status and the body."""
        async with self.admin.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
            return response.status, await response.json(content_type=None)

    async def post(self, path: str, token: str) -> tuple[int, Any]:
        async with self.admin.post(path, json={}, headers={"Authorization": f"Bearer {token}"}) as response:
            return response.status, await response.json(content_type=None)

    async def ask(self, method: str, path: str, token: str, body: object = None) -> tuple[int, Any]:
        """Ask the Resource Manager. Return the status and the body."""
        url, headers = f"{path}?api-version={VERSION}", {"Authorization": f"Bearer {token}"}
        async with self.arm.request(method, url, json=body, headers=headers) as response:
            octets = await response.read()
            return response.status, await response.json(content_type=None) if octets else None

    async def names(self, path: str, token: str) -> list[str]:
        """Return the names of the items of a list, without the GUID of a connection."""
        status, body = await self.get(path, token)
        assert status == 200, body
        return [each["name"].partition(".")[0] for each in body["items"]]

    async def signed(self, client: Client) -> str:
        """Return a token that the registry signs for one of its clients."""
        form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret}
        async with self.arm.post(f"/{TENANT}/oauth2/v2.0/token", data=form) as response:
            return str((await response.json())["access_token"])


@pytest.fixture
async def two(tmp_path: Path, control: Control) -> AsyncIterator[Two]:
    """A registry with the endpoint `pe` of one subscription that waits for the owner of an account in another one."""
    listen = HostPort("127.0.0.1", 8053)
    settings = control.estate.settings
    control.estate.settings = structs.replace(settings, admin=AdminSettings(listen, tokens=TOKENS), registry=SETTINGS)
    async with opened(tmp_path) as registry:
        await write(registry, {network("pe"): endpoint(account(), "blob", manual=True)}, NETWORKER)
        signed = SignedTokens(registry)
        control.registry = Portal(registry, signed.caller)
        context = context_of(control)
        access = Access(
            signed,
            lambda token, remote: registry_callers.of_token(context.bearer, SETTINGS, token, remote),
            context.audit_log.record,
        )
        async with (
            TestClient(TestServer(application(context, listen))) as admin,
            TestClient(TestServer(resource_manager(registry, access, secure=False))) as arm,
        ):
            yield Two(context, admin, arm)


SIDES = {
    "admin": (["pe"], ["pe"]),
    "operator": (["pe"], ["pe"]),
    "seer": (["pe"], ["pe"]),
    "nobody": ([], []),
    "consumer": (["pe"], []),
    "provider": ([], ["pe"]),
    "half": ([], ["pe"]),
}
"""The endpoints and the connections that each token sees."""


@pytest.mark.parametrize("name", SIDES)
async def test_each_side_sees_its_own_in_lists(two: Two, name: str) -> None:
    endpoints, connections = SIDES[name]
    assert await two.names(ENDPOINTS, f"pldns_{name}") == endpoints
    assert await two.names(CONNECTIONS, f"pldns_{name}") == connections


@pytest.mark.parametrize("client", [NETWORKER, SUPPLIER])
async def test_a_client_of_the_registry_sees_its_side_and_nothing_but_the_registry(two: Two, client: Client) -> None:
    token = await two.signed(client)
    assert await two.names(ENDPOINTS, token) == (["pe"] if client is NETWORKER else [])
    assert await two.names(CONNECTIONS, token) == ([] if client is NETWORKER else ["pe"])
    status, problem = await two.get("/v1/endpoints", token)
    assert (status, problem["type"]) == (403, "urn:pldns:problem:role-too-low")
    assert f"client {client.name} at 127.0.0.1" in problem["detail"]


async def test_a_consumer_sees_the_state_and_a_provider_the_id_of_the_other_side(two: Two) -> None:
    status, seen = await two.ask("GET", network("pe"), "pldns_consumer")
    assert status == 200
    nic = seen["properties"]["networkInterfaces"][0]["id"]
    connections = f"{account()}/privateEndpointConnections"
    assert (await two.ask("GET", connections, "pldns_consumer"))[0] == 403
    status, listed = await two.ask("GET", connections, "pldns_provider")
    assert status == 200
    (connection,) = listed["value"]
    assert connection["properties"]["privateEndpoint"] == {"id": network("pe")}
    for hidden in (network("pe"), nic, network("hub", "virtualNetworks")):
        status, refused = await two.ask("GET", hidden, "pldns_provider")
        assert (status, refused["error"]["code"]) == (403, "AuthorizationFailed")
    status, problem = await two.get(f"{ENDPOINTS}/pe", "pldns_provider")
    assert (status, problem["azure"]) == (404, "ResourceNotFound")


@pytest.mark.parametrize("name", ["seer", "consumer", "nobody", "half"])
async def test_who_does_not_own_the_target_approves_nothing(two: Two, name: str) -> None:
    _, listed = await two.ask("GET", f"{account()}/privateEndpointConnections", "pldns_admin")
    key = listed["value"][0]["id"]
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    assert (await two.ask("PUT", key, f"pldns_{name}", body))[0] == 403
    assert (await two.post(f"{CONNECTIONS}/{key.replace('/', '%2F')}/approve", f"pldns_{name}"))[0] == 403
    assert (await two.get(f"{CONNECTIONS}/pe", "pldns_admin"))[1]["state"] == "Pending"


@pytest.mark.parametrize("name", ["provider", "operator", "admin"])
async def test_who_owns_the_target_approves_at_either_side(two: Two, name: str) -> None:
    status, made = await two.post(f"{CONNECTIONS}/pe/approve", f"pldns_{name}")
    assert (status, made["state"]) == (200, "Approved")
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected"}}}
    assert (await two.ask("PUT", made["id"], f"pldns_{name}", body))[0] == 200


async def test_the_resource_manager_refuses_a_token_that_nobody_has(two: Two) -> None:
    for token in ("pldns_other", "a.b.c", ""):
        status, refused = await two.ask("GET", "/subscriptions", token)
        assert (status, refused["error"]["code"]) == (401, "InvalidAuthenticationToken"), token
    status, listed = await two.ask("GET", "/subscriptions", "pldns_consumer")
    assert [each["subscriptionId"] for each in listed["value"]] == [CONSUMER]


async def test_the_audit_log_has_every_write_of_the_resource_manager(two: Two) -> None:
    token = await two.signed(NETWORKER)
    assert (await two.ask("PUT", account(), token, {"location": "westeurope"}))[0] == 403
    assert (await two.ask("DELETE", network("pe"), token))[0] == 202
    assert (await two.ask("GET", network("hub", "virtualNetworks"), token))[0] == 200
    assert (await two.ask("PUT", network("pe"), "pldns_consumer", {"location": "here"}))[0] == 400
    large = {"Authorization": "Bearer pldns_consumer", "Content-Type": "application/json"}
    path = f"{network('pe')}?api-version={VERSION}"
    async with two.arm.put(path, data=BytesIO(b" " * 5_000_000), headers=large) as sent:
        assert sent.status == 413
    found = [(each.who, each.action, each.target, each.after) for each in two.context.audit_log.entries]
    assert found == [
        ("client networker at 127.0.0.1", "registry.put", account(), {"status": 403, "refused": "AuthorizationFailed"}),
        ("client networker at 127.0.0.1", "registry.delete", network("pe"), {"status": 202}),
        (
            "token consumer at 127.0.0.1", "registry.put", network("pe"),
            {"status": 400, "refused": "LocationNotAvailableForResourceType"},
        ),
        (
            "token consumer at 127.0.0.1", "registry.put", network("pe"),
            {"status": 413, "refused": "RequestContentTooLarge"},
        ),
    ]  # fmt: skip


async def test_a_token_can_be_made_for_one_subscription(two: Two) -> None:
    headers = {"Authorization": "Bearer pldns_admin"}
    wanted = {"name": "new", "role": "registry", "registry": {"owner": ["PROVIDER"]}}
    async with two.admin.post("/v1/tokens", json=wanted, headers=headers) as response:
        made = await response.json()
    assert made["registry"] == {"owner": [PROVIDER], "consumer": [], "reader": []}
    assert await two.names(CONNECTIONS, made["token"]) == ["pe"]
    assert await two.names(ENDPOINTS, made["token"]) == []
    for wrong, says in (({"owner": ["nowhere"]}, "there is no subscription `nowhere`"), (None, "needs a subscription")):
        async with two.admin.post("/v1/tokens", json={**wanted, "registry": wrong}, headers=headers) as response:
            assert response.status == 400
            assert says in (await response.json())["detail"]
