"""Which requests are accepted, how errors look, and the listener."""

import asyncio
import logging
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from resolver.admin.app import application, context_of, health_application, listeners
from resolver.admin_settings import AdminSettings
from resolver.host_port import HostPort
from tests.ports import free_port

Client = TestClient[Any, Any]
Control = Any  # of conftest


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8053", "127.0.0.1:8053", "127.9.9.9", "[::1]:8053", "[::1]", "localhost."],
)
async def test_own_host_names_are_accepted(client: Client, host: str) -> None:
    async with client.get("/livez", headers={"Host": host}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8053",
        "10.0.0.1",
        "::1",
        "",
        "[::1",
        "*",
        "localhost:x",
    ],
)
async def test_foreign_host_names_are_refused_on_every_path(client: Client, host: str) -> None:
    for path in ("/livez", "/v1/endpoints", "/nowhere"):
        async with client.get(path, headers={"Host": host}) as response:
            assert response.status == 421
            assert response.content_type == "application/problem+json"
            assert (await response.json(content_type=None))["title"] == "Misdirected Request"


async def test_the_listen_address_is_an_own_host_name(control: Control) -> None:
    async with (
        TestClient(TestServer(application(context_of(control), HostPort("192.0.2.1", 8053)))) as client,
        client.get("/livez", headers={"Host": "192.0.2.1:8053"}) as response,
    ):
        assert response.status == 200


async def test_health_and_metrics_have_a_listener_that_everyone_may_ask(control: Control) -> None:
    async with TestClient(TestServer(health_application(context_of(control)))) as client:
        for path in ("/livez", "/readyz", "/readyz?verbose", "/metrics", "/health", "/ready"):
            async with client.get(path, headers={"Host": "10.244.1.7:8054"}) as response:
                assert response.status == 200, path
        for path in ("/v1/status", "/v1/fallbacks", "/v1/openapi.json"):
            async with client.get(path) as response:
                assert response.status == 404, path
        for path, status in (("/v1/cache", 404), ("/livez", 405)):
            async with client.post(path, json={"action": "flush", "name": "."}) as response:
                assert response.status == status, path
    assert not control.requests


async def test_a_body_has_a_limit(client: Client) -> None:
    async with client.post("/v1/cache", json={"action": "flush", "name": "a" * (1 << 17)}) as response:
        assert response.status == 413
        assert response.content_type == "application/problem+json"


async def test_only_get_is_allowed(client: Client) -> None:
    for method in ("POST", "PUT", "DELETE"):
        async with client.request(method, "/v1/status") as response:
            assert response.status == 405
            assert response.headers["Allow"] == "GET,HEAD"
            assert response.content_type == "application/problem+json"
    async with client.head("/v1/status") as response:
        assert response.status == 200


async def test_an_unknown_path_is_a_problem(client: Client) -> None:
    async with client.get("/v1/nowhere") as response:
        assert await response.json(content_type=None) == {
            "type": "urn:pldns:problem:unknown-path",
            "title": "Not Found",
            "status": 404,
        }
        assert response.headers["Cache-Control"] == "no-store"


async def test_an_unexpected_error_is_a_500_without_details(
    client: Client, control: Control, caplog: pytest.LogCaptureFixture
) -> None:
    control.workers = None
    async with client.get("/v1/status") as response:
        assert response.status == 500
        assert "detail" not in await response.json(content_type=None)
    assert "/v1/status failed" in caplog.text


async def test_serving_listens_while_it_is_open(control: Control, port: int) -> None:
    async with listeners(context_of(control), AdminSettings(HostPort("127.0.0.1", port)))[0]:
        assert await _alive(port)
    assert not await _alive(port)


async def test_an_address_in_use_is_retried_until_it_is_free(
    control: Control, port: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolver.http_listener._RETRY", 0.01)
    with socket.create_server(("127.0.0.1", port)) as taken:
        async with listeners(context_of(control), AdminSettings(HostPort("127.0.0.1", port)))[0]:
            assert [record.levelno for record in caplog.records] == [logging.ERROR]
            assert f"cannot listen on 127.0.0.1:{port}: address already in use" in caplog.text
            taken.close()
            async with asyncio.timeout(60):
                while not await _alive(port):
                    pass


async def test_serving_ends_while_its_address_is_still_in_use(control: Control, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        async with asyncio.timeout(60), listeners(context_of(control), AdminSettings(HostPort("127.0.0.1", port)))[0]:
            pass


@pytest.fixture
def port() -> int:
    return free_port()


async def _alive(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/livez") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
