"""Resource Graph: results of queries, pages, the quota, and what is left out silently."""

import pytest

from tests.fake_azure.conftest import ONE, TWO, FakeClient
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.limits import Limits
from tests.fake_azure.server import FakeAzure
from tests.fake_azure.test_sdk import JOINED

NETWORKS = """
resources | where type =~ 'Microsoft.Network/virtualNetworks'
| project id, name, prefixes = properties.addressSpace.addressPrefixes, peerings = properties.virtualNetworkPeerings
| order by id asc
"""


async def test_endpoints_are_joined_with_their_nics(client: FakeClient) -> None:
    _, body, _ = await client.query(JOINED)
    assert (body["totalRecords"], body["count"], body["resultTruncated"]) == (6, 6, "false")
    assert "$skipToken" not in body
    row = body["data"][0]
    columns = ["id", "name", "location", "subscriptionId", "resourceGroup", "properties", "nicId", "ipConfigurations"]
    assert list(row) == columns
    assert row["resourceGroup"] == "rg-network"
    assert row["properties"]["networkInterfaces"] == [{"id": row["nicId"]}]


async def test_an_endpoint_without_a_nic_keeps_its_row(client: FakeClient) -> None:
    estate = client.azure.estate
    estate.remove(estate.nics(estate.ids("microsoft.network/privateendpoints")[0])[0])
    _, body, _ = await client.query(JOINED)
    assert (body["data"][0]["nicId"], body["data"][0]["ipConfigurations"]) == ("", None)
    _, body, _ = await client.query(JOINED.replace("leftouter", "inner"))
    assert body["totalRecords"] == 5


async def test_networks_have_the_requested_columns(client: FakeClient) -> None:
    _, body, _ = await client.query(NETWORKS)
    assert [row["prefixes"] for row in body["data"]] == [["10.1.0.0/16"], ["10.2.0.0/16"]]
    assert body["data"][1]["peerings"][0]["properties"]["remoteVirtualNetwork"]["id"] == body["data"][0]["id"]


async def test_the_token_of_the_next_page_stays_valid_while_rows_are_removed(client: FakeClient) -> None:
    _, first, _ = await client.query(JOINED, top=2)
    client.azure.estate.remove(first["data"][0]["id"])
    _, second, _ = await client.query(JOINED, top=2, token=first["$skipToken"])
    assert [row["name"] for page in (first, second) for row in page["data"]] == ["pe1", "pe2", "pe3", "pe4"]


async def test_without_an_id_there_is_no_token_and_the_result_is_truncated(client: FakeClient) -> None:
    _, body, _ = await client.query(
        "resources | where type =~ 'microsoft.network/virtualnetworks' | project name", top=1
    )
    assert (body["resultTruncated"], body["count"], body["totalRecords"]) == ("true", 1, 2)
    assert "$skipToken" not in body


async def test_without_an_order_pages_may_overlap(client: FakeClient) -> None:
    text = JOINED.replace("| order by id asc", "")
    pages = [(await client.query(text, top=2))[1]["data"] for _ in range(2)]
    assert pages[0] != pages[1]


async def test_only_requested_and_readable_subscriptions_count(client: FakeClient) -> None:
    _, body, _ = await client.query(JOINED, TWO.upper())
    assert {row["subscriptionId"] for row in body["data"]} == {TWO}
    client.azure.faults.add(FakeFault("forbidden", path=TWO))
    _, body, _ = await client.query(JOINED, ONE, TWO, "unknown")
    assert {row["subscriptionId"] for row in body["data"]} == {ONE}
    status, body, _ = await client.query(JOINED, TWO)
    assert (status, body["error"]["details"][0]["code"]) == (400, "NoValidSubscriptionsInQueryRequest")


@pytest.mark.parametrize(
    "text",
    [
        "resourcecontainers | project id",
        "resources | project id",
        "resources | where type =~ 'microsoft.network/virtualnetworks' | project id, other",
        "resources | where type =~ 'microsoft.network/virtualnetworks' | summarize count()",
        "resources | where type =~ 'microsoft.network/virtualnetworks' | order by id",
        JOINED.replace(") on peId", ") on peid"),
        JOINED.replace("kind=leftouter", ""),
    ],
)
async def test_a_query_that_the_fake_does_not_implement_is_invalid(client: FakeClient, text: str) -> None:
    status, body, _ = await client.query(text)
    assert (status, body["error"]["details"][0]["code"]) == (400, "InvalidQuery")


async def test_types_are_stored_in_lower_case(client: FakeClient) -> None:
    _, body, _ = await client.query("resources | where type == 'Microsoft.Network/virtualNetworks' | project id")
    assert body["totalRecords"] == 0


async def test_every_response_has_the_quota_and_it_is_reset_on_time(client: FakeClient) -> None:
    now = 1_000_000.0
    async with FakeAzure(client.azure.estate, limits=Limits(queries=2, window=5), clock=lambda: now) as azure:
        client.azure = azure
        await client.login()
        replies = [await client.query(NETWORKS) for _ in range(3)]
        assert [status for status, _, _ in replies] == [200, 200, 429]
        quota = [(sent["x-ms-user-quota-remaining"], sent["x-ms-user-quota-resets-after"]) for _, _, sent in replies]
        assert quota == [("1", "00:00:05"), ("0", "00:00:05"), ("0", "00:00:05")]
        assert replies[2][1]["error"]["code"] == "RateLimiting"
        now += 5
        assert (await client.query(NETWORKS))[0] == 200
