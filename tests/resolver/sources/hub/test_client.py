"""The connection to a hub, against servers that are no hub, or a broken one: each failure says what to do."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import trustme

from resolver.azure_settings import Secret
from resolver.hub.messages import FRAME, MEDIA, Change, Message, Welcome, frame
from resolver.hub_settings import HubSourceSettings
from resolver.sources.hub.client import HubClient, HubFailed

WELCOME = Welcome(1, "0.1", "e", whole=False)
STREAM = f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA}\r\nConnection: close\r\n\r\n".encode()


@contextlib.asynccontextmanager
async def serving(response: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer every request with these octets, then close. Yield host and port."""
    async with listening(lambda _: response, tls) as at:
        yield at


@contextlib.asynccontextmanager
async def listening(answer: Callable[[bytes], bytes], tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer each request with what `answer` returns, then close. Yield host and port."""
    handling: set[asyncio.Task[None] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.add(asyncio.current_task())
        with contextlib.suppress(OSError):
            writer.write(answer(await reader.read(1 << 16)))
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.gather(*(each for each in handling if each))


async def followed(url: str, **config: object) -> tuple[list[Message], HubFailed]:
    """Return the messages of a hub, and why the connection ended."""
    found: list[Message] = []
    async with aiohttp.ClientSession() as http:
        client = HubClient(HubSourceSettings((url,), **config), http)  # type: ignore[arg-type]
        try:
            async for messages in client.messages(url, "e", 7):
                found += messages
        except HubFailed as error:
            return found, error
    raise AssertionError("the stream ended without a reason")


def response(status: str, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]
    return "\r\n".join(lines).encode()


_REFUSED = "the hub refuses the token: make one there with `pldns token new NAME --role read`"
PROBLEM = '{"detail": "the token is wrong, revoked or expired"}'


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (
            response("401 Unauthorized", body=PROBLEM),
            f"{_REFUSED} (the token is wrong, revoked or expired)",
        ),
        (response("403 Forbidden"), "the hub lets the token do nothing: it needs the role `read`"),
        (response("404 Not Found"), "this is no hub: `urls` needs the address of its `hub.listen`"),
        (response("503 Busy"), "the hub has no room now"),
        (response("302 Found", "Location: https://a/"), "this is no hub: it redirects, which is not followed"),
        (response("500 Broken", body="no JSON"), "the hub answers HTTP 500"),
    ],
)
async def test_an_error_of_the_hub_says_what_to_do(octets: bytes, why: str) -> None:
    async with serving(octets) as at:
        assert str((await followed(f"http://{at}"))[1]) == f"http://{at}: {why}"


async def test_a_hub_says_how_long_to_wait() -> None:
    async with serving(response("503 Busy", "Retry-After: 30")) as at:
        assert (await followed(f"http://{at}"))[1].wait == 30
    async with serving(response("503 Busy", "Retry-After: soon")) as at:
        assert (await followed(f"http://{at}"))[1].wait == 0


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "the connection broke off"),
        (
            response("200 OK", "Content-Type: text/html"),
            "is no hub (it sends text/html): `urls` needs",
        ),
        (STREAM, "the hub has closed the connection"),
        (STREAM + frame(WELCOME) + frame(Change(1))[:-3], "the hub has closed the connection"),
        (STREAM + b"what is this", f"does not send what a hub sends: a frame of 2003329396 octets; at most {FRAME}"),
        (
            STREAM + frame(Welcome(2, "9.0", "e", whole=True)),
            "does not send what a hub sends: pldns 9.0 sends the format 2, and this one reads 1",
        ),
        (STREAM + b"\0\0\0\3abc", "does not send what a hub sends: a frame that cannot be decompressed"),
    ],
)
async def test_what_is_no_stream_ends_the_connection(octets: bytes, why: str) -> None:
    async with serving(octets) as at:
        found, error = await followed(f"http://{at}")
    assert why in str(error)
    assert all(isinstance(each, Welcome) for each in found)


async def test_a_hub_without_a_trusted_certificate_is_refused(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    for name, each in (("right", authority), ("wrong", other)):
        each.cert_pem.write_to_path(str(tmp_path / name))
    async with serving(STREAM + frame(WELCOME), tls) as at:
        url = f"https://{at}"
        _, error = await followed(url, ca=str(tmp_path / "wrong"))
        assert "its certificate is refused: " in str(error)
        assert "`ca` needs the authority that signed it" in str(error)
        found, error = await followed(url, ca=str(tmp_path / "right"))
        assert (found, str(error)) == ([WELCOME], f"{url}: the hub has closed the connection")
        _, error = await followed(url, ca=str(tmp_path / "missing"))
        assert str(error) == f"`ca`: {tmp_path / 'missing'} cannot be read: No such file or directory"
        (tmp_path / "empty").write_text("")
        _, error = await followed(url, ca=str(tmp_path / "empty"))
        assert str(error) == f"`ca`: {tmp_path / 'empty'} has no certificate of an authority in PEM form"
        assert "broke off" in str((await followed(f"http://{at}"))[1])
    async with serving(STREAM) as at:
        assert "no TLS with it" in str((await followed(f"https://{at}"))[1])
    assert "no connection: Connection refused" in str((await followed(f"http://{at}"))[1])


async def test_a_token_is_read_for_each_connection(tmp_path: Path) -> None:
    token = tmp_path / "token"
    reference = Secret(str(token))
    _, error = await followed("http://127.0.0.1:1", token=reference)
    assert str(error) == f"no token for the hub: {token} cannot be read: No such file or directory"
    token.write_text("first\n")
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes:
        asked.append(request)
        return STREAM

    async with listening(answer) as at:
        url = f"http://{at}"
        await followed(url, token=reference)
        token.write_text("second\n")
        await followed(url, token=reference)
    assert b"Bearer first\r\n" in asked[0]
    assert b"Bearer second\r\n" in asked[-1]
    assert asked[0].startswith(b"GET /v1/hub/changes?format=1&epoch=e&serial=7 HTTP/1.1\r\n")
