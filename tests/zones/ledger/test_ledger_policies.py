"""What networks and policies change in a contest."""

from tests.zones.books import (
    PRIVATE,
    acct,
    answer,
    answers,
    drop,
    endpoint,
    finding_rows,
    ledger,
    one,
    put,
    record,
    remembered,
    shown,
    two_spokes,
    vnet_id,
)
from zones.claims.contest import Rule
from zones.claims.policy import ConflictPolicy
from zones.findings.evidence import Severity
from zones.networks.network import Network

# -- networks


def test_winners_are_of_their_network() -> None:
    book = ledger(*two_spokes())
    put(book, acct("x", 4, vnet="a"), acct("y", 5, vnet="hub"))

    assert answers(book) == {"a": [4], "b": [5]}
    assert [(fact.rule, fact.networks.items) for fact in book.board] == [("nearest", ("a",))]


def test_one_name_in_two_networks_that_do_not_see_each_other_is_legal() -> None:
    book = ledger(*two_spokes())
    put(book, acct("x", 4, vnet="a"), acct("y", 4, vnet="b"))

    assert answers(book) == {"a": [4], "b": [4]}
    assert finding_rows(book) == []


def test_one_endpoint_that_wins_in_several_networks_is_one_finding() -> None:
    """The losers differ by network: there is one finding for each code, subject, winner and rule."""
    networks = [Network(f"n{i:02}", (), (), (vnet_id("hub"), vnet_id(f"spoke{i}"))) for i in range(40)]
    book = ledger(*networks)
    spokes = [acct(f"y{i}", 5, vnet=f"spoke{i}") for i in range(40)]
    put(book, acct("x", 4, vnet="hub"), *spokes)
    fact = one(book, "conflicting-address")

    assert (fact.winner, fact.rule) == ("/ID/x", "resource-id")
    assert (len(fact.networks.items), fact.networks.total) == (32, 40)
    assert (len(shown(fact.evidence)["losers"]), shown(fact.evidence)["losers_total"]) == (32, 40)
    assert answers(book) == {network.name: [4] for network in networks}


def test_a_contest_that_some_networks_see_is_reported_for_those_only() -> None:
    book = ledger(*two_spokes(), Network("all", ("10.0.0.0/8",)))
    put(book, acct("x", 4, vnet="a"), acct("y", 5, vnet="b"))

    assert answers(book) == {"a": [4], "b": [5], "all": [4]}
    assert one(book, "conflicting-address").networks.items == ("all",)


# -- policies


def test_policies_are_of_the_zone_or_name_that_matches_longest() -> None:
    book = ledger(
        policy=ConflictPolicy.REFUSE,
        policies={
            "privatelink.blob.core.windows.net": ConflictPolicy.MERGE,
            "one.blob.core.windows.net": ConflictPolicy.STICKY,
        },
    )
    names = ("acct.blob.core.windows.net", "one.blob.core.windows.net", "kv.vault.azure.net")
    put(book, *(endpoint(key, *(record(name, last) for name in names)) for key, last in (("x", 4), ("y", 5))))

    assert answer(book) == [4, 5]
    assert answer(book, "one.privatelink.blob.core.windows.net") == [4]
    assert answer(book, "kv.privatelink.vaultcore.azure.net") == "SERVFAIL"


def test_merge_and_refuse_are_reported_without_a_winner() -> None:
    for policy, rule in ((ConflictPolicy.MERGE, Rule.MERGE), (ConflictPolicy.REFUSE, Rule.REFUSE)):
        book = ledger(policy=policy)
        put(book, acct("x", 4), acct("y", 5))
        fact = one(book, "conflicting-address")
        assert (fact.winner, fact.rule, fact.severity) == ("", rule, Severity.ERROR)
        sides = {side: [each["endpoint"] for each in shown(fact.evidence)[side]] for side in ("winners", "losers")}
        assert sides == (
            {"winners": ["/ID/x", "/ID/y"], "losers": []}
            if policy == ConflictPolicy.MERGE
            else {"winners": [], "losers": ["/ID/x", "/ID/y"]}
        )


def test_a_refused_name_is_served_again_when_one_claim_is_left() -> None:
    book = ledger(policy=ConflictPolicy.REFUSE)
    put(book, acct("x", 4), acct("y", 5))
    assert answer(book) == "SERVFAIL"
    assert remembered(book).held == {}

    assert drop(book, "x") == {PRIVATE}
    assert answer(book) == [5]
