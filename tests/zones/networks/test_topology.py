"""Networks derived from virtual networks: names, clients, visibility, and prefixes that two VNets have in common."""

from ipaddress import IPv4Network, ip_address

from hypothesis import given
from hypothesis import strategies as st

from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.networks.network import NO_NETWORK, Network, Networks
from zones.networks.overlap import space_of
from zones.networks.prefixes import NONE
from zones.networks.topology import networks

SUB, OTHER_SUB = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"


def vnet_id(name: str, group: str = "rg", sub: str = SUB) -> ResourceId:
    return ResourceId(f"/subscriptions/{sub}/resourcegroups/{group}/providers/microsoft.network/virtualnetworks/{name}")


def vnet(key: str, *prefixes: str, peers: tuple[str, ...] = (), region: str = "weu") -> VirtualNetwork:
    key = key if key.startswith("/") else vnet_id(key)
    return VirtualNetwork(ResourceId(key), key.upper(), region, prefixes, tuple(map(vnet_id, peers)))


def clients(made: tuple[Network, ...]) -> dict[str, tuple[str, ...]]:
    return {network.name: network.clients for network in made}


def where(made: tuple[Network, ...], address: str) -> str:
    """Return the name of the network that a client is in."""
    drawn = Networks(auto=True)
    drawn.replace(made)
    return drawn.label(drawn.find(ip_address(address).packed))


def test_each_vnet_is_a_network_of_its_clients_home_and_peers() -> None:
    assert networks([vnet("spoke", "10.1.0.0/16", peers=("hub",)), vnet("hub", "10.0.0.0/24", "fd00::/48")], ()) == (
        Network("hub", ("10.0.0.0/24", "fd00::/48"), (vnet_id("hub"),), (), vnet_id("hub")),
        Network("spoke", ("10.1.0.0/16",), (vnet_id("spoke"),), (vnet_id("hub"),), vnet_id("spoke")),
    )


def test_peers_of_peers_are_not_visible() -> None:
    hub = vnet("hub", peers=("a", "b"))
    drawn = Networks(auto=True)
    drawn.replace(networks([hub, vnet("a", peers=("hub",)), vnet("b", peers=("hub",))], ()))

    assert drawn.listed(drawn.sees_vnet(vnet_id("a"), "")) == ("a", "hub")
    assert drawn.listed(drawn.sees_vnet(vnet_id("hub"), "")) == ("a", "b", "hub")


def test_without_vnets_there_are_only_the_configured_networks() -> None:
    made = (Network("vpn", ("172.16.0.0/24",)),)

    assert networks((), made) == made
    assert where((), "10.0.0.1") == NO_NETWORK


# -- names


def test_vnets_with_the_same_name_all_get_longer_names() -> None:
    twins = [vnet(vnet_id("spoke", "one")), vnet(vnet_id("spoke", "two")), vnet(vnet_id("spoke", "two", OTHER_SUB))]

    assert [network.name for network in networks(twins, ())] == [
        "spoke@one", f"spoke@two@{SUB}", f"spoke@two@{OTHER_SUB}",
    ]  # fmt: skip


def test_a_vnet_gets_no_reserved_or_configured_name() -> None:
    made = networks([vnet("none"), vnet("default"), vnet("auto"), vnet("hub"), vnet("spoke")], [Network("Hub", ())])

    assert [network.name for network in made] == ["Hub", "auto@rg", "default@rg", "hub@rg", "none@rg", "spoke"]


# -- prefixes


def test_a_prefix_of_two_vnets_is_in_no_network() -> None:
    made = networks([vnet("a", "10.0.0.0/16", "10.1.0.0/16"), vnet("b", "10.0.0.0/16"), vnet("c", "10.0.0.0/8")], ())

    assert clients(made) == {
        "a": (), "b": (), "c": ("10.0.0.0/8",), NO_NETWORK: ("10.0.0.0/16", "10.1.0.0/16"),
    }  # fmt: skip
    assert [where(made, address) for address in ("10.0.0.1", "10.1.0.1", "10.2.0.1")] == [NO_NETWORK, NO_NETWORK, "c"]


def test_a_longer_prefix_inside_that_of_another_vnet_is_in_no_network() -> None:
    made = networks([vnet("big", "10.0.0.0/8"), vnet("small", "10.0.1.0/24", "192.168.0.0/24")], ())

    assert clients(made) == {"big": ("10.0.0.0/8",), "small": ("192.168.0.0/24",), NO_NETWORK: ("10.0.1.0/24",)}
    assert where(made, "10.0.1.9") == NO_NETWORK


