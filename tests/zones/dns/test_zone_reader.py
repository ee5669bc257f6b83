"""The rows of zone files: what dnspython reads, we read; what is wrong is reported row by row, in our words."""

import re
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zones.dns.common_rows import common, plain
from zones.dns.name import from_text
from zones.dns.zone_reader import read
from zones.dns.zone_rows import next_row
from zones.dns.zonefile import MAX_PROBLEMS, InvalidZone, parse

HEAD = "$ORIGIN corp.example.\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 300 2419200 60\n"
Record = tuple[bytes, int, int, bytes]


# -- the same records as dnspython


class Collecting(dns.zonefile.RRsetsReaderTransaction):
    """Collects what dnspython's own reader reads."""

    def __init__(self) -> None:
        super().__init__(dns.zonefile.RRSetsReaderManager(), True, False)  # type: ignore[no-untyped-call]  # noqa: FBT003
        self.found: list[Record] = []

    def add(self, *args: Any) -> None:  # noqa: ANN401
        name, ttl, rdata = args
        wire = rdata.to_wire()
        folded = wire.lower() if rdata.rdtype in {2, 5, 39} else wire
        self.found.append((name.to_wire().lower(), int(rdata.rdtype), ttl, folded))


def of_dnspython(text: str) -> list[Record] | None:
    """Return the records; None where dnspython refuses the file."""
    transaction = Collecting()
    tokens = dns.tokenizer.Tokenizer(text, "z")
    reader = dns.zonefile.Reader(tokens, dns.rdataclass.IN, transaction, allow_directives=("$ORIGIN", "$TTL"))
    reader.last_name = None
    reader.current_origin = dns.name.from_text("start.example")
    try:
        reader.read()
    except (dns.exception.DNSException, ValueError):
        return None
    return transaction.found


OWNERS = [
    "@",
    "www",
    "*",
    "a.B",
    "*.w",
    "x.corp.example.",
    "_srv._tcp",
    "",
    " ",
    "300",
    "in",
    "a..b",
    "\\097",
    "(x",
    "ü",
    "A",
]
BETWEEN = ["", "60", "IN", "in 60", "60 IN", "1h", "0060", "4294967296", "60 IN 60", "CH", "99999999999"]
DATA = [
    "A 10.0.0.4", "a 10.0.0.04", "A 10.0.0.256", "A 10.0.0.4 x", "A", "AAAA fd00::1", "AAAA ::ffff:10.0.0.4",
    "AAAA fd00::g",    "AAAA 1:2:3:4:5:6:7::", "AAAA fe80::1%eth0", "NS Ns1", "CNAME Web.Corp.example.",
    "PTR Host", "PTR .", "MX 10 Mail",
    "MX 65536 mail", "MX 10", "SRV 1 2 443 Web", "SRV 1 2 web", "SRV 0 0 0 .", 'TXT "a b" "c"', "TXT plain",
    'TXT "a;b"',    'TXT "a', 'TXT "a""b"', 'TXT "a" b', 'TXT "' + "x" * 256 + '"', "SOA ns1 Host.master 1 2 3 4 5",
    "SOA ns1 hostmaster ( 1 ; serial\n 2 3\n 4 5 )", "SOA ns1 hostmaster (1 1h 2 3 4)", "SOA n h 4294967296 1 2 3 4",
    "SOA ns hostmaster ( 1 2 3", "SOA ) n h 1 2 3 4 5 (", "A ( 10.0.0.4 )", "A ((10.0.0.5))", "A 10.0.0.4)",
    "TYPE65280 \\# 1 ab",    'CAA 0 issue "x"', "NOPE x",
    "A 10.0.0.4\x0b", "MX \u0661 mail", "A\t10.0.0.6\t", 'TXT "a\\\nb"',
    "CNAME " + "a" * 64,
]  # fmt: skip
ENDS = ["", " ", "\t", " ; comment", ";c (", "\r"]
ROWS = st.one_of(
    st.builds(
        lambda *parts: " ".join(p for p in parts[:3] if p) + parts[3],
        *map(st.sampled_from, (OWNERS, BETWEEN, DATA, ENDS)),
    ),
    st.builds(
        lambda owner, data: f"{owner} {data}",
        st.sampled_from(["www", "@", " ", "*.a"]),
        st.sampled_from(DATA[:1] + DATA[5:6] + DATA[10:15]),
    ),
    st.sampled_from(
        [
            "$TTL 7",
            "$TTL 1h",
            "$ttl x",
            "$ORIGIN sub",
            "$ORIGIN Other.example.",
            "$ORIGIN .",
            "",
            ";",
            " ; x",
            "  ",
            "$TTL 5 ; x",
        ]
    ),
)


@settings(max_examples=300)
@given(st.lists(ROWS, max_size=8).map("\n".join), st.sampled_from(["", HEAD, "@ SOA n h 1 2 3 4 50\n"]))
@example("www A 10.0.0.4\r\nx A 10.0.0.5\rwww A ;\n", HEAD)
def test_the_records_are_those_of_dnspython(text: str, head: str) -> None:
    wanted = of_dnspython(head + text)
    found, problems = read(head + text, from_text("start.example"))
    if wanted is None:
        assert problems
    else:
        assert not problems
        assert [(r.owner, r.type, r.ttl, r.rdata) for r in found] == wanted


@given(st.lists(ROWS, max_size=8).map("\n".join) | st.text(alphabet='a();"\\\n\r ', max_size=30))
def test_the_rows_are_the_whole_text_and_begin_on_their_lines(text: str) -> None:
    at, lines = 0, 0
    while at < len(text):
        row, count = next_row(text, at)
        at, lines = at + len(row), lines + count
        assert text.startswith(row, at - len(row))
        assert row.endswith("\n") or at == len(text)
    assert lines == len(re.findall(r"\r\n?|\n", text))


