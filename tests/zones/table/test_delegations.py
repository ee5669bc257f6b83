"""Delegations and wildcards of static zones: which zone answers DS, what a new cut changes, what a wildcard covers."""

import pytest

from tests.zones.tables import ACCT, ask, build, outcome, zone_file
from zones.claims.policy import ZonePolicy
from zones.dns.name import from_text
from zones.dns.record import NS, RRset
from zones.dns.zonefile import parse
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


def test_ds_at_the_apex_of_a_zone_file_without_a_served_parent_is_the_upstreams() -> None:
    """The child's own word, data or NODATA, would make the zone bogus for every validator behind this server."""
    table = build(files=[f"{CHILD}\n@ DS 1 8 2 {DIGEST}"])
    assert ask(table, "child.corp.example DS") == "OUTSIDE"
    assert ask(table, "child.corp.example TXT") == "NODATA child.corp.example"


def test_a_served_parent_that_does_not_delegate_the_zone_file_has_no_ds_for_it() -> None:
    for parent in ("corp.example\nwww A 192.0.2.1", "corp.example\n* DS 1 8 2 " + DIGEST):
        table = build(files=[parent, f"{CHILD}\n@ DS 1 8 2 {DIGEST}"])
        assert ask(table, "child.corp.example DS") == "NODATA corp.example"


def test_ds_below_another_delegation_of_the_served_parent_is_asked_there() -> None:
    table = build(files=["example\ncorp NS ns.elsewhere.example.", CHILD])
    assert ask(table, "child.corp.example DS") == "REFERRAL corp.example"


def test_the_root_zone_has_no_parent_and_no_ds() -> None:
    assert ask(build(files=[f"\n@ DS 1 8 2 {DIGEST}"]), ". DS") == "NODATA ."


def test_a_new_parent_zone_or_delegation_evicts_the_ds_of_the_upstream() -> None:
    table = build(files=[CHILD])
    kept = outcome(table, "child.corp.example DS")
    touched = table.apply_static(from_text("corp.example"), from_text("corp.example"), parse_apex(), is_open=False)
    assert touched.subtrees == {from_text("corp.example")}
    assert ask(table, "child.corp.example DS") == "NODATA corp.example"
    assert delegate(table, "child.corp.example").intersection(kept.deps)


def parse_apex() -> tuple[RRset, ...]:
    """Return the records at the apex of `corp.example`."""
    return parse(zone_file("corp.example\n"), "test.zone").names[from_text("corp.example")]


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


def test_a_wildcard_that_is_an_empty_non_terminal_makes_nodata() -> None:
    """RFC 4592 §2.2.2: `*.e` exists because `f.*.e` does, and has no data for any name that it covers."""
    table = build(files=["corp.example\nf.*.e A 192.0.2.1"])
    assert ask(table, "x.e.corp.example") == "NODATA corp.example"
    assert ask(table, "f.x.e.corp.example") == "NODATA corp.example"
    assert ask(table, "f.*.e.corp.example") == "A 192.0.2.1"
    assert ask(table, "x.corp.example") == "NXDOMAIN corp.example"


def test_a_wildcard_that_another_zone_file_makes_exist_makes_nodata() -> None:
    table = build(files=["corp.example\ne A 192.0.2.1", "f.*.e.corp.example\n@ A 192.0.2.2"])
    assert ask(table, "x.e.corp.example") == "NODATA corp.example"


@pytest.mark.parametrize("on_miss", ["nxdomain", "public"])
def test_a_wildcard_that_is_an_empty_non_terminal_makes_nodata_in_a_zone_of_endpoints(on_miss: str) -> None:
    policy, blob = ZonePolicy(on_miss=on_miss), "privatelink.blob.core.windows.net"
    table = build(ACCT, files=["core.windows.net\nf.*.e.privatelink.blob A 192.0.2.1"], defaults=policy)
    kept = outcome(table, f"x.e.{blob}")
    assert ask(table, f"x.e.{blob}") == f"NODATA {blob}"
    assert ask(table, f"x.{blob}") != f"NODATA {blob}"
    touched = table.apply_static(from_text("core.windows.net"), from_text(f"f.*.e.{blob}"), (), is_open=False)
    assert touched.names.intersection(kept.deps)
    assert ask(table, f"x.e.{blob}") != f"NODATA {blob}"


def test_the_last_name_below_an_empty_wildcard_takes_its_nodata_with_it() -> None:
    table = build(files=["corp.example\ne A 192.0.2.1\nf.*.e A 192.0.2.1"])
    kept = outcome(table, "x.e.corp.example")
    touched = table.apply_static(from_text("corp.example"), from_text("f.*.e.corp.example"), (), is_open=False)
    assert touched.names.intersection(kept.deps)
    assert ask(table, "x.e.corp.example") == "NXDOMAIN corp.example"
