"""What the Resource Manager's API says: versions, tokens, ETags, pages, long-running operations and errors."""

import io
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from tests.registry_shapes import (
    BOTH,
    CONSUMER,
    NETWORKER,
    TENANT,
    account,
    endpoint,
    group,
    network,
    vnet,
)
from tests.resolver.registry.conftest import Arm

Http = TestClient[web.Request, web.Application]

# -- tokens


async def test_a_request_without_a_valid_token_is_told_where_to_get_one(http: Http) -> None:
    for headers, code in (
        ({}, "AuthenticationFailed"),
        ({"Authorization": "Bearer nonsense"}, "InvalidAuthenticationToken"),
        ({"Authorization": "Basic eA=="}, "AuthenticationFailedInvalidHeader"),
    ):
        reply = await http.get("/subscriptions?api-version=2022-12-01", headers=headers)
        assert reply.status == 401
        assert (await reply.json())["error"]["code"] == code
        assert f"/{TENANT}" in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "form",
    [
        {"client_id": BOTH.id, "client_secret": "wrong"},
        {"client_id": "99999999-0000-4000-a000-000000000009", "client_secret": BOTH.secret},
        {"client_id": "", "client_secret": ""},
    ],
)
async def test_a_wrong_secret_gets_no_token(http: Http, form: dict[str, str]) -> None:
    reply = await http.post(f"/{TENANT}/oauth2/v2.0/token", data={"grant_type": "client_credentials", **form})
    assert reply.status == 401
    assert (await reply.json())["error"] == "invalid_client"


async def test_other_flows_and_tenants_get_no_token(http: Http) -> None:
    reply = await http.post(f"/{TENANT}/oauth2/v2.0/token", data={"grant_type": "password"})
    assert (reply.status, (await reply.json())["error"]) == (400, "unsupported_grant_type")
    reply = await http.post(f"/{CONSUMER}/oauth2/v2.0/token", data={"grant_type": "client_credentials"})
    assert reply.status == 400


async def test_the_discovery_names_the_token_endpoint_and_the_keys(http: Http) -> None:
    """Libraries for JavaScript refuse a discovery document without `jwks_uri`."""
    reply = await http.get(f"/{TENANT}/v2.0/.well-known/openid-configuration")
    found = await reply.json()
    keys = await http.get(URL(found["jwks_uri"]).path)
    assert await keys.json() == {"keys": []}
    assert found["token_endpoint"].endswith(f"/{TENANT}/oauth2/v2.0/token")
    assert found["issuer"].endswith(f"/{TENANT}/v2.0")


async def test_the_metadata_has_what_tools_need_without_a_token(http: Http) -> None:
    found = await (await http.get("/metadata/endpoints?api-version=2022-09-01")).json()
    origin = str(http.make_url("")).rstrip("/")
    assert found["resourceManager"] == found["authentication"]["loginEndpoint"] == origin
    assert found["authentication"]["audiences"] == [origin]


# -- versions


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("", "MissingApiVersionParameter"),
        ("latest", "InvalidApiVersionParameter"),
        ("2020-08-01", "NoRegisteredProviderFound"),
    ],
)
async def test_a_wrong_version_is_refused(lab: Arm, version: str, code: str) -> None:
    answer = await lab("GET", network("hub", "virtualNetworks"), version=version)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("version", ["2020-11-01", "2026-01-01", "2027-01-01-preview"])
async def test_all_versions_since_2020_11_are_spoken(lab: Arm, version: str) -> None:
    assert (await lab("GET", network("hub", "virtualNetworks"), version=version)).status == 200


# -- ids, ETags and tags


async def test_ids_have_no_case_and_keep_theirs(lab: Arm) -> None:
    await lab("PUT", network("PrivEnd"), endpoint(account(), "blob"))
    seen = await lab("GET", network("privend").upper())
    assert seen.body["id"] == network("PrivEnd")
    again = await lab("PUT", network("PRIVEND"), endpoint(account().upper(), "BLOB"))
    assert (again.status, again.body["name"]) == (200, "PrivEnd")


