"""DNS over HTTPS over real connections."""

import asyncio
import contextlib
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import dns.message
import h2.errors
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.process import certificate
from resolver.worker.net import doh, http1, http2
from resolver.worker.net.connections import Connection
from tests.resolver.worker.net.browsers import DEADLINE, HTTPS, PATH, Site, encoded
from tests.resolver.worker.net.certificates import Pair
from tests.resolver.worker.net.conftest import Listen
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import NAME, Listener, packet


def addresses(octets: bytes) -> list[str]:
    return [rdata.address for rrset in dns.message.from_wire(octets).answer for rdata in rrset]


# -- requests with a query


async def test_get_and_post_get_the_same_answer(small: Small, site: Site) -> None:
    browser = await site.browse()
    one, two = browser.get(packet(ident=0)), browser.post(packet(ident=0))
    await browser.until(one, two)
    assert browser.bodies[one] == browser.bodies[two]
    assert addresses(browser.bodies[one]) == ["10.0.0.4"]
    assert browser.headers[one] == {
        ":status": "200",
        "content-type": "application/dns-message",
        "cache-control": "max-age=10",
        "content-length": str(len(browser.bodies[one])),
    }
    assert small.count("dns_requests_total", "https", "4") == 2
    assert small.count("dns_https_responses_total", "200") == 2


async def test_http_1_gets_the_same_answer(site: Site) -> None:
    response, body = await site.old("GET", f"{PATH}?dns={encoded(packet())}")
    assert (response.status, response.getheader("cache-control")) == (200, "max-age=10")
    assert addresses(body) == ["10.0.0.4"]
    response, body = await site.old("POST", PATH, packet(), content_type="application/dns-message; x=y")
    assert addresses(body) == ["10.0.0.4"]


async def test_answers_are_sent_as_soon_as_they_are_known(small: Small, site: Site) -> None:
    browser = await site.browse()
    slow = browser.get(packet("slow.example"))
    await small.until(lambda: small.asked)
    fast = browser.get(packet())
    await browser.until(fast)
    assert slow not in browser.ended
    small.reply("slow.example")
    await browser.until(slow)
    assert addresses(browser.bodies[slow]) == ["0.0.0.1"]


async def test_many_at_once_are_all_answered(site: Site) -> None:
    browser = await site.browse()
    for _ in range(3):
        streams = [browser.get(packet(ident=ident)) for ident in range(http2.STREAMS)]
        await browser.until(*streams)
        assert [int.from_bytes(browser.bodies[stream][:2], "big") for stream in streams] == list(range(http2.STREAMS))


async def test_a_long_answer_waits_for_the_clients_window(small: Small, site: Site) -> None:
    browser = await site.browse()
    browser.acknowledges = False
    names = [f"big{number}.example" for number in range(4)]
    streams = [browser.get(packet(name)) for name in names]
    await small.until(lambda: len(small.asked) == len(names))
    for name in names:
        small.reply(name, 3_000)
    while sum(map(len, browser.bodies.values())) < 65_535:
        await browser.read()
    assert not browser.ended.issuperset(streams)
    browser.h2.increment_flow_control_window(1 << 20)
    for stream in streams:
        if stream not in browser.ended:
            browser.h2.increment_flow_control_window(1 << 20, stream)
    browser.flush()
    await browser.until(*streams)
    assert {len(addresses(browser.bodies[stream])) for stream in streams} == {3_000}


@pytest.mark.parametrize(
    ("name", "kind", "lifetime"), [(NAME, "AAAA", 10), ("www.example.", "NOTIFY", 0), ("x.invalid.", "A", 10)]
)
async def test_a_response_is_fresh_as_long_as_its_records(site: Site, name: str, kind: str, lifetime: int) -> None:
    message = dns.message.make_query(name, "A" if kind == "NOTIFY" else kind)
    if kind == "NOTIFY":
        message.set_opcode(dns.opcode.NOTIFY)
    browser = await site.browse()
    stream = browser.get(message.to_wire())
    await browser.until(stream)
    assert browser.headers[stream]["cache-control"] == f"max-age={lifetime}"


# -- other requests


BAD = [
    ("GET", "/", b"", "", "404"),
    ("GET", f"{PATH}/x?dns=AAAA", b"", "", "404"),
    ("GET", PATH, b"", "", "400"),
    ("GET", f"{PATH}?dns=", b"", "", "400"),
    ("GET", f"{PATH}?dns=%21%21", b"", "", "400"),
    ("GET", f"{PATH}?dns=AAAA&dns=AAAA", b"", "", "400"),
    ("GET", f"{PATH}?dns={encoded(bytes(11))}", b"", "", "400"),
    ("POST", PATH, packet(), "text/plain", "415"),
    ("POST", PATH, b"abc", "application/dns-message", "400"),
    ("PUT", PATH, packet(), "application/dns-message", "405"),
    ("HEAD", PATH, b"", "", "405"),
    ("POST", PATH, bytes(65_536), "application/dns-message", "413"),
]


@pytest.mark.parametrize(("method", "target", "body", "kind", "status"), BAD)
async def test_a_request_without_a_query_gets_an_error(
    small: Small, site: Site, method: str, target: str, body: bytes, kind: str, status: str
) -> None:
    if len(body) <= 16_384:
        browser = await site.browse()
        stream = browser.ask(method, target, body, kind)
        await browser.until(stream)
        assert browser.statuses[stream] == status
        good = browser.get(packet())
        await browser.until(good)
        assert browser.statuses[good] == "200"
    response, text = await site.old(method, target, body or None, **({"content_type": kind} if kind else {}))
    assert str(response.status) == status
    assert len(text) < 100


