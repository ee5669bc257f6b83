"""Requests that no library would send: each gets an error of the registry, and none a line with a traceback."""

import asyncio
import json
import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from tests.registry_shapes import TENANT

Http = TestClient[web.Request, web.Application]
FORM = "application/x-www-form-urlencoded"


async def _sent(http: Http, host: bytes, kind: bytes, body: bytes) -> tuple[int, str]:
    """Return the status and the error of a request for a token."""
    reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
    head = f"POST /{TENANT}/oauth2/v2.0/token HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(body)}".encode()
    writer.write(head + b"\r\nHost: " + host + b"\r\nContent-Type: " + kind + b"\r\n\r\n" + body)
    answer, _, found = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    error = json.loads(found)["error"]
    return int(answer.split()[1]), error if isinstance(error, str) else error["code"]


@pytest.mark.parametrize("host", [b"[::1", b"a b", b'a"b', b"", b"x:99999", b"x/y", b"\xff", b"user@x", b"x:y"])
async def test_a_host_that_is_none_is_refused(http: Http, host: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert await _sent(http, host, FORM.encode(), b"") == (400, "InvalidHostHeader")
    assert not caplog.records


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (b"multipart/form-data; boundary=x", b"hello", "unsupported_grant_type"),
        (FORM.encode() + b"; charset=nonsense", b"hello", "unsupported_grant_type"),
        (FORM.encode(), b"\xff=\xff", "invalid_request"),
        (FORM.encode(), b"&".join(b"a%d=b" % i for i in range(1_000)), "invalid_request"),
        (FORM.encode(), b"grant_type=password", "unsupported_grant_type"),
    ],
)
async def test_a_form_that_is_none_is_refused(
    http: Http, kind: bytes, body: bytes, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert await _sent(http, b"[::1]:8443", kind, body) == (400, code)
    assert not caplog.records
