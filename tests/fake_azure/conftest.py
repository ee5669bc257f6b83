"""A fake Azure with two subscriptions, and a client with a token."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fake_azure import shapes
from tests.fake_azure.estate import FakeEstate
from tests.fake_azure.limits import UNLIMITED
from tests.fake_azure.server import FakeAzure
from tests.fake_azure.shapes import Json

ONE, TWO = shapes.subscription_id(1), shapes.subscription_id(2)
API = "api-version=2024-05-01"


def small() -> FakeEstate:
    """Return an estate of six endpoints in two subscriptions, two networks, and a zone with a record and a link."""
    here, there = shapes.group(ONE, "RG-Network"), shapes.group(TWO)
    estate = FakeEstate()
    hub = shapes.virtual_network(here, "Hub", ["10.1.0.0/16"])
    estate.add(hub, shapes.virtual_network(there, "spoke", ["10.2.0.0/16"], peers=[hub]))
    for number in range(1, 6):
        estate.add(*shapes.endpoint(here, f"pe{number}", {f"st{number}.blob.core.windows.net": f"10.1.0.{number}"}))
    estate.add(*shapes.endpoint(there, "pe6", {"kv.vault.azure.net": "10.2.0.6"}, groups=["vault"], manual=True))
    zone = shapes.zone(here, "privatelink.blob.core.windows.net")
    estate.add(zone, shapes.record(zone["id"], "st1", ["10.1.0.1"], creator="pe1"))
    estate.add(shapes.record(zone["id"], "other", ["st1.example"], rtype="CNAME"))
    estate.add(shapes.link(zone["id"], "to-hub", hub["id"], policy="NxDomainRedirect"))
    return estate


class FakeClient:
    """Sends requests with a token. Does not follow redirects and links by itself."""

    def __init__(self, azure: FakeAzure, http: aiohttp.ClientSession) -> None:
        self.azure = azure
        self._http = http
        self.headers: dict[str, str] = {}

    async def login(self, resource: str = "https://management.azure.com") -> None:
        """Get a token with the protocol of App Service."""
        where, secret = self.azure.environment.values()
        query = {"api-version": "2019-08-01", "resource": resource}
        async with self._http.get(where, params=query, headers={"X-IDENTITY-HEADER": secret}) as reply:
            self.headers = {"Authorization": f"Bearer {(await reply.json())['access_token']}"}

    async def get(self, path: str, method: str = "GET", body: object = None) -> tuple[int, Any, dict[str, str]]:
        """Return the status, body and headers."""
        url = path if path.startswith("http") else f"{self.azure.url}{path}"
        async with self._http.request(
            method, url, headers=self.headers, json=body, allow_redirects=False
        ) as reply:  # fmt: skip
            return reply.status, await reply.json() if await reply.read() else None, dict(reply.headers)

    async def pages(self, path: str, most: int = 20) -> list[list[Json]]:
        """Return all pages of a list, following its links."""
        found: list[list[Json]] = []
        link = path
        while link and len(found) < most:
            status, body, _ = await self.get(link)
            assert status == 200, body
            found.append(body["value"])
            link = body.get("nextLink", "")
        return found

    async def query(
        self, text: str, *subscriptions: str, top: int = 100, token: str = ""
    ) -> tuple[int, Any, dict[str, str]]:
        """Return one page from Resource Graph."""
        options = {"resultFormat": "objectArray", "$top": top, **({"$skipToken": token} if token else {})}
        body = {"query": text, "options": options, **({"subscriptions": subscriptions} if subscriptions else {})}
        return await self.get(f"/providers/Microsoft.ResourceGraph/resources?{API}", "POST", body)


@pytest.fixture
async def azure() -> AsyncIterator[FakeAzure]:
    """A fake with pages of two rows."""
    async with FakeAzure(small(), page=2, limits=UNLIMITED) as running:
        yield running


@pytest.fixture
async def client(azure: FakeAzure) -> AsyncIterator[FakeClient]:
    """A client with a token."""
    async with aiohttp.ClientSession() as http:
        client = FakeClient(azure, http)
        await client.login()
        yield client
