"""Names: from text to folded wire form and back, host names, reverse names, ancestors."""

import ipaddress

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.dns import name
from zones.dns.name import InvalidName, Name, from_text, host_from_text, to_text

LABEL = st.binary(min_size=1, max_size=63).map(bytes.lower)
NAMES = st.lists(LABEL, max_size=5).map(name.from_labels).filter(lambda wire: len(wire) <= name.MAX_NAME)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (".", b"\0"),
        ("com", b"\3com\0"),
        ("com.", b"\3com\0"),
        ("WWW.Example.", b"\3www\7example\0"),
        (r"a\.b.c", b"\3a.b\1c\0"),
        (r"a\046b.c", b"\3a.b\1c\0"),
        (r"\065.c", b"\1a\1c\0"),
        (r"a\..", b"\2a.\0"),
        (r"a\.", b"\2a.\0"),
        (r"a\\.", b"\2a\\\0"),
        (r"a\\.b", b"\2a\\\1b\0"),
        (r"\000\255", b"\2\0\xff\0"),
        ("a b\n", b"\4a b\n\0"),
        ("bücher.example", b"\x0dxn--bcher-kva\7example\0"),
        ("BÜCHER.example.", b"\x0dxn--bcher-kva\7example\0"),
        ("bücher\u3002example", b"\x0dxn--bcher-kva\7example\0"),  # RFC 3490 §3.1: also a dot
        ("a" * 63, b"\x3f" + b"a" * 63 + b"\0"),
    ],
)
def test_text_becomes_folded_wire_form(text: str, wire: bytes) -> None:
    assert from_text(text) == wire


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        ".com",
        "a..b",
        "a..",
        "a" * 64,
        "ü" * 63,
        ".".join(["a" * 63] * 4),
        "a\\",
        r"a\25",
        r"a\256",
        r"a\999.b",
        r"a\1b",
        "a\\\u0660\u0664\u0666",  # digits, but not ASCII ones
        r"ü\.b",
        "\u2024.example",  # normalises to a dot inside a label
        "a\u2024ü.example",
        "\ud800.example",
    ],
)
def test_an_invalid_name_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(InvalidName, match=r".+: .+"):
        from_text(text)


def test_a_name_of_255_octets_is_the_longest() -> None:
    text = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert len(from_text(text)) == 255
    with pytest.raises(InvalidName, match="256 octets"):
        from_text(text + "a")


@given(NAMES)
def test_text_form_reads_back_to_the_same_name(wire: Name) -> None:
    assert from_text(to_text(wire)) == wire
    assert dns.name.from_text(to_text(wire)).to_wire() == wire


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        wire = from_text(text)
    except InvalidName:
        return
    assert dns.name.from_wire(wire, 0)[0].to_wire() == wire
    assert wire == wire.lower()


@given(st.text(alphabet="aB.\\0159*-", max_size=20))
def test_ascii_text_is_read_as_dnspython_reads_it(text: str) -> None:
    try:
        expected = (dns.name.from_text(text).to_wire() or b"").lower() if text else None
    except dns.exception.DNSException:
        expected = None
    try:
        assert from_text(text) == expected
    except InvalidName:
        assert expected is None


@pytest.mark.parametrize("text", ["acct.blob.core.windows.net", "*.env.EASTUS.example", "_srv._tcp.a-b.example.", "x"])
def test_host_names_are_accepted(text: str) -> None:
    assert host_from_text(text) == from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        " a.example",
        "a.example\n",
        "a b.example",
        "10.0.0.4",
        "10.0.0.0/28",
        "fd00::1",
        "*",
        "a.*.example",
        "a*.b",
    ],
)
def test_an_invalid_host_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        host_from_text(text)


@pytest.mark.parametrize(
    "text", ["https://a.example", r"a\.b.example", "a..example", "a" * 64, "a.example;", "a@example"]
)
def test_a_name_with_other_octets_is_no_host_name(text: str) -> None:
    with pytest.raises(InvalidName):
        host_from_text(text)


@given(NAMES)
def test_labels_and_their_join_are_inverse(wire: Name) -> None:
    assert name.from_labels(name.labels(wire)) == wire


def test_parent_climbs_to_the_root_and_stays_there() -> None:
    assert name.parent(from_text("a.b")) == from_text("b")
    assert name.parent(from_text("b")) == name.ROOT
    assert name.parent(name.ROOT) == name.ROOT


@pytest.mark.parametrize(
    ("child", "ancestor", "expected"),
    [
        ("a.example", "example", True),
        ("example", "example", True),
        ("example", ".", True),
        (".", ".", True),
        ("aexample", "example", False),
        ("example", "a.example", False),
        (r"a\007example", "example", False),  # the same octets at the end, but inside one label
    ],
)
def test_is_under_respects_label_boundaries(child: str, ancestor: str, *, expected: bool) -> None:
    assert name.is_under(from_text(child), from_text(ancestor)) is expected


@given(NAMES, NAMES)
def test_is_under_agrees_with_dnspython(one: Name, two: Name) -> None:
    assert name.is_under(one, two) is dns.name.from_wire(one, 0)[0].is_subdomain(dns.name.from_wire(two, 0)[0])


@given(NAMES, NAMES)
def test_canonical_order_agrees_with_dnspython(one: Name, two: Name) -> None:
    ours = name.canonical_key(one) < name.canonical_key(two)
    assert ours is (dns.name.from_wire(one, 0)[0] < dns.name.from_wire(two, 0)[0])


def test_wildcards_have_a_star_as_their_first_label() -> None:
    assert name.wildcard(from_text("example")) == from_text("*.example")
    assert name.is_wildcard(from_text("*.example"))
    assert not name.is_wildcard(from_text("*a.example"))
    assert not name.is_wildcard(from_text("a.*.example"))


@given(st.ip_addresses())
def test_reverse_names_read_back_to_their_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    reverse = name.reverse(address.packed)
    assert to_text(reverse) == address.reverse_pointer
    assert name.reversed_address(reverse) == address.packed


@pytest.mark.parametrize(
    "text",
    [
        "in-addr.arpa",
        "10.in-addr.arpa",
        "0.0.10.in-addr.arpa",
        "4.0.0.256.in-addr.arpa",
        "04.0.0.10.in-addr.arpa",
        "a.0.0.10.in-addr.arpa",
        "x.4.0.0.10.in-addr.arpa",
        r"4.0.0.10.x\007in-addr.arpa",
        "ip6.arpa",
        ".".join(["0"] * 31 + ["ip6", "arpa"]),
        ".".join(["0"] * 31 + ["g", "ip6", "arpa"]),
        ".".join(["0", "_"] * 15 + ["0", "1", "ip6", "arpa"]),  # int() would read digits with underscores
        ".".join(["0"] * 31 + ["+", "ip6", "arpa"]),
        ".".join(["0"] * 31 + [r"\032", "ip6", "arpa"]),
        ".".join(["0"] * 31 + ["00", "ip6", "arpa"]),
        "www.example.com",
        ".",
    ],
)
def test_other_names_inside_and_outside_the_reverse_tree_have_no_address(text: str) -> None:
    assert name.reversed_address(from_text(text)) is None
