"""Networks: the network of a client, the endpoints that are visible to a network, and how near they are."""

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId
from zones.networks.network import Network, NetworkMask, Networks, bits
from zones.networks.prefixes import NONE

SUB, OTHER_SUB = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"


def vnet(name: str, sub: str = SUB) -> str:
    return f"/subscriptions/{sub}/resourcegroups/rg/providers/microsoft.network/virtualnetworks/{name}"


def endpoint(vnet: str = "", *, region: str = "", network: str = "", key: str = "pe") -> Endpoint:
    return Endpoint(
        key=ResourceId(key),
        id=key,
        name=key,
        state=ConnectionState.APPROVED,
        vnet=ResourceId(vnet),
        region=region,
        network=network,
    )


def find(networks: Networks, address: str) -> str | None:
    index = networks.find(ip_address(address).packed)
    return None if index == NONE else networks.names[index]


def seen(networks: Networks, one: Endpoint) -> tuple[str, ...]:
    return networks.listed(networks.sees(one))


PREFIXES = Networks([
    Network("wide", ("10.0.0.0/8", "fd00::/8")),
    Network("narrow", ("10.1.0.0/16", "fd00:1::/32")),
    Network("host", ("10.1.2.3/32", "fd00:1::1/128")),
])  # fmt: skip


def test_the_longest_prefix_of_ipv4_wins() -> None:
    assert [find(PREFIXES, a) for a in ("10.2.0.1", "10.1.2.4", "10.1.2.3")] == ["wide", "narrow", "host"]


def test_the_longest_prefix_of_ipv6_wins() -> None:
    assert [find(PREFIXES, a) for a in ("fd00:2::1", "fd00:1::2", "fd00:1::1")] == ["wide", "narrow", "host"]


def test_an_ipv4_mapped_client_is_the_ipv4_client() -> None:
    assert find(PREFIXES, "::ffff:10.1.2.3") == "host"
    assert find(PREFIXES, "::ffff:192.0.2.1") is None


def test_a_client_in_no_prefix_is_in_no_network() -> None:
    assert PREFIXES.find(ip_address("192.0.2.1").packed) == NONE
    assert PREFIXES.find(ip_address("2001:db8::1").packed) == NONE


def test_prefixes_of_length_0_make_a_default_network() -> None:
    networks = Networks([Network("spoke", ("10.1.0.0/16",)), Network("rest", ("0.0.0.0/0", "::/0"))])

    assert [find(networks, a) for a in ("10.1.0.1", "192.0.2.1", "2001:db8::1")] == ["spoke", "rest", "rest"]


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
)
def test_the_network_is_that_of_the_longest_prefix_whatever_the_prefixes(
    drawn: list[tuple[int, int]], client: int
) -> None:
    prefixes = {str(ip_network((number >> (32 - size) << (32 - size), size))) for number, size in drawn}
    networks = Networks([Network(text, (text,)) for text in sorted(prefixes)])
    holding = [text for text in prefixes if ip_address(client) in ip_network(text)]

    expected = max(holding, key=lambda text: ip_network(text).prefixlen, default=None)
    assert find(networks, str(ip_address(client))) == expected


def test_without_a_configured_network_there_is_one_that_sees_everything() -> None:
    networks = Networks([])

    assert networks.implicit
    assert networks.names == ["default"]
    assert [find(networks, a) for a in ("192.0.2.1", "::1")] == ["default", "default"]
    for one in (endpoint(), endpoint(vnet("spoke")), endpoint(network="lab")):
        assert seen(networks, one) == ("default",)


def test_a_network_with_neither_home_nor_reach_sees_everything() -> None:
    networks = Networks([Network("all", ("10.0.0.0/8",)), Network("home", ("10.1.0.0/16",), (vnet("a"),))])

    assert seen(networks, endpoint(vnet("b"))) == ("all",)


def test_the_home_is_always_visible_and_ids_are_case_insensitive() -> None:
    networks = Networks([Network("a", (), (vnet("A").upper() + "/",), (vnet("b"),))])

    assert seen(networks, endpoint(vnet("a"))) == ("a",)
    assert seen(networks, endpoint(vnet("b"))) == ("a",)
    assert seen(networks, endpoint(vnet("c"))) == ()


