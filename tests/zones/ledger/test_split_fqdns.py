"""One public FQDN that several endpoints claim under different private names."""

from tests.zones.books import (
    ARM,
    FQDN,
    PRIVATE,
    acct,
    answer,
    drop,
    endpoint,
    finding_rows,
    ledger,
    one,
    put,
    record,
    shown,
    target,
    two_spokes,
)
from zones.azure.endpoint import ConnectionState
from zones.claims.contest import Rule

CONFLICTS = ("conflicting-address", "duplicate-endpoint", "shared-global-name")
OWN, OTHER = "acct.contoso.internal", "acct.adventure.internal"


def conflicts(*found: tuple[str, str, str, str]) -> list[tuple[str, str, str]]:
    return [(code, subject, winner) for code, subject, winner, _ in found if code in CONFLICTS]


def test_the_rules_of_contests_decide_to_which_private_name_the_fqdn_leads() -> None:
    book = ledger()
    put(book, acct("x", 4), acct("y", 5, OWN))
    assert (answer(book), answer(book, OWN)) == ([4], [5])
    fact = one(book, "conflicting-address")
    assert (fact.subject, fact.winner, fact.rule) == (FQDN, "/ID/x", Rule.RESOURCE_ID)
    assert [each["endpoint"] for each in shown(fact.evidence)["winners"]] == ["/ID/x"]
    assert [each["endpoint"] for each in shown(fact.evidence)["losers"]] == ["/ID/y"]


def test_the_order_of_the_endpoints_does_not_matter() -> None:
    for order in ("xyz", "zyx"):
        book = ledger()
        all_ = {"x": acct("x", 4), "y": acct("y", 5, OWN), "z": acct("z", 6, OTHER)}
        put(book, *(all_[key] for key in order))
        fact = one(book, "conflicting-address")
        assert (fact.winner, len(shown(fact.evidence)["losers"])) == ("/ID/x", 2)


def test_the_finding_closes_when_one_private_name_is_left() -> None:
    for gone in (acct("y", 5), acct("y", 5, OWN, state=ConnectionState.PENDING)):
        book = ledger()
        put(book, acct("x", 4, target=target("s")), acct("y", 5, OWN, target=target("s")))
        assert conflicts(*finding_rows(book)) == [("duplicate-endpoint", FQDN, "/ID/x")]
        put(book, gone)
        assert FQDN not in [subject for _, subject, _ in conflicts(*finding_rows(book))]
    book = ledger()
    put(book, acct("x", 4), acct("y", 5, OWN))
    drop(book, "x")
    assert not conflicts(*finding_rows(book))


def test_networks_that_see_only_one_of_the_endpoints_have_no_conflict() -> None:
    book = ledger(*two_spokes())
    put(book, acct("x", 4, vnet="a"), acct("y", 5, OWN, vnet="b"))
    assert not conflicts(*finding_rows(book))
    put(book, acct("z", 6, OTHER, vnet="hub"))
    facts = [fact for fact in book.board if fact.code == "conflicting-address"]
    assert {(fact.winner, fact.networks.items) for fact in facts} == {("/ID/x", ("a",)), ("/ID/y", ("b",))}


def test_a_shared_name_is_reported_as_shared() -> None:
    book, name = ledger(), "management.azure.com"
    for key, claimed in (("x", record(name, 4)), ("y", record(name, 5, private="management.own"))):
        put(book, endpoint(key, claimed, target=target(key, ARM), groups=("ResourceManagement",)))
    fact = one(book, "shared-global-name")
    assert (fact.subject, shown(fact.evidence)["shared"]) == (name, [name])


def test_lingering_claims_of_the_same_endpoint_are_no_conflict() -> None:
    book = ledger(hold_down={"hub": 300.0})
    put(book, acct("x", 4, source="hub"))
    put(book, acct("x", 5, OWN, source="hub"), now=2)
    assert answer(book, PRIVATE) == [4]
    assert not conflicts(*finding_rows(book))
