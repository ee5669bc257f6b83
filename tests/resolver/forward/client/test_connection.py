"""Connections to upstream servers over TCP, TLS and HTTPS, with real sockets on loopback."""

import asyncio
import base64
import contextlib
import hashlib
import ssl
from collections.abc import AsyncIterator

import dnslib
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.cache import UpstreamFailure
from resolver.forward.client import connection, identity
from resolver.forward.client.doh import HttpsSession
from resolver.forward.client.stream import StreamSession
from resolver.settings import Server
from resolver.wire import codes
from tests.resolver.forward.client.conftest import Make
from tests.resolver.forward.client.upstreams import (
    ADDRESS,
    FakeHttpsServer,
    FakeUpstream,
    address,
    answer,
    ask,
    asking,
    key,
    settle,
    until,
)

NAME = "dns.example"


class Authority:
    """A certificate for `NAME`, the file of the authority that signed it, and its pin."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.made = authority.issue_cert(NAME)
        self.ca = authority.cert_pem.bytes().decode()
        certificate = x509.load_pem_x509_certificate(self.made.cert_chain_pems[0].bytes())
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key = key
        self.certificate = certificate.public_bytes(Encoding.DER)
        self.pin = base64.b64encode(hashlib.sha256(key).digest()).decode()

    def context(self, *alpn: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.made.configure_cert(made)
        if alpn:
            made.set_alpn_protocols(list(alpn))
        return made


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def over_tls(authority: Authority) -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream(authority.context("dot"))
    fake.closes_after = 0
    await fake.open()
    yield fake
    await fake.close()


@pytest.fixture
async def over_https(authority: Authority) -> AsyncIterator[FakeHttpsServer]:
    fake = FakeHttpsServer(authority.context("h2"))
    await fake.open()
    yield fake
    await fake.close()


def tcp(upstream: FakeUpstream) -> Server:
    return Server("tcp", "127.0.0.1", upstream.port)


# -- TCP


async def test_queries_share_a_connection_and_replies_come_in_any_order(upstream: FakeUpstream, make: Make) -> None:
    held: list[bytes] = []

    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        held.append(answer(query))
        return held[::-1] if len(held) == 20 else []

    upstream.closes_after, upstream.respond = 0, respond
    resolver = make(tcp(upstream))
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(20)]
    for result in results:
        assert address(await result) == ADDRESS
    assert upstream.connections == 1
    assert resolver.mismatches == 0


async def test_a_connection_that_the_server_closes_between_queries_is_opened_again(
    upstream: FakeUpstream, make: Make
) -> None:
    resolver = make(tcp(upstream))
    for i in range(3):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    assert upstream.connections == 3
    assert resolver.errors == 0


async def test_queries_on_a_lost_connection_are_sent_again_once(upstream: FakeUpstream, make: Make) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        if upstream.connections == 1:
            upstream.hang_up()
            return []
        return [answer(query)]

    upstream.closes_after, upstream.respond = 0, respond
    resolver = make(tcp(upstream))
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(5)]
    for result in results:
        assert address(await result) == ADDRESS
    assert upstream.connections == 2
    assert resolver.errors == 0


@pytest.mark.parametrize("way", ["tcp", "udp"])
async def test_a_server_that_answers_once_on_each_connection_answers_all(
    upstream: FakeUpstream, make: Make, way: str
) -> None:
    upstream.respond = lambda query, transport: [answer(query, tc=transport == "udp")]
    resolver = make(upstream.server if way == "udp" else tcp(upstream))
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(20)]
    for result in results:
        assert address(await result) == ADDRESS
    assert upstream.connections == 20


async def test_a_server_that_closes_without_an_answer_is_asked_a_limited_number_of_times(
    upstream: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda *_: [answer(dnslib.DNSRecord.question("other.example"))]
    resolver = make(tcp(upstream))
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(20)]
    for result in results:
        assert isinstance(await result, UpstreamFailure)
    assert upstream.connections <= 12, "twice for each of three tries"


async def test_after_a_timeout_the_next_try_opens_a_new_connection(upstream: FakeUpstream, make: Make) -> None:
    """A connection that a firewall has forgotten: packets are lost, and neither side closes it."""

    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        return [answer(query)] if upstream.connections > 1 else []

    upstream.closes_after, upstream.respond = 0, respond
    resolver = make(tcp(upstream))
    assert address(await ask(resolver)) == ADDRESS
    assert (upstream.connections, resolver.timeouts) == (2, 1)


async def test_a_late_reply_on_a_connection_that_was_given_up_is_used(upstream: FakeUpstream, make: Make) -> None:
    held: list[bytes] = []

    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        held.append(answer(query))
        if upstream.connections > 1:
            upstream.write(0, held[0])
        return []

    upstream.closes_after, upstream.respond = 0, respond
    resolver = make(tcp(upstream))
    assert address(await ask(resolver)) == ADDRESS
    assert (upstream.connections, resolver.timeouts, resolver.errors) == (2, 1, 0)


async def test_an_idle_connection_is_closed_and_the_next_query_opens_another(
    upstream: FakeUpstream, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE", 0.01)
    upstream.closes_after = 0
    resolver = make(tcp(upstream))
    assert address(await ask(resolver)) == ADDRESS
    await until(lambda: not any(len(channel) for channel in resolver._carriers))  # type: ignore[arg-type]
    assert address(await ask(resolver)) == ADDRESS
    assert upstream.connections == 2


async def test_messages_that_are_too_short_for_an_id_are_ignored(upstream: FakeUpstream, make: Make) -> None:
    upstream.closes_after, upstream.respond = 0, lambda query, _: [b"", b"\0", answer(query)]
    resolver = make(tcp(upstream))
    assert address(await ask(resolver)) == ADDRESS
    assert resolver.errors == 0


async def test_after_a_reply_to_no_query_the_server_has_failed(upstream: FakeUpstream, make: Make) -> None:
    def respond(query: dnslib.DNSRecord, _: str) -> list[bytes]:
        right = answer(query)
        return [bytes((right[0] ^ 0x55, *right[1:]))]

    upstream.closes_after, upstream.respond = 0, respond
    resolver = make(tcp(upstream))
    text = f"127.0.0.1 port {upstream.port}: the reply does not match any query"
    assert await ask(resolver) == UpstreamFailure(codes.NETWORK_ERROR, text)
    assert (resolver.mismatches, resolver.timeouts) == (3, 0)


# -- TLS


@pytest.mark.parametrize("known_by", ["name", "pin"])
async def test_a_server_over_tls_is_identified_by_its_name_or_its_key(
    over_tls: FakeUpstream, authority: Authority, make: Make, known_by: str
) -> None:
    server = (
        Server("tls", "127.0.0.1", over_tls.port, name=NAME, ca=authority.ca)
        if known_by == "name"
        else Server("tls", "127.0.0.1", over_tls.port, pin=authority.pin)
    )
    resolver = make(server)
    for i in range(3):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    assert over_tls.connections == 1


@pytest.mark.parametrize(
    ("name", "pin", "trusted"),
    [("other.example", "", True), (NAME, "", False), ("", base64.b64encode(bytes(32)).decode(), True)],
    ids=["another name", "an unknown authority", "another key"],
)
async def test_a_server_with_an_unexpected_certificate_is_sent_no_query(
    over_tls: FakeUpstream, authority: Authority, make: Make, name: str, pin: str, trusted: bool
) -> None:
    server = Server("tls", "127.0.0.1", over_tls.port, name, pin, authority.ca if trusted else "")
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's handshake fails too
    resolver = make(server)
    result = await ask(resolver)
    why = f"127.0.0.1 port {over_tls.port}: the certificate is not the expected one"
    assert result == UpstreamFailure(codes.NETWORK_ERROR, why)
    assert over_tls.asked == [], "not in clear text either"
    assert over_tls.connections == 0 or pin


async def test_a_server_without_tls_is_sent_no_query(upstream: FakeUpstream, authority: Authority, make: Make) -> None:
    resolver = make(Server("tls", "127.0.0.1", upstream.port, NAME, ca=authority.ca), timeout=0.5)
    upstream.respond = lambda *_: []
    result = await ask(resolver)
    assert isinstance(result, UpstreamFailure)
    assert upstream.asked == []


async def test_after_an_unexpected_certificate_the_next_server_is_asked(
    over_tls: FakeUpstream, authority: Authority, make: Make
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    wrong = Server("tls", "127.0.0.1", over_tls.port, "other.example", ca=authority.ca)
    right = Server("tls", "127.0.0.1", over_tls.port, NAME, ca=authority.ca)
    assert address(await ask(make(wrong, right))) == ADDRESS


def test_the_key_of_a_certificate_is_found_as_cryptography_finds_it(authority: Authority) -> None:
    assert identity.public_key(authority.certificate) == authority.key


@given(octets=st.binary(max_size=200))
def test_any_octets_have_a_key_or_none(octets: bytes) -> None:
    with contextlib.suppress(IndexError):
        identity.public_key(octets)


# -- HTTPS


def https(server: FakeHttpsServer, authority: Authority) -> Server:
    return Server("https", "127.0.0.1", server.port, NAME, ca=authority.ca, path="/dns-query")


async def test_queries_over_https_are_posts_on_one_connection(
    over_https: FakeHttpsServer, authority: Authority, make: Make
) -> None:
    resolver = make(https(over_https, authority))
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(30)]
    for result in results:
        assert address(await result) == ADDRESS
    assert len(over_https.connections) == 1
    assert {body[:2] for body in over_https.asked} == {b"\0\0"}, "RFC 8484 §4.1"
    headers = over_https.headers[0]
    assert (headers[":method"], headers[":path"], headers[":scheme"]) == ("POST", "/dns-query", "https")
    assert headers[":authority"] == f"{NAME}:{over_https.port}"
    assert headers["content-type"] == headers["accept"] == "application/dns-message"


async def test_more_queries_than_the_server_takes_streams_wait_for_one(
    over_https: FakeHttpsServer, authority: Authority, make: Make
) -> None:
    over_https.streams = 2
    resolver = make(https(over_https, authority))
    assert address(await ask(resolver)) == ADDRESS  # the client knows the server's limit now
    results = [asking(resolver, key(f"{i}.example.com")) for i in range(30)]
    for result in results:
        assert address(await result) == ADDRESS
    assert len(over_https.connections) == 1


@pytest.mark.parametrize("status", [302, 400, 429, 503])
async def test_an_http_error_status_is_a_failure(
    over_https: FakeHttpsServer, authority: Authority, make: Make, status: int
) -> None:
    over_https.respond = lambda _: (status, b"no")
    result = await ask(make(https(over_https, authority)))
    assert result == UpstreamFailure(codes.NETWORK_ERROR, f"127.0.0.1 port {over_https.port}: HTTP status {status}")


async def test_an_answer_of_another_type_is_a_failure(
    over_https: FakeHttpsServer, authority: Authority, make: Make
) -> None:
    over_https.type = "text/html; charset=utf-8"
    result = await ask(make(https(over_https, authority)))
    text = f"127.0.0.1 port {over_https.port}: the HTTP answer is not application/dns-message"
    assert result == UpstreamFailure(codes.NETWORK_ERROR, text)
    over_https.type = "Application/DNS-message; x=y"
    assert address(await ask(make(https(over_https, authority)))) == ADDRESS


async def test_an_answer_that_is_too_long_is_a_failure(
    over_https: FakeHttpsServer, authority: Authority, make: Make
) -> None:
    over_https.respond = lambda _: (200, b"x" * 16_000)
    resolver = make(https(over_https, authority))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes, "MAX_MESSAGE", 10_000)
        result = await ask(resolver)
    assert isinstance(result, UpstreamFailure)
    assert "too long" in result.text


async def test_after_goaway_queries_are_sent_on_a_new_connection(
    over_https: FakeHttpsServer, authority: Authority, make: Make
) -> None:
    resolver = make(https(over_https, authority))
    assert address(await ask(resolver)) == ADDRESS
    over_https.connections[0].say_goodbye()
    assert address(await ask(resolver, key("again.example.com"))) == ADDRESS
    assert len(over_https.connections) == 2


async def test_a_query_without_a_waiter_is_cancelled(
    over_https: FakeHttpsServer, authority: Authority, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolver.forward.client.forwarder.FAILURE_TTL", 0.05)
    over_https.respond = lambda _: None
    resolver = make(https(over_https, authority), timeout=0.3)
    assert isinstance(await ask(resolver), UpstreamFailure)
    await settle()
    await until(lambda: len(over_https.resets) >= 2)


async def test_a_server_without_http_2_is_sent_no_query(
    over_tls: FakeUpstream, authority: Authority, make: Make
) -> None:
    result = await ask(make(Server("https", "127.0.0.1", over_tls.port, NAME, ca=authority.ca, path="/")))
    assert isinstance(result, UpstreamFailure)
    assert over_tls.asked == []


# -- arbitrary bytes from a server


class Heard:
    """Records the events of a session."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def arrived(self, number: int, message: bytes) -> None:
        assert number == int.from_bytes(message[:2], "big") or number == 7
        self.messages.append(message)

    def refused(self, number: int, why: str) -> None:
        assert (number, bool(why)) == (7, True)

    def left_queue(self, number: int) -> None:
        assert number == 7

    def lost(self, error: Exception | None) -> None:
        """Record the end of the connection."""


