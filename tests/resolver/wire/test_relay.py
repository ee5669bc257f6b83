"""`relay` reads the records that dnspython writes."""

import contextlib
import struct
from collections.abc import Sequence

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from dns.message import QueryMessage
from dnslib import DNSRecord

from resolver.wire import codes, query, relay
from zones.dns import name, record
from zones.dns.name import Name
from zones.dns.record import RRset

ID = 0x1234
WWW = name.from_text("www.example")
QUESTION = relay.question(WWW, record.A)


def n(text: str) -> Name:
    return name.from_text(text)


def written(qname: str, qtype: str, answer: Sequence[str] = (), authority: Sequence[str] = ()) -> QueryMessage:
    """Return a reply that dnspython made, with records given as lines of a zone file."""
    reply = dns.message.make_response(dns.message.make_query(qname, qtype, id=ID), recursion_available=True)
    for section, lines in ((reply.answer, answer), (reply.authority, authority)):
        for line in lines:
            owner, ttl, rtype, text = line.split(None, 3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, text))
    assert isinstance(reply, QueryMessage)
    return reply


def raw(*records: bytes, flags: int = codes.QR, counts: tuple[int, int, int, int] | None = None) -> bytes:
    return struct.pack(">6H", ID, flags, *(counts or (1, len(records), 0, 0))) + QUESTION + b"".join(records)


def a_record(ttl: int, address: bytes, rclass: int = 1, rtype: int = 1) -> bytes:
    return b"\xc0\x0c" + struct.pack(">HHIH", rtype, rclass, ttl, len(address)) + address


def parse(packet: bytes) -> relay.Message:
    return relay.parse(packet, QUESTION)


RECORDS = [
    "example. 300 A 192.0.2.1",
    "example. 300 AAAA 2001:db8::1",
    "example. 300 NS ns1.example.",
    "www.example. 300 CNAME Host.example.",
    "example. 300 SOA ns1.example. hostmaster.example. 1 7200 3600 1209600 300",
    "1.2.0.192.in-addr.arpa. 300 PTR www.example.",
    "example. 300 HINFO VAX UNIX",
    "example. 300 MX 10 mail.example.",
    'example. 300 TXT "one" "two"',
    "example. 300 RP mbox.example. txt.example.",
    "example. 300 AFSDB 1 afs.example.",
    "example. 300 RT 1 rt.example.",
    "example. 300 PX 10 map.example. x400.example.",
    "example. 300 SRV 1 2 53 srv.example.",
    'example. 300 NAPTR 1 2 "S" "SIP+D2U" "" sip.example.',
    "example. 300 KX 1 kx.example.",
    "sub.example. 300 DNAME other.example.",
    "example. 300 DS 1 8 2 " + "ab" * 32,
    "example. 300 RRSIG A 8 1 300 20300101000000 20200101000000 1 example. AAAA",
    "example. 300 NSEC next.example. A AAAA",
    "example. 300 TLSA 3 1 1 " + "ab" * 32,
    "example. 300 SVCB 1 svc.example. alpn=h2",
    "example. 300 HTTPS 1 . ipv4hint=192.0.2.1",
    'example. 300 CAA 0 issue "ca.example"',
    'example. 300 URI 1 2 "https://example/"',
    "example. 300 TYPE65280 \\# 3 c00c00",
]


@pytest.mark.parametrize("line", RECORDS, ids=lambda line: line.split()[2])
def test_every_type_is_read_as_dnspython_wrote_it(line: str) -> None:
    written_ = written("www.example.", "A", [line], [line])
    got = parse(written_.to_wire())
    for section, wanted in ((got.answer, written_.answer), (got.authority, written_.authority)):
        assert [(r.owner, r.type, r.ttl) for r in section] == [(wanted[0].name.to_wire(), wanted[0].rdtype, 300)]
        assert list(section[0].rdatas) == [rdata.to_wire() for rdata in wanted[0]]