def test_reach_by_vnet_subscription_region_and_all() -> None:
    networks = Networks([
        Network("vnet", (), (), (vnet("a"),)),
        Network("subscription", (), (), (f"/subscriptions/{SUB.upper()}",)),
        Network("region", (), (), ("region:West Europe",)),
        Network("all", (), (), ("all",)),
    ])  # fmt: skip

    assert seen(networks, endpoint(vnet("a"))) == ("vnet", "subscription", "all")
    assert seen(networks, endpoint(vnet("b"), region="westeurope")) == ("subscription", "region", "all")
    assert seen(networks, endpoint(vnet("c", OTHER_SUB))) == ("all",)


def test_an_endpoint_without_a_vnet_is_visible_to_all_or_to_the_network_that_it_names() -> None:
    networks = Networks([Network("a", (), (vnet("a"),)), Network("b", ())])

    assert seen(networks, endpoint()) == ("a", "b")
    assert seen(networks, endpoint(network="a")) == ("a",)
    assert seen(networks, endpoint(network="unknown")) == ()


def test_the_region_of_a_vnet_is_that_of_its_endpoints() -> None:
    networks = Networks([Network("north", (), (), ("region:northeurope",))])
    one = endpoint(vnet("a"), region="westeurope")
    assert seen(networks, one) == ()

    networks.learn({ResourceId(vnet("a")): "northeurope"})
    assert networks.region_of(one) == "northeurope"
    assert seen(networks, one) == ("north",)

    networks.learn({ResourceId(vnet("a")): ""})
    assert networks.region_of(one) == "westeurope"


def test_near_is_in_the_region_of_a_home() -> None:
    networks = Networks([Network("a", (), (vnet("a"), vnet("a2"))), Network("b", (), (vnet("b"),)), Network("c", ())])
    one = endpoint(vnet("x"), region="westeurope")
    assert networks.near(one) == 0

    assert networks.learn({ResourceId(vnet("a2")): "westeurope", ResourceId(vnet("b")): "northeurope"})
    assert networks.listed(networks.near(one)) == ("a",)
    assert networks.listed(networks.home(endpoint(vnet("b")))) == ("b",)
    assert networks.listed(networks.homeless) == ("c",)


def test_only_a_change_in_the_region_of_a_home_is_reported() -> None:
    networks = Networks([Network("a", (), (vnet("a"),))])

    assert networks.learn({ResourceId(vnet("a")): "westeurope"})
    assert not networks.learn({ResourceId(vnet("a")): "westeurope"})
    assert not networks.learn({ResourceId(vnet("x")): "northeurope"})
    assert networks.learn({ResourceId(vnet("a")): ""})


def test_endpoints_give_the_region_of_a_home_that_has_not_been_read() -> None:
    networks = Networks([Network("a", (), (vnet("a"),))])
    tenant, stranger = endpoint(vnet("a"), region="westeurope"), endpoint(vnet("x"), region="westeurope")
    assert networks.near(stranger) == 0

    assert networks.move(None, tenant)
    assert networks.near(stranger)
    assert not networks.move(None, tenant)
    assert not networks.move(None, endpoint(vnet("a"), region="northeurope", key="misplaced"))
    assert networks.near(stranger), "most tenants are there"
    assert networks.move(tenant, None), "a tie: the first by name"
    assert networks.near(stranger) == 0


def test_the_region_of_a_vnet_that_was_read_takes_precedence_over_its_endpoints() -> None:
    networks = Networks([Network("a", (), (vnet("a"),))])
    networks.learn({ResourceId(vnet("a")): "northeurope"})

    assert not networks.move(None, endpoint(vnet("a"), region="westeurope"))
    assert networks.near(endpoint(vnet("x"), region="northeurope"))
    assert not networks.near(endpoint(vnet("x"), region="westeurope"))


def test_an_endpoint_without_a_region_is_near_to_no_network() -> None:
    networks = Networks([Network("a", (), (vnet("a"),))])

    assert networks.near(endpoint(vnet("x"))) == 0


def test_names_and_masks() -> None:
    networks = Networks([Network("a", ()), Network("b", ())])

    assert (networks.named("b"), networks.named("c"), networks.named(None)) == (0b10, 0, 0b11)
    assert networks.listed(NetworkMask(0b11)) == ("a", "b")
    assert list(bits(NetworkMask(0b10100))) == [2, 4]
