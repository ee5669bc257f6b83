"""The registry over the admin interface: lists of both sides, and decisions of the owner."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.access.tokens import digest
from resolver.admin.app import application, context_of
from resolver.admin.route import Route
from resolver.admin.routes import ROUTES
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.registry.portal import Portal
from resolver.registry.registry import Registry
from tests.filled_registry import opened, write
from tests.registry_shapes import CONSUMER, NETWORKER, account, endpoint, network
from tests.resolver.admin.conftest import LISTEN
from tests.resolver.admin.json_client import Client, get, post, walked

ENDPOINTS = "/v1/registry/endpoints"
CONNECTIONS = "/v1/registry/connections"

Control = Any  # of conftest


@pytest.fixture
async def registry(tmp_path: Path, control: Control) -> AsyncIterator[Registry]:
    """A registry with an approved endpoint `pe`, and `shop` and `shelf` that wait for approval."""
    async with opened(tmp_path) as made:
        await write(made, {network("pe"): endpoint(account(), "blob")})
        await write(
            made, {network(name): endpoint(account(), "file", manual=True) for name in ("shop", "shelf")}, NETWORKER
        )
        control.registry = Portal(made)
        yield made


async def test_without_a_registry_there_is_nothing_to_list(client: Client) -> None:
    problem = await get(client, ENDPOINTS, 404)
    assert problem["type"] == "urn:pldns:problem:no-registry"
    assert "`registry`" in problem["detail"]


async def test_an_endpoint_has_its_state_addresses_and_names(client: Client, registry: Registry) -> None:
    items = (await get(client, ENDPOINTS))["items"]
    assert [each["name"] for each in items] == ["pe", "shelf", "shop"]
    pe = dict(items[0])
    assert pe.pop("etag")
    assert pe.pop("nic").startswith(network("pe.nic", "networkInterfaces"))
    assert pe == {
        "id": network("pe"), "name": "pe", "group": "rg", "subscription": CONSUMER, "location": "westeurope",
        "state": "Approved", "description": "Auto-approved", "target": account(), "sub_resource": "blob",
        "manual": False, "message": "", "subnet": network("hub/subnets/pe", "virtualNetworks"),
        "addresses": ["10.1.0.4"], "names": ["acct.blob.core.windows.net"], "tags": {},
    }  # fmt: skip
    assert (await get(client, f"{ENDPOINTS}/PE"))["id"] == pe["id"]
    assert await walked(client, ENDPOINTS, 1) == items


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=pending", ["shelf", "shop"]),
        ("state=Approved&state=Rejected", ["pe"]),
        ("subscription=Consumer&name=SHOP", ["shop"]),
        ("subscription=provider", []),
        ("vnet=hub", ["pe", "shelf", "shop"]),
        (f"target={quote(account())}", ["pe", "shelf", "shop"]),
        ("target=ACCT&state=approved", ["pe"]),
        ("target=other", []),
    ],
)
async def test_a_list_has_what_all_filters_select(
    client: Client, registry: Registry, query: str, names: list[str]
) -> None:
    assert [each["name"] for each in (await get(client, f"{ENDPOINTS}?{query}"))["items"]] == names


async def test_a_filter_with_an_unknown_subscription_or_network_is_refused(client: Client, registry: Registry) -> None:
    problem = await get(client, f"{ENDPOINTS}?subscription=other", 400)
    assert problem["azure"] == "SubscriptionNotFound"
    assert f"consumer ({CONSUMER})" in problem["detail"]
    assert "`hubs`" in (await get(client, f"{ENDPOINTS}?vnet=hubs", 400))["detail"].replace("'", "`")


async def test_the_owner_sees_who_waits_and_approves(client: Client, registry: Registry) -> None:
    waiting = (await get(client, f"{CONNECTIONS}?state=Pending"))["items"]
    assert [(each["endpoint"], each["message"]) for each in waiting] == [
        (network("shelf"), "Please"), (network("shop"), "Please")
    ]  # fmt: skip
    made = await post(client, f"{CONNECTIONS}/shop/approve", {"reason": "ticket 7"})
    assert (made["id"], made["state"], made["description"]) == (waiting[1]["id"], "Approved", "ticket 7")
    assert (await get(client, f"{ENDPOINTS}/shop"))["names"] == ["acct.file.core.windows.net"]
    assert await walked(client, CONNECTIONS, 1) == (await get(client, CONNECTIONS))["items"]
    rejected = await post(client, f"{CONNECTIONS}/{quote(made['id'], safe='')}/reject", {})
    assert rejected == await get(client, f"{CONNECTIONS}/{made['name']}")
    assert rejected["state"] == "Rejected"
    await post(client, f"{CONNECTIONS}/{made['name']}/delete", {})
    assert (await get(client, f"{ENDPOINTS}/shop"))["state"] == "Disconnected"
    assert (await get(client, f"{CONNECTIONS}/shop", 404))["azure"] == "ResourceNotFound"


async def test_the_beginning_of_a_name_will_do_for_reading_where_one_has_it(client: Client, registry: Registry) -> None:
    assert (await get(client, f"{CONNECTIONS}/sho"))["endpoint"] == network("shop")
    problem = await get(client, f"{CONNECTIONS}/sh", 409)
    assert problem["azure"] == "AmbiguousName"
    assert f"{account()}/privateEndpointConnections/shelf." in problem["detail"]


@pytest.mark.parametrize(
    "path", [f"{ENDPOINTS}/sho/delete", *(f"{CONNECTIONS}/sho/{each}" for each in ("approve", "reject", "delete"))]
)
async def test_a_change_needs_the_whole_name(client: Client, registry: Registry, path: str) -> None:
    before = await get(client, f"{ENDPOINTS}/shop")
    problem = await post(client, path, {}, 404)
    assert (problem["azure"], "Names that begin with 'sho': shop" in problem["detail"]) == ("ResourceNotFound", True)
    assert await get(client, f"{ENDPOINTS}/shop") == before


async def test_two_people_do_not_decide_over_each_other(client: Client, registry: Registry) -> None:
    etag = (await get(client, f"{CONNECTIONS}/shop"))["etag"]
    await post(client, f"{CONNECTIONS}/shop/reject", {"etag": etag, "reason": "no"})
    problem = await post(client, f"{CONNECTIONS}/shop/approve", {"etag": etag}, 412)
    assert problem["azure"] == "PreconditionFailed"
    assert (await get(client, f"{CONNECTIONS}/shop"))["description"] == "no"


BODIES = {
    "/v1/registry/plan": {"action": "approve", "name": "shop"},
    "/v1/registry/preview": {"action": "approve", "name": "shop"},
    "/v1/registry/endpoints": {"name": "a", "subnet": "hub/pe", "target": "acct", "sub_resource": "blob"},
    "/v1/registry/networks": {
        "name": "a",
        "prefixes": ["10.7.0.0/16"],
        "group": "rg",
        "location": "westeurope",
        "subscription": "consumer",
    },
    "/v1/registry/targets": {
        "name": "a",
        "type": "storageAccounts",
        "group": "new",
        "location": "westeurope",
        "subscription": "provider",
    },
}


@pytest.mark.parametrize(
    "route", [each for each in ROUTES if each.body and "/registry/" in each.path], ids=lambda route: route.path
)
async def test_the_role_read_changes_nothing(
    client: Client, control: Control, registry: Registry, route: Route
) -> None:
    control.estate.settings = structs.replace(
        control.estate.settings, admin=AdminSettings(LISTEN, tokens=(AdminToken("seer", "read", digest("pldns_seer")),))
    )
    headers = {"Authorization": "Bearer pldns_seer"}
    async with client.post(
        route.path.replace("{name}", "shop"), json=BODIES.get(route.path, {}), headers=headers
    ) as response:
        problem = await response.json()
    assert (problem["status"], problem["azure"]) == (403, "AuthorizationFailed"), problem
    assert "'token seer at 127.0.0.1'" in problem["detail"]
    async with client.get(f"{ENDPOINTS}/shop", headers=headers) as response:
        assert (await response.json())["state"] == "Pending"


async def test_the_audit_log_has_decisions_made_and_refused(client: Client, registry: Registry) -> None:
    key = (await post(client, f"{CONNECTIONS}/shop/approve", {"reason": "yes"}))["id"]
    await post(client, f"{CONNECTIONS}/shop/reject", {"etag": "another"}, 412)
    refused, made = (await get(client, f"/v1/audit?name={quote(key)}"))["items"]
    assert made["action"] == "registry.approve"
    assert (made["before"], made["after"]) == ({"state": "Pending"}, {"state": "Approved", "reason": "yes"})
    assert refused["action"] == "registry.reject"
    assert refused["after"] == {"status": 412, "refused": "PreconditionFailed"}


async def test_who_proves_nothing_may_read_and_is_asked_for_a_token_to_change(
    control: Control, registry: Registry
) -> None:
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN))
    async with TestClient(TestServer(application(context_of(control), LISTEN))) as nobody:
        assert len((await get(nobody, CONNECTIONS))["items"]) == 3
        problem = await post(nobody, f"{CONNECTIONS}/shop/approve", {}, 401)
        assert problem["type"] == "urn:pldns:problem:token-missing"
        assert "does not have authorization" in problem["detail"]
