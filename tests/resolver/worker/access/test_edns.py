"""EDNS options: the options of a reply for the options of its query."""

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import pytest

from resolver.wire import codes
from resolver.worker.access.clients import packed
from resolver.worker.access.edns import ClientTransport
from resolver.worker.access.rate_limit import RateVerdict
from tests.replies import Replies

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]
NAME = "acct.blob.core.windows.net"
ESTATE = """
endpoints:
  - {name: weu, target: /x/a, group: blob, network: weu, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}
  - {name: neu, target: /x/a, group: blob, network: neu, records: [{fqdn: acct.blob.core.windows.net, ips: [10.2.0.4]}]}
"""
CONFIG = """
dns: {identity: weu-1, forwarders: [10.1.0.53]}
sources: [{name: estate, type: files, path: ./estate.yaml}]
networks:
  - {name: weu, clients: [10.1.0.0/16]}
  - {name: neu, clients: [10.2.0.0/16]}
"""
STRICT = "dns: {unproven: {clients: []}}\n"
UDP, TCP, TLS = (
    ClientTransport("udp", 1232),
    ClientTransport("tcp", idle=10),
    ClientTransport("tls", encrypted=True, idle=10),
)


@pytest.fixture
def pipeline(build: Build) -> "Pipeline":
    return build(CONFIG, {"estate.yaml": ESTATE})


def query(*options: tuple[int, bytes], name: str = NAME) -> bytes:
    generic: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType(code), data) for code, data in options]
    return dns.message.make_query(name, "A", use_edns=0, options=generic).to_wire()


def answer(
    pipeline: "Pipeline",
    packet: bytes,
    transport: ClientTransport = UDP,
    client: str = "10.1.0.9",
    over: RateVerdict = RateVerdict.PASS,
) -> dns.message.Message | None:
    replies = Replies()
    taken = pipeline.responder.take(packet, pipeline.clients.peer(packed(client)), transport, replies.take, over)
    assert len(replies) == taken
    return dns.message.from_wire(replies[0]) if replies else None


def option(message: dns.message.Message | None, code: int) -> bytes | None:
    assert message is not None
    return next((each.to_wire() or b"" for each in message.options if each.otype == code), None)


def address(message: dns.message.Message | None) -> str:
    assert message is not None
    return str(message.answer[-1][0].address)


COOKIE = bytes(range(8))


def test_a_client_with_a_cookie_gets_a_server_cookie_which_is_accepted(pipeline: "Pipeline") -> None:
    first = option(answer(pipeline, query((codes.OPTION_COOKIE, COOKIE))), codes.OPTION_COOKIE)
    assert first is not None
    assert (len(first), first[:8]) == (24, COOKIE)
    again = option(answer(pipeline, query((codes.OPTION_COOKIE, first))), codes.OPTION_COOKIE)
    assert again == first
    other = answer(pipeline, query((codes.OPTION_COOKIE, first)), client="10.1.0.10")
    assert option(other, codes.OPTION_COOKIE) not in {None, first}, "the cookie of another client is not accepted"


@pytest.mark.parametrize("size", [0, 7, 9, 15, 41])
def test_a_cookie_of_a_wrong_size_is_a_format_error(pipeline: "Pipeline", size: int) -> None:
    reply = answer(pipeline, query((codes.OPTION_COOKIE, bytes(size))))
    assert reply is not None
    assert reply.rcode() == dns.rcode.FORMERR


def test_with_cookies_off_none_is_answered(build: Build) -> None:
    pipeline = build("dns: {cookies: {answer: false}}")
    reply = answer(pipeline, query((codes.OPTION_COOKIE, COOKIE), name="localhost"))
    assert option(reply, codes.OPTION_COOKIE) is None


