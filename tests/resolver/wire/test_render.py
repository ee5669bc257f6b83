"""Rendered replies: dnspython and dnslib read the records that were rendered."""

from collections.abc import Iterable, Sequence

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from dnslib import DNSRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.wire import codes, render
from zones.dns import name, record
from zones.dns.record import RRset

Sections = tuple[Sequence[RRset], Sequence[RRset], Sequence[RRset]]

PUBLIC = name.from_text("acct.blob.core.windows.net")
PRIVATE = name.from_text("acct.privatelink.blob.core.windows.net")
QUESTION = PUBLIC + b"\x00\x01\x00\x01"
FLAGS = codes.AA | codes.RD | codes.RA


def packet(body: render.Body, question: bytes = QUESTION) -> bytes:
    return b"\x12\x34" + body.head + question + body.tail


def plain(question: bytes, flags: int, sections: Sections) -> bytes:
    """Return the same reply without compression, rendered in the simplest way."""
    counts = [sum(len(r.rdatas) for r in section) for section in sections]
    out = b"\x12\x34" + b"".join(n.to_bytes(2, "big") for n in (codes.QR | flags, 1, *counts)) + question
    for r in (r for section in sections for r in section):
        for rdata in r.rdatas:
            out += r.owner + r.type.to_bytes(2, "big") + b"\x00\x01" + r.ttl.to_bytes(4, "big")
            out += len(rdata).to_bytes(2, "big") + rdata
    return out


Row = tuple[bytes, int, int, bytes]


def expected(rrsets: Iterable[RRset]) -> list[Row]:
    return [(r.owner.lower(), r.type, r.ttl, rdata.lower()) for r in rrsets for rdata in r.rdatas]


def read_by_dnspython(octets: bytes) -> list[list[Row]]:
    message = dns.message.from_wire(octets, one_rr_per_rrset=True)
    return [
        [
            (r.name.to_wire().lower(), int(r.rdtype), r.ttl, rdata.to_wire().lower())  # type: ignore[union-attr]
            for r in section
            for rdata in r
        ]
        for section in (message.answer, message.authority, message.additional)
    ]


def read_by_dnslib(octets: bytes) -> str:
    message = DNSRecord.parse(octets)
    return "\n".join(
        str(part) for part in (message.header, *message.questions, *message.rr, *message.auth, *message.ar)
    )


def check(question: bytes, sections: Sections) -> render.Body:
    body = render.body(question, FLAGS, codes.NOERROR, *sections)
    octets = packet(body, question)
    assert read_by_dnspython(octets) == [expected(section) for section in sections]
    assert read_by_dnslib(octets).lower() == read_by_dnslib(plain(question, FLAGS, sections)).lower()
    ttls = [ttl for section in sections for _, _, ttl, _ in expected(section)]
    assert [int.from_bytes(body.tail[at : at + 4], "big") for at in body.ttls] == ttls
    return body


def test_a_private_answer_is_compressed_against_the_question_and_itself() -> None:
    answer = (RRset(PUBLIC, record.CNAME, 10, (PRIVATE,)), RRset(PRIVATE, record.A, 10, (b"\x0a\x00\x00\x04",)))
    body = check(QUESTION, (answer, (), ()))
    cname = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x0a\x00\x13\x04acct\x0bprivatelink\xc0\x11"
    target = 12 + len(QUESTION) + 12
    assert body.tail == cname + bytes((0xC0, target)) + b"\x00\x01\x00\x01\x00\x00\x00\x0a\x00\x04\x0a\x00\x00\x04"
    assert body.ttls == (6, 37)


def test_one_tail_serves_every_spelling_of_the_question() -> None:
    answer = (RRset(PUBLIC, record.CNAME, 10, (PRIVATE,)),)
    spelled = PUBLIC.replace(b"acct", b"AcCt") + QUESTION[-4:]
    assert render.body(spelled, 0, 0, answer) == render.body(QUESTION, 0, 0, answer)


def test_labels_that_are_not_compressed_keep_their_case() -> None:
    body = check(QUESTION, ((RRset(PUBLIC, record.CNAME, 10, (b"\x03WwW\x07ExAmple\x00",)),), (), ()))
    assert b"\x03WwW\x07ExAmple\x00" in body.tail


def test_types_after_rfc_1035_are_not_compressed() -> None:
    rdata = b"\x00\x01\x00\x02\x00\x35" + PUBLIC
    assert rdata in check(QUESTION, ((RRset(PUBLIC, codes.SRV, 5, (rdata,)),), (), ())).tail


def test_records_are_in_their_sections() -> None:
    zone = name.from_text("privatelink.blob.core.windows.net")
    glue = RRset(name.from_text("ns1.example"), record.AAAA, 7, (bytes(16),))
    check(QUESTION, ((), (record.soa(zone, 10),), (glue,)))


def test_the_root_is_not_compressed() -> None:
    check(b"\x00\x00\x02\x00\x01", ((RRset(b"\x00", record.NS, 1, (b"\x00", b"\x01a\x00")),), (), ()))


def test_a_pointer_has_at_most_14_bits() -> None:
    filler = RRset(b"\x06filler\x00", codes.TXT, 1, tuple(b"\xff" + bytes([i]) * 255 for i in range(70)))
    late = RRset(b"\x04late\x00", record.NS, 1, (b"\x02n1\x04late\x00", b"\x02n2\x04late\x00", b"\x02n2\x04late\x00"))
    body = render.body(QUESTION, 0, 0, (filler, late))
    message = dns.message.from_wire(packet(body))
    assert message.answer[1].name == dns.name.from_text("late")
    assert {str(r) for r in message.answer[1]} == {"n1.late.", "n2.late."}
    assert body.tail.count(b"\x04late\x00") == 6


