"""Every fault has its effect, for its number of requests."""

import json
from email.utils import parsedate_to_datetime
from time import time

import aiohttp
import pytest

from tests.fake_azure.conftest import API, ONE, FakeClient
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.server import FakeAzure
from tests.fake_azure.test_sdk import JOINED

LIST = f"/subscriptions/{ONE}/providers/Microsoft.Network/privateEndpoints?{API}"


def names(pages: list[list[dict[str, str]]]) -> list[list[str]]:
    """Return the names in the pages."""
    return [[found["name"] for found in page] for page in pages]


async def test_a_fault_affects_the_intended_requests_and_ends(client: FakeClient) -> None:
    fault = client.azure.faults.add(
        FakeFault("status", api="arm", path="privateendpoints", skip=1, count=2, status=500)
    )
    assert [(await client.get(LIST))[0] for _ in range(4)] == [200, 500, 500, 200]
    assert fault not in client.azure.faults.pending()
    lasting = client.azure.faults.add(FakeFault("status", count=0, status=503))
    assert [(await client.get(LIST))[0] for _ in range(3)] == [503] * 3
    client.azure.faults.remove(lasting)
    assert (await client.get(LIST))[0] == 200
    assert client.azure.counts == {("token", 200): 1, ("arm", 200): 3, ("arm", 500): 2, ("arm", 503): 3}


async def test_a_throttle_says_how_long(client: FakeClient) -> None:
    client.azure.faults.add(FakeFault("status", status=429, seconds=7, count=0))
    _, body, sent = await client.get(LIST)
    assert (body["error"]["code"], sent["Retry-After"]) == ("TooManyRequests", "7")
    _, body, sent = await client.query(JOINED)
    assert (body["error"]["code"], sent["x-ms-user-quota-resets-after"]) == ("RateLimiting", "00:00:07")


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_resource_graph_fails_alone(client: FakeClient, status: int) -> None:
    client.azure.faults.add(FakeFault("status", api="graph", status=status))
    assert ((await client.query(JOINED))[0], (await client.get(LIST))[0]) == (status, 200)


async def test_a_page_is_repeated_or_lost_in_lists_and_in_the_graph(client: FakeClient) -> None:
    faults = client.azure.faults
    faults.add(FakeFault("repeat", skip=1))
    assert names(await client.pages(LIST)) == [["pe1", "pe2"], ["pe3", "pe4"], ["pe3", "pe4"], ["pe5"]]
    endless = faults.add(FakeFault("repeat", count=0))
    assert names(await client.pages(LIST, most=5)) == [["pe1", "pe2"]] * 5
    faults.remove(endless)
    faults.add(FakeFault("lose"))
    assert names(await client.pages(LIST)) == [["pe1", "pe2"], ["pe5"]]
    faults.add(FakeFault("lose"))
    _, first, _ = await client.query(JOINED, top=2)
    _, second, _ = await client.query(JOINED, top=2, token=first["$skipToken"])
    assert (first["totalRecords"], [row["name"] for row in second["data"]]) == (6, ["pe5", "pe6"])


async def test_a_token_expires_early_or_the_clocks_differ(client: FakeClient) -> None:
    client.azure.faults.add(FakeFault("expired"))
    assert (await client.get(LIST))[1]["error"]["code"] == "ExpiredAuthenticationToken"
    for seconds, code in ((-900, "InvalidAuthenticationToken"), (90_000, "ExpiredAuthenticationToken")):
        client.azure.faults.add(FakeFault("skew", seconds=seconds))
        status, body, sent = await client.get(LIST)
        assert (status, body["error"]["code"]) == (401, code)
        assert abs(parsedate_to_datetime(sent["Date"]).timestamp() - time() - seconds) < 60
    assert (await client.get(LIST))[0] == 200


async def test_the_token_endpoint_fails(client: FakeClient) -> None:
    client.azure.faults.add(FakeFault("status", api="token", status=400, code="Tenant not found."))
    with pytest.raises(KeyError):
        await client.login()
    await client.login()


async def test_a_next_link_or_a_redirect_leads_to_another_host(client: FakeClient) -> None:
    async with FakeAzure() as stranger:
        client.azure.faults.add(FakeFault("elsewhere", to=stranger.url))
        _, body, _ = await client.get(LIST)
        assert body["nextLink"].startswith(f"{stranger.url}/subscriptions/{ONE}/")
        client.azure.faults.add(FakeFault("redirect", to=stranger.url))
        status, _, sent = await client.get(LIST)
        assert (status, sent["Location"].partition("/subscriptions")[0]) == (307, stranger.url)
        await client.get(body["nextLink"])
        assert [request.authorized for request in stranger.requests] == [True]  # a token sent there would be noticed


async def test_bodies_are_slow_cut_broken_or_huge(client: FakeClient) -> None:
    faults = client.azure.faults
    faults.add(FakeFault("slow", seconds=0.01))
    assert (await client.get(LIST))[0] == 200
    faults.add(FakeFault("cut"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get(LIST)
    faults.add(FakeFault("malformed"))
    with pytest.raises(json.JSONDecodeError):
        await client.get(LIST)
    faults.add(FakeFault("huge", size=20 << 20))
    status, body, sent = await client.get(LIST)
    assert (status, len(body["value"]), sent["Content-Length"]) == (200, 2, str(20 << 20))
