"""What `networks[].except` does to claims, contests, rows and findings."""

import pytest

from tests.zones.books import (
    FQDN,
    PRIVATE,
    acct,
    answers,
    codes,
    drop,
    endpoint,
    ledger,
    one,
    put,
    record,
    shown,
)
from zones.claims.policy import Pin
from zones.dns.name import from_text
from zones.ledger.ledger import Ledger
from zones.networks.excepted import ExceptedItem
from zones.networks.network import Network

VAULT, VAULT_CORE = "kv.vault.azure.net", "kv.vaultcore.azure.net"
VAULT_PRIVATE = "kv.privatelink.vaultcore.azure.net"


def book(*items: str, pins: tuple[Pin, ...] = (), hold_down: float = 0) -> Ledger:
    """Return a ledger with the network `b`, which has these exceptions, and the network `a`, which has none."""
    excepted = tuple(ExceptedItem(text, f"networks[1].except[{i}]") for i, text in enumerate(items))
    return ledger(
        Network("a", ("10.1.0.0/16",)), Network("b", ("10.2.0.0/16",), excepted=excepted), pins=pins,
        hold_down={"": hold_down},
    )  # fmt: skip


@pytest.mark.parametrize("item", ["x", FQDN, PRIVATE])
def test_an_excepted_endpoint_or_name_has_no_answer_in_that_network(item: str) -> None:
    held = book(item)
    put(held, acct("x", 4))
    assert answers(held) == {"a": [4]}
    assert codes(held) == []


@pytest.mark.parametrize("item", [VAULT, VAULT_CORE, VAULT_PRIVATE])
def test_a_name_is_excepted_with_the_private_name_that_public_dns_leads_it_to(item: str) -> None:
    held = book(item)
    put(held, endpoint("x", record(VAULT, 4)), endpoint("y", record(VAULT_CORE, 4)))
    assert answers(held, VAULT_PRIVATE) == {"a": [4]}


def test_a_contest_is_about_the_networks_that_do_not_except_a_claim() -> None:
    held = book("x")
    put(held, acct("x", 4), acct("y", 5))
    assert answers(held) == {"a": [4], "b": [5]}
    assert one(held, "conflicting-address").networks.items == ("a",)


def test_a_name_that_all_networks_except_is_not_served_and_is_no_contest() -> None:
    items = (ExceptedItem(FQDN),)
    held = ledger(Network("a", (), excepted=items), Network("b", (), excepted=items))
    put(held, acct("x", 4), acct("y", 5))
    assert answers(held) == {}
    assert "conflicting-address" not in codes(held)


def test_a_lingering_claim_is_excepted_too() -> None:
    for item in ("x", FQDN):
        held = book(item, hold_down=60)
        put(held, acct("x", 4))
        drop(held, "x", now=2)
        assert answers(held) == {"a": [4]}


def test_a_claim_that_is_not_served_takes_no_name_from_others() -> None:
    held = book(VAULT)
    put(held, endpoint("x", record(VAULT, 4), provisioning="Deleting"), endpoint("y", record(VAULT_CORE, 5)))
    assert answers(held, VAULT_PRIVATE) == {"a": [5], "b": [5]}
    put(held, endpoint("x", record(VAULT, 4)))
    assert set(answers(held, VAULT_PRIVATE)) == {"a"}
    drop(held, "x")
    assert answers(held, VAULT_PRIVATE) == {"a": [5], "b": [5]}


def test_a_pin_in_a_network_that_excepts_the_endpoint_or_the_name_is_ignored() -> None:
    for item in ("x", FQDN, PRIVATE):
        held = book(item, pins=(Pin(FQDN, "x", network="b"),))
        put(held, acct("x", 4))
        (pin,) = shown(one(held, "pin-ignored").evidence)["pins"]
        assert pin["why"] == "that endpoint is not visible there"


def test_claims_say_which_networks_see_and_which_except_them() -> None:
    for item in ("x", FQDN):
        held = book(item)
        put(held, acct("x", 4))
        (claim,) = held.find(from_text(FQDN))
        assert held.networks.listed(held.sees(claim)) == ("a",)
        assert held.networks.listed(held.excepts(claim)) == ("b",)


def test_items_that_match_nothing_are_reported_until_they_match() -> None:
    held = book("x", FQDN, "nobody")
    put(held)
    fact = one(held, "except-ignored")
    assert (fact.subject, fact.networks.items) == ("b", ("b",))
    assert [item["text"] for item in shown(fact.evidence)["items"]] == ["x", FQDN, "nobody"]

    put(held, acct("y", 4))
    items = shown(one(held, "except-ignored").evidence)["items"]
    assert items == [
        {"text": "x", "place": "networks[1].except[0]"}, {"text": "nobody", "place": "networks[1].except[2]"},
    ]  # fmt: skip

    put(held, endpoint("x", provisioning="Deleting"), endpoint("1", name="NOBODY"))
    assert "except-ignored" not in codes(held)
    drop(held, "x", "y", "1")
    assert [item["text"] for item in shown(one(held, "except-ignored").evidence)["items"]] == ["x", FQDN, "nobody"]


def test_a_private_name_in_a_zone_with_alternatives_matches() -> None:
    held = book("rdgateway.wvd.microsoft.com")
    put(held, endpoint("x", record("rdgateway.wvd.microsoft.com", 4), groups=("global",)))
    assert "except-ignored" not in codes(held)
