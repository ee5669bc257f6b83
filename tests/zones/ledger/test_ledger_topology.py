"""Networks that change under a ledger: what is evaluated again, what stays, and that history leaves no trace."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.zones.books import (
    FQDN,
    PRIVATE,
    ROW,
    acct,
    answers,
    board,
    codes,
    drop,
    endpoint,
    finding_rows,
    one,
    put,
    record,
    remembered,
    shown,
    vnet_id,
)
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.claims.policy import ConflictPolicy, Conflicts, Pin
from zones.clocks import WallTime
from zones.findings.board import Board
from zones.ledger.carry_over import CarryOver
from zones.ledger.ledger import Ledger
from zones.networks.network import Network, Networks

HAND = Network("onprem", ("10.200.0.0/16",), (), ("all",))


def book(*by_hand: Network, pins: tuple[Pin, ...] = (), memory: CarryOver | None = None) -> Ledger:
    return Ledger(
        Networks(by_hand, auto=True), catalogue(), Conflicts(ConflictPolicy.STICKY, {}, pins), board(memory), memory
    )


def vnet(name: str, *peers: str, region: str = "weu", prefixes: tuple[str, ...] | None = None) -> VirtualNetwork:
    space = (f"10.{ord(name[0])}.0.0/16",) if prefixes is None else prefixes
    return VirtualNetwork(ResourceId(vnet_id(name)), f"/VNET/{name}", region, space, tuple(map(vnet_id, peers)))


def draw(ledger: Ledger, *vnets: VirtualNetwork, gone: str = "", now: float = 1) -> set[str]:
    """Apply VNets and return the names whose rows changed."""
    changed = {each.key: each for each in vnets} | {vnet_id(name): None for name in gone}
    return {name.decode() for name in ledger.set_vnets(changed, WallTime(now))}


def test_vnets_come_and_their_clients_see_what_they_reach() -> None:
    ledger = book(HAND)
    put(ledger, acct("pe", 4, vnet="h"))
    assert answers(ledger) == {"onprem": [4]}

    draw(ledger, vnet("h", "s"), vnet("s", "h"), vnet("t"))
    assert answers(ledger) == {"onprem": [4], "h": [4], "s": [4]}

    draw(ledger, vnet("s"))
    assert answers(ledger) == {"onprem": [4], "h": [4]}
    draw(ledger, gone="h")
    assert answers(ledger) == {"onprem": [4]}


def test_a_lingering_claim_is_visible_to_the_current_networks() -> None:
    ledger = Ledger(
        Networks((), auto=True), catalogue(), Conflicts(ConflictPolicy.STICKY, {}, ()), Board(), None, {"hub": 300.0}
    )
    draw(ledger, vnet("h", "s"), vnet("s"))
    put(ledger, acct("pe", 4, vnet="h", source="hub"))
    drop(ledger, "pe", now=2)
    assert answers(ledger) == {"h": [4]}

    draw(ledger, vnet("s", "h"), now=3)
    assert answers(ledger) == {"h": [4], "s": [4]}


def test_only_names_that_are_seen_otherwise_have_new_rows() -> None:
    ledger = book()
    draw(ledger, vnet("h"), vnet("s"))
    put(ledger, acct("pe", 4, vnet="h"), endpoint("other", record("other.vault.azure.net", 5), vnet="s"))

    assert draw(ledger, vnet("s", prefixes=("10.9.0.0/16",))) == set()
    assert draw(ledger, vnet("n", "s")) == {"\x05other\x0bprivatelink\tvaultcore\x05azure\x03net\x00"}


def test_the_same_networks_again_are_no_change() -> None:
    ledger = book()
    draw(ledger, vnet("h"))
    version = ledger.networks.version
    draw(ledger, vnet("h", region="neu"))

    assert ledger.networks.version == version


def test_same_vnet_then_peered_in_the_region_then_the_rest() -> None:
    ledger = book()
    near, far = acct("near", 5, vnet="n"), acct("far", 6, vnet="f")
    draw(ledger, vnet("c", "n", "f"), vnet("n"), vnet("f", region="neu"))
    put(ledger, far, now=1)
    put(ledger, near, now=2)
    assert answers(ledger) == {"c": [5], "n": [5], "f": [6]}

    put(ledger, acct("own", 4, vnet="c"), now=3)
    assert answers(ledger)["c"] == [4]


def test_the_incumbent_keeps_its_name_while_networks_come_and_go() -> None:
    ledger = book(HAND)
    draw(ledger, vnet("z", "a", "b"), vnet("a"), vnet("b"))
    put(ledger, acct("y", 5, vnet="b"), now=1)
    put(ledger, acct("x", 4, vnet="a"), now=0)  # older, but it came later
    assert answers(ledger) == {"onprem": [5], "z": [5], "a": [4], "b": [5]}

    draw(ledger, vnet("c"), vnet("k", "z"), now=3)
    draw(ledger, gone="k", now=4)
    assert answers(ledger) == {"onprem": [5], "z": [5], "a": [4], "b": [5]}


def test_the_incumbent_keeps_its_name_over_a_restart_with_other_network_bits() -> None:
    vnets = [vnet("z", "a", "b"), vnet("a"), vnet("b")]
    ledger = book()
    draw(ledger, vnet("m"))
    draw(ledger, *vnets, gone="m")
    put(ledger, acct("y", 5, vnet="b"), now=1)
    put(ledger, acct("x", 4, vnet="a"), now=0)
    memory = remembered(ledger)
    assert memory.networks == ("", *map(vnet_id, "abz"))

    again = book(HAND, memory=memory)
    draw(again, *vnets, now=9)
    put(again, acct("x", 4, vnet="a"), acct("y", 5, vnet="b"), now=9)
    assert answers(again) == {"onprem": [4], "z": [5], "a": [4], "b": [5]}


def test_an_endpoint_or_a_pin_may_name_a_network_that_vnets_make() -> None:
    pins = (Pin(FQDN, "x", network="z"),)
    ledger = book(pins=pins)
    draw(ledger, vnet("b"), vnet("a"))
    lab = endpoint("lab", record("lab.vault.azure.net", 9), network="z")
    put(ledger, lab, acct("x", 4, vnet="a"), acct("y", 5, vnet="b"), now=1)
    assert codes(ledger) == ["invalid-record", "pin-ignored"]

    draw(ledger, vnet("z", "a", "b"), now=2)
    assert answers(ledger)["z"] == [4]
    assert answers(ledger, "lab.privatelink.vaultcore.azure.net") == {"z": [9]}
    assert "invalid-record" not in codes(ledger)
    assert [rule for code, _, _, rule in finding_rows(ledger) if code == "conflicting-address"] == ["pin"]

    draw(ledger, gone="z", now=3)
    assert answers(ledger, "lab.privatelink.vaultcore.azure.net") == {}
    assert codes(ledger) == ["invalid-record", "pin-ignored"]


def test_a_pin_follows_the_name_of_its_network_though_nothing_else_changes() -> None:
    """A second VNet with the same name gives the network of the first one another name."""
    for network, before, after in (("a", [5], "incumbent"), ("a@rg", [4], "pin")):
        ledger = book(pins=(Pin(FQDN, "y", network=network),))
        draw(ledger, vnet("a", "h"), vnet("h", "a"))
        put(ledger, acct("x", 4, vnet="h"), acct("y", 5, vnet="h"))
        assert answers(ledger) == {"a": before, "h": [4]}
        assert ("pin-ignored" in codes(ledger)) is (network != "a")

        key = vnet_id("a").replace("/rg/", "/other/")
        ledger.set_vnets(
            {ResourceId(key): VirtualNetwork(ResourceId(key), "/VNET/twin", "weu", ("10.250.0.0/16",))}, WallTime(2)
        )
        assert answers(ledger) == {"a@rg": [5], "h": [4]}
        assert ("pin-ignored" in codes(ledger)) is (network == "a")
        assert {rule for code, _, _, rule in finding_rows(ledger) if code == "conflicting-address"} == {
            after,
            "resource-id",
        }


def test_a_pin_on_a_name_without_claims_is_reported_in_the_network_that_has_the_name_now() -> None:
    ledger = book(pins=(Pin(FQDN, "y", network="a"),))
    draw(ledger, vnet("a"))
    put(ledger, endpoint("z", record("other.vault.azure.net", 9), vnet="a"))
    assert one(ledger, "pin-ignored").networks.items == ("a",)

    key = vnet_id("a").replace("/rg/", "/other/")
    ledger.set_vnets(
        {ResourceId(key): VirtualNetwork(ResourceId(key), "/VNET/twin", "weu", ("10.250.0.0/16",))}, WallTime(2)
    )
    assert one(ledger, "pin-ignored").networks.items == ()


def test_shared_space_is_reported_until_a_configured_network_has_it() -> None:
    vnets = [vnet("a", prefixes=("10.0.0.0/16",)), vnet("b", prefixes=("10.0.0.0/16",))]
    ledger = book()
    draw(ledger, *vnets)
    assert finding_rows(ledger) == [("network-overlap", "10.0.0.0/16", "", "")]
    assert [item["vnet"] for item in shown(one(ledger, "network-overlap").evidence)["vnets"]] == ["/VNET/a", "/VNET/b"]
    draw(ledger, gone="b")
    assert finding_rows(ledger) == []

    said = book(Network("mine", ("10.0.0.0/16",), (vnet_id("a"),)))
    draw(said, *vnets)
    assert finding_rows(said) == []


# -- any history

VNETS = st.sampled_from("abcd")
SPACE = st.sampled_from([(), ("10.0.0.0/16",), ("10.0.1.0/24",), ("10.1.0.0/16",)])
DRAWN = st.builds(
    lambda name, peers, region, space: {vnet_id(name): vnet(name, *peers, region=region, prefixes=space)},
    VNETS, st.sets(VNETS, max_size=3), st.sampled_from(["weu", "neu"]), SPACE,
)  # fmt: skip
GONE = st.builds(lambda name: {vnet_id(name): None}, VNETS)
PUT = st.builds(
    lambda key, last, where: {
        key: acct(key, last, **({"network": where[1:]} if where.startswith("@") else {"vnet": where}))
    },
    st.sampled_from("xyz"), st.integers(1, 3), st.sampled_from(["", "a", "b", "e", "@c", "@onprem"]),
)  # fmt: skip
DROPPED = st.builds(lambda key: {key: None}, st.sampled_from("xyz"))


@hypothesis(max_examples=200)
@given(st.lists(DRAWN | GONE | PUT | DROPPED, max_size=12))
def test_any_history_ends_where_a_restart_with_its_memory_begins(history: list[Mapping[str, object]]) -> None:
    pins = (Pin(FQDN, "z", network="c"),)
    ledger = book(HAND, pins=pins)
    ledger.set_vnets({}, WallTime(0))
    for now, change in enumerate(history):
        if next(iter(change)).startswith("/"):
            ledger.set_vnets(change, now)  # type: ignore[arg-type]
        else:
            ledger.apply(change, now)  # type: ignore[arg-type]
    fresh = book(HAND, pins=pins, memory=remembered(ledger))
    fresh.set_vnets(dict(ledger.vnets), WallTime(99))
    fresh.apply(dict(ledger.endpoints), WallTime(99))

    assert answers(fresh) == answers(ledger)
    kept = [fact for fact in finding_rows(ledger) if fact[0] != "address-changed"]
    assert finding_rows(fresh) == kept
    assert set(fresh.networks.now) == set(ledger.networks.now)
    assert bool(fresh.rows.get(ROW)) == bool(ledger.rows.get(ROW)), PRIVATE


def test_dropping_all_leaves_nothing() -> None:
    ledger = book()
    draw(ledger, vnet("a"), vnet("b", "a"))
    put(ledger, acct("x", 4, vnet="a"))
    draw(ledger, gone="ab")
    drop(ledger, "x")
    assert (ledger.rows, ledger.vnets, ledger.networks.now, finding_rows(ledger)) == ({}, {}, (), [])