def test_flags_and_rcode_are_as_given() -> None:
    flags = codes.AA | codes.RD | codes.RA | codes.AD | codes.CD
    message = dns.message.from_wire(packet(render.body(QUESTION, flags, codes.NXDOMAIN)))
    assert dns.flags.to_text(message.flags) == "QR AA RD RA AD CD"
    assert (message.rcode(), message.edns) == (3, -1)


def test_edns_has_do_the_payload_and_the_extended_error() -> None:
    body = render.body(QUESTION, 0, codes.SERVFAIL, edns=render.Opt(do=True, ede=(codes.NOT_READY, "no inventory…")))
    message = dns.message.from_wire(packet(body))
    assert (message.edns, message.payload, message.ednsflags) == (0, 1232, dns.flags.DO)
    assert message.options == (dns.edns.EDEOption("NOT_READY", "no inventory…"),)
    assert "EDNS: version: 0, flags: do; udp: 1232" in read_by_dnslib(packet(body))


def test_an_extended_rcode_has_its_upper_bits_in_the_opt_record() -> None:
    message = dns.message.from_wire(packet(render.body(QUESTION, 0, codes.BADVERS, edns=render.Opt())))
    assert (message.rcode(), message.flags & 0xF) == (16, 0)


def test_a_truncated_reply_has_tc_and_only_question_and_opt() -> None:
    body = render.truncated(QUESTION, FLAGS, codes.NOERROR, render.Opt())
    message = dns.message.from_wire(packet(body))
    assert message.flags & dns.flags.TC
    assert (len(message.question), message.sections[1:], message.edns) == (1, [[], [], []], 0)
    assert body.ttls == ()


@pytest.mark.parametrize(
    ("age", "left"), [(0, (300, 10)), (7, (293, 3)), (10, (290, 0)), (11, (289, 0)), (999, (0, 0))]
)
def test_ttls_count_down_to_0_and_that_of_opt_does_not(age: int, left: tuple[int, int]) -> None:
    answer = (RRset(PUBLIC, record.CNAME, 300, (PRIVATE,)), RRset(PRIVATE, record.A, 10, (bytes(4),)))
    body = render.body(QUESTION, 0, 0, answer, edns=render.Opt(do=True))
    octets = packet(render.Body(body.head, render.patched(body.tail, body.ttls, age), body.ttls))
    message = dns.message.from_wire(octets)
    assert tuple(r.ttl for r in message.answer) == left
    assert message.ednsflags == dns.flags.DO


@pytest.mark.parametrize(("ttl", "minimum", "expected"), [(300, 60, 60), (60, 300, 60), (60, 60, 60), (300, 0, 0)])
def test_a_denial_is_fresh_no_longer_than_the_minimum_of_its_soa(ttl: int, minimum: int, expected: int) -> None:
    """RFC 8484 §5.1; the TTL of the SOA may be above MINIMUM where `negative_ttl` says so."""
    zone = name.from_text("example")
    authority = (RRset(zone, record.SOA, ttl, (zone + zone + bytes(16) + minimum.to_bytes(4, "big"),)),)
    body = render.body(QUESTION, 0, codes.NXDOMAIN, (), authority, edns=render.Opt())
    assert render.freshness(body.tail, body.ttls) == expected


def test_a_reply_is_as_fresh_as_its_record_with_the_least_ttl() -> None:
    answer = (RRset(PUBLIC, record.CNAME, 300, (PRIVATE,)), RRset(PRIVATE, record.A, 10, (bytes(4),)))
    body = render.body(QUESTION, 0, 0, answer, edns=render.Opt())
    assert render.freshness(body.tail, body.ttls) == 10
    assert render.freshness(b"", ()) == 0


LABEL = st.sampled_from([b"a", b"A", b"b", b"blob", b"core", b"Net", b"x" * 63, b"-_"])
NAME = st.lists(LABEL, max_size=3).map(lambda parts: b"".join(bytes((len(p),)) + p for p in parts) + b"\x00")
RDATA = st.one_of(
    st.tuples(st.just(record.A), st.binary(min_size=4, max_size=4)),
    st.tuples(st.just(record.AAAA), st.binary(min_size=16, max_size=16)),
    st.tuples(st.sampled_from([record.NS, record.CNAME, record.PTR, record.DNAME]), NAME),
    st.tuples(st.just(codes.MX), NAME.map(lambda n: b"\x00\x0a" + n)),
    st.tuples(st.just(codes.SRV), NAME.map(lambda n: b"\x00\x01\x00\x02\x00\x35" + n)),
    st.tuples(st.just(17), st.tuples(NAME, NAME).map(b"".join)),  # RP
    st.tuples(st.just(record.SOA), st.tuples(NAME, NAME).map(lambda n: n[0] + n[1] + bytes(range(20)))),
    st.tuples(st.just(65280), st.binary(min_size=1, max_size=300)),  # dnslib refuses empty rdata
)
RRSET = st.builds(
    lambda owner, rdata, ttl: RRset(owner, rdata[0], ttl, (rdata[1],)), NAME, RDATA, st.integers(0, 2**31 - 1)
)
SECTION = st.lists(RRSET, max_size=5)


@settings(max_examples=200, deadline=None)
@given(NAME, st.tuples(SECTION, SECTION, SECTION))
def test_two_decoders_read_any_rendered_reply(qname: bytes, sections: Sections) -> None:
    check(qname + b"\x00\x01\x00\x01", sections)