def test_a_whole_message_of_many_types_is_read_as_dnspython_wrote_it() -> None:
    written_ = written("www.example.", "A", RECORDS)
    got = {(r.owner, r.type): (r.ttl, set(r.rdatas)) for r in parse(written_.to_wire()).answer}
    assert got == {(r.name.to_wire(), r.rdtype): (r.ttl, {d.to_wire() for d in r}) for r in written_.answer}


COMPRESSED = {
    **dict.fromkeys(["MD", "MF", "MB", "MG", "MR"], (b"\xc0\x0c", WWW)),  # which dnspython does not know
    "MINFO": (b"\xc0\x0c\xc0\x10", WWW + n("example")),
    "SRV": (bytes(6) + b"\xc0\x0c", bytes(6) + WWW),
    "NAPTR": (bytes(4) + b"\x01S\x00\x00\xc0\x0c", bytes(4) + b"\x01S\x00\x00" + WWW),
    "DNAME": (b"\x01a\xc0\x10", b"\x01a" + n("example")),
    "SIG": (bytes(18) + b"\xc0\x0csig", bytes(18) + WWW + b"sig"),
    "NXT": (b"\xc0\x0c\x40", WWW + b"\x40"),
    "RP": (b"\xc0\x0c\xc0\x10", WWW + n("example")),
    "TYPE65280": (b"\xc0\x0c", b"\xc0\x0c"),
}


@pytest.mark.parametrize("rtype", COMPRESSED)
def test_names_are_expanded_where_rfc_3597_says_and_nowhere_else(rtype: str) -> None:
    sent, wanted = COMPRESSED[rtype]
    assert parse(raw(a_record(1, sent, rtype=codes.type_number(rtype)))).answer[0].rdatas == (wanted,)


def asked(rtype: int, options: bytes = b"", **flags: bool) -> bytes:
    """Return a query for WWW."""
    before, after = relay.frame(options, **flags)
    return ID.to_bytes(2, "big") + before + relay.question(WWW, rtype) + after


def test_the_query_to_an_upstream_reads_the_same_in_all_decoders() -> None:
    packet = asked(codes.HTTPS, do=True, cd=True)
    message = dns.message.from_wire(packet)
    assert dns.flags.to_text(message.flags) == "RD AD CD"
    assert (message.id, message.edns, message.payload, message.ednsflags) == (ID, 0, 1232, dns.flags.DO)
    assert message.question[0].to_text() == "www.example. IN HTTPS"
    assert str(DNSRecord.parse(packet).q.qname) == "www.example."
    got = query.parse(packet)
    assert (got.name, got.qtype, got.do, got.cd, got.payload) == (WWW, codes.HTTPS, True, True, 1232)
    plain = DNSRecord.parse(asked(record.A, edns=False))
    assert (plain.header.rd, plain.ar) == (1, [])
    assert dns.message.from_wire(asked(record.A)).ednsflags == 0  # RFC 6891 §6.1.4: Z is zero
    marked = dns.message.from_wire(asked(record.A, b"\xff\x49\x00\x04mark"))
    assert [(int(option.otype), option.to_wire()) for option in marked.options] == [(65_353, b"mark")]


def test_the_question_is_compared_without_case() -> None:
    packet = written("wWw.eXample.", "A", ["www.example. 1 A 192.0.2.1"]).to_wire()
    assert parse(packet).answer[0].rdatas == (b"\xc0\x00\x02\x01",)


GOOD = raw(a_record(1, bytes(4)))
NOT_OURS = {
    "empty": b"",
    "half a header": GOOD[:11],
    "a query": raw(flags=codes.RD),
    "another opcode": raw(flags=codes.QR | 4 << 11),
    "no question": raw(counts=(0, 0, 0, 0)),
    "two questions": raw(QUESTION, counts=(2, 0, 0, 0)),
    "another name": GOOD.replace(b"\x03www", b"\x03wwx"),
    "another type": GOOD.replace(QUESTION, relay.question(WWW, record.AAAA)),
    "another class": GOOD.replace(QUESTION, QUESTION[:-1] + b"\x03"),
    "a question cut off": GOOD[: 12 + len(QUESTION) - 1],
    "a longer name": GOOD.replace(QUESTION, b"\x01a" + QUESTION),
    "an answer without question, error or not": raw(flags=codes.QR | codes.REFUSED, counts=(0, 1, 0, 0)),
}


