"""The tests of RFC 8906 §8 and further queries, on each transport. Two decoders read each reply."""

import struct
from collections.abc import Callable
from typing import NamedTuple

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dnslib
import pytest

pytestmark = pytest.mark.live

Exchange = Callable[[bytes], bytes | None]
PRIVATE = b"\x08acctname\x04blob\x04core\x07windows\x03net\x00"
STATIC = b"\x03www\x04corp\x07example\x00"
PUBLIC = b"\x03www\x06public\x04test\x00"
A, SOA, ANY, OPT = 1, 6, 255, 41


class RawQuery(NamedTuple):
    """The parts of a query as octets, so that it can be malformed."""

    name: bytes = PRIVATE
    kind: int = A
    rclass: int = 1
    flags: int = 0x0100
    opcode: int = 0
    edns: bytes | None = None
    questions: int = 1

    def packet(self) -> bytes:
        question = (self.name + struct.pack(">2H", self.kind, self.rclass)) * self.questions
        head = struct.pack(">6H", 0x1234, self.flags | self.opcode << 11, self.questions, 0, 0, self.edns is not None)
        return head + question + (self.edns or b"")


def opt(version: int = 0, flags: int = 0, options: bytes = b"", payload: int = 1232, rcode: int = 0) -> bytes:
    return b"\0" + struct.pack(">2H2B2H", OPT, payload, rcode, version, flags, len(options)) + options


def option(code: int, data: bytes = b"") -> bytes:
    return struct.pack(">2H", code, len(data)) + data


def read(reply: bytes | None) -> dns.message.Message:
    """Return the reply as dnspython reads it. dnslib must read the same."""
    assert reply is not None
    one, other = dns.message.from_wire(reply), dnslib.DNSRecord.parse(reply)
    assert one.id == other.header.id == 0x1234
    assert sum(map(len, one.answer)) == len(other.rr)
    assert other.header.rcode == int(one.rcode()) & 0xF
    return one


UNKNOWN_OPTION = option(100)
OPTIONS = option(3) + option(8, b"\0\1\0\0") + option(10, bytes(8)) + option(12)
NOERROR, FORMERR, NOTIMP, REFUSED, BADVERS = 0, 1, 4, 5, 16

