"""Role by route, and what browsers can be made to send."""

import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.access.identity import Role
from resolver.admin.access.tokens import digest
from resolver.admin.app import application, context_of
from resolver.admin.route import Context, Route
from resolver.admin.routes import ROUTES
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.host_port import HostPort

Client = TestClient[Any, Any]
Control = Any  # of conftest
LISTEN = HostPort("192.0.2.1", 8053)
TOKENS = tuple(AdminToken(role.value, role.value, digest(f"pldns_{role}")) for role in Role)
FLUSH = {"action": "flush", "name": "www.example"}


@pytest.fixture
def context(control: Control) -> Context:
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN, tokens=TOKENS))
    return context_of(control)


@pytest.fixture
async def network(context: Context) -> AsyncIterator[Client]:
    """The listener on an address that is not loopback."""
    async with TestClient(TestServer(application(context, LISTEN))) as client:
        yield client


@pytest.fixture
async def loopback(control: Control) -> AsyncIterator[Client]:
    """The listener on loopback of a pldns without a token."""
    at = HostPort("127.0.0.1", 8053)
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(at))
    async with TestClient(TestServer(application(context_of(control), at))) as client:
        yield client


async def outcome(client: Client, route: Route, token: str | None) -> tuple[int, str]:
    """Return the status of a request, and the code of its problem."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    path = route.path.replace("{name}", "none").replace("{zone}", "none.example").replace("{id}", "none")
    if route.body:
        sent = client.post(path, json={}, headers=headers)
    else:
        sent = client.get(f"{path}?nonsense=1", headers=headers)  # refused after the role was checked
    async with sent as response:
        body = await response.json(content_type=None)
        return response.status, body["type"].removeprefix("urn:pldns:problem:")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{'POST' if route.body else 'GET'} {route.path}")
async def test_each_route_needs_its_role(network: Client, route: Route) -> None:
    for role in Role:
        status, code = await outcome(network, route, f"pldns_{role}")
        if route.role is None or role.includes(route.role):
            assert status not in {401, 403}, code
        else:
            assert (status, code) == (403, "role-too-low")
    if route.role is None:
        assert (await outcome(network, route, None))[0] not in {401, 403}
        return
    for token in ("pldns_wrong", "pldns_", "PLDNS_ADMIN", digest("pldns_admin"), "%"):
        assert await outcome(network, route, token) == (401, "token-invalid")
    assert await outcome(network, route, None) == (401, "token-missing")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{'POST' if route.body else 'GET'} {route.path}")
async def test_without_tokens_loopback_is_open_for_reading(loopback: Client, route: Route) -> None:
    status, code = await outcome(loopback, route, None)
    if route.role in {None, Role.REGISTRY, Role.READ}:
        assert status not in {401, 403}
    else:
        assert (status, code) == (401, "token-missing")


def test_every_change_needs_more_than_the_role_read() -> None:
    found = {route.path for route in ROUTES if route.body and route.role in {None, Role.REGISTRY, Role.READ}}
    assert {path for path in found if not path.startswith("/v1/registry/")} == set()  # the registry decides there
    assert {route.path for route in ROUTES if route.role is None} == {"/livez", "/readyz", "/v1/docs"}


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.body and "registry" not in route.path], ids=lambda route: route.path
)
def test_every_change_is_audited(route: Route) -> None:
    assert "context.audit(request, " in inspect.getsource(route.handler)


async def test_a_token_is_one_header_of_the_scheme_bearer(network: Client) -> None:
    for value in ("Basic pldns_admin", "pldns_admin", "Bearer", "Bearer  ", f"Bearer {'a' * 8200}"):
        async with network.get("/v1/status", headers={"Authorization": value}) as response:
            assert response.status in {400, 401}, value
    twice = [("Authorization", "Bearer pldns_admin"), ("Authorization", "Bearer pldns_wrong")]
    async with network.get("/v1/status", headers=twice) as response:
        assert response.status in {400, 401}
    async with network.get("/v1/status", headers={"Authorization": "bEARER pldns_read"}) as response:
        assert response.status == 200
    async with network.get("/v1/status") as response:
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="pldns"'


async def test_loopback_is_closed_once_there_is_a_token(loopback: Client, control: Control) -> None:
    async with loopback.get("/v1/status") as response:
        assert response.status == 200
    admin = structs.replace(control.estate.settings.admin, tokens=TOKENS)  # as a reload does
    control.estate.settings = structs.replace(control.estate.settings, admin=admin)
    async with loopback.get("/v1/status") as response:
        assert response.status == 401
    for path in ("/livez", "/readyz"):
        async with loopback.get(path) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/status", {"Host": "evil.example"}, 421),  # DNS rebinding
        ("POST", "/v1/cache", {"Host": "evil.example", "Content-Type": "application/json"}, 421),
        ("POST", "/v1/cache", {"Origin": "https://evil.example", "Content-Type": "text/plain"}, 401),  # simple POST
        ("POST", "/v1/cache", {"Origin": "null", "Content-Type": "application/json"}, 401),
        ("POST", "/v1/cache", {"Content-Type": "application/x-www-form-urlencoded"}, 401),
        ("OPTIONS", "/v1/cache", {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, 405),
        ("OPTIONS", "/v1/status", {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}, 405),
        ("GET", "/v1/status", {"Origin": "https://evil.example"}, 200),  # the browser hides the response from the page
    ],
)
async def test_a_page_in_a_browser_changes_nothing_and_learns_nothing(
    loopback: Client, control: Control, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    body = None if method == "GET" else '{"action": "flush", "name": "."}'
    async with loopback.request(method, path, data=body, headers=headers) as response:
        assert response.status == status
        assert not [name for name in response.headers if name.lower().startswith("access-control")]
    assert not control.requests


async def test_names_of_this_machine_are_accepted_as_configured(network: Client, context: Context) -> None:
    headers = {"Authorization": "Bearer pldns_read"}
    for host, status in (("pldns.corp.example:8053", 421), ("192.0.2.1", 200), ("127.0.0.1:1", 200)):
        async with network.get("/v1/status", headers={**headers, "Host": host}) as response:
            assert response.status == status, host
    settings = context.estate.settings
    admin = structs.replace(settings.admin, hosts=("pldns.corp.example",))
    context.estate.settings = structs.replace(settings, admin=admin)
    async with network.get("/v1/status", headers={**headers, "Host": "PLDNS.corp.example:8053"}) as response:
        assert response.status == 200
