"""Requests to the admin interface, as tests make them."""

import json
from typing import Any

from aiohttp.test_utils import TestClient

BLOB = "privatelink.blob.core.windows.net"
T0_TEXT = "2023-11-14T22:13:20.000Z"
"""The time `T0` of `conftest`, in the form of the interface."""

Client = TestClient[Any, Any]


async def get(client: Client, path: str, status: int = 200) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return the JSON of a response after checking its status and content type."""
    async with client.get(path) as response:
        body = await response.read()
        assert response.status == status, body
        assert response.content_type == ("application/json" if status == 200 else "application/problem+json")
        return json.loads(body)


async def post(client: Client, path: str, body: object, status: int = 200) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return the JSON of the response to a POST request after checking its status."""
    async with client.post(path, json=body) as response:
        assert response.status == status, await response.text()
        return await response.json(content_type=None)


async def walked(client: Client, path: str, limit: int) -> list[Any]:
    """Return all items of a list, page after page."""
    found, cursor = [], ""
    while True:
        body = await get(client, f"{path}?limit={limit}{f'&cursor={cursor}' if cursor else ''}")
        assert len(body["items"]) <= limit
        found += body["items"]
        if body["next"] is None:
            return found
        cursor = body["next"]