# Each query with the rcode of the reply, whether the reply has EDNS, and whether it has an answer.
CASES: dict[str, tuple[RawQuery, int, bool, bool]] = {
    # RFC 8906 §8.1, without EDNS
    "plain SOA of a zone": (RawQuery(name=STATIC[4:], kind=SOA), NOERROR, False, True),
    "plain A": (RawQuery(), NOERROR, False, True),
    "unknown type": (RawQuery(kind=1000), NOERROR, False, True),  # the alias; its target has no data of this type
    "unknown type in a file": (RawQuery(name=STATIC, kind=1000), NOERROR, False, False),
    "CD": (RawQuery(flags=0x0110), NOERROR, False, True),
    "AD": (RawQuery(flags=0x0120), NOERROR, False, True),
    "Z": (RawQuery(flags=0x0140), NOERROR, False, True),
    "RD clear": (RawQuery(flags=0), NOERROR, False, True),
    "unknown opcode": (RawQuery(opcode=15), NOTIMP, False, False),
    "unknown opcode without a question": (RawQuery(opcode=15, questions=0), NOTIMP, False, False),
    "IQUERY": (RawQuery(opcode=1), NOTIMP, False, False),
    "STATUS": (RawQuery(opcode=2), NOTIMP, False, False),
    "NOTIFY": (RawQuery(opcode=4, kind=SOA), NOTIMP, False, False),
    "UPDATE": (RawQuery(opcode=5, kind=SOA), NOTIMP, False, False),
    "DSO": (RawQuery(opcode=6, questions=0), NOTIMP, False, False),
    # RFC 8906 §8.2, with EDNS
    "EDNS": (RawQuery(edns=opt()), NOERROR, True, True),
    "EDNS version 1": (RawQuery(edns=opt(version=1)), BADVERS, True, False),
    "EDNS version 255": (RawQuery(edns=opt(version=255)), BADVERS, True, False),
    "unknown EDNS option": (RawQuery(edns=opt(options=UNKNOWN_OPTION)), NOERROR, True, True),
    "unknown EDNS flag": (RawQuery(edns=opt(flags=0x0040)), NOERROR, True, True),
    "all unknown EDNS flags": (RawQuery(edns=opt(flags=0x7FFF)), NOERROR, True, True),
    "version 1 with a flag": (RawQuery(edns=opt(version=1, flags=0x0040)), BADVERS, True, False),
    "version 1 with an option": (RawQuery(edns=opt(version=1, options=UNKNOWN_OPTION)), BADVERS, True, False),
    "version 1 with broken options": (RawQuery(edns=opt(version=1, options=b"\0\x64\xff")), BADVERS, True, False),
    "DO": (RawQuery(edns=opt(flags=0x8000)), NOERROR, True, True),
    "payload 512": (RawQuery(edns=opt(payload=512)), NOERROR, True, True),
    "payload 0": (RawQuery(edns=opt(payload=0)), NOERROR, True, True),
    "payload 65535": (RawQuery(edns=opt(payload=65535)), NOERROR, True, True),
    "an rcode in the query": (RawQuery(edns=opt(rcode=3)), NOERROR, True, True),
    "many options": (
        RawQuery(edns=opt(flags=0x8000, options=OPTIONS)),
        NOERROR, True, True,
    ),
    "mixed": (
        RawQuery(edns=opt(flags=0x8040, options=UNKNOWN_OPTION + option(3)), flags=0x0170), NOERROR, True, True,
    ),
    "broken options": (RawQuery(edns=opt(options=b"\0\x64\0\x05abc")), FORMERR, True, False),
    "an opcode with EDNS": (RawQuery(opcode=15, edns=opt()), NOTIMP, True, False),
    # questions (RFC 9619) and classes
    "no question": (RawQuery(questions=0), FORMERR, False, False),
    "two questions": (RawQuery(questions=2), FORMERR, False, False),
    "class CHAOS": (RawQuery(rclass=3), REFUSED, False, False),
    "class HESIOD": (RawQuery(rclass=4), REFUSED, False, False),
    "class NONE": (RawQuery(rclass=254), REFUSED, False, False),
    "class ANY": (RawQuery(rclass=255), REFUSED, False, False),
    # types that are not data types (RFC 6895 §3.1)
    "type 0": (RawQuery(kind=0), FORMERR, False, False),
    "OPT as a question": (RawQuery(kind=OPT), FORMERR, False, False),
    "TKEY": (RawQuery(kind=249), FORMERR, False, False),
    "TSIG": (RawQuery(kind=250), FORMERR, False, False),
    "IXFR": (RawQuery(kind=251), REFUSED, False, False),
    "AXFR": (RawQuery(kind=252), REFUSED, False, False),
    "MAILB": (RawQuery(kind=253), NOTIMP, False, False),
    "MAILA": (RawQuery(kind=254), NOTIMP, False, False),
    "ANY": (RawQuery(kind=ANY), NOERROR, False, True),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_query_has_its_reply(case: str, exchange: Exchange) -> None:
    query, rcode, edns, answered = CASES[case]
    reply = read(exchange(query.packet()))
    assert reply.rcode() == rcode
    assert (reply.edns == 0) == edns
    assert bool(reply.answer) == answered
    assert reply.flags & dns.flags.QR
    assert not reply.flags & dns.flags.TC
    assert reply.opcode() == query.opcode
    assert bool(reply.flags & dns.flags.RD) == bool(query.flags & 0x0100)
    assert not reply.flags & 0x0040, "Z is zero in replies"
    if edns:
        wanted = struct.unpack(">H", (query.edns or b"")[7:9])[0] & 0x8000
        assert reply.ednsflags & 0xFFFF == wanted, "DO is repeated, no other flag is"
        assert reply.payload == 1232
        assert not {int(each.otype) for each in reply.options} - {3, 10, 12, 15}, "no option of the query's is echoed"


@pytest.mark.parametrize(
    ("packet", "what"),
    [
        (RawQuery()._replace(flags=0x8100).packet(), "a response"),
        (RawQuery().packet()[:11], "eleven octets"),
        (b"", "nothing"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_packet_that_is_not_a_query_gets_no_reply(packet: bytes, what: str, exchange: Exchange) -> None:
    assert exchange(packet) is None, what


@pytest.mark.parametrize(
    "packet",
    [
        RawQuery().packet()[:-1],
        RawQuery().packet() + b"x",
        RawQuery(edns=opt() + opt()).packet(),
        RawQuery(edns=opt() + opt()).packet()[:11] + b"\2" + RawQuery(edns=opt() + opt()).packet()[12:],
        RawQuery(name=b"\xc0\x0c").packet(),
    ],
    ids=["cut", "trailing octets", "more than is counted", "two OPT records", "a pointer as QNAME"],
)
def test_a_broken_query_is_a_format_error(packet: bytes, exchange: Exchange) -> None:
    reply = exchange(packet)
    assert reply is not None
    assert reply[:2] == packet[:2]
    assert reply[3] & 0xF == FORMERR


@pytest.mark.parametrize("name", [PRIVATE, STATIC, PUBLIC])
def test_the_case_of_the_question_is_kept(name: bytes, exchange: Exchange) -> None:
    mixed = bytes(octet ^ 0x20 if 0x61 <= octet <= 0x7A and at % 3 else octet for at, octet in enumerate(name))
    for _ in range(2):
        reply = exchange(RawQuery(name=mixed).packet())
        assert reply is not None
        assert reply[12 : 12 + len(mixed)] == mixed
        assert reply[12 + len(mixed) + 4 :][:2] == b"\xc0\x0c", "the owner is the question's name, compressed"


FLAGS = {
    # name, flags of the query, flags of the reply
    "private": (PRIVATE, 0x0100, "QR AA RD RA"),
    "private, RD clear": (PRIVATE, 0x0000, "QR AA RA"),
    "private, CD and AD": (PRIVATE, 0x0130, "QR AA RD RA CD"),
    "static": (STATIC, 0x0100, "QR AA RD RA"),
    "forwarded": (PUBLIC, 0x0100, "QR RD RA"),
    "forwarded, AD": (PUBLIC, 0x0120, "QR RD RA AD"),
    "forwarded, CD": (PUBLIC, 0x0110, "QR RD RA CD"),
    "a referral": (b"\4host\3sub\4corp\7example\0", 0x0000, "QR RA"),
    "a miss in a file": (b"\4miss\4corp\7example\0", 0x0100, "QR AA RD RA"),
    "an alias that leaves, RD clear": (b"\3out\4corp\7example\0", 0x0000, "QR AA RA"),
    "an alias that leaves": (b"\3out\4corp\7example\0", 0x0120, "QR AA RD RA"),
}


@pytest.mark.parametrize("case", FLAGS)
def test_flags_show_the_origin_of_the_answer(case: str, exchange: Exchange) -> None:
    name, flags, wanted = FLAGS[case]
    for _ in range(2):  # the second reply comes from the compiled answers
        assert dns.flags.to_text(read(exchange(RawQuery(name=name, flags=flags).packet())).flags) == wanted


def test_do_asks_for_ad_too(exchange: Exchange) -> None:
    reply = read(exchange(RawQuery(name=PUBLIC, edns=opt(flags=0x8000)).packet()))
    assert reply.flags & dns.flags.AD


def test_ignored_recursion_of_a_public_name_is_refused(exchange: Exchange) -> None:
    reply = read(exchange(RawQuery(name=b"\5never\4test\0", flags=0, edns=opt()).packet()))
    assert reply.rcode() == REFUSED
    assert [int(each.code) for each in reply.options if isinstance(each, dns.edns.EDEOption)] == [20]


@pytest.mark.parametrize(("name", "records"), [(PRIVATE, 1), (STATIC, 2), (PUBLIC, 2)])
def test_any_gets_one_local_rrset_or_the_answer_of_the_upstream(name: bytes, records: int, exchange: Exchange) -> None:
    """RFC 8482 §4.1."""
    reply = read(exchange(RawQuery(name=name, kind=ANY).packet()))
    assert sum(map(len, reply.answer)) == records


def test_unknown_types_are_read_and_written_in_generic_form(exchange: Exchange) -> None:
    """RFC 3597."""
    reply = read(exchange(RawQuery(name=b"\7unknown\4corp\7example\0", kind=65280).packet()))
    assert [rdata.to_wire() for rrset in reply.answer for rdata in rrset] == [bytes.fromhex("0a000001")]


def test_pointer_records_exist_only_for_served_addresses(exchange: Exchange) -> None:
    v4 = b"\x014\x010\x010\x0210\7in-addr\4arpa\0"
    six = b"".join(b"\1" + digit.encode() for digit in f"{0xFD000000000000000000000000000004:032x}"[::-1])
    for name, host in ((v4, "acctname"), (six + b"\3ip6\4arpa\0", "six")):
        reply = read(exchange(RawQuery(name=name, kind=12).packet()))
        assert [str(rdata.target) for rrset in reply.answer for rdata in rrset] == [f"{host}.blob.core.windows.net."]
        assert reply.flags & dns.flags.AA
    for other in (v4[2:], v4[4:], v4[6:], b"\x015" + v4[2:-24] + v4[-24:].replace(b"\x0210", b"\x0211")):
        reply = read(exchange(RawQuery(name=other).packet()))
        assert not reply.flags & dns.flags.AA
        assert reply.rcode() == NOERROR, "the answer of the upstream, not a local denial"
