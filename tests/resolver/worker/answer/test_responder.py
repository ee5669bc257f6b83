"""The responder: cached, truncated and refused replies."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.wire import codes
from resolver.worker.access.clients import REFUSED, Client
from resolver.worker.access.edns import ClientTransport
from tests.replies import Replies
from zones.dns.name import from_text, to_text
from zones.dns.record import RRset
from zones.networks.prefixes import NetworkIndex

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]
SOURCE = "sources: [{name: estate, type: files, path: ./endpoints}]"
ACCT = "{name: one, group: blob, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]}"
ESTATE = {"endpoints/a.yaml": f"endpoints: [{ACCT}]"}
CLIENT = Client(b"\x0a\0\0\1", NetworkIndex(0))
WWW = RRset(from_text("www.example"), 1, 60, (b"\xc0\0\2\x50",))


def ede(message: dns.message.Message) -> list[int]:
    return [int(option.code) for option in message.options if isinstance(option, dns.edns.EDEOption)]


# -- replies from compiled answers


def test_a_repeated_packet_gets_the_same_reply_under_its_own_id(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build(SOURCE, ESTATE)
    first = pipeline.reply(ask("acct.blob.core.windows.net"))
    again = pipeline.reply(ask("acct.blob.core.windows.net", ident=0x1234))
    assert first is not None
    assert again == b"\x12\x34" + first[2:]
    assert len(pipeline.answers.exact[0]) == 1


def test_an_answer_for_one_spelling_serves_another_with_the_case_as_sent(build: Build) -> None:
    pipeline = build(SOURCE, ESTATE)
    pipeline.ask("acct.blob.core.windows.net")
    message = pipeline.ask("aCCt.BLOB.core.windows.NET")
    assert message.question[0].name.to_text() == "aCCt.BLOB.core.windows.NET."
    assert message.answer[0].name.to_text() == "aCCt.BLOB.core.windows.NET."
    assert len(pipeline.answers) == 1


def test_type_97_is_not_https_in_lower_case(build: Build) -> None:
    pipeline = build("", {}, {"public": "www.example 60 HTTPS 1 . port=443\nwww.example 60 TYPE97 \\# 1 00"})
    assert [rrset.rdtype for rrset in pipeline.ask("www.example", "TYPE97").answer] == [97]
    assert [rrset.rdtype for rrset in pipeline.ask("www.example", "HTTPS").answer] == [codes.HTTPS]
    assert [rrset.rdtype for rrset in pipeline.ask("www.example", "TYPE97").answer] == [97]


def test_a_cached_answer_equals_a_new_one(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build(SOURCE, ESTATE, {"public": "www.example 60 A 192.0.2.80\n*. 60 TXT x"})
    names = ("acct.blob.core.windows.net", "WWW.example", "none.example", "x.privatelink.blob.core.windows.net")
    for name in names:
        for options in ((), ("noedns",), ("do", "cd"), ("ad",), ("norec",)):
            packet = ask(name, "A", *options)
            pipeline.reply(packet)
            kept = [pipeline.reply(packet), pipeline.reply(packet, tcp=True)]
            pipeline.answers.clear()
            assert kept == [pipeline.reply(packet)] * 2, (name, options)


def test_ttls_of_an_upstreams_answer_count_down_on_every_path(build: Build) -> None:
    pipeline = build("", {}, {"public": "www.example 60 A 192.0.2.80\nother.example 60 A 192.0.2.81"})
    for seconds in (0, 0.5, 1, 7.25, 51, 0.24):
        pipeline.now += seconds
        left = 60 - int(pipeline.now - 1000)
        for options in ((), (), ("noedns",), ("ad",)):
            assert pipeline.ask("www.example", "A", *options).answer[0].ttl == left
    pipeline.now = 1060
    assert pipeline.ask("www.example").answer[0].ttl == 60
    assert pipeline.upstreams["public"].asked == ["www.example A"] * 2


def test_an_answer_with_served_and_fetched_records_expires_with_the_least_ttl(build: Build) -> None:
    alias = "files.example 3600 CNAME acct.blob.core.windows.net"
    pipeline = build(SOURCE, ESTATE, {"public": alias})
    for rtype in ("A", "AAAA"):
        pipeline.ask("files.example", rtype)
    pipeline.now += 9.9
    for rtype in ("A", "AAAA"):
        message = pipeline.ask("files.example", rtype)
        assert [r.ttl for r in (*message.answer, *message.authority)][-1] == 1
    pipeline.now += 0.1
    for rtype in ("A", "AAAA"):
        message = pipeline.ask("files.example", rtype)
        assert [r.ttl for r in (*message.answer, *message.authority)][-1] == 10
        assert message.answer[0].ttl == 3590


def test_an_expired_reply_is_not_repeated_on_a_stream(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline = build("", {}, {"public": "www.example 60 A 192.0.2.80"})
    packet, replies = ask("www.example"), Replies()
    pipeline.reply(packet)
    pipeline.now += 0.9
    assert pipeline.responder.repeat(packet, NetworkIndex(0), replies.take)
    pipeline.now += 0.1
    assert not pipeline.responder.repeat(packet, NetworkIndex(0), replies.take)
    assert len(replies) == 1


def test_every_answer_comes_with_its_freshness(build: Build, ask: Callable[..., bytes]) -> None:
    """For HTTP caches: the seconds that are left of the least TTL, however the answer was found."""
    records = "www.example 60 CNAME to.example\nto.example 9 A 192.0.2.80\nexample 70 SOA a. b. 1 2 3 4 30"
    pipeline = build(SOURCE, ESTATE, {"public": records})

    def freshness(packet: bytes) -> list[int]:
        pipeline.reply(packet)
        replies = Replies()
        pipeline.responder.repeat(packet, NetworkIndex(0), replies.take)
        pipeline.responder.take(packet, CLIENT, ClientTransport("https", encrypted=True), replies.take)
        return [answer.freshness() for answer in replies.answers if answer]

    assert freshness(ask("www.example")) == [9, 9]
    assert set(freshness(ask("none.example"))) == {30}
    assert freshness(ask("acct.blob.core.windows.net")) == [10, 10]
    pipeline.now += 5
    assert freshness(ask("www.example")) == [4, 4]


def test_an_error_comes_without_an_answer(build: Build, ask: Callable[..., bytes]) -> None:
    pipeline, replies = build("dns: {allow: [10.0.0.0/8]}"), Replies()
    stranger = Client(bytes(4), REFUSED)
    pipeline.responder.take(ask("www.example"), stranger, ClientTransport("https", encrypted=True), replies.take)
    assert replies.answers == [None]


def test_a_denial_expires_with_the_minimum_of_its_soa(build: Build) -> None:
    pipeline = build("", {}, {"public": "example 3600 SOA a. b. 1 2 3 4 60\nwww.example 60 A 192.0.2.80"})
    for name, rtype in (("none.example", "A"), ("www.example", "AAAA")):
        assert pipeline.ask(name, rtype).authority[0].ttl == 60
    pipeline.now += 59.9
    for name, rtype in (("none.example", "A"), ("www.example", "AAAA")):
        assert pipeline.ask(name, rtype).authority[0].ttl == 1
    pipeline.now += 0.1
    assert pipeline.ask("none.example").authority[0].ttl == 60
    assert pipeline.upstreams["public"].asked.count("none.example A") == 2


@pytest.mark.parametrize("options", [("do",), ("noedns",), ("payload=400",), ("payload=65535", "do")])
def test_a_large_reply_is_truncated_each_time_and_whole_over_tcp(build: Build, options: tuple[str, ...]) -> None:
    records = "\n".join(f"big.example 60 A 10.0.{i // 250}.{i % 250}" for i in range(400))
    pipeline = build("", {}, {"public": records})
    for _ in range(2):
        cut = pipeline.ask("big.example", "A", *options)
        assert cut.flags & dns.flags.TC
        assert not cut.answer
        assert (cut.ednsflags & dns.flags.DO) == (dns.flags.DO if "do" in options else 0)
        whole = pipeline.ask("big.example", "A", *options, tcp=True)
        assert len(whole.answer) == 400
        assert not whole.flags & dns.flags.TC


def test_an_answer_too_large_for_any_message_is_truncated_over_tcp_too(build: Build) -> None:
    records = "".join(f"x 60 A 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n" for i in range(5000))
    zone = f"$ORIGIN huge.example.\n@ 60 SOA ns h 1 2 3 4 5\n{records}"
    pipeline = build("zones: {files: [huge.zone]}", {"huge.zone": zone})
    message = pipeline.ask("x.huge.example", tcp=True)
    assert message.flags & dns.flags.TC
    assert not message.answer


OPEN = "dns: {allow: [0.0.0.0/0]}"
FORTY = {"public": "\n".join(f"big.example 60 A 10.0.0.{i}" for i in range(40))}
"""Forty addresses take 668 octets, more than ten times the size of their query and less than a UDP reply may have."""


@pytest.mark.parametrize("client", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.3.4"])
def test_a_local_client_gets_the_full_edns_size_without_a_cookie(build: Build, client: str) -> None:
    """Several clients, HAProxy among them, never ask again over TCP."""
    pipeline = build("", {}, FORTY)
    for _ in range(2):
        assert len(pipeline.ask("big.example", "A", "payload=1232", client=client).answer) == 40


def test_any_other_client_gets_at_most_ten_times_the_size_of_its_query(build: Build) -> None:
    pipeline = build(OPEN, {}, FORTY)
    for client in ("192.0.2.1", "10.0.0.1", "192.0.2.1", "10.0.0.1"):  # in one network: the reply is not shared
        message = pipeline.ask("big.example", "A", "payload=1232", client=client)
        assert bool(message.flags & dns.flags.TC) is (client == "192.0.2.1")


def test_the_configuration_sets_who_is_limited_and_how_much(build: Build) -> None:
    pipeline = build("dns: {allow: [0.0.0.0/0], unproven: {clients: [192.0.2.0/24], factor: 20}}", {}, FORTY)
    for client in ("192.0.2.1", "10.0.0.1"):
        assert len(pipeline.ask("big.example", "A", "payload=1232", client=client).answer) == 40
    strict = build("dns: {allow: [0.0.0.0/0], unproven: {clients: []}}", {}, FORTY)
    assert strict.ask("big.example", "A", "payload=1232", client="10.0.0.1").flags & dns.flags.TC


# -- clients that may not ask, and packets that are not queries


@pytest.mark.parametrize("packet", [b"", b"\0" * 11, b"\0\1\x80\0\0\1\0\0\0\0\0\0\3www\0\0\1\0\1"])
def test_noise_and_responses_get_no_reply_and_are_counted(build: Build, packet: bytes) -> None:
    pipeline = build()
    assert pipeline.reply(packet) is None
    assert pipeline.counters.cell("dns_dropped_total", ("malformed",)) == [1]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(packet=st.binary(max_size=80))
def test_any_octets_get_a_reply_that_both_decoders_read_or_none(
    build: Build, decode: Callable[[bytes], dns.message.Message], packet: bytes
) -> None:
    head = b"\0\1\1\0\0\1\0\0\0\0\0"
    pipeline = build()
    for each in (packet, head + packet):
        reply = pipeline.reply(each)
        if reply is not None:
            read = decode if each.isascii() else dns.message.from_wire  # dnslib refuses labels that are not UTF-8
            assert read(reply).flags & dns.flags.QR


def test_refused_clients_are_counted_and_nothing_is_cached_for_them(build: Build) -> None:
    pipeline = build("dns: {allow: [10.0.0.0/8]}", {}, {"public": "*. 60 A 192.0.2.1"})
    message = pipeline.ask("www.example")
    assert (message.rcode(), ede(message)) == (dns.rcode.REFUSED, [codes.PROHIBITED])
    assert ("dns_responses_total", ("REFUSED", "", "", "acl"), 1) in pipeline.counters.values()
    assert len(pipeline.answers) == 0
    assert pipeline.upstreams["public"].asked == []


def test_each_fallback_is_counted(build: Build) -> None:
    pipeline = build(SOURCE, ESTATE, {"public": "*. 60 A 192.0.2.1"})
    for _ in range(3):
        pipeline.ask("x.privatelink.blob.core.windows.net")
    pipeline.ask("acct.privatelink.blob.core.windows.net")
    pipeline.ask("www.example")
    (found,) = pipeline.fallbacks.report()
    assert (found.name, found.count, found.network) == (from_text("x.privatelink.blob.core.windows.net"), 3, "default")


def test_each_endpoint_that_a_client_in_no_network_asks_for_is_counted(build: Build) -> None:
    spoke = "networks: [{name: spoke, clients: [10.0.0.0/8]}]\nzones: {private_only: [lab.example]}"
    names = ("acct.blob.core.windows.net", "db.lab.example")
    records = ", ".join(f"{{fqdn: {name}, ips: [10.1.0.4]}}" for name in names)
    estate = {"endpoints/a.yaml": f"endpoints: [{{name: one, network: spoke, records: [{records}]}}]"}
    pipeline = build(f"{SOURCE}\n{spoke}", estate, {"public": "*. 60 A 192.0.2.1"})
    for _ in range(3):
        for name in (*names, "www.example"):
            pipeline.ask(name)
    found = pipeline.fallbacks.report()
    assert [(to_text(item.name), to_text(item.zone), item.network, item.reason, item.count) for item in found] == [
        (names[0], "privatelink.blob.core.windows.net", "none", "no-network", 3),
        (names[1], names[1], "none", "no-network", 3),
    ]
    counted = {labels: count for metric, labels, count in pipeline.counters.values() if metric == "no_network_total"}
    assert counted == {("privatelink.blob.core.windows.net",): 3, ("(alone)",): 3}


def test_every_reply_is_counted_once_by_rcode_zone_network_and_origin(build: Build) -> None:
    pipeline = build(SOURCE, ESTATE, {"public": "www.example 60 A 192.0.2.80"})
    for _ in range(2):
        pipeline.ask("acct.blob.core.windows.net")
        pipeline.ask("acct.privatelink.blob.core.windows.net", "AAAA")
        pipeline.ask("www.example", "A", "noedns")
        pipeline.ask("none.example", tcp=True)
        pipeline.ask("x.privatelink.blob.core.windows.net")
        pipeline.ask("4.0.1.10.in-addr.arpa", "PTR")
        pipeline.ask("www.example", "AXFR")
    zone = "privatelink.blob.core.windows.net"
    counted = {labels: count for metric, labels, count in pipeline.counters.values() if metric == "dns_responses_total"}
    assert sum(counted.values()) == 14
    assert set(counted) == {
        ("NOERROR", zone, "default", "private"), ("NOERROR", "", "default", "forward"),
        ("NXDOMAIN", "", "default", "forward"), ("NXDOMAIN", zone, "default", "public"),
        ("NOERROR", "(reverse)", "default", "ptr"), ("REFUSED", "", "default", "error"),
    }  # fmt: skip


def test_a_compiled_answer_of_an_upstream_is_a_cache_hit_each_time_that_it_is_sent_again(build: Build) -> None:
    zone = "www.example 60 A 192.0.2.80\nfiles.example 60 CNAME acct.blob.core.windows.net"
    pipeline = build(SOURCE, ESTATE, {"public": zone})
    for _ in range(5):
        pipeline.ask("www.example", "A", "noedns")  # octet for octet
    assert (pipeline.cache.misses, pipeline.engine.hits) == (1, 4)
    pipeline.ask("WWW.example", tcp=True)
    pipeline.ask("www.example", tcp=True)
    assert pipeline.engine.hits + pipeline.cache.hits == 6, "another form of the same question"
    for _ in range(3):
        pipeline.ask("files.example")
        pipeline.ask("acct.blob.core.windows.net")
    assert pipeline.engine.hits + pipeline.cache.hits == 8, "an alias of an upstream counts, an endpoint does not"
    pipeline.now += 61
    pipeline.ask("www.example", "A", "noedns")
    assert pipeline.engine.hits + pipeline.cache.hits == 8
