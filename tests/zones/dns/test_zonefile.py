"""Zone files: records as they are read, and every reason to refuse a file, with its name and line."""

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.dns.name import from_text, is_under, to_text
from zones.dns.record import AAAA, CNAME, DNAME, NS, SOA, A, RRset
from zones.dns.zonefile import InvalidZone, Zone, parse

HEAD = """\
$ORIGIN corp.example.
$TTL 300
@ SOA ns1 hostmaster (1 3600 300
    2419200 60)   ; two lines
"""
TXT, MX, DS, SVCB, HTTPS = 16, 15, 43, 64, 65


def rrset(zone: Zone, owner: str, kind: int) -> RRset:
    return next(each for each in zone.names[from_text(owner)] if each.type == kind)


def shown(rrset: RRset) -> list[str]:
    """Return the rdata as dnspython prints it from the wire form."""
    kind = dns.rdatatype.RdataType.make(rrset.type)
    return [str(dns.rdata.from_wire(dns.rdataclass.IN, kind, wire, 0, len(wire))) for wire in rrset.rdatas]


def refused(text: str, origin: str | None = None) -> str:
    with pytest.raises(InvalidZone) as caught:
        parse(text, "corp.zone", origin)
    return str(caught.value)


def test_a_private_zone_without_ns_is_fine() -> None:
    zone = parse(HEAD + "www A 10.0.0.4\n", "corp.zone")
    assert zone.origin == from_text("corp.example")
    assert zone.soa == rrset(zone, "corp.example", SOA)
    assert shown(zone.soa) == ["ns1.corp.example. hostmaster.corp.example. 1 3600 300 2419200 60"]
    assert rrset(zone, "www.corp.example", A) == RRset(from_text("www.corp.example"), A, 300, (b"\x0a\0\0\4",))


def test_owners_and_alias_targets_are_folded_and_rdata_is_uncompressed() -> None:
    zone = parse(HEAD + "WWW.Corp CNAME Other.Corp.EXAMPLE.\nsub NS NS.Sub\nmail MX 10 MX.corp.example.\n", "z")
    assert rrset(zone, "www.corp.corp.example", CNAME).rdatas == (from_text("other.corp.example"),)
    assert rrset(zone, "sub.corp.example", NS).rdatas == (from_text("ns.sub.corp.example"),)
    assert rrset(zone, "mail.corp.example", MX).rdatas == (b"\0\x0a\2MX\4corp\7example\0",)


def test_records_form_rrsets_without_duplicates() -> None:
    zone = parse(HEAD + "www AAAA fd00::1\n    A 10.0.0.4\n    A 10.0.0.5\n\nwww A 10.0.0.4\n", "z")
    assert [each.type for each in zone.names[from_text("www.corp.example")]] == [A, AAAA]
    assert shown(rrset(zone, "www.corp.example", A)) == ["10.0.0.4", "10.0.0.5"]


def test_names_keep_the_order_of_the_file() -> None:
    zone = parse(HEAD + "b A 10.0.0.4\na A 10.0.0.4\nb TXT x\n", "z")
    assert [to_text(owner) for owner in zone.names] == ["corp.example", "b.corp.example", "a.corp.example"]


def test_ttls_come_from_the_record_then_the_directive_and_the_smallest_of_a_set_counts() -> None:
    text = "a A 10.0.0.4\nb 20 A 10.0.0.4\nc IN 1h A 10.0.0.4\nd 40 IN A 10.0.0.4\nd 30 A 10.0.0.5\nd 50 A 10.0.0.6\n"
    zone = parse(HEAD + text + "$TTL 7\ne A 10.0.0.4\n", "z")
    ttls = [sets[0].ttl for owner, sets in zone.names.items() if owner != zone.origin]
    assert ttls == [300, 20, 3600, 30, 7]


def test_without_any_ttl_the_soa_minimum_is_used() -> None:
    zone = parse("corp.example. SOA ns.corp.example. h.corp.example. 1 2 3 4 60\nwww A 10.0.0.4\n", "z")
    assert (zone.soa.ttl, rrset(zone, "www.corp.example", A).ttl) == (60, 60)


def test_origin_comes_from_the_argument_the_directive_or_the_soa() -> None:
    soa = "SOA ns.example. h.example. 1 2 3 4 5\n"
    rest = "www 5 A 10.0.0.4\n"
    texts = [
        (f"@ 5 {soa}{rest}", "Corp.Example"),
        (f"$ORIGIN corp.example.\n@ 5 {soa}{rest}", None),
        (f"corp.example. 5 {soa}{rest}", None),
        (f"$ORIGIN .\ncorp.example 5 {soa}$ORIGIN corp.example.\n{rest}", None),  # as BIND writes them
        (f"$ORIGIN example.\ncorp 5 {soa}$ORIGIN corp\n{rest}", None),
    ]
    for text, origin in texts:
        zone = parse(text, "z", origin)
        assert [to_text(owner) for owner in zone.names] == ["corp.example", "www.corp.example"]