@pytest.mark.parametrize("packet", NOT_OURS.values(), ids=NOT_OURS)
def test_a_packet_that_does_not_reply_to_the_question_is_a_mismatch(packet: bytes) -> None:
    with pytest.raises(relay.Mismatch):
        parse(packet)


def test_types_that_differ_like_upper_and_lower_case_are_a_mismatch() -> None:
    with pytest.raises(relay.Mismatch):
        relay.parse(GOOD.replace(QUESTION, relay.question(WWW, 0x41)), relay.question(WWW, 0x61))


@pytest.mark.parametrize("rcode", [codes.FORMERR, codes.SERVFAIL, codes.NOTIMP, codes.REFUSED])
def test_an_error_may_come_without_the_question(rcode: int) -> None:
    got = parse(struct.pack(">6H", ID, codes.QR | rcode, 0, 0, 0, 0))
    assert (got.rcode, got.answer) == (rcode, ())


BROKEN = {
    "a record that is not there": raw(counts=(1, 1, 0, 0)),
    "rdata cut off": raw(a_record(1, bytes(4)))[:-1],
    "a head cut off": raw(b"\xc0\x0c\x00\x01\x00"),
    "an owner cut off": raw(b"\x05ab"),
    "half a pointer": raw(b"\xc0"),
    "an A of 3 octets": raw(a_record(1, bytes(3))),
    "an AAAA of 4 octets": raw(a_record(1, bytes(4), rtype=28)),
    "an empty CNAME": raw(a_record(1, b"", rtype=5)),
    "a name past its rdata": raw(a_record(1, b"\x03ab", rtype=5), a_record(1, bytes(4))),
    "octets after a CNAME": raw(a_record(1, b"\xc0\x0cx", rtype=5)),
    "a short RRSIG": raw(a_record(1, bytes(17), rtype=46)),
    "a SOA without its numbers": raw(a_record(1, b"\xc0\x0c\xc0\x0c" + bytes(19), rtype=6)),
    "a pointer to itself": raw(b"\xc0\x1d" + bytes(10)),
    "a pointer forwards": raw(b"\xc0\x30" + bytes(40)),
    "a pointer into the header": raw(b"\xc0\x04" + bytes(10)),
    "a pointer to the run that it ends": raw(b"\x01a\xc0\x1d" + bytes(10)),
    "an extended label": raw(b"\x41" + bytes(80)),
    "a name of 256 octets": raw((b"\x3f" + bytes(63)) * 3 + b"\x36" + bytes(54) + b"\xc0\x10" + bytes(10)),
    "two OPTs": raw(*[b"\x00\x00\x29" + bytes(8)] * 2, counts=(1, 0, 0, 2)),
    "an additional record cut off": raw(counts=(1, 0, 0, 1)),
}


@pytest.mark.parametrize("packet", BROKEN.values(), ids=BROKEN)
def test_a_broken_reply_is_malformed(packet: bytes) -> None:
    with pytest.raises(relay.MalformedReply):
        parse(packet)


def test_a_truncated_reply_has_no_records_wherever_it_was_cut() -> None:
    got = parse(raw(a_record(1, bytes(4)), flags=codes.QR | codes.TC, counts=(1, 9, 0, 0))[:-2])
    assert (got.tc, got.answer) == (True, ())


def test_octets_after_the_last_record_are_ignored() -> None:
    assert parse(GOOD + b"junk") == parse(GOOD)