def test_prefixes_of_one_vnet_inside_each_other_are_in_its_network() -> None:
    assert clients(networks([vnet("a", "10.0.0.0/16", "10.0.1.0/24", "10.0.0.0/16", "bad")], ())) == {
        "a": ("10.0.0.0/16",)
    }


def test_a_configured_network_takes_precedence_with_an_equal_prefix() -> None:
    vnets = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16"), vnet("c", "10.3.0.0/16")]
    made = networks(vnets, [Network("mine", ("10.0.0.0/16", "10.3.0.0/16"), (vnet_id("a"),))])

    assert clients(made) == {"mine": ("10.0.0.0/16", "10.3.0.0/16"), "a": (), "b": (), "c": ()}


def test_a_configured_network_takes_precedence_with_a_longer_prefix_and_not_with_a_shorter_one() -> None:
    vnets = [vnet("a", "10.0.0.0/16"), vnet("b", "10.0.0.0/16"), vnet("c", "10.3.0.0/16")]
    made = networks(vnets, [Network("onprem", ("10.0.0.0/8",)), Network("vpn", ("10.0.5.0/24", "10.3.5.0/24"))])

    assert [where(made, address) for address in ("10.0.5.1", "10.3.5.1", "10.3.6.1", "10.9.0.1", "10.0.6.1")] == [
        "vpn", "vpn", "c", "onprem", NO_NETWORK,
    ]  # fmt: skip


PREFIXES = st.builds(
    lambda number, length: str(IPv4Network((0x0A000000 + (number >> 32 - length << 32 - length), length))),
    st.integers(0, 0xFFFF),
    st.integers(12, 32),
)
SPACES = st.lists(PREFIXES, max_size=4).map(tuple)


@given(st.dictionaries(st.sampled_from("abcdef"), SPACES), SPACES, st.integers(0, 0xFFFF))
def test_a_client_is_in_the_network_of_its_only_vnet_or_in_a_configured_one(
    spaces: dict[str, tuple[str, ...]], by_hand: tuple[str, ...], number: int
) -> None:
    address = ip_address(0x0A000000 + number)
    vnets = [vnet(name, *prefixes) for name, prefixes in spaces.items()]
    made = networks(vnets, [Network("hand", by_hand)])
    holding = {name for name, prefixes in spaces.items() if any(address in IPv4Network(p) for p in prefixes)}
    longest = max((IPv4Network(p).prefixlen for p in by_hand if address in IPv4Network(p)), default=-1)
    # The longest prefix decides; a configured network wins where its prefix is as long or longer.
    shared = max((s.length for v in vnets for s in space_of(v) if address in IPv4Network(str(s))), default=-1)

    if longest >= shared and longest >= 0:
        assert where(made, str(address)) == "hand"
    elif len(holding) == 1:
        assert where(made, str(address)) == holding.pop()
    else:
        assert where(made, str(address)) == NO_NETWORK


@given(st.permutations("abcdef"), st.lists(SPACES, min_size=6, max_size=6))
def test_the_order_of_vnets_does_not_matter(order: list[str], spaces: list[tuple[str, ...]]) -> None:
    by_name = dict(zip("abcdef", spaces, strict=True))

    assert networks([vnet(name, *by_name[name]) for name in order], ()) == networks(
        [vnet(name, *by_name[name]) for name in "abcdef"], ()
    )


# -- indices


@given(st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=6))
def test_an_index_keeps_its_identity_through_all_changes(history: list[set[str]]) -> None:
    drawn = Networks(auto=True)
    known: dict[str, int] = {}
    for names in history:
        drawn.replace(networks([vnet(name, f"10.{ord(name)}.0.0/16") for name in names], ()))
        for name in sorted(names):
            index = drawn.find(bytes((10, ord(name), 0, 1)))
            assert known.setdefault(name, index) == index
            assert drawn.label(index) == name
        for name in known.keys() - names:
            assert drawn.find(bytes((10, ord(name), 0, 1))) == drawn.find_named(name) == NONE
            assert drawn.named(name) == 0
        assert drawn.listed(drawn.all) == tuple(sorted(names, key=lambda name: known[name]))


def test_an_index_is_not_reused_for_another_vnet_with_the_same_name() -> None:
    one, two = vnet(vnet_id("spoke", "one"), "10.1.0.0/16"), vnet(vnet_id("spoke", "two"), "10.2.0.0/16")
    drawn = Networks(auto=True)
    drawn.replace(networks([one], ()))
    first = drawn.find_named("spoke")
    drawn.replace(networks([one, two], ()))
    assert (drawn.find_named("spoke@one"), drawn.label(first)) == (first, "spoke@one")
    drawn.replace(networks([two], ()))
    assert drawn.find_named("spoke") not in {first, NONE}
