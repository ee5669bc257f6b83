"""The ledger: rows, winners and findings from endpoints, one change at a time, in any order, over restarts."""

import pytest
from msgspec import structs

from tests.zones.books import (
    ARM,
    FQDN,
    PRIVATE,
    ROW,
    SUB,
    acct,
    answer,
    answers,
    codes,
    drop,
    endpoint,
    finding_rows,
    ledger,
    one,
    put,
    record,
    remembered,
    shown,
    target,
    two_spokes,
    v6,
    vnet_id,
)
from zones.azure.endpoint import ConnectionState, ResourceId, VirtualNetwork
from zones.claims.contest import Rule
from zones.claims.policy import Pin
from zones.claims.row import ALONE, BY_RULE, unpack
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.findings.evidence import Severity
from zones.ledger.carry_over import CarryOver
from zones.networks.network import Network, NetworkMask

# -- rows


def test_a_row_holds_addresses_and_leaves_out_the_name_that_the_catalogue_derives() -> None:
    book = ledger()

    assert put(book, endpoint("x", record(FQDN, 5, 4, v6(6)))) == {PRIVATE}
    (variant,) = unpack(book.rows[ROW])
    assert (variant.flags, variant.publics) == (BY_RULE, ())
    assert variant.a == (bytes((10, 0, 0, 4)), bytes((10, 0, 0, 5)))
    assert variant.aaaa == (v6(6),)


def test_a_row_holds_the_public_name_that_the_catalogue_does_not_derive() -> None:
    book = ledger()
    put(book, endpoint("x", record("kv.vaultcore.azure.net", 4)))
    (variant,) = unpack(book.rows[from_text("kv.privatelink.vaultcore.azure.net")])

    assert (variant.flags, variant.publics) == (0, (from_text("kv.vaultcore.azure.net"),))


def test_a_name_in_no_zone_is_alone_and_reported() -> None:
    book = ledger()
    put(book, endpoint("x", record("a.example", 4)))
    (variant,) = unpack(book.rows[from_text("a.example")])

    assert (variant.flags, variant.publics) == (ALONE, ())
    assert finding_rows(book) == [("zone-unknown", "a.example", "", "")]
    drop(book, "x")
    assert finding_rows(book) == []


def test_two_endpoints_at_one_unknown_name_are_one_finding_about_its_zone() -> None:
    book = ledger()
    put(book, endpoint("x", record("a.example", 4)), endpoint("y", record("a.example", 5)))

    assert codes(book) == ["conflicting-address", "zone-unknown"]
    assert shown(one(book, "zone-unknown").evidence)["endpoints"] == ["/ID/x", "/ID/y"]


def test_an_opt_in_name_of_another_type_is_alone() -> None:
    """`privatelink.azure.com` is a zone for one resource type only. Endpoints of other types have no zone there."""
    name = "x.privatelink.azure.com"
    book = ledger()
    put(book, endpoint("foreign", record(name, 4)))
    (claim,) = book.find(from_text(name))
    (variant,) = unpack(book.rows[from_text(name)])
    assert (claim.zone, variant.flags) == (None, ALONE)
    assert codes(book) == ["zone-unknown"]

    put(book, endpoint("proper", record(name, 5), target=target("x", ARM), groups=("ResourceManagement",)))
    (variant,) = unpack(book.rows[from_text(name)])
    assert not variant.flags & ALONE

    drop(book, "proper")
    (variant,) = unpack(book.rows[from_text(name)])
    assert variant.flags == ALONE


def test_only_rows_that_changed_are_reported() -> None:
    book = ledger()
    put(book, acct("x", 4), endpoint("y", record("b.blob.core.windows.net", 5)))

    assert put(book, acct("x", 4, name="renamed")) == set()
    assert put(book, acct("x", 6)) == {PRIVATE}
    assert drop(book, "x", "nobody") == {PRIVATE}
    assert ROW not in book.rows


def test_an_endpoint_that_changes_its_names_leaves_the_old_ones() -> None:
    book = ledger()
    put(book, acct("x", 4))

    assert put(book, endpoint("x", record("b.blob.core.windows.net", 4))) == {
        PRIVATE, "b.privatelink.blob.core.windows.net",
    }  # fmt: skip
    assert book.find(from_text(FQDN)) == []


