"""Claims of remote sources that are gone: how long they linger, where, and what beats them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.zones.books import (
    FQDN,
    PRIVATE,
    acct,
    answer,
    answers,
    codes,
    drop,
    endpoint,
    ledger,
    one,
    put,
    record,
    remembered,
    shown,
    two_spokes,
    vnet_id,
)
from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId, VirtualNetwork
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import from_text, to_text
from zones.ledger.ledger import Ledger
from zones.ledger.tombstones import Tombstone
from zones.networks.network import Network

HOLD_DOWN = 300.0
OTHER, OTHER_PRIVATE = "other.blob.core.windows.net", "other.privatelink.blob.core.windows.net"


def book(*networks: Network, **given: Any) -> Ledger:  # noqa: ANN401 - of many types
    return ledger(*networks, hold_down={"hub": HOLD_DOWN}, **given)


def remote(key: str, last: int, fqdn: str = FQDN, **fields: Any) -> Endpoint:  # noqa: ANN401 - of many types
    return endpoint(key, record(fqdn, last), source="hub", **fields)


def stones(of: Ledger) -> list[Tombstone]:
    return list(of.tombstones)


# -- how long


def test_a_removed_claim_lingers_and_then_is_gone() -> None:
    held = book()
    put(held, remote("x", 4), now=10)
    assert drop(held, "x", now=20) == set()
    assert answer(held) == [4]
    assert held.tombstones.next_end == 20 + HOLD_DOWN
    assert held.expire(WallTime(20 + HOLD_DOWN - 0.1)) == set()
    assert held.expire(WallTime(20 + HOLD_DOWN)) == {from_text(PRIVATE)}
    assert answer(held) is None
    assert not stones(held)
    assert not held.find(from_text(PRIVATE))
    assert held.tombstones.next_end is None


def test_each_ends_at_its_own_time() -> None:
    held = book()
    put(held, remote("x", 4), remote("y", 5, OTHER))
    drop(held, "x", now=10)
    drop(held, "y", now=20)
    assert held.expire(WallTime(15 + HOLD_DOWN)) == {from_text(PRIVATE)}
    assert held.tombstones.next_end == 20 + HOLD_DOWN


def test_a_claim_of_another_source_goes_at_once() -> None:
    held = book()
    put(held, acct("x", 4, source="files"))
    assert drop(held, "x") == {PRIVATE}
    assert held.tombstones.next_end is None


@pytest.mark.parametrize("state", [ConnectionState.REJECTED, ConnectionState.DISCONNECTED, ConnectionState.PENDING])
def test_a_change_of_state_takes_effect_at_once(state: ConnectionState) -> None:
    held = book()
    put(held, remote("x", 4))
    assert put(held, remote("x", 4, state=state)) == {PRIVATE}
    drop(held, "x")
    assert (answer(held), stones(held)) == (None, [])


def test_an_endpoint_that_is_being_deleted_does_not_linger() -> None:
    held = book()
    put(held, remote("x", 4))
    put(held, remote("x", 4, provisioning="Deleting"))
    assert (answer(held), stones(held)) == (None, [])


def test_a_change_of_state_ends_the_lingering_of_the_endpoints_claims() -> None:
    held = book()
    put(held, remote("x", 4))
    put(held, remote("x", 5, OTHER))
    assert (answer(held), answer(held, OTHER_PRIVATE)) == ([4], [5])
    put(held, remote("x", 5, OTHER, state=ConnectionState.REJECTED))
    assert (answer(held), answer(held, OTHER_PRIVATE), stones(held)) == (None, None, [])


def test_a_claim_that_comes_back_is_as_if_it_had_never_gone() -> None:
    held = book()
    put(held, remote("x", 4), now=10)
    before = held.find(from_text(PRIVATE))
    drop(held, "x", now=20)
    put(held, remote("x", 4), now=30)
    assert held.find(from_text(PRIVATE)) == before
    assert (answer(held), stones(held), held.tombstones.next_end) == ([4], [], None)


def test_a_claim_that_goes_again_lingers_again() -> None:
    held = book()
    for gone in (10.0, 200.0):
        put(held, remote("x", 4), now=gone - 1)
        drop(held, "x", now=gone)
    assert held.tombstones.next_end == 200 + HOLD_DOWN
    assert held.expire(WallTime(10 + HOLD_DOWN)) == set()
    assert answer(held) == [4]


# -- a live claim always beats it


def test_a_live_claim_on_the_name_beats_a_lingering_one_which_comes_back_for_the_rest() -> None:
    held = book()
    put(held, remote("x", 4))
    drop(held, "x")
    assert put(held, acct("new", 9, source="files")) == {PRIVATE}
    assert answer(held) == [9]
    assert codes(held) == []
    drop(held, "new")
    assert answer(held) == [4]


def test_a_claim_that_is_not_served_does_not_beat_it() -> None:
    held = book()
    put(held, remote("x", 4))
    drop(held, "x")
    put(held, acct("new", 9, state=ConnectionState.PENDING))
    assert answer(held) == [4]
    put(held, acct("new", 9))
    assert answer(held) == [9]


def test_a_live_claim_on_the_address_ends_it_whatever_its_name() -> None:
    held = book()
    put(held, remote("x", 4))
    drop(held, "x")
    assert put(held, remote("y", 4, OTHER)) == {PRIVATE, OTHER_PRIVATE}
    assert answer(held) is None
    assert put(held, remote("y", 4, OTHER, state=ConnectionState.REJECTED)) == {PRIVATE, OTHER_PRIVATE}
    assert answer(held) == [4]


def test_an_endpoint_that_changed_its_name_leaves_no_trace() -> None:
    held = book()
    put(held, remote("x", 4))
    put(held, remote("x", 4, OTHER))
    assert (answer(held), answer(held, OTHER_PRIVATE)) == (None, [4])


def test_an_endpoint_that_changed_its_address_answers_with_the_new_one() -> None:
    held = book()
    put(held, remote("x", 4))
    put(held, remote("x", 5))
    assert (answer(held), stones(held)) == ([5], [])


def test_it_is_beaten_only_where_the_live_claim_is_seen() -> None:
    held = book(*two_spokes())
    put(held, remote("x", 4, vnet="hub"))
    drop(held, "x")
    assert answers(held) == {"a": [4], "b": [4]}
    put(held, remote("y", 5, vnet="a"))
    assert answers(held) == {"a": [5], "b": [4]}
    put(held, remote("z", 4, OTHER, vnet="b"))
    assert answers(held) == {"a": [5]}


def test_promoting_the_next_comes_before_lingering() -> None:
    held = book()
    put(held, remote("x", 4), now=1)
    put(held, remote("y", 5), now=2)
    assert drop(held, "x") == {PRIVATE}
    assert answer(held) == [5]


def test_claims_that_linger_together_are_decided_as_before() -> None:
    held = book()
    put(held, remote("x", 4), now=1)
    put(held, remote("y", 5), now=2)
    drop(held, "x", "y", now=3)
    assert answer(held) == [4]
    assert one(held, "conflicting-address").rule == "incumbent"
    held.expire(WallTime(3 + HOLD_DOWN))
    assert codes(held) == []


# -- pins, zone files and VNets


def test_a_pin_and_a_zone_file_are_checked_against_lingering_claims() -> None:
    held = book(pins=[Pin(FQDN, "x")])
    put(held, remote("x", 4))
    held.set_static({from_text(PRIVATE): from_text("privatelink.blob.core.windows.net")}, WallTime(2))
    drop(held, "x")
    assert codes(held) == ["static-shadows-endpoint"]
    held.expire(WallTime(9e9))
    assert codes(held) == ["pin-ignored"]


def test_a_zone_file_shadows_the_public_name_of_a_claim_until_it_has_lingered() -> None:
    held = book()
    put(held, remote("x", 4))
    held.set_static({from_text(FQDN): from_text("core.windows.net")}, WallTime(2))
    drop(held, "x")
    assert codes(held) == ["static-shadows-endpoint"]
    held.expire(WallTime(9e9))
    assert codes(held) == []


def test_a_name_in_no_zone_is_reported_while_its_claim_lingers() -> None:
    held = book()
    put(held, remote("x", 4, "a.example"))
    drop(held, "x")
    assert shown(one(held, "zone-unknown").evidence)["endpoints"] == ["/ID/x"]
    held.expire(WallTime(9e9))
    assert codes(held) == []


def test_a_lingering_claim_is_evaluated_again_when_its_vnet_moves() -> None:
    held = book(Network("a", ("10.0.0.0/8",), reach=("region:weu",)))
    held.set_vnets({vnet_id("v"): VirtualNetwork(ResourceId(vnet_id("v")), "v", "weu")}, WallTime(1))
    put(held, remote("x", 4, vnet="v"))
    drop(held, "x")
    assert answers(held) == {"a": [4]}
    assert held.set_vnets({vnet_id("v"): VirtualNetwork(ResourceId(vnet_id("v")), "v", "neu")}, WallTime(2)) == {
        from_text(PRIVATE)
    }
    assert answers(held) == {}


def test_a_lingering_claim_is_found_with_its_end() -> None:
    held = book()
    put(held, remote("x", 4), acct("y", 4, state=ConnectionState.PENDING), now=10)
    drop(held, "x", now=20)
    found = {claim.endpoint: held.tombstones.until(claim) for claim in held.find(from_text(FQDN))}
    assert found == {"x": 20 + HOLD_DOWN, "y": None}
    assert held.holder(ResourceId("x")).id == "/ID/x"


# -- over a restart


def test_a_claim_lingers_on_after_a_restart() -> None:
    held = book()
    put(held, remote("x", 4), remote("y", 5, OTHER), now=10)
    drop(held, "x", now=20)
    drop(held, "y", now=200)
    again = book(memory=remembered(held))
    assert again.restore(held.tombstones, WallTime(20 + HOLD_DOWN)) == {from_text(OTHER_PRIVATE)}
    assert (answer(again), answer(again, OTHER_PRIVATE)) == (None, [5])
    assert again.tombstones.next_end == 200 + HOLD_DOWN
    other = ledger(hold_down={"spoke": HOLD_DOWN})
    assert other.restore(held.tombstones, WallTime(20)) == set()
    assert other.tombstones.next_end is None


# -- any history

FQDNS = (FQDN, OTHER, "kv.vault.azure.net")
steps = st.lists(
    st.tuples(
        st.sampled_from("xyz"),
        st.none()
        | st.tuples(
            st.sampled_from(FQDNS),
            st.integers(4, 6),
            st.sampled_from(("a", "b", "hub")),
            st.sampled_from((ConnectionState.APPROVED, ConnectionState.APPROVED, ConnectionState.REJECTED)),
            st.sampled_from(("hub", "files")),
        ),
        st.floats(0, 200),
    ),
    max_size=14,
)


@given(steps)
def test_live_claims_are_answered_as_if_nothing_lingered(history: list[tuple[str, Any, float]]) -> None:
    """Where a network sees a live claim on a name, lingering claims change no answer. In the end none is left."""
    held, plain, now = book(*two_spokes()), ledger(*two_spokes()), 0.0
    for key, what, later in history:
        now += later
        held.expire(WallTime(now))
        new = None
        if what is not None:
            fqdn, last, vnet, state, source = what
            new = structs.replace(remote(key, last, fqdn, vnet=vnet, state=state), source=source)
        for each in (held, plain):
            each.apply({ResourceId(key): new}, WallTime(now))
        for name in {claim.name for each in FQDNS for claim in held.find(from_text(each))} | plain.rows.keys():
            shown, alive = answers(held, to_text(name)), answers(plain, to_text(name))
            assert alive.items() <= shown.items()
        for stone in held.tombstones:
            assert now < stone.until <= now + HOLD_DOWN
            assert stone.endpoint.source == "hub"
            live = held.endpoints.get(stone.claim.endpoint)
            assert live is None or live.served
    held.expire(WallTime(now + HOLD_DOWN))
    assert held.rows == plain.rows
    assert held.tombstones.next_end is None
    assert not any(vars(held.tombstones)[index] for index in ("_stones", "_by_endpoint", "_by_address", "endpoints"))
