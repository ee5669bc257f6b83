"""Well-formed queries, the replies to malformed ones, and the mnemonics of codes."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest
from dns.message import Message

from resolver.wire import codes, query, render

NOTIFY, UPDATE = 4, 5  # opcodes
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
NAME = b"\x04AcCt\x04blob\x04core\x07windows\x03net\x00"
QUESTION = NAME + b"\x00\x01\x00\x01"


def packet(*parts: bytes, flags: int = codes.RD, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return struct.pack(">6H", 0x1234, flags, *counts) + b"".join(parts)


def malformed(octets: bytes) -> query.MalformedQuery:
    with pytest.raises(query.MalformedQuery) as caught:
        query.parse(octets)
    return caught.value


def replied(octets: bytes) -> bytes:
    """Return the whole reply to a malformed query."""
    fault = malformed(octets)
    return render.whole(fault, render.error(fault))


def reply_to(octets: bytes) -> Message:
    return dns.message.from_wire(replied(octets))


def test_a_plain_query_is_read() -> None:
    got = query.parse(packet(QUESTION, flags=codes.RD | codes.CD))
    assert (got.id, got.qname, got.name, got.qtype, got.qclass) == (0x1234, NAME, NAME.lower(), 1, codes.IN)
    assert got.question == QUESTION
    assert (got.rd, got.cd, got.ad, got.edns, got.do, got.payload) == (True, True, False, False, False, 512)


@pytest.mark.parametrize(
    "options", [[], [dns.edns.GenericOption("COOKIE", b"12345678"), dns.edns.GenericOption("PADDING", b"")]]
)
def test_edns_is_read_whatever_its_options(options: list[dns.edns.Option]) -> None:
    message = dns.message.make_query("www.example", "HTTPS", want_dnssec=True, payload=4096, options=options)
    message.flags |= dns.flags.AD
    got = query.parse(message.to_wire())
    assert (got.qtype, got.edns, got.do, got.payload, got.ad) == (65, True, True, 4096, True)


def test_a_payload_below_512_counts_as_512() -> None:
    assert query.parse(packet(QUESTION, OPT[:3] + b"\x00\x64" + OPT[5:], counts=(1, 0, 0, 1))).payload == 512


def test_only_the_name_is_folded_never_the_type() -> None:
    upper, lower = (query.parse(packet(b"\x01A\x00\x00" + qtype + b"\x00\x01")) for qtype in (b"\x41", b"\x61"))
    assert (upper.name, upper.qtype) == (b"\x01a\x00", 0x41)
    assert (lower.name, lower.qtype) == (b"\x01a\x00", 0x61)


def test_the_class_and_odd_types_are_left_to_the_engine() -> None:
    chaos = query.parse(packet(NAME, b"\x00\x10\x00\x03"))
    assert (chaos.qtype, chaos.qclass) == (codes.TXT, codes.CH)
    assert query.parse(packet(NAME, b"\x00\xfc\x00\x01")).qtype == codes.AXFR


def test_the_authority_section_of_an_ixfr_and_a_signature_are_skipped() -> None:
    soa = b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x16\x00\x00" + bytes(20)
    tsig = b"\x03key\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x02xx"
    assert query.parse(packet(NAME, b"\x00\xfb\x00\x01", soa, OPT, tsig, counts=(1, 0, 1, 2))).edns


@pytest.mark.parametrize("size", range(12))
def test_less_than_a_header_is_dropped(size: int) -> None:
    assert malformed(packet(QUESTION)[:size]).rcode is None


def test_a_response_is_dropped_even_with_another_opcode() -> None:
    assert malformed(packet(QUESTION, flags=codes.QR)).rcode is None
    assert malformed(packet(QUESTION, flags=codes.QR | UPDATE << 11)).rcode is None


def test_a_dropped_message_has_no_reply() -> None:
    with pytest.raises(ValueError, match="dropped"):
        render.error(query.MalformedQuery(None))


@pytest.mark.parametrize("opcode", [1, 2, NOTIFY, UPDATE, 6, 15])
def test_another_opcode_is_notimp_with_opcode_question_and_edns_repeated(opcode: int) -> None:
    octets = replied(packet(QUESTION, OPT, flags=opcode << 11 | 0x01B0, counts=(1, 0, 0, 1)))
    assert octets == packet(QUESTION, OPT, flags=codes.QR | opcode << 11 | codes.RD | 4, counts=(1, 0, 0, 1))


def test_a_dynamic_update_is_notimp() -> None:
    zone = NAME + b"\x00\x06\x00\x01"
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x0a\x00\x04\x0a\x00\x00\x01"
    reply = reply_to(packet(zone, record, flags=UPDATE << 11, counts=(1, 0, 1, 0)))
    assert (reply.rcode(), reply.opcode()) == (dns.rcode.NOTIMP, dns.opcode.UPDATE)


BROKEN_QUESTIONS = {
    "no question": packet(counts=(0, 0, 0, 0)),
    "two questions": packet(QUESTION, QUESTION, counts=(2, 0, 0, 0)),
    "a question that is not there": packet(),
    "a name that is cut off": packet(QUESTION[:9]),
    "a name without its root": packet(NAME[:-1]),
    "no class": packet(QUESTION[:-2]),
    "a pointer": packet(b"\xc0\x0c\x00\x01\x00\x01"),
    "a pointer after a label": packet(b"\x01a\xc0\x0c\x00\x01\x00\x01"),
    "an extended label": packet(b"\x41" + bytes(0x41) + b"\x00\x00\x01\x00\x01"),
    "a name of 256 octets": packet(b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 3 + b"\x00\x00\x01\x00\x01"),
}


@pytest.mark.parametrize("octets", BROKEN_QUESTIONS.values(), ids=BROKEN_QUESTIONS)
def test_a_broken_question_is_formerr_and_not_repeated(octets: bytes) -> None:
    assert replied(octets) == packet(flags=codes.QR | codes.RD | 1, counts=(0, 0, 0, 0))


BROKEN_RECORDS = {
    "an answer": packet(QUESTION, b"\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00", counts=(1, 1, 0, 0)),
    "an octet too many": packet(QUESTION, b"\x00"),
    "a record that is not there": packet(QUESTION, counts=(1, 0, 0, 1)),
    "a cut OPT": packet(QUESTION, OPT[:-1], counts=(1, 0, 0, 1)),
    "an OPT with a name": packet(QUESTION, b"\x01a", OPT, counts=(1, 0, 0, 1)),
    "an OPT as authority": packet(QUESTION, OPT, counts=(1, 0, 1, 0)),
    "an owner with an extended label": packet(QUESTION, b"\x80", OPT, counts=(1, 0, 0, 1)),
}


@pytest.mark.parametrize("octets", BROKEN_RECORDS.values(), ids=BROKEN_RECORDS)
def test_broken_records_are_formerr_with_the_question_repeated(octets: bytes) -> None:
    assert replied(octets) == packet(QUESTION, flags=codes.QR | codes.RD | 1)


BROKEN_EDNS = {
    "two OPTs": packet(QUESTION, OPT, OPT, counts=(1, 0, 0, 2)),
    "an octet after it": packet(QUESTION, OPT, b"\x00", counts=(1, 0, 0, 1)),
    "an option longer than the rdata": packet(QUESTION, OPT[:-1], b"\x05\x00\x0a\x00\x02x", counts=(1, 0, 0, 1)),
    "half an option head": packet(QUESTION, OPT[:-1], b"\x03\x00\x0a\x00", counts=(1, 0, 0, 1)),
}


@pytest.mark.parametrize("octets", BROKEN_EDNS.values(), ids=BROKEN_EDNS)
def test_broken_edns_is_formerr_with_edns_in_the_reply(octets: bytes) -> None:
    reply = reply_to(octets)
    assert (reply.rcode(), reply.edns) == (dns.rcode.FORMERR, 0)
    assert len(reply.question) == 1


def test_a_later_edns_version_is_badvers_with_version_0_and_do_repeated() -> None:
    message = dns.message.make_query("www.example", "A", use_edns=1, ednsflags=dns.flags.DO)
    reply = reply_to(message.to_wire())
    assert (reply.rcode(), reply.edns, reply.ednsflags & 0xFFFF) == (dns.rcode.BADVERS, 0, dns.flags.DO)
    assert reply.question == message.question


def test_the_options_of_a_later_edns_version_are_not_read() -> None:
    opt = OPT[:6] + b"\x01" + OPT[7:-1] + b"\x01?"
    assert malformed(packet(QUESTION, opt, counts=(1, 0, 0, 1))).rcode == codes.BADVERS


def test_sixty_four_kibibytes_of_labels_or_records_are_refused() -> None:
    assert malformed(packet(b"\x01a" * 32_000)).rcode == codes.FORMERR
    assert malformed(packet(QUESTION, OPT[:2] + b"\xff" * 65_000, counts=(1, 0, 0, 65535))).rcode == codes.FORMERR


def test_types_have_the_mnemonics_that_dnspython_knows() -> None:
    for number in range(1 << 16):
        text = codes.type_text(number)
        assert codes.type_number(text) == number
        if text != f"TYPE{number}" and number not in {22, 23, 53, 56}:
            assert dns.rdatatype.to_text(dns.rdatatype.RdataType(number)).replace("_", "-") == text
    assert codes.type_number("type65") == codes.type_number("https") == 65


@pytest.mark.parametrize("text", ["", "TYPE", "65", "TYPE65536", "TYPE-1", "TYPE٣", "TYPE0000000001", "NOPE"])
def test_a_text_that_is_not_a_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a record type"):
        codes.type_number(text)


def test_rcodes_have_their_mnemonics() -> None:
    assert [codes.rcode_text(n) for n in (0, 3, 16, 24)] == ["NOERROR", "NXDOMAIN", "BADVERS", "RCODE24"]