def test_records_may_precede_the_soa() -> None:
    soa = "@ SOA ns h 1 2 3 4 5\n"
    zone = parse(f"$ORIGIN corp.example.\n$TTL 5\nwww A 10.0.0.4\n{soa}", "z")
    assert shown(rrset(zone, "www.corp.example", A)) == ["10.0.0.4"]


def test_the_root_can_be_a_zone() -> None:
    zone = parse(". 5 SOA a. b. 1 2 3 4 5\nexample 5 A 10.0.0.4\n", "z")
    assert zone.origin == from_text(".")
    assert shown(rrset(zone, "example", A)) == ["10.0.0.4"]


def test_wildcards_delegations_with_glue_and_dname_are_read() -> None:
    text = (
        "*.apps A 10.0.0.9\nsub NS ns.sub\n    DS 1 8 2 " + "ab" * 32 + "\nns.sub A 10.0.0.53\nold DNAME new.example.\n"
    )
    zone = parse(HEAD + text, "z")
    assert shown(rrset(zone, "*.apps.corp.example", A)) == ["10.0.0.9"]
    assert shown(rrset(zone, "sub.corp.example", NS)) == ["ns.sub.corp.example."]
    assert shown(rrset(zone, "sub.corp.example", DS)) == ["1 8 2 " + "ab" * 32]
    assert shown(rrset(zone, "ns.sub.corp.example", A)) == ["10.0.0.53"]
    assert rrset(zone, "old.corp.example", DNAME).rdatas == (from_text("new.example"),)


@pytest.mark.parametrize(
    ("line", "kind", "wire"),
    [
        (r"TYPE65280 \# 3 abcdef", 65280, b"\xab\xcd\xef"),
        (r"TYPE65280 \# 0", 65280, b""),
        (r"A \# 4 0a000004", A, b"\x0a\0\0\4"),
        ("TYPE1 10.0.0.4", A, b"\x0a\0\0\4"),
        ('TXT "one string" two "\\059 ; \\"3\\""', TXT, b'\x0aone string\3two\7; ; "3"'),
        ('TXT ""', TXT, b"\0"),
        ("SVCB 1 svc port=853 alpn=dot", SVCB, b"\0\1\3svc\4corp\7example\0\0\1\0\4\3dot\0\3\0\2\3\x55"),
        ("HTTPS 1 . ipv4hint=10.0.0.4", HTTPS, b"\0\1\0\0\4\0\4\x0a\0\0\4"),
        ("SRV 1 2 443 web", 33, b"\0\1\0\2\1\xbb\3web\4corp\7example\0"),
        ('CAA 0 issue "ca.example"', 257, b"\0\5issueca.example"),
    ],
)
def test_types_known_and_unknown_become_wire_form(line: str, kind: int, wire: bytes) -> None:
    assert rrset(parse(HEAD + f"x {line}\n", "z"), "x.corp.example", kind).rdatas == (wire,)


@pytest.mark.parametrize(
    "text", ["\ufeff" + HEAD, HEAD.replace("\n", "\r\n"), HEAD + "\n;end", HEAD + "   \n\t; only space"]
)
def test_byte_order_mark_line_ends_and_comments_do_not_matter(text: str) -> None:
    assert parse(text, "z") == parse(HEAD, "z")


def test_generate_makes_a_series_of_records() -> None:
    zone = parse(HEAD + "$GENERATE 1-3 host$ A 10.0.0.$\n", "z")
    assert shown(rrset(zone, "host2.corp.example", A)) == ["10.0.0.2"]


