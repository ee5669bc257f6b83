"""Requests that are no HTTP, over real sockets: a 400 in the form of all errors, and nothing in the log."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from resolver.admin.access.tokens import digest
from resolver.admin.app import context_of, listeners
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.host_port import HostPort
from tests.ports import free_port

Control = Any  # of conftest
TOKEN = "pldns_of_the_tests"  # noqa: S105 - of no daemon
HOST = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
CHUNKED = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(64))


@pytest.fixture
async def port(control: Control) -> AsyncIterator[int]:
    at = HostPort("127.0.0.1", free_port())
    admin = AdminSettings(at, tokens=(AdminToken("test", "admin", digest(TOKEN)),))
    control.estate.settings = structs.replace(control.estate.settings, admin=admin)
    async with listeners(context_of(control), AdminSettings(at))[0]:
        yield at.port


async def reply(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return the status, headers and body of the reply to these octets. The server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}, body


@pytest.mark.parametrize(
    "octets",
    [
        b"\r\nnothing\r\n\r\n",
        b"GET /livez HTTP/9.x\r\n\r\n",
        b"GE\x01T /livez HTTP/1.1\r\n\r\n",
        b"GET /livez x HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /livez HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/cache HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\nz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        TLS_HELLO,
    ],
)  # fmt: skip
async def test_a_request_that_cannot_be_parsed_is_a_problem(
    port: int, octets: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    status, headers, body = await reply(port, octets)
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    problem = json.loads(body)
    assert (problem["title"], problem["status"]) == ("Bad Request", 400)
    assert "server" not in headers
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"} or record.exc_info]


async def test_a_body_that_is_malformed_later_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.http_listener.BODY", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /v1/cache HTTP/1.1\r\n" + HOST + CHUNKED + b"Expect: 100-continue\r\n\r\n")
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"z\r\n{")
    assert b" 408 " in await reader.readuntil(b"\r\n")
    writer.close()


async def test_a_client_that_leaves_within_a_body_is_not_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /v1/cache HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    await writer.drain()
    writer.transport.abort()
    assert (await reply(port, b"GET /livez HTTP/1.0\r\n" + HOST + b"\r\n"))[0] == 200
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"} or record.exc_info]


@pytest.mark.parametrize(
    ("request_line", "more", "status"),
    [
        (b"GET /livez", b"", 200),
        (b"GET /metrics", b"", 200),
        (b"GET /v1/openapi.json", b"", 200),
        (b"GET /v1/endpoints", b"", 200),
        (b"GET /nowhere", b"", 404),
        (b"DELETE /livez", b"", 405),
        (b"GET /v1/endpoints?limit=0", b"", 400),
        (b"GET /livez", b"Expect: the-unexpected\r\n", 417),
    ],
)
async def test_no_response_names_the_software(port: int, request_line: bytes, more: bytes, status: int) -> None:
    got, headers, body = await reply(
        port, request_line + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n" + more + b"\r\n"
    )
    assert got == status
    assert "server" not in headers
    assert status == 200 or json.loads(body)["status"] == status
