"""The listener for events: a real server on loopback, with requests like those of Event Grid."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from resolver import http_listener
from resolver.azure_settings import EventSettings, Secret
from resolver.control.sync import event_grid
from resolver.control.sync.event_grid import HEADER, LONGEST, RATE, STRANGERS, Webhook
from resolver.host_port import HostPort
from resolver.token_bucket import TokenBucket
from tests.ports import free_port, pair
from tests.resolver.sources.azure.protocol.test_events import GROUP, KEY, cloud, grid
from zones.clocks import SteadyTime, steady_clock

SECRET, OTHER, WRONG = "0123456789abcdef", "fedcba9876543210", "wrong-wrong-wrong"
PE = f"{GROUP}/privateEndpoints/pe"


class Site:
    """A listening webhook, and the hints it has passed on. Its scope is the subscription s1."""

    def __init__(self, secret: Path) -> None:
        self.hinted: list[str] = []
        self.secret = secret
        secret.write_text(f"{SECRET}\n")
        self.webhook = Webhook("hub", Secret(file=str(secret)), self._hint)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/events"

    def _hint(self, key: str) -> bool:
        self.hinted.append(key)
        return key.startswith("/subscriptions/s1/")

    async def send(
        self, body: object, method: str = "POST", secret: str = SECRET, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with (
            aiohttp.ClientSession() as client,
            client.request(method, self.url, data=data, headers={HEADER: secret} | headers) as reply,
        ):
            return reply.status, await reply.text(), dict(reply.headers)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path / "secret")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            event_grid.serving(made.webhook, EventSettings(HostPort("127.0.0.1", made.port), Secret()), "hub")
        )
        async with aiohttp.ClientSession() as client:
            while True:
                try:
                    async with client.get(made.url):
                        break
                except aiohttp.ClientConnectionError:
                    continue
        yield made


async def test_events_of_both_schemas_are_hints(site: Site) -> None:
    assert (await site.send([grid(PE, ident="1")]))[0] == 200
    assert (await site.send(cloud(f"{GROUP}/virtualNetworks/hub", ident="2")))[0] == 200
    assert site.hinted == [f"{KEY}/privateendpoints/pe", f"{KEY}/virtualnetworks/hub"]
    assert site.webhook.counts["hint"] == 2


async def test_a_repeated_event_is_not_a_second_hint(site: Site) -> None:
    for _ in range(3):
        assert (await site.send([grid(PE), grid(PE, ident="2")]))[0] == 200
    assert len(site.hinted) == 2
    assert site.webhook.counts["duplicate"] == 4


async def test_events_out_of_scope_or_about_other_resources_are_counted(site: Site) -> None:
    await site.send([grid(PE.replace("/s1/", "/s2/")), grid(f"{GROUP}/loadBalancers/lb", ident="2")])
    assert (site.webhook.counts["out_of_scope"], site.webhook.counts["other"]) == (1, 1)


async def test_the_handshake_of_the_event_grid_schema_returns_the_code(site: Site) -> None:
    code = {"validationCode": "c0de", "validationUrl": "http://127.0.0.1:9/never"}
    asked = [grid("", "Microsoft.EventGrid.SubscriptionValidationEvent") | {"data": code}]
    status, body, _ = await site.send(asked)
    assert (status, json.loads(body)) == (200, {"validationResponse": "c0de"})


async def test_the_handshake_of_cloud_events_allows_the_origin(site: Site) -> None:
    status, _, headers = await site.send(b"", "OPTIONS", **{"WebHook-Request-Origin": "eventgrid.azure.net"})
    assert (status, headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")
    assert int(headers["WebHook-Allowed-Rate"]) == RATE * 60
    assert (await site.send(b"", "OPTIONS"))[0] == 400


async def test_a_request_without_the_secret_is_refused_and_not_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for method in ("POST", "OPTIONS"):
        assert (await site.send([grid(PE)], method, secret=WRONG))[0] == 403
        assert (await site.send([grid(PE)], method, secret=""))[0] == 403
    assert (site.hinted, site.webhook.counts["refused"]) == ([], 4)
    site.url += f"?secret={SECRET}"
    assert (await site.send([grid(PE)], secret=""))[0] == 200
    assert not any(word in caplog.text for word in (SECRET, WRONG))


async def raw(port: int, request: bytes) -> bytes:
    """Return the reply to these octets. The server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    reply = await reader.read()
    writer.close()
    return reply