@pytest.mark.parametrize("row", ["www A 10.0.0.4\n", "@ IN NS ns1\n", " 60 IN MX 10 mail ; x\n", 'a TXT "x y" "z"\n'])
def test_common_rows_do_without_dnspython(row: str) -> None:
    origin = from_text("corp.example")
    assert plain(row, 0, origin)[0] or common(row, origin)


# -- types that dnspython reads otherwise, or not at all


def rdata(line: str, kind: int) -> bytes:
    zone = parse(HEAD + f"x {line}\n", "z")
    (rrset,) = (each for each in zone.names[from_text("x.corp.example")] if each.type == kind)
    return rrset.rdatas[0]


NAME = b"\1M\4corp\7example\0"
PLACE = bytes.fromhex("00121613 8b287200 80dbba00")
SIGNED = b"\0\1\x0d\2\0\0\1\x2c"


@pytest.mark.parametrize(
    ("line", "kind", "wire"),
    [
        ("MB M", 7, NAME),
        ("MG M", 8, NAME),
        ("MR M", 9, NAME),
        ("MR \\# 3 016d00", 9, b"\1m\0"),
        ("NXT M A MX SIG NXT", 30, NAME + bytes((0x40, 0x01, 0x00, 0x82))),
        ("NXT M", 30, NAME),
        ("NID 10 14:4fff:ff20:ee64", 104, b"\0\x0a\0\x14\x4f\xff\xff\x20\xee\x64"),
        ("L64 10 2001:DB8:1140:1", 106, b"\0\x0a\x20\x01\x0d\xb8\x11\x40\0\1"),
        ("LOC 52 0 0 N 4 0 0 E 0.29m", 29, PLACE + (10000029).to_bytes(4, "big")),
        ("LOC 52 0 0 N 4 0 0 E -0.29m", 29, PLACE + (9999971).to_bytes(4, "big")),
        (
            "RRSIG A 13 2 300 21060207062817 20300101000000 1 M AAAA", 46,
            SIGNED + (1).to_bytes(4, "big") + (1893456000).to_bytes(4, "big") + b"\0\1" + NAME + bytes(3),
        ),
        (
            "RRSIG A 13 2 300 4294967295 20380119031408 1 M AAAA", 46,
            SIGNED + b"\xff" * 4 + (2**31).to_bytes(4, "big") + b"\0\1" + NAME + bytes(3),
        ),
    ],
)  # fmt: skip
def test_types_that_dnspython_does_not_read(line: str, kind: int, wire: bytes) -> None:
    """RFC 1035 §3.3, RFC 2535 §5.2, RFC 6742 §2, RFC 1876 §3 and RFC 4034 §3.1.5."""
    assert rdata(line, kind) == wire


# -- what is wrong


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(InvalidZone) as caught:
        parse(text, "corp.zone")
    return caught.value.messages


def test_all_bad_rows_are_reported_with_line_and_column() -> None:
    text = (
        "bad IN A 300.1.1.1\nwww A 10.0.0.4\nb AAAA 10.0.0.4 ; comment\nc MX ten mail\n"
        'd TXT "open\ne FOO bar\nf A (\n  10.0.0.4\n  x )\ng CNAME www\ng A 10.0.0.1\nh A 10.0.0\n'
    )
    assert problems(HEAD + text) == (
        "corp.zone:4:10: `bad IN A 300.1.1.1`: not an IPv4 address",
        "corp.zone:6:8: `b AAAA 10.0.0.4`: not an IPv6 address",
        "corp.zone:7:6: `c MX ten mail`: text instead of a number in a record of type MX",
        'corp.zone:8:7: `d TXT "open`: a quoted string that does not end on its line',
        "corp.zone:9:3: `e FOO bar`: unknown type `FOO`",
        "corp.zone:10:1: `f A (`: more data than a record of type A has",
        "corp.zone:14:1: g.corp.example: A beside a CNAME",
        "corp.zone:15:5: `h A 10.0.0`: not an IPv4 address",
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x DS 1 8 2 abc", "an odd number of hexadecimal digits"),
        ("x DS 1 8 2 zz", "not hexadecimal digits"),
        ("x DNSKEY 256 3 13 AAAAA", "not base64"),
    ],
)
def test_no_words_of_python_reach_the_reader(row: str, reason: str) -> None:
    (only,) = problems(f"{HEAD}{row}\n")
    assert only.endswith(f": `{row}`: {reason}")


def test_a_bad_soa_is_not_the_fault_of_other_rows() -> None:
    (only,) = problems("corp.example. SOA ns h 1 2 3\nwww A 10.0.0.4\nx MX 1 www\n")
    assert only == "corp.zone:1:29: `corp.example. SOA ns h 1 2 3`: less data than a record of type SOA has"


def test_a_parenthesis_that_is_not_closed_takes_the_rest_of_the_file() -> None:
    (only,) = problems(HEAD + "www TXT ( a b\nx A 1\n")
    assert only == "corp.zone:4:1: `www TXT ( a b`: a parenthesis that is not closed"


def test_only_the_first_problems_are_listed_and_the_others_are_counted() -> None:
    messages = problems(HEAD + "bad A 1\n" * (MAX_PROBLEMS + 5))
    assert len(messages) == MAX_PROBLEMS + 1
    assert messages[-1] == "corp.zone: and 5 more problems"
