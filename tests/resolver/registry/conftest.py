"""A registry without a daemon, and a client that sends requests to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from resolver.registry.arm.app import Access, application
from resolver.registry.arm.signed_tokens import SignedTokens
from resolver.registry.registry import Registry
from resolver.registry.store.sqlite_file import FILE
from tests.filled_registry import SETTINGS, opened
from tests.registry_shapes import BOTH, TENANT, VERSION, Answer, Client


class Arm(Protocol):
    """Sends a request to the registry. `headers` replaces those with the token and the type."""

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        /,
        *,
        client: Client = BOTH,
        version: str = VERSION,
        headers: Mapping[str, str] = {},
        octets: bytes | BinaryIO | None = None,
    ) -> Awaitable[Answer]: ...


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    made = Registry(str(tmp_path), lambda: SETTINGS)
    async with made.opened():
        yield made


async def nobody(_token: str, _remote: str | None) -> None:
    """Know no token of another kind."""


@pytest.fixture
async def http(registry: Registry) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    access = Access(SignedTokens(registry), nobody, lambda *_: None)
    async with TestClient(TestServer(application(registry, access, secure=False))) as client:
        yield client


@pytest.fixture
def arm(http: TestClient[web.Request, web.Application]) -> Arm:
    """The function that sends a request to an empty registry."""
    tokens: dict[Client, str] = {}

    async def token(client: Client) -> str:
        if client not in tokens:
            form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret}
            reply = await http.post(f"/{TENANT}/oauth2/v2.0/token", data=form)
            tokens[client] = (await reply.json())["access_token"]
        return tokens[client]

    async def send(
        method: str,
        path: str,
        body: object = None,
        /,
        *,
        client: Client = BOTH,
        version: str = VERSION,
        headers: Mapping[str, str] = {},
        octets: bytes | BinaryIO | None = None,
    ) -> Answer:
        sent = {"Authorization": f"Bearer {await token(client)}", "Content-Type": "application/json", **headers}
        data = octets if body is None else json.dumps(body).encode()
        parameters = f"{'&' if '?' in path else '?'}api-version={version}" if version else ""
        reply = await http.request(method, path + parameters, data=data, headers=sent)
        read = await reply.read()
        return Answer(reply.status, reply.headers, json.loads(read) if read else None)

    return send


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of a registry with groups, the network `hub` and the storage account `acct`."""
    folder = tmp_path_factory.mktemp("prepared")

    async def make() -> None:
        async with opened(folder):
            pass

    asyncio.run(make())
    return (folder / FILE).read_bytes()


@pytest.fixture
def lab(arm: Arm, tmp_path: Path, prepared: bytes) -> Arm:
    """The function that sends a request to a registry with what `prepared` has."""
    (tmp_path / FILE).write_bytes(prepared)  # the registry opens the file with the first request
    return arm
