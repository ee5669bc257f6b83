"""Plain replies: which replies are plain, and that they mean what the parser of all replies reads."""

import dns.edns
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.wire import plain_reply, relay
from resolver.wire.relay import MalformedReply, Mismatch
from zones.dns import record
from zones.dns.name import from_text

NAME = from_text("www.example")
QUESTION = relay.question(NAME, record.A)


def made(
    *answers: str, qname: str = "www.example", rtype: str = "A", authority: tuple[str, ...] = (),
    additional: tuple[str, ...] = (), opt: bytes | None = None, code: dns.edns.OptionType = dns.edns.COOKIE,
    flags: int = 0,
) -> bytes:  # fmt: skip
    message = dns.message.make_response(dns.message.make_query(qname, rtype, use_edns=False), recursion_available=True)
    message.flags |= flags
    for section, texts in (
        (message.answer, answers), (message.authority, authority), (message.additional, additional),
    ):  # fmt: skip
        for text in texts:
            owner, ttl, kind, rdata = text.split(" ", 3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, rdata))
    if opt is not None:
        message.use_edns(0, options=[dns.edns.GenericOption(code, opt)] if opt else [])
    return message.to_wire()


@pytest.mark.parametrize(
    "packet",
    [
        made("www.example. 60 A 192.0.2.1"),
        made("www.example. 60 A 192.0.2.1", "www.example. 60 A 192.0.2.2", opt=b""),
        made("www.example. 60 A 192.0.2.1", opt=b"12345678"),
        made("www.example. 60 A 192.0.2.1", authority=("example. 60 NS a.b.",), additional=("a.b. 60 A 192.0.2.3",)),
        made("www.example. 60 A 192.0.2.1", flags=dns.flags.AD | dns.flags.AA),
        made("www.example. 60 A 192.0.2.1", qname="wWw.Example"),
        made("www.example. 60 A 192.0.2.1") + b"rest",
    ],
    ids=["one", "two", "cookie", "more sections", "flags", "case", "octets after the end"],
)
def test_addresses_of_the_name_are_plain_and_read_as_the_parser_does(packet: bytes) -> None:
    plain, parsed = plain_reply.read(packet, QUESTION), relay.parse(packet, QUESTION)
    assert plain
    message = plain.message()
    assert message.answer == parsed.answer
    assert (message.rcode, message.aa, message.ad, message.ra, plain.cookie) == (
        parsed.rcode, parsed.aa, parsed.ad, parsed.ra, parsed.cookie,
    )  # fmt: skip
    assert plain.addresses() == list(parsed.answer[0].rdatas)
    assert [plain.records()[at : at + 4] for at in plain.ttls()] == [(60).to_bytes(4, "big")] * plain.count


def test_ipv6_addresses_are_plain() -> None:
    packet = made("www.example. 60 AAAA 2001:db8::1", "www.example. 60 AAAA 2001:db8::2", rtype="AAAA")
    plain = plain_reply.read(packet, relay.question(NAME, record.AAAA))
    assert plain
    assert plain.addresses() == list(relay.parse(packet, relay.question(NAME, record.AAAA)).answer[0].rdatas)


GOOD = made("www.example. 60 A 192.0.2.1", opt=b"12345678")


@pytest.mark.parametrize(
    "packet",
    [
        made(),
        made("www.example. 60 CNAME a.example.", "a.example. 60 A 192.0.2.1"),
        made("other.example. 60 A 192.0.2.1"),
        made("www.example. 60 A 192.0.2.1", "www.example. 60 AAAA 2001:db8::1"),
        made("www.example. 60 A 192.0.2.1", qname="www.example.net"),
        made("www.example. 60 A 192.0.2.1", rtype="AAAA"),
        made("www.example. 60 A 192.0.2.1", flags=dns.flags.TC),
        made("www.example. 60 A 192.0.2.1", opt=b"text", code=dns.edns.EDE),
        GOOD[:3] + b"\x83" + GOOD[4:],
        GOOD[:2] + b"\x01" + GOOD[3:],
        GOOD[:-1],
        GOOD.replace((60).to_bytes(4, "big"), b"\x80\0\0\0"),
        b"",
    ],
    ids=[
        "no data", "an alias", "another owner", "two types", "another name", "another type", "truncated", "an option",
        "NXDOMAIN", "a query", "cut off", "a TTL that is no TTL", "empty",
    ],
)  # fmt: skip
def test_other_replies_are_not_plain(packet: bytes) -> None:
    assert plain_reply.read(packet, QUESTION) is None


def test_addresses_with_different_ttls_are_not_plain() -> None:
    packet = made("www.example. 60 A 192.0.2.1", "www.example. 60 A 192.0.2.2")
    at = packet.rindex((60).to_bytes(4, "big"))
    assert plain_reply.read(packet[:at] + (59).to_bytes(4, "big") + packet[at + 4 :], QUESTION) is None


@given(octets=st.binary(max_size=60), cut=st.integers(0, len(GOOD)))
def test_whatever_is_plain_is_read_alike_by_the_parser_or_malformed_in_what_is_skipped(octets: bytes, cut: int) -> None:
    for packet in (octets, GOOD[:cut] + octets, GOOD[:cut] + octets + GOOD[cut + len(octets) :]):
        plain = plain_reply.read(packet, QUESTION)
        if plain is None:
            continue
        try:
            parsed = relay.parse(packet, QUESTION)
        except MalformedReply:
            continue
        except Mismatch:
            pytest.fail("a reply to another question")
        assert plain.message().answer == parsed.answer
        assert (parsed.rcode, parsed.tc) == (0, False)
