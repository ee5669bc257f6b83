"""Differences between private DNS zones and endpoints: each case alone, and cases that are no difference."""

from typing import Any

import pytest

from tests.zones.books import acct, endpoint, ledger, record, shown, vnet_id
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId
from zones.azure.private_dns_zone import PrivateZone, RecordSet, ZoneLink
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.dns.record import AAAA, CNAME, A, RRset
from zones.findings import drift
from zones.findings.evidence import LISTED, Severity
from zones.findings.finding import Finding
from zones.networks.network import Network

BLOB = "privatelink.blob.core.windows.net"


def made(name: str, *last: int, by: str = "", origin: str = BLOB, rtype: int = A, automatic: bool = False) -> RecordSet:
    """A record set with addresses in 10.0.0.0/24. `by` is the endpoint whose zone group created it."""
    owner = from_text(f"{name}.{origin}")
    creator = f"created by private endpoint {by} with resource guid 6e336f1c" if by else ""
    rdatas = tuple(bytes((10, 0, 0, each)) for each in last)
    return RecordSet(f"/ID/{name}", RRset(owner, rtype, 10, rdatas), creator, automatic)


def zone(*records: RecordSet, key: str = "z", origin: str = BLOB, vnets: tuple[str, ...] = ()) -> PrivateZone:
    links = tuple(ZoneLink(f"to-{each}", ResourceId(vnet_id(each))) for each in vnets)
    return PrivateZone(ResourceId(key), f"/ID/{key}", from_text(origin), records, links)


def facts_of(zones: list[PrivateZone], *endpoints: Endpoint) -> list[Finding]:
    book = ledger()
    book.apply({each.key: each for each in endpoints}, WallTime(1.0))
    return list(drift.of_records(zones, book.served(), book.endpoints, catalogue()))


def one(zones: list[PrivateZone], *endpoints: Endpoint) -> dict[str, Any]:
    (fact,) = facts_of(zones, *endpoints)
    assert (fact.code, fact.severity) == ("source-disagreement", Severity.WARNING)
    assert fact.subject == f"acct.{BLOB}"
    return shown(fact.evidence)


def test_a_record_of_its_endpoint_is_no_disagreement() -> None:
    assert not facts_of([zone(made("acct", 4, by="a"))], acct("a", 4))
    assert not facts_of([zone(made("acct", 4))], acct("a", 4))


def test_a_record_that_points_to_no_endpoint_is_reported_with_its_creator() -> None:
    (found,) = one([zone(made("acct", 4, by="pe-old"))])["no_endpoint"]
    assert (found["record"], found["addresses"]) == ("/ID/acct", ["10.0.0.4"])
    assert "pe-old" in found["creator"]


def test_an_endpoint_that_is_not_served_has_no_record_to_lead_to_it() -> None:
    dead = acct("a", 4, state=ConnectionState.DISCONNECTED)
    assert [each["addresses"] for each in one([zone(made("acct", 4, by="a"))], dead)["no_endpoint"]] == [["10.0.0.4"]]


def test_only_addresses_without_an_endpoint_are_reported() -> None:
    (found,) = one([zone(made("acct", 4, 5))], acct("a", 4))["no_endpoint"]
    assert found["addresses"] == ["10.0.0.5"]


def test_a_record_by_hand_that_leads_to_another_name_s_endpoint_is_no_disagreement() -> None:
    assert not facts_of([zone(made("alias", 4), made("acct", 4))], acct("a", 4))


def test_an_endpoint_without_a_record_is_reported() -> None:
    evidence = one([zone()], acct("a", 4))
    assert evidence == {"no_record": [{"endpoint": "/ID/a", "addresses": ["10.0.0.4"]}]}


def test_an_endpoint_in_a_zone_that_was_not_read_is_not_reported() -> None:
    assert not facts_of([zone(origin="privatelink.vaultcore.azure.net")], acct("a", 4))


def test_any_zone_of_the_name_may_have_the_record() -> None:
    zones = [zone(made("acct", 4, by="a"), key="z1"), zone(made("acct", 5, by="b"), key="z2")]
    assert not facts_of(zones, acct("a", 4), acct("b", 5))


def test_a_record_that_another_endpoint_overwrote_names_both() -> None:
    (found,) = one([zone(made("acct", 5, by="B"))], acct("a", 4), acct("b", 5))["overwritten"]
    assert (found["endpoint"], found["addresses"]) == ("/ID/a", ["10.0.0.4"])
    assert (found["by"]["record"], found["by"]["addresses"]) == ("/ID/acct", ["10.0.0.5"])


def test_an_endpoint_whose_own_record_is_out_of_date_is_without_one() -> None:
    evidence = one([zone(made("acct", 5, by="a"))], acct("a", 4))
    assert sorted(evidence) == ["no_endpoint", "no_record"]