@pytest.mark.parametrize(
    "state", [ConnectionState.PENDING, ConnectionState.REJECTED, ConnectionState.DISCONNECTED, ConnectionState.UNKNOWN]
)
def test_an_endpoint_that_is_not_approved_any_more_is_not_served_at_once(state: ConnectionState) -> None:
    book = ledger()
    put(book, acct("x", 4))

    assert put(book, acct("x", 4, state=state)) == {PRIVATE}
    assert book.rows == {}
    assert [claim.endpoint for claim in book.find(from_text(FQDN))] == ["x"]


def test_provisioning_decides_only_when_it_is_deleting() -> None:
    book = ledger()
    put(book, acct("x", 4, provisioning="DELETING"), endpoint("y", record("b.example", 5), provisioning="Failed"))

    assert set(book.rows) == {from_text("b.example")}
    assert "provisioning-failed" in codes(book)


def test_claims_are_found_by_public_and_by_private_name() -> None:
    book = ledger()
    put(book, acct("x", 4), endpoint("p", record(PRIVATE, 5)))

    assert [claim.endpoint for claim in book.find(from_text(FQDN))] == ["x"]
    assert [claim.endpoint for claim in book.find(ROW)] == ["p", "x"]
    assert list(book.names()) == [ROW]


def test_a_wildcard_claim_has_its_row_at_the_wildcard() -> None:
    book = ledger()
    put(book, endpoint("x", record("*.acct.blob.core.windows.net", 4)))

    assert answer(book, "*.acct.privatelink.blob.core.windows.net") == [4]


# -- the rules


def test_rule_1_several_addresses_of_one_endpoint_are_no_contest() -> None:
    book = ledger()
    put(book, endpoint("x", record(FQDN, 4), structs.replace(record(FQDN, 5), member="b")))

    assert answer(book) == [4, 5]
    assert finding_rows(book) == []


def test_rule_2_a_pin_decides_in_its_network() -> None:
    book = ledger(*two_spokes(), pins=[Pin(FQDN, "y", "a")])
    put(book, acct("x", 4, vnet="hub"), acct("y", 5, vnet="hub"))

    assert answers(book) == {"a": [5], "b": [4]}
    pinned = next(fact for fact in book.board if fact.rule == "pin")
    assert (pinned.severity, pinned.networks.items, pinned.winner) == (Severity.INFO, ("a",), "/ID/y")


def test_rule_2_a_pin_may_be_on_the_private_name_and_its_id_written_in_any_case() -> None:
    key = f"/subscriptions/{SUB}/resourcegroups/rg/providers/microsoft.network/privateendpoints/y"
    book = ledger(pins=[Pin(PRIVATE, key.upper())])
    put(book, acct("x", 4), acct(key, 5))

    assert answer(book) == [5]


def test_rule_2_a_pin_that_runs_out_leaves_its_endpoint_the_incumbent() -> None:
    book = ledger(pins=[Pin(FQDN, "y", until=WallTime(100))])
    put(book, acct("x", 4), acct("y", 5))
    assert book.reconsider(WallTime(100)) == set()

    assert answer(book) == [5]
    assert finding_rows(book) == [("conflicting-address", PRIVATE, "/ID/y", "incumbent")]


def test_rule_2_a_pin_to_an_unserved_endpoint_is_ignored_and_reported() -> None:
    book = ledger(pins=[Pin(FQDN, "y")])
    put(book, acct("x", 4), acct("y", 5, state=ConnectionState.REJECTED))
    assert answer(book) == [4]
    assert one(book, "pin-ignored").subject == FQDN

    put(book, acct("y", 5))
    assert answer(book) == [5]
    assert codes(book) == ["conflicting-address"]


def test_rule_2_a_pin_on_a_name_that_nobody_claims_is_a_finding_until_somebody_does() -> None:
    book = ledger(pins=[Pin(FQDN, "x", until=WallTime(50)), Pin("other.example", "x")])
    put(book, now=7)
    assert [subject for _, subject, *_ in finding_rows(book)] == [FQDN, "other.example"]
    assert {book.board.first_seen(fact) for fact in book.board} == {7.0}

    put(book, acct("x", 4), now=8)
    assert [subject for _, subject, *_ in finding_rows(book)] == ["other.example"]
    drop(book, "x", now=9)
    assert [subject for _, subject, *_ in finding_rows(book)] == [FQDN, "other.example"]

    book.reconsider(WallTime(50))
    assert [subject for _, subject, *_ in finding_rows(book)] == ["other.example"], "what has run out is not ignored"