def test_flags_and_the_extended_rcode_are_read() -> None:
    reply = written("www.example.", "A")
    reply.flags |= dns.flags.AA | dns.flags.AD
    reply.use_edns(0)
    reply.set_rcode(dns.rcode.BADVERS)
    got = parse(reply.to_wire())
    assert (got.rcode, got.aa, got.ad, got.ra, got.tc) == (16, True, True, True, False)


def test_records_become_one_rrset_with_the_lowest_ttl_and_no_duplicates() -> None:
    one, two = b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02"
    shouted = WWW.upper() + a_record(30, one)[2:]
    got = parse(raw(a_record(60, one), shouted, a_record(45, two)))
    assert got.answer == (RRset(WWW, record.A, 30, (one, two)),)


@pytest.mark.parametrize("ttls", [(300, 60, 120), (60, 300, 120), (300, 120, 60)])
def test_an_rrset_has_the_least_ttl_of_its_records_in_any_order(ttls: tuple[int, ...]) -> None:
    records = (a_record(ttl, bytes((10, 0, 0, number))) for number, ttl in enumerate(ttls))
    (rrset,) = parse(raw(*records)).answer
    assert (rrset.ttl, len(rrset.rdatas)) == (60, 3)


def test_a_ttl_with_the_top_bit_is_0() -> None:
    assert parse(raw(a_record(0x80000001, bytes(4)))).answer[0].ttl == 0


def test_other_classes_and_meta_types_are_left_out() -> None:
    records = [a_record(1, bytes(4), rclass=3), a_record(1, b"", rtype=codes.OPT), a_record(1, b"", rtype=codes.TSIG)]
    assert parse(raw(*records)).answer == ()


def test_signatures_keep_the_ttl_of_the_records_that_they_cover() -> None:
    sig = "8 1 300 20300101000000 20200101000000 1 example. AAAA"
    got = parse(written("www.example.", "A", [f"example. 300 RRSIG A {sig}", f"example. 60 RRSIG MX {sig}"]).to_wire())
    assert [r.ttl for r in got.answer] == [300, 60]


def pointer(at: int) -> bytes:
    return (0xC000 | at).to_bytes(2, "big")


FIRST_RDATA = 12 + len(QUESTION) + 12
POINTERS = b"".join(pointer(FIRST_RDATA + 2 * i - 2) if i else pointer(12) for i in range(8000))
LABELS = (b"\x01a" * 126 + b"\x00") * 60
HOSTILE = {
    "names that lead to the last of 8,000 pointers, each to the one before it": raw(
        a_record(1, POINTERS, rtype=9999),
        *[pointer(FIRST_RDATA + len(POINTERS) - 2) + a_record(1, bytes(4))[2:]] * 3000,
    ),
    "names that lead to all of them, one after the other": raw(
        a_record(1, POINTERS, rtype=9999),
        *[pointer(FIRST_RDATA + 2 * i) + a_record(1, bytes(4))[2:] for i in range(3000)],
    ),
    "names that lead to every label of names of 127 labels": raw(
        a_record(1, LABELS, rtype=9999),
        *[pointer(FIRST_RDATA + at) + a_record(1, bytes(4))[2:] for at in range(0, 2 * 3000, 2) if LABELS[at] < 2],
    ),
}


@pytest.mark.parametrize("packet", HOSTILE.values(), ids=HOSTILE)
def test_hostile_compression_costs_linear_time(packet: bytes) -> None:
    calls = 0
    real = relay._Reader.name

    class Counting(relay._Reader):
        __slots__ = ()

        def name(self, at: int, jumps: int = relay._MAX_JUMPS) -> tuple[bytes, int]:
            nonlocal calls
            calls += 1
            return real(self, at, jumps)

    reader = Counting(packet, 12 + len(QUESTION))
    with contextlib.suppress(relay.MalformedReply):
        reader.section(int.from_bytes(packet[6:8], "big"))
    assert calls <= len(packet) // 2
