"""Lookups in one static zone: RFC 1034 §4.3.2 with wildcards, DNAME and delegations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.dns.name import Name, from_text, to_text
from zones.dns.record import ANY, CNAME, DNAME, DS, NS, PTR, SOA, A, RRset
from zones.dns.static import StaticZone, synthesised
from zones.dns.zonefile import parse

MX, TXT, RRSIG = 15, 16, 46
TEXT = """
$ORIGIN corp.example.
$TTL 60
@        SOA   ns hostmaster 1 3600 600 86400 300
@        NS    ns
www      A     192.0.2.1
www      MX    10 mail
alias    CNAME www
a.b.c    A     192.0.2.2
*.w      A     192.0.2.3
x.y.w    A     192.0.2.4
*.star   CNAME www
cut      NS    ns.cut
cut      NS    ns.elsewhere.example.
cut      DS    1 8 2 00000000000000000000000000000000000000000000000000000000000000AA
ns.cut   A     192.0.2.5
ns.cut   AAAA  2001:db8::5
d        DNAME other.example.
d        A     192.0.2.6
"""


@pytest.fixture
def zone() -> StaticZone:
    parsed = parse(TEXT, "corp.zone")
    out = StaticZone(parsed.origin, is_open=False)
    for name, rrsets in parsed.names.items():
        out.put(name, rrsets)
    return out


def says(zone: StaticZone, text: str, qtype: int = A) -> tuple[str, bool, str]:
    """Return the kind of match, whether the name itself matched, and the owner of the records."""
    match = zone.match(from_text(text), qtype)
    return match.kind, match.exact, to_text(match.at)


def test_records_of_the_name_itself(zone: StaticZone) -> None:
    assert says(zone, "www.corp.example", MX) == ("records", True, "www.corp.example")
    assert says(zone, "www.corp.example", TXT) == ("nodata", True, "www.corp.example")
    assert says(zone, "corp.example", SOA) == ("records", True, "corp.example")
    assert says(zone, "corp.example", NS) == ("records", True, "corp.example")


def test_a_cname_answers_every_type_except_cname_and_any(zone: StaticZone) -> None:
    assert says(zone, "alias.corp.example", A) == ("cname", True, "alias.corp.example")
    assert says(zone, "alias.corp.example", CNAME) == ("records", True, "alias.corp.example")
    assert says(zone, "alias.corp.example", ANY) == ("records", True, "alias.corp.example")


def test_a_type_beside_a_cname_is_answered_itself(zone: StaticZone) -> None:
    name = from_text("signed.corp.example")
    zone.put(name, (RRset(name, CNAME, 60, (name,)), RRset(name, RRSIG, 60, (b"",))))
    assert zone.match(name, RRSIG).rrsets[0].type == RRSIG
    assert says(zone, "signed.corp.example", A)[0] == "cname"


def test_any_is_one_rrset(zone: StaticZone) -> None:
    """RFC 8482 §4.1."""
    assert [rrset.type for rrset in zone.match(from_text("www.corp.example"), ANY).rrsets] == [A]


def test_an_empty_non_terminal_exists_without_records(zone: StaticZone) -> None:
    assert says(zone, "b.c.corp.example") == ("nodata", False, "b.c.corp.example")
    assert says(zone, "w.corp.example") == ("nodata", False, "w.corp.example")


def test_a_wildcard_without_records_that_has_names_below_it_is_nodata(zone: StaticZone) -> None:
    """RFC 4592 §2.2.2 and §4.9: an empty non-terminal can be the source of synthesis."""
    leaf = from_text("f.*.e.corp.example")
    zone.put(leaf, (RRset(leaf, A, 60, (b"\xc0\x00\x02\x09",)),))
    assert says(zone, "f.*.e.corp.example") == ("records", True, "f.*.e.corp.example")
    assert says(zone, "*.e.corp.example") == ("nodata", False, "*.e.corp.example")
    assert says(zone, "x.e.corp.example") == ("nodata", False, "*.e.corp.example")
    assert says(zone, "f.x.e.corp.example") == ("nodata", False, "*.e.corp.example")
    assert says(zone, "e.corp.example") == ("nodata", False, "e.corp.example")


def test_a_name_that_does_not_exist_is_a_miss(zone: StaticZone) -> None:
    assert says(zone, "nope.corp.example") == ("miss", False, ".")
    assert says(zone, "x.www.corp.example") == ("miss", False, ".")


def test_a_wildcard_covers_names_that_do_not_exist_below_its_parent(zone: StaticZone) -> None:
    """RFC 4592 §2.2.1: an existing name is not covered, and neither are the names below it."""
    assert says(zone, "q.w.corp.example") == ("records", False, "*.w.corp.example")
    assert says(zone, "p.q.w.corp.example") == ("records", False, "*.w.corp.example")
    assert says(zone, "q.w.corp.example", TXT) == ("nodata", False, "*.w.corp.example")
    assert says(zone, "y.w.corp.example") == ("nodata", False, "y.w.corp.example")
    assert says(zone, "z.y.w.corp.example") == ("miss", False, ".")
    assert says(zone, "q.star.corp.example") == ("cname", False, "*.star.corp.example")
    assert says(zone, "*.w.corp.example") == ("records", True, "*.w.corp.example")


def test_a_delegation_hides_all_names_at_and_below_it_except_its_ds(zone: StaticZone) -> None:
    for name in ("cut", "ns.cut", "x.y.cut"):
        assert says(zone, f"{name}.corp.example") == ("cut", False, "cut.corp.example")
    assert says(zone, "cut.corp.example", NS) == ("cut", False, "cut.corp.example")
    assert says(zone, "cut.corp.example", DS) == ("records", True, "cut.corp.example")
    assert says(zone, "x.cut.corp.example", DS) == ("cut", False, "cut.corp.example")
    assert says(zone, "corp.example", DS) == ("nodata", True, "corp.example")


def test_a_delegation_added_above_existing_names_hides_them_until_it_goes(zone: StaticZone) -> None:
    cut = from_text("c.corp.example")
    assert says(zone, "a.b.c.corp.example") == ("records", True, "a.b.c.corp.example")
    zone.put(cut, (RRset(cut, NS, 60, (from_text("ns.elsewhere.example"),)),))
    for name in ("c", "b.c", "a.b.c"):
        assert says(zone, f"{name}.corp.example") == ("cut", False, "c.corp.example")
    assert says(zone, "c.corp.example", DS) == ("nodata", True, "c.corp.example")
    zone.put(cut, ())
    assert says(zone, "a.b.c.corp.example") == ("records", True, "a.b.c.corp.example")
    assert says(zone, "c.corp.example") == ("nodata", False, "c.corp.example")


def test_a_wildcard_in_a_reverse_zone_covers_the_addresses_without_a_record() -> None:
    origin = from_text("2.0.192.in-addr.arpa")
    reverse = StaticZone(origin, is_open=False)
    for owner, rtype in ((origin, SOA), (from_text("*.2.0.192.in-addr.arpa"), PTR)):
        reverse.put(owner, (RRset(owner, rtype, 60, (b"",)),))
    assert says(reverse, "7.2.0.192.in-addr.arpa", PTR) == ("records", False, "*.2.0.192.in-addr.arpa")
    assert says(reverse, "7.2.0.192.in-addr.arpa", A) == ("nodata", False, "*.2.0.192.in-addr.arpa")
    assert says(reverse, "2.0.192.in-addr.arpa", PTR) == ("nodata", True, "2.0.192.in-addr.arpa")


def test_glue_has_the_addresses_of_the_name_servers_in_the_zone(zone: StaticZone) -> None:
    (ns,) = zone.match(from_text("cut.corp.example"), A).rrsets
    assert [(to_text(rrset.owner), rrset.type) for rrset in zone.glue(ns)] == [
        ("ns.cut.corp.example", 1), ("ns.cut.corp.example", 28),
    ]  # fmt: skip


def test_a_dname_redirects_names_below_it_and_not_its_owner(zone: StaticZone) -> None:
    assert says(zone, "d.corp.example", A) == ("records", True, "d.corp.example")
    assert says(zone, "d.corp.example", DNAME) == ("records", True, "d.corp.example")
    assert says(zone, "d.corp.example", TXT) == ("nodata", True, "d.corp.example")
    for qtype in (A, CNAME, DNAME, ANY):
        assert says(zone, "x.y.d.corp.example", qtype) == ("dname", False, "d.corp.example")


def test_the_cname_of_a_dname_has_its_ttl_and_keeps_the_labels_below_it() -> None:
    owner = from_text("d.corp.example")
    dname = RRset(owner, DNAME, 77, (from_text("other.example"),))
    made = synthesised(from_text("x.y.d.corp.example"), dname)
    assert made == RRset(from_text("x.y.d.corp.example"), CNAME, 77, (from_text("x.y.other.example"),))


@pytest.mark.parametrize(("label", "fits"), [("x" * 61, True), ("x" * 62, False)])
def test_the_target_of_a_dname_has_at_most_255_octets(label: str, fits: bool) -> None:
    target = from_text(".".join(["y" * 63] * 3))
    dname = RRset(from_text("d"), DNAME, 60, (target,))
    made = synthesised(from_text(f"{label}.d"), dname)
    assert (made is not None) == fits
    if made:
        assert len(made.rdatas[0]) == 255


def test_a_zone_has_its_soa_from_its_addition_to_its_removal() -> None:
    zone = StaticZone(from_text("corp.example"), is_open=False)
    soa = RRset(zone.origin, SOA, 60, (b"",))
    zone.put(from_text("www.corp.example"), (RRset(from_text("www.corp.example"), A, 60, (b"abcd",)),))
    assert zone.soa is None
    zone.put(zone.origin, (soa,))
    held = [zone.soa]
    zone.put(zone.origin, ())
    assert [*held, zone.soa] == [soa, None]


def test_a_change_returns_the_names_that_begin_or_cease_to_exist() -> None:
    zone = StaticZone(from_text("corp.example"), is_open=False)

    def put(text: str, *, gone: bool = False) -> set[str]:
        name = from_text(text)
        return {to_text(n) for n in zone.put(name, () if gone else (RRset(name, A, 60, (b"abcd",)),))}

    assert put("a.b.corp.example") == {"a.b.corp.example", "b.corp.example", "corp.example"}
    assert put("c.b.corp.example") == {"c.b.corp.example"}
    assert put("c.b.corp.example") == set()
    assert put("a.b.corp.example", gone=True) == {"a.b.corp.example"}
    assert put("c.b.corp.example", gone=True) == {"c.b.corp.example", "b.corp.example", "corp.example"}
    assert not zone.has_below(from_text("b.corp.example"))
    put("corp.example")
    assert says(zone, "b.corp.example") == ("miss", False, ".")


inside = st.lists(st.sampled_from([b"a", b"b", b"*"]), max_size=3).map(
    lambda parts: Name(b"".join(bytes((len(part),)) + part for part in parts) + from_text("corp.example"))
)


@given(st.lists(st.tuples(inside, st.booleans())), inside)
def test_the_order_of_changes_does_not_matter(changes: list[tuple[Name, bool]], name: Name) -> None:
    zone, fresh = (
        StaticZone(from_text("corp.example"), is_open=False),
        StaticZone(from_text("corp.example"), is_open=False),
    )
    changes.append((zone.origin, True))  # a zone is not looked up before it has its apex
    last = dict(changes)
    for owner, there in changes:
        zone.put(owner, (RRset(owner, A, 60, (b"abcd",)),) if there else ())
    for owner, there in last.items():
        if there:
            fresh.put(owner, (RRset(owner, A, 60, (b"abcd",)),))
    assert zone.match(name, A) == fresh.match(name, A)
    assert zone.has_below(name) == fresh.has_below(name)