async def test_a_path_with_empty_segments_names_the_same_resource(lab: Arm) -> None:
    """`az resource` sends `Microsoft.Storage//storageAccounts` where it is given a group, a type and a name."""
    path = account("other")
    made = await lab("PUT", path.replace("Microsoft.Storage/", "Microsoft.Storage//"), {"location": "westeurope"})
    assert (made.status, made.body["id"]) == (201, path)


async def test_of_two_writers_with_one_etag_the_second_is_refused(lab: Arm) -> None:
    path = network("hub", "virtualNetworks")
    etag = (await lab("GET", path)).headers["ETag"]
    body = vnet() | {"tags": {"writer": "one"}}
    assert (await lab("PUT", path, body, headers={"If-Match": etag})).status == 200
    answer = await lab("PUT", path, vnet(), headers={"If-Match": etag})
    assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert (await lab("GET", path)).body["tags"] == {"writer": "one"}
    assert (await lab("PUT", path, vnet(), headers={"If-None-Match": "*"})).status == 412
    assert (await lab("DELETE", path, headers={"If-Match": etag})).status == 412


async def test_a_change_of_a_subnet_changes_the_etag_of_its_network(lab: Arm) -> None:
    path = network("hub", "virtualNetworks")
    before = (await lab("GET", path)).body["etag"]
    await lab("PUT", f"{path}/subnets/two", {"properties": {"addressPrefix": "10.1.1.0/24"}})
    assert (await lab("GET", path)).body["etag"] != before


async def test_tags_are_replaced_by_patch(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    answer = await lab("PATCH", network("pe"), {"tags": {"a": "b"}})
    assert (answer.status, answer.body["tags"]) == (200, {"a": "b"})
    assert (await lab("PATCH", network("pe"), {"tags": {"a": 1}})).code == "InvalidRequestContent"


# -- lists


async def test_a_list_has_pages(lab: Arm) -> None:
    for i in range(5):
        await lab("PUT", network(f"pe{i}"), endpoint(account(), "blob"))
    everything = f"/subscriptions/{CONSUMER}/providers/Microsoft.Network/privateEndpoints"
    names: list[str] = []
    path = f"{everything}?$top=2"
    sizes = []
    while path:
        answer = await lab("GET", path, version="" if "api-version" in path else "2025-05-01")
        names += [each["name"] for each in answer.body["value"]]
        sizes.append(len(answer.body["value"]))
        await lab("DELETE", network("pe1"))  # a page does not depend on what was sent before
        link = answer.body.get("nextLink", "")
        path = link and "/" + link.split("/", 3)[3]
    assert (names, sizes) == ([f"pe{i}" for i in range(5)], [2, 2, 1])
    in_group = (await lab("GET", f"{group()}/providers/Microsoft.Network/privateEndpoints")).body["value"]
    assert [each["name"] for each in in_group] == ["pe0", "pe2", "pe3", "pe4"]
    assert (await lab("GET", f"{everything}?$skipToken=bad!")).code == "InvalidSkipToken"


async def test_children_and_groups_are_listed(lab: Arm) -> None:
    subnets = (await lab("GET", f"{network('hub', 'virtualNetworks')}/subnets")).body["value"]
    assert [each["name"] for each in subnets] == ["pe"]
    groups = (await lab("GET", f"/subscriptions/{CONSUMER}/resourceGroups")).body["value"]
    assert [each["name"] for each in groups] == ["rg"]
    assert groups[0]["type"] == "Microsoft.Resources/resourceGroups"


async def test_tools_find_locations_and_providers(lab: Arm) -> None:
    locations = (await lab("GET", f"/subscriptions/{CONSUMER}/locations")).body["value"]
    assert "westeurope" in {each["name"] for each in locations}
    (provider,) = [
        each
        for each in (await lab("GET", f"/subscriptions/{CONSUMER}/providers")).body["value"]
        if each["namespace"] == "Microsoft.Network"
    ]
    assert provider["registrationState"] == "Registered"
    assert "privateEndpoints" in {each["resourceType"] for each in provider["resourceTypes"]}
    assert (await lab("POST", f"/subscriptions/{CONSUMER}/providers/Microsoft.Network/register")).status == 200


# -- long-running operations


async def test_the_result_of_an_operation_can_be_read(lab: Arm) -> None:
    made = await lab("PUT", network("pe"), endpoint(account(), "blob"))
    assert made.status == 201
    path = "/" + made.headers["Azure-AsyncOperation"].split("/", 3)[3]
    assert (await lab("GET", path, version="")).body["status"] == "Succeeded"
    gone = await lab("DELETE", network("pe"))
    assert gone.status == 202
    result = "/" + gone.headers["Location"].split("/", 3)[3]
    assert (await lab("GET", result, version="")).status == 204
    assert (await lab("DELETE", network("pe"))).status == 204
    unknown = path.replace(path.rpartition("/")[2].partition("?")[0], TENANT)
    assert (await lab("GET", unknown, version="")).code == "OperationNotFound"


# -- bad input


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"{", "InvalidRequestContent"),
        (b"[]", "InvalidRequestContent"),
        (b'{"location": 5}', "InvalidRequestContent"),
        (b'{"location": "moon"}', "LocationNotAvailableForResourceType"),
        (b"{}", "LocationRequired"),
        (b'{"location": "westeurope", "tags": []}', "InvalidRequestContent"),
        (
            b'{"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["x"]}}}',
            "InvalidAddressPrefixFormat",
        ),
        (b"\xff", "InvalidRequestContent"),
        (b"[" * 100_000, "InvalidRequestContent"),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_refused(lab: Arm, octets: bytes, code: str) -> None:
    answer = await lab("PUT", network("new", "virtualNetworks"), octets=octets)
    assert (answer.status, answer.code) == (400, code), answer
    assert (await lab("GET", network("new", "virtualNetworks"))).status == 404


