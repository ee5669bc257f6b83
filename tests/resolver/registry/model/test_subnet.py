"""Prefixes of subnets: which are accepted, and which addresses of them endpoints can have."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.registry.model.subnet import Subnet, check_apart, check_within, read_prefix
from tests.resolver.registry.model.refused import refused

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/pe"


def prefix_texts(shortest: int = 8, longest: int = 29) -> st.SearchStrategy[str]:
    return st.builds(
        lambda length, at: f"{ip_address((10 << 24) | ((at << (32 - length)) & 0xFFFFFF))}/{length}",
        st.integers(shortest, longest),
        st.integers(0, 2**24),
    )


@given(prefix_texts())
def test_of_each_prefix_all_are_usable_but_the_first_four_and_the_last(text: str) -> None:
    network = ip_network(text)
    (usable,) = Subnet(ID, [text]).usable(4)
    assert len(usable) == network.num_addresses - 5
    assert usable.start == int(network.network_address) + 4
    assert usable[-1] == int(network.broadcast_address) - 1


@given(prefix_texts(shortest=24), st.integers(0, 255))
def test_a_static_address_is_accepted_exactly_where_it_is_usable(text: str, at: int) -> None:
    network = ip_network(text)
    subnet = Subnet(ID, [text])
    at %= network.num_addresses
    address = network[at]
    if 4 <= at < network.num_addresses - 1:
        assert subnet.check_static(str(address)) == address
    else:
        with refused("PrivateIPAddressInReservedRange", str(address), str(network[4]), str(network[-2])):
            subnet.check_static(str(address))


def test_an_address_elsewhere_is_refused_with_the_prefixes_of_the_subnet() -> None:
    subnet = Subnet(ID, ["10.1.0.0/24", "10.2.0.0/24"])
    with refused("PrivateIPAddressNotInSubnet", "10.3.0.4", "10.1.0.0/24, 10.2.0.0/24", ID):
        subnet.check_static("10.3.0.4")
    with refused("PrivateIPAddressNotInSubnet", "fd00::4"):
        subnet.check_static("fd00::4")


@pytest.mark.parametrize("text", ["", "10.1.0", "10.1.0.4/28", "10.1.0.256", "host", "x" * 500])
def test_a_static_address_that_is_no_address_is_refused(text: str) -> None:
    with refused("InvalidIPAddressFormat", "IP address"):
        Subnet(ID, ["10.1.0.0/24"]).check_static(text)


@pytest.mark.parametrize("text", ["10.1.0.0/30", "10.1.0.0/31", "10.1.0.0/32", "0.0.0.0/0", "fd00::/48", "fd00::/65"])
def test_a_prefix_of_the_wrong_length_is_refused(text: str) -> None:
    with refused("NetcfgInvalidSubnet", text, "IPv"):
        Subnet(ID, [text])


def test_the_smallest_subnet_has_three_usable_addresses() -> None:
    assert [len(each) for each in Subnet(ID, ["10.1.0.0/29"]).usable(4)] == [3]


def test_an_ipv6_prefix_is_accepted_beside_an_ipv4_prefix() -> None:
    subnet = Subnet(ID, ["10.1.0.0/24", "fd00:db8::/64"])
    assert str(subnet.check_static("fd00:db8::4")) == "fd00:db8::4"
    with refused("PrivateIPAddressInReservedRange", "fd00:db8::3"):
        subnet.check_static("fd00:db8::3")


@pytest.mark.parametrize("text", ["", "10.1.0.0", "10.1.0.1/24", "10.1.0.0/33", "prefix", "10.1.0.0/24/25"])
def test_a_text_that_is_no_prefix_is_refused(text: str) -> None:
    with refused("InvalidAddressPrefixFormat", "10.1.0.0/24"):
        read_prefix(text)


def test_a_subnet_without_a_prefix_is_refused() -> None:
    with refused("InvalidAddressPrefixFormat", ID):
        Subnet(ID, [])


@given(st.lists(prefix_texts(shortest=10, longest=20), min_size=2, max_size=5))
def test_prefixes_that_overlap_are_refused_and_others_are_not(texts: list[str]) -> None:
    networks = [read_prefix(text) for text in texts]
    pairs = [(a, b) for i, a in enumerate(networks) for b in networks[i + 1 :]]
    if any(str(a) == str(b) or ip_network(str(a)).overlaps(ip_network(str(b))) for a, b in pairs):
        with refused("NetcfgSubnetRangesOverlap", "overlap", ID):
            check_apart(networks, ID)
    else:
        check_apart(networks, ID)


def test_a_subnet_outside_the_address_space_of_its_network_is_refused() -> None:
    space = [read_prefix("10.1.0.0/16"), read_prefix("fd00:db8::/48")]
    check_within([read_prefix("10.1.7.0/24"), read_prefix("fd00:db8::/64")], space, ID)
    for outside in ("10.2.0.0/24", "10.0.0.0/8", "fd00:db9::/64"):
        with refused("NetcfgInvalidSubnet", outside, "10.1.0.0/16, fd00:db8::/48"):
            check_within([read_prefix(outside)], space, ID)
