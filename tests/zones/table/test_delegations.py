"""Delegations and reverse names in static zones: which zone answers DS, and what a new zone cut changes."""

from tests.zones.tables import ACCT, ask, build
from zones.dns.name import from_text
from zones.dns.record import NS, RRset
from zones.table.table import Table

DIGEST = "00000000000000000000000000000000000000000000000000000000000000AA"
PARENT = f"corp.example\nchild NS ns.child\nchild DS 1 8 2 {DIGEST}\nwww A 192.0.2.1"
CHILD = "child.corp.example\n@ A 192.0.2.2"


def test_the_parent_zone_answers_ds_for_the_apex_of_a_served_child_zone() -> None:
    """RFC 4035 §3.1.4.1: the DS RRset is above the zone cut."""
    table = build(files=[PARENT, CHILD])
    assert ask(table, "child.corp.example DS") == "DS at child.corp.example"
    assert ask(table, "child.corp.example A") == "A 192.0.2.2"
    assert ask(table, "child.corp.example NS") == "NS ns.child.corp.example"


def test_a_child_apex_without_ds_has_the_nodata_of_the_parent_zone() -> None:
    table = build(files=["corp.example\nchild NS ns.child", CHILD])
    assert ask(table, "child.corp.example DS") == "NODATA corp.example"


def test_a_child_zone_that_no_served_zone_delegates_answers_ds_itself() -> None:
    assert ask(build(files=[CHILD]), "child.corp.example DS") == "NODATA child.corp.example"
    table = build(files=["corp.example\nwww A 192.0.2.1", CHILD])
    assert ask(table, "child.corp.example DS") == "NODATA child.corp.example"


def delegate(table: Table, text: str) -> set[bytes]:
    """Add NS records at a name, and return the names below which answers are no longer valid."""
    cut = from_text(text)
    ns = RRset(cut, NS, 60, (from_text("ns.elsewhere.example"),))
    return set(table.apply_static(from_text("corp.example"), cut, (ns,), is_open=False).subtrees)


def test_a_delegation_above_existing_names_hides_them_and_invalidates_their_answers() -> None:
    table = build(files=["corp.example\na.b.dept A 192.0.2.1\nwww A 192.0.2.2"])
    assert ask(table, "a.b.dept.corp.example") == "A 192.0.2.1"
    assert delegate(table, "dept.corp.example") == {from_text("dept.corp.example")}
    assert ask(table, "a.b.dept.corp.example") == "REFERRAL dept.corp.example"
    assert ask(table, "dept.corp.example") == "REFERRAL dept.corp.example"
    assert ask(table, "www.corp.example") == "A 192.0.2.2"


def test_a_delegation_that_goes_uncovers_the_names_below_it() -> None:
    table = build(files=["corp.example\na.dept A 192.0.2.1"])
    delegate(table, "dept.corp.example")
    touched = table.apply_static(from_text("corp.example"), from_text("dept.corp.example"), (), is_open=False)
    assert touched.subtrees == {from_text("dept.corp.example")}
    assert ask(table, "a.dept.corp.example") == "A 192.0.2.1"


def test_a_wildcard_of_a_reverse_zone_answers_for_addresses_without_a_name() -> None:
    table = build(ACCT, files=["0.10.in-addr.arpa\n*.0 PTR pool.corp.example.\n5.0 PTR host.corp.example."])
    assert ask(table, "9.0.0.10.in-addr.arpa PTR") == "PTR pool.corp.example"
    assert ask(table, "9.0.0.10.in-addr.arpa TXT") == "NODATA 0.10.in-addr.arpa"
    assert ask(table, "5.0.0.10.in-addr.arpa PTR") == "PTR host.corp.example"
    assert ask(table, "9.1.0.10.in-addr.arpa PTR") == "NXDOMAIN 0.10.in-addr.arpa"
    assert ask(table, "4.0.0.10.in-addr.arpa PTR") == "PTR pool.corp.example"  # ACCT has the address; the file decides