def test_rule_3_each_network_is_given_its_own_then_its_regions() -> None:
    book = ledger(
        Network("a", (), (vnet_id("a"),), ("all",)),
        Network("b", (), (vnet_id("b"),), ("all",)),
        Network("c", (), (vnet_id("c"),), ("all",)),
    )
    book.set_vnets(
        {
            vnet_id(v): VirtualNetwork(ResourceId(vnet_id(v)), v, r)
            for v, r in (("a", "weu"), ("b", "weu"), ("c", "neu"))
        },
        WallTime(1),
    )
    put(book, acct("x", 4, vnet="a"), acct("y", 5, vnet="far", region="neu"))

    assert answers(book) == {"a": [4], "b": [4], "c": [5]}
    assert {fact.severity for fact in book.board} == {Severity.INFO}


def test_rule_3_endpoints_tell_the_region_of_a_home_without_a_record() -> None:
    networks = (Network("a", (), (vnet_id("a"),), ("all",)),)
    x, y = acct("x", 4, vnet="x", region="weu"), acct("y", 5, vnet="y", region="neu")
    tenant = endpoint("tenant", record("t.example", 9), vnet="a", region="neu")
    book = ledger(*networks)
    put(book, x, y)
    assert answers(book) == {"a": [4]}

    assert put(book, tenant) == {"t.example", PRIVATE}
    assert answers(book) == {"a": [5]}
    at_once = ledger(*networks)
    put(at_once, tenant, y, x)
    assert at_once.rows == book.rows


def test_rule_3_a_vnets_record_moves_its_endpoints() -> None:
    book = ledger(Network("a", (), (vnet_id("a"),), ("region:neu", vnet_id("x"))))
    book.set_vnets({vnet_id("a"): VirtualNetwork(ResourceId(vnet_id("a")), "a", "weu")}, WallTime(1))
    put(book, acct("x", 4, vnet="x", region="weu"), acct("y", 5, vnet="y", region="weu"))
    assert answers(book) == {"a": [4]}

    record_of = {vnet_id(v): VirtualNetwork(ResourceId(vnet_id(v)), v, "neu") for v in "xy"}
    assert book.set_vnets(record_of, WallTime(2)) == set()
    assert codes(book).count("endpoint-misplaced") == 2
    assert ("conflicting-address", PRIVATE, "/ID/x", "incumbent") in finding_rows(book)

    assert book.set_vnets(dict.fromkeys(record_of), WallTime(3)) == set()
    assert codes(book) == []


def test_rule_3_both_families_are_decided_together() -> None:
    book = ledger(Network("a", (), (vnet_id("a"),), ("all",)))
    put(book, acct("x", 4, vnet="a"), endpoint("y", record(FQDN, v6(9)), vnet="far"))

    assert answers(book) == {"a": [4]}


def test_rule_4_who_held_the_name_alone_keeps_it() -> None:
    book = ledger()
    put(book, acct("y", 5), now=1)
    assert put(book, acct("x", 4), now=2) == set()
    assert finding_rows(book) == [("conflicting-address", PRIVATE, "/ID/y", "incumbent")]


def test_rule_4_who_held_the_name_keeps_it_before_an_older_one() -> None:
    book = ledger(memory=CarryOver(("default",), {(ResourceId("old"), from_text(FQDN)): WallTime(1)}))
    put(book, acct("young", 4), now=5)
    assert put(book, acct("old", 5), now=6) == set()

    assert answer(book) == [4]
    assert finding_rows(book) == [("conflicting-address", PRIVATE, "/ID/young", "incumbent")]


def test_rule_4_the_incumbent_is_kept_over_a_restart() -> None:
    def memory() -> CarryOver:
        book = ledger()
        put(book, acct("y", 5), now=1)
        put(book, acct("x", 4), now=2)
        drop(book, "y", now=3)
        put(book, acct("y", 5), now=4)
        return remembered(book)

    again = ledger(memory=memory())
    put(again, acct("x", 4), acct("y", 5), now=9)
    assert answer(again) == [4]

    fresh = ledger()
    put(fresh, acct("y", 5), acct("z", 4), now=9)
    assert answer(fresh) == [5]


def test_rule_4_incumbents_hold_in_the_network_of_that_name() -> None:
    for names, wanted in (
        (("a", "b"), {"a": [5], "b": [4]}),
        (("b", "a"), {"a": [4], "b": [5]}),
        (("other", "b"), {"a": [4], "b": [4]}),
        (("", "other", "a"), {"a": [4], "b": [4]}),
    ):
        book = ledger(
            *two_spokes(), memory=CarryOver(names, held={ROW: ((NetworkMask(1), ResourceId("y"), Rule.NONE),)})
        )
        put(book, acct("x", 4, vnet="hub"), acct("y", 5, vnet="hub"))
        assert answers(book) == wanted