@pytest.mark.parametrize(
    "octets",
    [
        b"POST /events?secret=%s HTTP/9.x\r\n\r\n",
        b"POST /events?secret=%s x HTTP/1.1\r\n\r\n",
        b"POST /events?secret=%s&" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"POST /events HTTP/1.1\r\nX-Pldns-Secret %s\r\n\r\n",
        b"POST /events HTTP/1.1\r\nX-Pldns-Secret: %s\0\r\n\r\n",
    ],
)
async def test_a_malformed_request_is_refused_and_not_logged(
    site: Site, octets: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caplog.clear()
    reply = await raw(site.port, octets % SECRET.encode())
    assert b" 400 " in reply
    assert b"application/problem+json" in reply
    assert not {b"server:", SECRET.encode()} & set(reply.lower().split())
    assert not caplog.text


async def test_a_body_with_malformed_chunks_is_refused(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = f"POST /events?secret={SECRET} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n["
    reply = await raw(site.port, head.encode())
    assert (b" 400 " in reply, b"application/problem+json" in reply, b"\r\nServer:" in reply) == (True, True, False)
    assert not caplog.text


async def test_no_response_names_the_software(site: Site) -> None:
    for body, options in (([grid(PE)], {}), ([grid(PE)], {"secret": WRONG}), (b"[", {}), ([], {"method": "GET"})):
        status, text, headers = await site.send(body, **options)
        assert "Server" not in headers
        assert status == 200 or json.loads(text)["status"] == status
    assert "Server" not in (await site.send([], "OPTIONS", **{"WebHook-Request-Origin": "a"}))[2]


async def test_a_body_that_cannot_be_decompressed_is_malformed(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    status, *_ = await site.send(b"abc", **{"Content-Encoding": "gzip"})
    assert (status, site.webhook.counts["malformed"], caplog.text) == (400, 1, "")


async def test_a_body_that_does_not_arrive_times_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listener, "BODY", 0.01)
    head = f"POST /events?secret={SECRET} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n["
    assert b" 408 " in (await raw(site.port, head.encode()))


async def test_requests_without_the_secret_do_not_use_up_the_rate_of_others(site: Site) -> None:
    site.webhook._clock = steady_clock(lambda: 1000.0)
    site.webhook._strangers = TokenBucket(event_grid._UNKNOWN, SteadyTime(1000.0))
    site.webhook._known = TokenBucket(event_grid._KNOWN, SteadyTime(1000.0))
    said = {(await site.send([grid(PE)], secret=WRONG))[0] for _ in range(int(2 * STRANGERS) + 1)}
    assert said == {403, 429}
    assert (await site.send([grid(PE)]))[0] == 200


async def test_an_internal_error_is_logged_without_the_request(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> None:
        raise RuntimeError(site.url)

    monkeypatch.setattr("resolver.sources.azure.protocol.events.read", fail)
    site.url += f"?secret={SECRET}"
    assert (await site.send([grid(PE)], secret=""))[0] == 500
    assert "source hub: a request failed: RuntimeError in test_event_grid.py" in caplog.text
    assert SECRET not in caplog.text


async def test_an_unusable_secret_is_logged_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.secret.write_text("short")
    for _ in range(3):
        assert (await site.send([grid(PE)]))[0] == 503
    assert caplog.text.count("events are refused") == 1
    site.secret.write_text(SECRET)
    assert (await site.send([grid(PE)]))[0] == 200
    site.secret.write_text("short")
    assert (await site.send([grid(PE)]))[0] == 503
    assert caplog.text.count("events are refused") == 2


async def test_the_secret_can_be_changed_without_a_restart(site: Site) -> None:
    site.secret.write_text(OTHER)
    assert (await site.send([grid(PE)]))[0] == 403
    assert (await site.send([grid(PE)], secret=OTHER))[0] == 200


@pytest.mark.parametrize("text", ["", "short"])
async def test_an_empty_secret_refuses_every_request(site: Site, text: str, caplog: pytest.LogCaptureFixture) -> None:
    site.secret.write_text(text)
    assert (await site.send([grid(PE)], secret=text))[0] == 503
    assert "source hub: events are refused: " in caplog.text


async def test_a_body_of_more_than_a_mebibyte_is_refused(site: Site) -> None:
    assert (await site.send(b" " * LONGEST + b"[]"))[0] == 413
    assert (await site.send(b" " * (LONGEST - 2) + b"[]"))[0] == 200


async def test_a_malformed_body_is_refused_and_the_next_one_is_accepted(site: Site) -> None:
    status, body, _ = await site.send(b"[{")
    assert (status, json.loads(body)["detail"].startswith("not JSON")) == (400, True)
    assert (await site.send([grid(PE)]))[0] == 200
    assert site.webhook.counts["malformed"] == 1


async def test_other_routes_and_methods_do_not_exist(site: Site) -> None:
    assert (await site.send(b"", "GET"))[0] == 405
    site.url = site.url.replace("/events", "/")
    assert (await site.send([grid(PE)]))[0] == 404


async def test_requests_beyond_the_rate_must_wait(site: Site) -> None:
    site.webhook._clock = steady_clock(lambda: 1000.0)
    site.webhook._known = TokenBucket(event_grid._KNOWN, SteadyTime(1000.0))
    site.webhook._known.tokens = 1.0
    assert (await site.send([grid(PE)]))[0] == 200
    status, _, headers = await site.send([grid(PE)])
    assert (status, headers["Retry-After"]) == (429, "1")


async def test_an_address_in_use_is_logged_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_listener, "_RETRY", 0.01)
    site = Site(tmp_path / "secret")
    tcp, udp = pair()
    udp.close()
    tcp.listen()
    port = tcp.getsockname()[1]
    async with event_grid.serving(site.webhook, EventSettings(HostPort("127.0.0.1", port), Secret()), "hub"):
        site.url = f"http://127.0.0.1:{port}/events"
        while "cannot listen" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0)
        tcp.close()
        while True:
            try:
                assert (await site.send([grid(PE)]))[0] == 200
            except aiohttp.ClientConnectionError:
                continue
            break
    assert caplog.text.count("address already in use; trying again") == 1