def test_dnssec_types_may_be_beside_a_cname() -> None:
    rrsig = "RRSIG CNAME 8 3 300 20300101000000 20200101000000 1 corp.example. AAAA"
    zone = parse(HEAD + f"www CNAME web\nwww {rrsig}\nwww NSEC x CNAME RRSIG NSEC\n", "z")
    assert [each.type for each in zone.names[from_text("www.corp.example")]] == [CNAME, 46, 47]


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        ("www A 10.0.0.4\n\n; c\ngarbage\n", 8, "`garbage`: not a record or directive"),
        ("garbage", 5, "garbage"),
        ("www A", 5, "`www A`: less data than a record of type A has"),
        ("www A 10.0.0\n", 5, "`www A 10.0.0`: not an IPv4 address"),
        ("www A (\n 10.0.0\n)\nx A 10.0.0.4\n", 5, "`www A (`: not an IPv4 address"),
        ("www FOO bar\n", 5, "`www FOO bar`: unknown type `FOO`"),
        ("www AAAA 10.0.0.4\n", 5, "`www AAAA 10.0.0.4`: not an IPv6 address"),
        ("www CH A 10.0.0.4\n", 5, "class CH: a zone file has records of class IN"),
        ('www TXT "open\n', 5, "a quoted string that does not end on its line"),
        ("www TXT ( open\n", 5, "a parenthesis that is not closed"),
        ("a..b A 10.0.0.4\n", 5, "a name with an empty label"),
        ("a" * 64 + " A 10.0.0.4\n", 5, "a label of more than 63 octets"),
        ("www TYPE65280 \\# 3 abcd\n", 5, "the length after \\# is not the number of octets"),
        ("www TYPE65280 \\# 2 abc\n", 5, ""),
        ("www TYPE255 \\# 0\n", 5, "type 255"),
        ("www TYPE41 \\# 0\n", 5, "type 41"),
        ("www TYPE0 \\# 0\n", 5, "type 0"),
        ("www TYPE65280 \\# 70000 " + "00" * 70000, 5, "70000 octets"),
        ("$INCLUDE other.zone\n", 5, "$INCLUDE"),
        ("$TTL soon\n", 5, "`$TTL soon`: not a TTL"),
        ("$NONSENSE 1\n", 5, "$NONSENSE"),
        ("$GENERATE 1-\n", 5, "$GENERATE 1-"),
        ("www.other.example. A 10.0.0.4\n", 5, "www.other.example is outside the zone corp.example"),
        ("x A 10.0.0.4\n@ SOA a b 1 2 3 4 5\n", 6, "a second SOA record; the first is on line 3"),
        ("sub SOA a b 1 2 3 4 5\n", 5, "a second SOA"),
        ("www CNAME a\nwww A 10.0.0.4\n", 6, "www.corp.example: A beside a CNAME"),
        ("www A 10.0.0.4\nwww CNAME a\n", 5, "beside a CNAME"),
        ("www CNAME a\nwww CNAME b\n", 6, "www.corp.example: CNAME a second time (RFC 2181 §10.1)"),
        ("@ CNAME a\n", 3, "SOA beside a CNAME"),
        ("www CNAME a\nwww DNAME b\n", 6, "DNAME beside a CNAME"),
        ("www DNAME a\nwww DNAME b\n", 6, "www.corp.example: DNAME a second time"),
        ("a.b.www A 10.0.0.4\nwww DNAME b\n", 5, "a.b.www.corp.example: A below the DNAME at www.corp.example"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason(lines: str, line: int, reason: str) -> None:
    message = refused(HEAD + lines)
    assert message.startswith(f"corp.zone:{line}:")
    assert reason in message


@pytest.mark.parametrize("text", ["", "\n; nothing\n", "$ORIGIN corp.example.\nwww 5 A 10.0.0.4\n"])
def test_a_missing_soa_is_refused(text: str) -> None:
    assert refused(text) == "corp.zone: no SOA record: a zone has exactly one, at its apex"


def test_an_soa_at_another_name_than_the_given_origin_is_refused() -> None:
    message = refused(HEAD, "other.example")
    assert message == "corp.zone:3:1: the SOA record is at corp.example, but the zone is other.example"


def test_an_invalid_origin_is_refused() -> None:
    assert refused(HEAD, "a..b").startswith("corp.zone: origin: ")


@pytest.mark.parametrize(
    "text",
    [
        "www 5 A 10.0.0.4\ncorp.example. 5 SOA a. b. 1 2 3 4 5\n",
        "@ 5 SOA a. b. 1 2 3 4 5\n",
        "corp.example. 5 SOA ns h 1 2 3 4 5\n",
        "$ORIGIN corp\n@ 5 SOA a. b. 1 2 3 4 5\n",
    ],
)
def test_a_relative_name_without_an_origin_is_refused(text: str) -> None:
    assert "a relative name without an $ORIGIN before it" in refused(text)


def test_the_first_line_without_an_owner_is_refused() -> None:
    assert refused("  5 A 10.0.0.4\n") == "corp.zone:1:3: `5 A 10.0.0.4`: the first record has no owner"


def test_a_missing_ttl_is_refused() -> None:
    assert refused("$ORIGIN corp.example.\nwww A 10.0.0.4\n") == (
        "corp.zone:2:5: `www A 10.0.0.4`: no TTL: the record has none, and no $TTL or SOA comes before it"
    )


TOKENS = [
    "@",
    "www",
    "*",
    "a.b.",
    "corp.example.",
    "5",
    "1h",
    "IN",
    "CH",
    "A",
    "TXT",
    "SOA",
    "CNAME",
    "MX",
    "\\#",
    "(",
    ")",
]
TOKENS += [
    '"',
    "$TTL",
    "$ORIGIN",
    "$INCLUDE",
    "$GENERATE",
    "1-3",
    "10.0.0.4",
    "ab",
    ";",
    "\n",
    "\\",
    "\\300",
    "ü",
    "\0",
]


@given(st.lists(st.sampled_from(TOKENS), max_size=30).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_zone_or_refused_and_never_another_error(text: str) -> None:
    for whole in (text, HEAD + text):
        try:
            zone = parse(whole, "fuzz.zone")
        except InvalidZone:
            continue
        assert all(is_under(owner, zone.origin) and sets for owner, sets in zone.names.items())


def test_a_generate_of_too_many_records_is_refused_with_its_line() -> None:
    head = "$ORIGIN x.\n@ 60 SOA a b 1 2 3 4 5\n"
    assert refused(head + "$GENERATE 1-4000000000 h$ A 10.0.0.1\n").startswith(
        "corp.zone:3:1: `$GENERATE 1-4000000000 h$ A 10.0.0.1`: $GENERATE makes more than 65536"
    )
    assert len(parse(head + "$GENERATE 0-65534/2 h$ 60 A 10.0.0.1\n", "z").names) == 32_769