class Sink(asyncio.Transport):
    """A transport that records what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.aborted = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborted = True


@given(octets=st.binary(max_size=300), cut=st.integers(0, 300))
def test_any_octets_on_a_stream_are_messages_in_order_however_they_come(octets: bytes, cut: int) -> None:
    whole, parts = Heard(), Heard()
    for heard, pieces in ((whole, [octets]), (parts, [octets[:cut], octets[cut:]])):
        session = StreamSession(heard)
        session.connection_made(Sink())
        for piece in pieces:
            session.data_received(piece)
    assert whole.messages == parts.messages
    assert sum(len(message) + 2 for message in whole.messages) <= len(octets)


@given(
    frames=st.lists(
        st.tuples(st.integers(0, 10), st.integers(0, 255), st.integers(0, 5), st.binary(max_size=40)), max_size=8
    ),
    noise=st.binary(max_size=30),
)
def test_any_frames_of_http_2_end_the_connection_at_most(
    frames: list[tuple[int, int, int, bytes]], noise: bytes
) -> None:
    session, sink = HttpsSession(Heard(), Server("https", "127.0.0.1", 443, NAME, path="/")), Sink()
    session.connection_made(sink)
    session.send(7, bytes(15))
    session.data_received(b"\0\0\0\4\0\0\0\0\0")
    for kind, flags, stream, body in frames:
        head = len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
        session.data_received(head + body)
    session.data_received(noise)
    assert sink.written