def test_a_message_without_a_question_may_only_ask_for_a_cookie(pipeline: "Pipeline") -> None:
    bare = bytearray(query((codes.OPTION_COOKIE, COOKIE)))
    del bare[12 : 12 + len(NAME) + 2 + 4]
    bare[4:6] = bytes(2)
    reply = answer(pipeline, bytes(bare))
    assert reply is not None
    assert (reply.rcode(), reply.question) == (dns.rcode.NOERROR, [])
    assert option(reply, codes.OPTION_COOKIE)
    without = bare[:10] + b"\0\0"
    reply = answer(pipeline, bytes(without))
    assert reply is not None
    assert reply.rcode() == dns.rcode.FORMERR


def test_errors_have_the_cookie_too(pipeline: "Pipeline") -> None:
    packet = query((codes.OPTION_COOKIE, COOKIE))
    notimp = packet[:2] + bytes((packet[2] | 0x20,)) + packet[3:]
    reply = answer(pipeline, notimp)
    assert reply is not None
    assert reply.rcode() == dns.rcode.NOTIMP
    assert option(reply, codes.OPTION_COOKIE)


@pytest.mark.parametrize(("addresses", "truncated"), [(30, False), (31, True)])
def test_a_reply_of_512_octets_is_whole_however_small_its_query(build: Build, addresses: int, truncated: bool) -> None:
    zone = f"$ORIGIN e.\n@ 60 SOA ns h 1 2 3 4 5\n$GENERATE 1-{addresses} m 60 A 10.0.1.$\n"
    pipeline = build(STRICT + "zones: {files: [e.zone]}", {"e.zone": zone})
    packet = query(name="m.e")
    reply = answer(pipeline, packet)
    assert reply is not None
    assert bool(reply.flags & codes.TC) == truncated
    assert truncated or 10 * len(packet) < len(reply.to_wire()) <= 512


def test_a_truncated_reply_has_the_options_too(build: Build) -> None:
    zone = "$ORIGIN corp.example.\n@ 60 SOA ns h 1 2 3 4 5\n$GENERATE 1-60 many 60 A 10.0.1.$\n"
    pipeline = build(STRICT + "zones: {files: [corp.zone]}", {"corp.zone": zone})
    reply = answer(pipeline, query((codes.OPTION_COOKIE, COOKIE), name="many.corp.example"))
    assert reply is not None
    assert reply.flags & codes.TC
    assert not reply.answer
    cookie = option(reply, codes.OPTION_COOKIE)
    assert cookie
    whole = answer(pipeline, query((codes.OPTION_COOKIE, cookie), name="many.corp.example"))
    assert whole is not None
    assert not whole.flags & codes.TC, "its address is proven"
    assert len(whole.answer[0]) == 60


def test_nsid_is_the_identity_of_the_server(pipeline: "Pipeline") -> None:
    assert option(answer(pipeline, query((codes.OPTION_NSID, b""))), codes.OPTION_NSID) == b"weu-1"
    assert option(answer(pipeline, query()), codes.OPTION_NSID) is None


def test_keepalive_is_answered_on_streams(pipeline: "Pipeline") -> None:
    packet = query((codes.OPTION_KEEPALIVE, b""))
    assert option(answer(pipeline, packet, TCP), codes.OPTION_KEEPALIVE) == struct.pack(">H", 100)
    assert option(answer(pipeline, packet, UDP), codes.OPTION_KEEPALIVE) is None
    assert option(answer(pipeline, query(), TCP), codes.OPTION_KEEPALIVE) is None


@pytest.mark.parametrize("more", [(), ((codes.OPTION_COOKIE, COOKIE), (codes.OPTION_NSID, b""))])
def test_padding_fills_blocks_if_encrypted(pipeline: "Pipeline", more: tuple[tuple[int, bytes], ...]) -> None:
    packet = query((codes.OPTION_PADDING, bytes(40)), *more)
    padded = answer(pipeline, packet, TLS)
    assert padded is not None
    assert padded.wire is not None
    assert len(padded.wire) == 468
    assert option(answer(pipeline, packet, TCP), codes.OPTION_PADDING) is None
    assert option(answer(pipeline, query(*more), TLS), codes.OPTION_PADDING) is None


