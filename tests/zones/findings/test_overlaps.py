"""Findings about address space that several virtual networks share."""

from tests.zones.books import shown
from tests.zones.findings.samples import ALONE, only, two_networks, vnet, vnet_id
from zones.findings import overlaps
from zones.findings.evidence import LISTED, Severity
from zones.networks import topology
from zones.networks.network import Network, Networks


def test_overlapping_vnets_visible_to_one_network_are_one_finding() -> None:
    vnets = [vnet("b", "10.0.4.0/22", "10.9.0.0/24"), vnet("a", "10.0.0.0/16"), vnet("c", "192.168.0.0/24")]
    fact = only(overlaps.of_overlaps(vnets, ALONE))

    assert (fact.code, fact.severity, fact.subject) == ("network-overlap", Severity.WARNING, "10.0.4.0/22")
    assert shown(fact.evidence)["vnets"] == [
        {"vnet": vnet_id("b").upper(), "prefix": "10.0.4.0/22"},
        {"vnet": vnet_id("a").upper(), "prefix": "10.0.0.0/16"},
    ]


def test_vnets_that_no_network_sees_together_may_overlap() -> None:
    spaces = ("10.0.0.0/16", "fd00::/48")

    assert not list(overlaps.of_overlaps([vnet("a", *spaces), vnet("b", *spaces)], two_networks()))
    facts = list(overlaps.of_overlaps([vnet("hub", *spaces), vnet("b", *spaces)], two_networks()))
    assert [(fact.subject, fact.networks.items) for fact in facts] == [("10.0.0.0/16", ("b",)), ("fd00::/48", ("b",))]


def test_a_prefix_inside_an_overlap_is_reported_only_if_it_adds_an_overlap() -> None:
    shared = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16")]

    assert [fact.subject for fact in overlaps.of_overlaps([*shared, vnet("c", "10.0.1.0/24")], ALONE)] == [
        "10.0.0.0/16", "10.0.1.0/24",
    ]  # fmt: skip
    both_seen = [vnet("hub", "10.0.0.0/16"), vnet("b", "10.0.0.0/16"), vnet("unseen", "10.0.1.0/24")]
    assert only(overlaps.of_overlaps(both_seen, two_networks())).subject == "10.0.0.0/16"


def test_an_overlap_without_a_network_for_its_clients_is_reported_though_no_network_sees_both() -> None:
    networks = Networks(auto=True)
    vnets = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16")]
    networks.replace(topology.networks(vnets, ()))
    fact = only(overlaps.of_overlaps(vnets, networks))
    assert (fact.subject, fact.networks.items) == ("10.0.0.0/16", ())
    assert "in a configured network" in fact.action

    networks.replace(topology.networks(vnets, [Network("a", ("10.0.0.0/16",), (vnet_id("a"),))]))
    assert not list(overlaps.of_overlaps(vnets, networks))


def test_an_overlap_is_reported_until_each_of_its_vnets_has_a_listener() -> None:
    vnets = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16")]
    for listeners, count in ((("a",), 1), (("a", "b"), 0), (("a", "b", "c"), 0)):
        networks = Networks(auto=True, listeners=listeners)
        networks.replace(topology.networks(vnets, ()))
        assert len(list(overlaps.of_overlaps(vnets, networks))) == count


def test_peered_vnets_and_the_prefixes_of_one_vnet_are_no_overlap() -> None:
    assert not list(overlaps.of_overlaps([vnet("a", "10.0.0.0/16", "10.0.1.0/24")], ALONE))
    assert not list(overlaps.of_overlaps([vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16", peers=("a",))], ALONE))


def test_a_prefix_that_cannot_be_read_and_a_neighbour_are_no_overlap() -> None:
    assert not list(overlaps.of_overlaps([vnet("a", "10.0.0.0/16", "x"), vnet("b", "10.1.0.0/16", "x")], ALONE))
    assert not list(overlaps.of_overlaps([vnet("a", "0.0.0.0/0"), vnet("b", "::/0")], ALONE))


def test_the_vnets_that_share_a_prefix_are_one_finding_with_a_bounded_list() -> None:
    fact = only(overlaps.of_overlaps([vnet(f"v{i:03}", "10.0.0.0/16") for i in range(LISTED + 2)], ALONE))

    assert (len(shown(fact.evidence)["vnets"]), shown(fact.evidence)["vnets_total"]) == (LISTED, LISTED + 2)
