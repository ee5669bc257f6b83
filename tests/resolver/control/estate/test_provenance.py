"""What became of each claim on a name in a client's network, and why."""

from collections.abc import Iterable

import pytest

from resolver import settings
from resolver.admin.resources.claim_reasons import claim_reason
from resolver.control.estate.estate import Estate
from resolver.control.estate.provenance import Place, standings
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.claims.policy import ConflictPolicy, Pin
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.networks.excepted import ExceptedItem
from zones.networks.network import Network
from zones.networks.prefixes import NONE

PUBLIC = from_text("acct.blob.core.windows.net")
PRIVATE = from_text("acct.privatelink.blob.core.windows.net")
OTHER = from_text("acct.privatelink.other.example")
T0 = WallTime(0.0)
EAST, WEST = (f"/subscriptions/s/resourcegroups/r/providers/microsoft.network/virtualnetworks/{n}" for n in "ew")


def endpoint(
    name: str,
    last: int = 4,
    *,
    network: str = "",
    vnet: str = "",
    state: ConnectionState = ConnectionState.APPROVED,
    private: Name | None = None,
) -> Endpoint:
    record = NicRecord(PUBLIC, (bytes((10, 1, 0, last)),), private=private)
    return Endpoint(
        ResourceId(name), name, name, state, network=network, vnet=ResourceId(vnet), records=(record,), source="hub",
    )  # fmt: skip


def estate(*networks: Network, **conflicts: object) -> Estate:
    return Estate(
        settings.ControlSettings(
            networks=networks, sources=(settings.SourceSettings("hub", "azure"),),
            conflicts=settings.ConflictSettings(**conflicts),  # type: ignore[arg-type]
        )
    )  # fmt: skip


def take(it: Estate, at: float, *endpoints: Endpoint, gone: Iterable[str] = ()) -> None:
    changes: dict[ResourceId, Endpoint | None] = {each.key: each for each in endpoints}
    it.ledger.apply({**changes, **{ResourceId(key): None for key in gone}}, WallTime(at))


def outcomes(it: Estate, network: str = "", *, private: Name = PRIVATE) -> dict[str, str]:
    index = it.networks.find_named(network) if network else NONE
    places = [Place(PUBLIC, private=private), Place(private)]
    found = standings(it, places, index, WallTime(100.0))
    return {each.claim.endpoint: f"{each.standing}: {claim_reason(it, each, network or 'none')}" for _, each in found}


ALL = Network("all", ("0.0.0.0/0",))


def test_the_rules_that_decide_by_age_are_shown_on_both_sides() -> None:
    it = estate(ALL)
    take(it, 1, endpoint("b"))
    take(it, 2, endpoint("a", 5))
    assert outcomes(it, "all") == {
        "b": "won: the incumbent: it had the name before a", "a": "lost: b is the incumbent: it had the name before",
    }  # fmt: skip
    both = estate(ALL)
    take(both, 1, endpoint("a"), endpoint("b", 5))
    assert outcomes(both, "all") == {
        "a": "won: seen at the same time as b, and its resource id is the lowest",
        "b": "lost: a was seen at the same time, and has a lower resource id",
    }


def test_a_pin_is_shown_with_its_reason_and_end() -> None:
    pin = Pin("acct.blob.core.windows.net", "b", reason="moving to b", until=WallTime(3600.0))
    it = estate(ALL, pins=(pin,))
    take(it, 1, endpoint("a"), endpoint("b", 5))
    assert outcomes(it, "all") == {
        "a": "lost: pinned to b by `conflicts.pins` (moving to b) until 1970-01-01T01:00:00.000Z",
        "b": "won: pinned by `conflicts.pins` (moving to b) until 1970-01-01T01:00:00.000Z",
    }


def test_the_nearest_endpoint_wins_in_each_network() -> None:
    it = estate(
        Network("east", ("10.1.0.0/16",), (EAST,), (WEST,)), Network("west", ("10.2.0.0/16",), (WEST,), (EAST,))
    )
    take(it, 1, endpoint("a", vnet=EAST), endpoint("b", 5, vnet=WEST))
    assert outcomes(it, "west")["a"] == "lost: b is nearer to the client's network"
    assert outcomes(it, "west")["b"].startswith("won: the nearest endpoint")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (ConflictPolicy.MERGE, "won: the conflict policy `merge` serves all claims"),
        (ConflictPolicy.REFUSE, "undecided: the conflict policy `refuse` chooses none of the endpoints; b claims"),
    ],
)
def test_conflict_policies_are_told(policy: ConflictPolicy, says: str) -> None:
    it = estate(ALL, policy=policy)
    take(it, 1, endpoint("a"), endpoint("b", 5))
    assert outcomes(it, "all")["a"].startswith(says)


def test_claims_that_take_no_part_say_why() -> None:
    it = estate(
        Network("east", ("10.1.0.0/16",), excepted=(ExceptedItem("hidden"),)), Network("west", ("10.2.0.0/16",))
    )
    take(
        it, 1, endpoint("far", network="west"), endpoint("waits", 5, state=ConnectionState.PENDING),
        endpoint("hidden", 6), endpoint("here", 7),
    )  # fmt: skip
    assert outcomes(it, "east") == {
        "far": "not-visible: it is visible to west, not to east",
        "waits": "not-served: the connection is Pending; only an Approved one is served",
        "hidden": "excepted: `except` of the network east hides it",
        "here": "won: the only claim that is visible here",
    }
    assert outcomes(it)["far"] == "not-visible: no network holds the client's address; it is visible to west"


def test_a_lingering_claim_wins_until_a_live_one_has_its_name() -> None:
    it = estate(ALL)
    take(it, 1, endpoint("old"))
    take(it, 2, gone=("old",))
    assert outcomes(it, "all") == {"old": "won: the only claim that is visible here"}
    take(it, 3, endpoint("new", 5))
    assert outcomes(it, "all")["old"].startswith("displaced: it was removed")


def test_a_public_name_that_leads_elsewhere_is_told() -> None:
    it = estate(ALL)
    take(it, 1, endpoint("a"), endpoint("b", 5, private=OTHER))
    (verdict,) = it.ledger.public_verdicts(PUBLIC, WallTime(100.0))
    (winner,) = verdict.rulings[0].winners
    private = PRIVATE if winner == "a" else OTHER
    loser = "b" if winner == "a" else "a"
    assert outcomes(it, "all", private=private)[loser].startswith(
        f"elsewhere: acct.blob.core.windows.net leads to the private name of {winner} here (rule: "
    )


def test_a_zone_file_takes_precedence() -> None:
    it = estate(ALL)
    take(it, 1, endpoint("a"))
    (found,) = standings(it, [Place(PRIVATE, is_static=True)], it.networks.find_named("all"), WallTime(100.0))
    assert claim_reason(it, found[1], "all").startswith("a zone file or a private DNS zone has this name")