def test_padding_never_makes_a_message_too_long(build: Build) -> None:
    zone = "$ORIGIN corp.example.\n@ 60 SOA ns h 1 2 3 4 5\n" + "".join(
        f"many 60 TXT {'x' * 250} {i:04}\n" for i in range(241)
    )
    pipeline = build("zones: {files: [corp.zone]}", {"corp.zone": zone})
    packet = query((codes.OPTION_PADDING, b""), name="many.corp.example")
    packet = packet.replace(b"\x00\x01\x00\x01\x00\x00\x29", b"\x00\x10\x00\x01\x00\x00\x29")
    reply = answer(pipeline, packet, TLS)
    assert reply is not None
    assert reply.wire is not None
    assert len(reply.wire) <= 65_535
    assert reply.answer


def subnet(text: str, source: int, scope: int = 0, family: int = 1) -> tuple[int, bytes]:
    return codes.OPTION_SUBNET, struct.pack(">HBB", family, source, scope) + packed(text)[: (source + 7) // 8]


@pytest.mark.parametrize(
    ("text", "source", "given", "scope"),
    [
        ("10.2.3.0", 24, "10.2.0.4", 16),
        ("10.2.0.0", 16, "10.2.0.4", 16),
        ("10.1.3.0", 24, "10.1.0.4", 16),
        ("10.0.0.0", 8, "10.1.0.4", 16),  # spans both: the forwarder's own, and never a scope that holds for all
        ("192.0.2.0", 24, "10.1.0.4", 1),  # in none, as all addresses from 128.0.0.0
        ("0.0.0.0", 0, "10.1.0.4", 16),
    ],
)
def test_a_forwarders_subnet_chooses_the_network(
    pipeline: "Pipeline", text: str, source: int, given: str, scope: int
) -> None:
    reply = answer(pipeline, query(subnet(text, source)), client="10.1.0.53")
    assert address(reply) == given
    echo = option(reply, codes.OPTION_SUBNET)
    assert echo == subnet(text, source, scope)[1]


def test_the_subnet_of_another_client_is_ignored(pipeline: "Pipeline") -> None:
    reply = answer(pipeline, query(subnet("10.2.3.0", 24)), client="10.1.0.9")
    assert address(reply) == "10.1.0.4"
    assert option(reply, codes.OPTION_SUBNET) is None


def test_the_access_list_applies_to_the_forwarder(build: Build) -> None:
    pipeline = build("dns: {allow: [10.2.0.0/16], forwarders: [10.1.0.53]}")
    reply = answer(pipeline, query(subnet("10.2.3.0", 24)), client="10.1.0.53")
    assert reply is not None
    assert reply.rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    "wrong",
    [
        (8, b""),
        (8, b"\0\1\x18"),
        subnet("10.2.3.0", 24, 1),
        (8, struct.pack(">HBB", 1, 24, 0) + b"\x0a\2"),
        (8, struct.pack(">HBB", 1, 24, 0) + b"\x0a\2\3\0"),
        (8, struct.pack(">HBB", 1, 20, 0) + b"\x0a\2\3"),
        (8, struct.pack(">HBB", 1, 33, 0) + b"\x0a\2\3\0\0"),
        (8, struct.pack(">HBB", 3, 24, 0) + b"\x0a\2\3"),
        (8, struct.pack(">HBB", 0, 8, 0) + b"\x0a"),
    ],
    ids=["empty", "short", "scope", "few", "many", "bits", "length", "family", "none"],
)
def test_a_subnet_that_the_standard_does_not_allow_is_a_format_error(
    pipeline: "Pipeline", wrong: tuple[int, bytes]
) -> None:
    reply = answer(pipeline, query(wrong), client="10.1.0.53")
    assert reply is not None
    assert reply.rcode() == dns.rcode.FORMERR


@pytest.mark.parametrize("malformed", ["opcode", "cookie"])
def test_a_malformed_query_with_a_malformed_subnet_gets_the_error_of_the_query(
    pipeline: "Pipeline", malformed: str
) -> None:
    cookie = [(codes.OPTION_COOKIE, bytes(7))] if malformed == "cookie" else []
    packet = bytearray(query(subnet("10.2.3.0", 24, 1), *cookie))
    packet[2] |= 0x20 if malformed == "opcode" else 0
    reply = answer(pipeline, bytes(packet), client="10.1.0.53")
    assert reply is not None
    assert reply.rcode() == (dns.rcode.NOTIMP if malformed == "opcode" else dns.rcode.FORMERR)
    assert option(reply, codes.OPTION_SUBNET) is None