async def test_a_body_that_is_too_long_is_refused_before_it_is_complete(site: Site) -> None:
    browser = await site.browse()
    stream = browser.ask("POST", PATH, b"", "application/dns-message", end=False)
    for _ in range(5):
        while browser.h2.local_flow_control_window(stream) < 16_384:
            await browser.read()
        if stream in browser.resets or stream in browser.ended:
            break
        browser.h2.send_data(stream, bytes(16_384))
        browser.flush()
    await browser.until(stream)
    assert browser.statuses[stream] == "413"
    good = browser.get(packet())
    await browser.until(good)


async def test_octets_that_are_not_http_close_the_connection_and_are_counted(small: Small, site: Site) -> None:
    browser = await site.browse()
    browser.client.send(b"\0\0\4\x99\0\0\0\0\1abcd" + b"\0\0\0\1\1\0\0\0\0")
    assert await browser.closed() == h2.errors.ErrorCodes.PROTOCOL_ERROR
    assert small.count("dns_https_errors_total", "protocol") == 1
    site._trust.set_alpn_protocols(["http/1.1"])
    client = await site.listener.connect(site._trust)
    client.send(b"\x16\x03\x01 what\r\n\r\n")
    assert (await client.ended()).startswith(b"HTTP/1.1 400 ")
    assert small.count("dns_https_errors_total", "protocol") == 2


async def test_endless_request_headers_are_refused(site: Site) -> None:
    site._trust.set_alpn_protocols(["http/1.1"])
    client = await site.listener.connect(site._trust)
    client.send(b"GET /dns-query?dns=" + b"A" * 40_000)
    assert (await client.ended()).startswith(b"HTTP/1.1 431 ")


async def test_http_1_keeps_the_connection_and_the_order_of_responses(small: Small, site: Site) -> None:
    site._trust.set_alpn_protocols(["http/1.1"])
    client = await site.listener.connect(site._trust)
    for name in ("slow.example", NAME):
        client.send(f"GET {PATH}?dns={encoded(packet(name))} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    await small.until(lambda: small.asked)
    small.reply("slow.example")
    async with asyncio.timeout(DEADLINE):
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 2:
            seen += await client.reader.read(4096)
    assert seen.index(bytes((0, 0, 0, 1))) < seen.index(bytes((10, 0, 0, 4)))


async def test_http_1_sends_100_continue(site: Site) -> None:
    site._trust.set_alpn_protocols(["http/1.1"])
    client = await site.listener.connect(site._trust)
    client.send(
        f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/dns-message\r\nexpect: 100-continue\r\n"
        f"content-length: {len(packet())}\r\n\r\n".encode()
    )
    async with asyncio.timeout(DEADLINE):
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        client.send(packet())
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


# -- connections


async def test_incomplete_requests_do_not_keep_a_connection_open(listen: Listen, pair: Pair) -> None:
    context = certificate.context(certificate.DOH)
    pair.load(context)
    site = Site(await listen(make=doh.sessions(PATH), transport=HTTPS, context=context, idle=0.3), pair.client)
    browser = await site.browse()
    stream = browser.ask("POST", PATH, b"", "application/dns-message", end=False)

    async def trickle() -> None:
        while True:
            browser.h2.send_data(stream, b"x")
            browser.flush()
            await asyncio.sleep(0.02)

    sending = asyncio.create_task(trickle())
    await browser.closed()
    sending.cancel()
    assert not site.listener.connections


async def test_a_stopping_listener_answers_the_queries_in_flight_then_sends_goaway(small: Small, site: Site) -> None:
    browser = await site.browse()
    stream = browser.get(packet("slow.example"))
    await small.until(lambda: small.asked)
    site.listener.listener.close()
    small.reply("slow.example")
    await browser.until(stream)
    assert browser.statuses[stream] == "200"
    assert await browser.closed() == h2.errors.ErrorCodes.NO_ERROR


async def test_the_queries_of_a_client_that_closed_are_dropped(small: Small, site: Site) -> None:
    browser = await site.browse()
    browser.get(packet("slow.example"))
    await small.until(lambda: small.asked)
    browser.client.writer.transport.abort()
    await small.until(lambda: not site.listener.connections)
    small.reply("slow.example")
    assert not small.asked


# -- arbitrary octets


def _bare(make: type[http1.Http1 | http2.Http2], connection: Connection) -> asyncio.Protocol:
    """Return a session without TLS."""
    return make(connection, doh.DohHandler(connection, PATH))


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5), st.booleans())
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_arbitrary_octets_get_an_answer_or_close_the_connection(
    small_of: Callable[[], Small], pieces: list[bytes], preface: bool
) -> None:
    """Frames with correct lengths and arbitrary content, with or without the preface."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        problems: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: problems.append(context))
        small = small_of()
        for make in (http2.Http2, http1.Http1):
            listener = Listener(small, make=partial(_bare, make), transport=HTTPS)
            client = await listener.connect()
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" if preface else b"")
            for piece in pieces:
                client.send(len(piece[9:]).to_bytes(3, "big") + piece[3:] if len(piece) > 9 else piece)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            with contextlib.suppress(OSError):  # the server has closed
                client.writer.write_eof()
            await client.ended()
            await small.until(partial(operator.not_, listener.connections))
            await listener.close()
        assert not problems

    asyncio.run(run())