async def test_a_body_of_5_mb_is_refused(lab: Arm) -> None:
    answer = await lab("PUT", network("new", "virtualNetworks"), octets=io.BytesIO(b" " * 5_000_000))
    assert (answer.status, answer.code) == (413, "RequestContentTooLarge")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions/99999999-0000-4000-a000-000000000009/resourceGroups/rg", 404, "SubscriptionNotFound"),
        (group("none"), 404, "ResourceGroupNotFound"),
        (network("pe").replace("/rg/", "/none/"), 404, "ResourceGroupNotFound"),
        (network("none"), 404, "ResourceNotFound"),
        (network("x", "firewalls"), 404, "InvalidResourceType"),
        (f"{network('hub', 'virtualNetworks')}/subnets/none", 404, "ResourceNotFound"),
        (f"/subscriptions/{CONSUMER}/nothing", 404, "NotFound"),
        ("/nothing", 404, "NotFound"),
        (f"{account()}/privateEndpointConnections/none", 404, "ResourceNotFound"),
    ],
)
async def test_what_does_not_exist_has_azures_code(lab: Arm, path: str, status: int, code: str) -> None:
    answer = await lab("GET", path)
    assert (answer.status, answer.code) == (status, code)


async def test_a_resource_does_not_move(lab: Arm) -> None:
    answer = await lab("PUT", network("hub", "virtualNetworks"), vnet() | {"location": "eastus"})
    assert (answer.status, answer.code) == (409, "InvalidResourceLocation")


async def test_a_token_of_the_other_side_changes_nothing(lab: Arm) -> None:
    body: Any = {"location": "westeurope"}
    assert (await lab("PUT", account("mine"), body, client=NETWORKER)).code == "AuthorizationFailed"
    target = network("x", "privateLinkServices")
    assert (await lab("PUT", target, body, client=NETWORKER)).code == "AuthorizationFailed"


async def test_a_name_of_a_storage_account_is_free_or_taken(lab: Arm) -> None:
    path = f"/subscriptions/{CONSUMER}/providers/Microsoft.Storage/checkNameAvailability"
    for name, free in (("acct", False), ("other", True)):
        body = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
        assert (await lab("POST", path, body)).body["nameAvailable"] is free