def test_an_empty_subnet_without_family_is_ignored(pipeline: "Pipeline") -> None:
    """`dig +subnet=0` sends such an option, which dnspython does not read."""
    replies = Replies()
    pipeline.responder.take(query((8, bytes(4))), pipeline.clients.peer(packed("10.1.0.53")), UDP, replies.take)
    assert packed("10.1.0.4") in replies[0]
    assert replies[0].endswith(b"\x00\x08\x00\x04" + bytes(4))


@pytest.mark.parametrize("kind", [codes.OPTION_COOKIE, codes.OPTION_NSID, codes.OPTION_SUBNET])
def test_the_options_of_one_client_are_not_sent_to_another(pipeline: "Pipeline", kind: int) -> None:
    data = {codes.OPTION_COOKIE: COOKIE, codes.OPTION_NSID: b"", codes.OPTION_SUBNET: subnet("10.2.3.0", 24)[1]}[kind]
    answer(pipeline, query((kind, data)), client="10.1.0.53")
    assert not any(pipeline.answers.exact)


# -- over the rate limit


def test_over_the_limit_a_client_gets_no_reply_or_a_truncated_one(pipeline: "Pipeline") -> None:
    assert answer(pipeline, query(), over=RateVerdict.DROP) is None
    reply = answer(pipeline, query(), over=RateVerdict.SLIP)
    assert reply is not None
    assert reply.flags & codes.TC
    assert not reply.answer
    assert pipeline.counters.cell("dns_rate_limited_total", ("dropped",)) == [1]
    assert pipeline.counters.cell("dns_rate_limited_total", ("truncated",)) == [1]


def test_over_the_limit_a_client_with_a_cookie_gets_a_server_cookie_and_is_then_answered(pipeline: "Pipeline") -> None:
    reply = answer(pipeline, query((codes.OPTION_COOKIE, COOKIE)), over=RateVerdict.SLIP)
    assert reply is not None
    assert (reply.rcode(), reply.answer) == (dns.rcode.BADCOOKIE, [])
    cookie = option(reply, codes.OPTION_COOKIE)
    assert cookie
    for over in RateVerdict:
        assert address(answer(pipeline, query((codes.OPTION_COOKIE, cookie)), over=over)) == "10.1.0.4"


def test_over_the_limit_a_malformed_query_gets_no_reply(pipeline: "Pipeline") -> None:
    assert answer(pipeline, query()[:-1], over=RateVerdict.SLIP) is None


def test_a_dropped_client_gets_no_reply(build: Build) -> None:
    pipeline = build("dns: {drop: {clients: [10.1.0.0/24]}}")
    assert answer(pipeline, query()) is None
    assert pipeline.counters.cell("dns_dropped_total", ("client",)) == [1]


# -- the size of replies to clients whose address may be forged


def test_endpoints_and_their_denials_are_small(build: Build) -> None:
    names = ["a.blob.core.windows.net", "verylongaccountname24char.vaultcore.azure.net", "x.database.windows.net"]
    records = "".join(
        f"  - {{name: e{i}, target: /x/{i}, group: g, records: [{{fqdn: {name}, ips: [10.0.0.{i}, 10.0.1.{i}]}}]}}\n"
        for i, name in enumerate(names)
    )
    pipeline = build("sources: [{name: e, type: files, path: ./e.yaml}]", {"e.yaml": f"endpoints:\n{records}"})
    for name in names:
        for rtype in ("A", "AAAA", "HTTPS"):
            for edns in (None, 0):
                packet = dns.message.make_query(name, rtype, use_edns=edns).to_wire()
                reply = answer(pipeline, packet)
                assert reply is not None
                assert reply.wire is not None
                assert len(reply.wire) <= 3 * len(packet), (name, rtype, edns)