def test_other_zones_other_types_and_machines_that_register_themselves_need_no_endpoint() -> None:
    by_hand = made("vm", 9, origin="corp.example")
    alias = RecordSet("/ID/c", RRset(from_text(f"c.{BLOB}"), CNAME, 10, (from_text("x.example"),)))
    itself = made("vm", 9, by="nobody", automatic=True)
    assert not facts_of([zone(by_hand, key="y", origin="corp.example"), zone(alias, itself)])


def test_a_record_of_a_zone_group_is_compared_in_any_zone() -> None:
    (fact,) = facts_of([zone(made("x", 9, by="pe", origin="corp.example"), origin="corp.example")])
    assert fact.subject == "x.corp.example"


def test_a_zone_that_the_catalogue_lacks_is_compared_by_its_label() -> None:
    unknown = "privatelink.foo.example"
    (fact,) = facts_of([zone(made("x", 9, origin=unknown), origin=unknown)])
    assert fact.subject == f"x.{unknown}"
    assert not facts_of([zone(made("x", 4, origin=unknown), origin=unknown)], endpoint("e", record(f"x.{unknown}", 4)))
    (missing,) = facts_of([zone(origin=unknown)], endpoint("e", record(f"x.{unknown}", 4)))
    assert missing.subject == f"x.{unknown}"


def test_the_private_wildcard_of_a_workspace_is_compared_with_its_record() -> None:
    api, guid = "privatelink.api.azureml.ms", "5d1c2e8a-77b0-4c1e-9a53-0b6f1e2d3c4a"
    star = made(f"*.{guid}.inference.weu", 5, by="e", origin=api)
    own = made(f"{guid}.workspace.weu", 4, by="e", origin=api)
    names = (record(f"{guid}.workspace.weu.api.azureml.ms", 4), record("*.weu.inference.ml.azure.com", 5))
    assert not facts_of([zone(star, own, origin=api)], endpoint("e", *names))
    (fact,) = facts_of([zone(own, origin=api)], endpoint("e", *names))
    assert fact.subject == f"*.{guid}.inference.weu.{api}"


def test_an_address_of_sixteen_octets_counts_as_one_of_four() -> None:
    six = bytes((0xFD, *bytes(14), 4))
    record_ = RecordSet("/ID/acct", RRset(from_text(f"acct.{BLOB}"), AAAA, 10, (six,)), "")
    assert not facts_of([zone(record_)], endpoint("a", record("acct.blob.core.windows.net", six)))
    assert one([zone(record_)])["no_endpoint"][0]["addresses"] == ["fd00::4"]


def test_lists_are_bounded_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [zone(made("acct", 4, by="x"), key=f"z{number}") for number in range(LISTED + 3)]
    evidence = one(many)
    assert (len(evidence["no_endpoint"]), evidence["no_endpoint_total"]) == (LISTED, LISTED + 3)
    monkeypatch.setattr(drift, "MOST", 2)
    *first, last = facts_of([zone(*(made(f"n{number}", 4) for number in range(5)))])
    assert [fact.subject for fact in first] == [f"n0.{BLOB}", f"n1.{BLOB}"]
    assert shown(last.evidence) == {"names_listed": 2, "names_total": 5}


# -- links


def linked(zones: list[PrivateZone], *networks: Network) -> list[Finding]:
    return list(drift.of_links(zones, ledger(*networks).networks, lambda _: ""))


SPOKES = [zone(key="z1", vnets=("spoke-a",)), zone(key="z2", vnets=("spoke-b",))]


def test_zones_of_one_name_that_one_network_sees_are_reported_for_that_network() -> None:
    hub = Network("hub", ("10.0.0.0/8",), vnets=(vnet_id("spoke-a"),), reach=(vnet_id("spoke-b"),))
    other = Network("other", ("10.9.0.0/16",), vnets=(vnet_id("spoke-a"),))
    (fact,) = linked(SPOKES, hub, other)
    assert (fact.subject, fact.networks.items) == (BLOB, ("hub",))
    assert [each["zone"] for each in shown(fact.evidence)["zones"]] == ["/ID/z1", "/ID/z2"]
    assert shown(fact.evidence)["zones"][0]["vnets"] == [vnet_id("spoke-a")]


def test_zones_of_one_name_that_no_network_sees_together_are_not_reported() -> None:
    apart = [
        Network(each, (f"10.{at}.0.0/16",), vnets=(vnet_id(each),)) for at, each in enumerate(("spoke-a", "spoke-b"))
    ]
    assert not linked(SPOKES, *apart)


def test_a_virtual_network_that_is_linked_twice_is_reported() -> None:
    alone = Network("alone", ("10.0.0.0/8",), vnets=(vnet_id("elsewhere"),))
    (fact,) = linked([zone(vnets=("hub", "hub"))], alone)
    assert shown(fact.evidence)["linked_twice"] == [vnet_id("hub")]
    assert not linked([zone(vnets=("hub", "spoke"))])


def test_a_zone_without_links_overlaps_with_no_other() -> None:
    assert not linked([zone(key="z1", vnets=("hub",)), zone(key="z2")])
