"""Resource Manager's lists, single reads, writes and refusals."""

import pytest

from tests.fake_azure import shapes
from tests.fake_azure.conftest import API, ONE, TWO, FakeClient
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.limits import Limits
from tests.fake_azure.server import FakeAzure

LIST = f"/subscriptions/{ONE}/providers/Microsoft.Network/privateEndpoints?{API}"
GROUP = shapes.group(ONE, "RG-Network")
PE1 = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe1"


async def test_a_list_has_pages_in_order(client: FakeClient) -> None:
    pages = await client.pages(LIST)
    assert [[found["name"] for found in page] for page in pages] == [["pe1", "pe2"], ["pe3", "pe4"], ["pe5"]]


async def test_a_row_added_while_a_list_is_read_moves_no_other_row(client: FakeClient) -> None:
    _, first, _ = await client.get(LIST)
    client.azure.estate.add(*shapes.endpoint(GROUP, "pe0", {}))
    _, second, _ = await client.get(first["nextLink"])
    assert [found["name"] for found in second["value"]] == ["pe3", "pe4"]


async def test_a_group_and_another_subscription_have_lists_of_their_own(client: FakeClient) -> None:
    inside = f"{GROUP.lower()}/providers/microsoft.network/privateendpoints?{API}"
    assert sum(map(len, await client.pages(inside))) == 5
    ((only,),) = await client.pages(LIST.replace(ONE, TWO))
    assert only["name"] == "pe6"


async def test_a_resource_is_found_in_any_case_and_keeps_its_own(client: FakeClient) -> None:
    status, body, _ = await client.get(f"{PE1.upper()}?{API}")
    assert (status, body["id"]) == (200, PE1)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PE1}9?{API}", 404, "ResourceNotFound"),
        (PE1, 400, "MissingApiVersionParameter"),
        (f"/subscriptions/none/providers/Microsoft.Network/privateEndpoints?{API}", 404, "SubscriptionNotFound"),
        (f"/subscriptions/{ONE}/providers/Microsoft.Network/firewalls?{API}", 404, "InvalidResourceType"),
        (f"{GROUP}/providers/Microsoft.Network/privateDnsZones/none/ALL?{API}", 404, "ResourceNotFound"),
        (f"{LIST}&$skipToken=nonsense", 400, "InvalidSkipToken"),
    ],
)
async def test_a_missing_resource_is_refused_as_in_azure(client: FakeClient, path: str, status: int, code: str) -> None:
    found, body, _ = await client.get(path)
    assert (found, body["error"]["code"]) == (status, code)
    assert set(body["error"]) == {"code", "message"}


async def test_a_request_without_a_valid_token_is_challenged(client: FakeClient) -> None:
    good = client.headers
    for headers, code in (({}, "AuthenticationFailed"), ({"Authorization": "Bearer x"}, "InvalidAuthenticationToken")):
        client.headers = headers
        status, body, sent = await client.get(LIST)
        assert (status, body["error"]["code"]) == (401, code)
        assert sent["WWW-Authenticate"].startswith("Bearer ")
    await client.login("https://vault.azure.net")
    _, body, _ = await client.get(LIST)
    assert body["error"]["code"] == "InvalidAuthenticationTokenAudience"
    client.headers = good
    client.azure.identity.revoke()
    assert (await client.get(LIST))[0] == 401


async def test_the_estate_can_be_changed_while_it_is_served_by_code_and_with_put_and_delete(client: FakeClient) -> None:
    def reject(resource: shapes.Json) -> None:
        connection = resource["properties"]["privateLinkServiceConnections"][0]
        connection["properties"]["privateLinkServiceConnectionState"]["status"] = "Rejected"

    client.azure.estate.change(PE1, reject)
    _, body, _ = await client.get(f"{PE1}?{API}")
    assert "Rejected" in str(body)
    body["location"] = "northeurope"
    assert (await client.get(f"{PE1}?{API}", "PUT", body))[0] == 200
    assert (await client.get(f"{PE1}?{API}"))[1]["location"] == "northeurope"
    nic = body["properties"]["networkInterfaces"][0]["id"]
    assert [(await client.get(f"{PE1}?{API}", "DELETE"))[0] for _ in "12"] == [200, 204]
    assert (await client.get(f"{nic}?{API}"))[0] == 404


async def test_a_subscription_that_is_gone_or_forbidden_is_so_in_every_api(client: FakeClient) -> None:
    gone, forbidden = FakeFault("gone", path=TWO), FakeFault("forbidden", path=TWO.upper())
    for fault, expected in ((gone, (404, "SubscriptionNotFound")), (forbidden, (403, "AuthorizationFailed"))):
        client.azure.faults.add(fault)
        status, body, _ = await client.get(LIST.replace(ONE, TWO))
        assert (status, body["error"]["code"]) == expected
        ((only,),) = await client.pages(f"/subscriptions?{API}")
        assert only["subscriptionId"] == ONE
        client.azure.faults.remove(fault)
    assert (await client.get(LIST.replace(ONE, TWO)))[0] == 200


async def test_reads_over_the_quota_are_refused_with_the_time_to_wait(client: FakeClient) -> None:
    now = 1_000_000.0
    limits = Limits(reads=2, refill=0.5)
    async with FakeAzure(client.azure.estate, limits=limits, clock=lambda: now) as azure:
        client.azure = azure
        await client.login()
        replies = [await client.get(LIST) for _ in range(3)]
        assert [status for status, _, _ in replies] == [200, 200, 429]
        assert replies[0][2]["x-ms-ratelimit-remaining-subscription-reads"] == "1"
        now += int(replies[2][2]["Retry-After"])
        assert (await client.get(LIST))[0] == 200
