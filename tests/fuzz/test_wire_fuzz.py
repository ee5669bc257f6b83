"""For any octets, parsers raise their own exceptions or return consistent values."""

import random
import struct
from ipaddress import IPv4Address

import dns.edns
import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.wire import codes
from tests.fuzz import targets
from tests.fuzz.targets import ID, QUESTION

ROUNDS = 3000


def sample_query() -> bytes:
    options = [dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678"), dns.edns.ECSOption("192.0.2.0", 24)]
    return dns.message.make_query("www.example", "A", want_dnssec=True, id=ID, options=options).to_wire()


def sample_reply() -> bytes:
    reply = dns.message.make_response(dns.message.make_query("www.example", "A", id=ID, use_edns=0))
    for line in (
        "www.example. 9 CNAME www.old.example.",
        "old.example. 9 DNAME new.example.",
        "www.old.example. 9 CNAME www.new.example.",
        "www.new.example. 9 A 192.0.2.1",
        "www.new.example. 9 RRSIG A 8 1 300 20300101000000 20200101000000 1 example. AAAA",
        "example. 9 SOA ns1.example. hostmaster.example. 1 7200 3600 1209600 300",
        'example. 9 NAPTR 1 2 "S" "SIP+D2U" "" sip.example.',
        "example. 9 MX 10 mail.example.",
    ):
        owner, ttl, rtype, text = line.split(None, 3)
        reply.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, text))
        reply.authority.append(reply.answer[-1])
    return reply.to_wire()


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a test that can be repeated, no secret


def mutated(packet: bytes, dice: random.Random) -> bytes:
    """Return the packet with some octets changed, removed, repeated or inserted, often to boundary values."""
    out = bytearray(packet)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(out) or 1)
        value = dice.choice((0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF, 12, dice.randrange(256)))
        match dice.randrange(6):
            case 0 | 1 | 2:
                out[at : at + 1] = bytes((value,))
            case 3:
                del out[at : at + dice.randint(1, 12)]
            case 4:
                out[at:at] = out[at : at + dice.randint(1, 40)]
            case _:
                out[at : at + 2] = struct.pack(">H", 0xC000 | dice.randrange(max(len(out), 1)))
    return bytes(out)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
def test_random_octets_as_a_query(octets: bytes) -> None:
    targets.query(octets)
    targets.query(struct.pack(">6H", ID, codes.RD, 1, 0, 0, 1) + octets)
    targets.query(struct.pack(">6H", ID, codes.RD, 1, 0, 0, 1) + QUESTION + octets)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 3), st.integers(0, 3))
def test_random_octets_as_a_reply(octets: bytes, answers: int, authorities: int) -> None:
    targets.reply(octets)
    targets.reply(struct.pack(">6H", ID, codes.QR, 1, answers, authorities, 1) + QUESTION + octets)


@settings(max_examples=25, deadline=None)
@given(
    addresses=st.lists(st.ip_addresses(v=4), min_size=1, max_size=6),
    ttl=st.integers(0, 200_000),
    flags=st.sampled_from((0, dns.flags.AD, dns.flags.AA)),
    authority=st.booleans(),
)
def test_a_plain_reply_gives_the_same_answer_as_its_records(
    addresses: list[IPv4Address], ttl: int, flags: int, authority: bool
) -> None:
    reply = dns.message.make_response(dns.message.make_query("www.example", "A", id=ID, use_edns=0))
    reply.flags |= dns.flags.RA | flags
    reply.answer.append(dns.rrset.from_text("www.example.", ttl, "IN", "A", *map(str, addresses)))
    if authority:
        reply.authority.append(dns.rrset.from_text("example.", 9, "IN", "NS", "ns.example."))
    assert targets.relayed(reply.to_wire())


@pytest.mark.parametrize("seed", range(2))
def test_mutated_queries(seed: int) -> None:
    dice, valid = seeded(seed), sample_query()
    for _ in range(ROUNDS):
        targets.query(mutated(valid, dice))


@pytest.mark.parametrize("seed", range(2))
def test_mutated_replies(seed: int) -> None:
    dice, valid = seeded(seed), sample_reply()
    targets.reply(valid)
    for _ in range(ROUNDS):
        targets.reply(mutated(valid, dice))


def test_every_prefix_of_a_valid_packet() -> None:
    for size in range(len(sample_query())):
        targets.query(sample_query()[:size])
    for size in range(len(sample_reply())):
        targets.reply(sample_reply()[:size])


def test_sixty_four_kibibytes_of_noise() -> None:
    dice = seeded(0)
    for _ in range(20):
        noise = dice.randbytes(65535 - 12 - len(QUESTION))
        targets.query(struct.pack(">6H", ID, codes.RD, 1, 0, 65535, 65535) + QUESTION + noise)
        targets.reply(struct.pack(">6H", ID, codes.QR, 1, 65535, 65535, 65535) + QUESTION + noise)