def test_rule_4_incumbents_wait_for_their_endpoints_whatever_comes_first() -> None:
    pins = [Pin(FQDN, "z")]
    book = ledger(
        pins=pins, memory=CarryOver(("default",), held={ROW: ((NetworkMask(1), ResourceId("y"), Rule.NONE),)})
    )
    book.set_vnets({}, WallTime(1))
    book.reconsider(WallTime(2))
    put(book, acct("x", 4), acct("y", 5), now=3)

    assert answer(book) == [5]


def test_rule_4_neither_family_flips_when_a_holder_comes_to_claim_the_other() -> None:
    book = ledger()
    put(book, endpoint("y", record(FQDN, 4)), endpoint("x", record(FQDN, v6(5))), now=1)
    put(book, endpoint("y", record(FQDN, 4, v6(4))), endpoint("x", record(FQDN, 5, v6(5))), now=2)

    assert answer(book) == [4, 5]


def test_rule_5_the_oldest_then_the_first_by_id() -> None:
    memory = CarryOver(
        first_seen={(ResourceId("x"), from_text(FQDN)): WallTime(3), (ResourceId("y"), from_text(FQDN)): WallTime(2)}
    )
    book = ledger(memory=memory)
    put(book, acct("x", 4), acct("y", 5), now=9)
    assert finding_rows(book) == [("conflicting-address", PRIVATE, "/ID/y", "oldest")]

    together = ledger()
    put(together, acct("y", 5), acct("x", 4), now=0)
    assert finding_rows(together) == [("conflicting-address", PRIVATE, "/ID/x", "resource-id")]


def test_a_claim_keeps_its_first_seen_time_while_the_endpoint_changes() -> None:
    book = ledger()
    put(book, acct("x", 4, state=ConnectionState.PENDING), now=0)
    put(book, acct("x", 5), now=7)
    assert [claim.first_seen for claim in book.find(ROW)] == [0.0]

    drop(book, "x", now=8)
    put(book, acct("x", 5), now=9)
    assert [claim.first_seen for claim in book.find(ROW)] == [9.0]


@pytest.mark.parametrize("late", [False, True])
def test_a_contest_has_the_same_rule_when_evaluated_again_or_after_a_restart(late: bool) -> None:
    x, y, z = acct("x", 4), acct("y", 5), endpoint("z", record("z.example", 6))
    book = ledger()
    put(book, *(() if late else (x,)), y, now=1)
    put(book, x, now=1)
    before = finding_rows(book)
    assert before[0][2:] == (("/ID/y", "incumbent") if late else ("/ID/x", "resource-id"))
    put(book, structs.replace(y, name="renamed"), z, now=2)
    drop(book, "z", now=3)
    assert finding_rows(book) == before

    (fact,) = book.board
    again = ledger(memory=remembered(book))
    put(again, y, x, now=9)
    assert finding_rows(again) == before
    assert again.board.first_seen(fact) == 1.0
    assert [ruling.rule for verdict in again.verdicts(ROW, WallTime(9)) for ruling in verdict.rulings] == [before[0][3]]


def test_a_promoted_claim_has_the_rule_that_promoted_it() -> None:
    book = ledger()
    for now, key in enumerate("zyx"):
        put(book, acct(key, now), now=now)
    drop(book, "z", now=5)
    promoted = [("conflicting-address", PRIVATE, "/ID/y", "oldest")]
    assert finding_rows(book) == promoted

    put(book, acct("x", 2, name="renamed"), now=6)
    assert finding_rows(book) == promoted


# -- an endpoint of a contest goes


def test_losing_a_loser_changes_nothing_and_ends_the_contest() -> None:
    book = ledger()
    put(book, acct("x", 4), acct("y", 5))

    assert drop(book, "y") == set()
    assert answer(book) == [4]
    assert finding_rows(book) == []


@pytest.mark.parametrize("state", [None, ConnectionState.REJECTED, ConnectionState.DISCONNECTED])
def test_losing_the_winner_promotes_the_next_at_once_and_it_stays(state: ConnectionState | None) -> None:
    book = ledger()
    put(book, acct("x", 4), acct("y", 5), acct("z", 6))
    changed = drop(book, "x") if state is None else put(book, acct("x", 4, state=state))
    assert changed == {PRIVATE}
    assert answer(book) == [5]

    assert put(book, acct("x", 4), now=2) == set()
    assert answer(book) == [5]
