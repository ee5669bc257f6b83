"""Which prefix holds an address, and which nearly do."""

from ipaddress import ip_address

from zones.networks.membership import membership
from zones.networks.network import Network

NETWORKS = (
    Network("hub", ("10.0.0.0/16", "10.0.0.0/8", "fd00::/8")),
    Network("spoke", ("10.1.0.0/16", "192.168.0.0/24")),
    Network("lab", ("172.16.0.0/12",)),
)


def texts(address: str, networks: tuple[Network, ...] = NETWORKS) -> tuple[list[str], list[str]]:
    found = membership(networks, ip_address(address).packed)
    holds, nearest = ([f"{each.network} {each.prefix}" for each in some] for some in found)
    return holds, nearest


def test_all_prefixes_that_hold_an_address_are_named_the_longest_first() -> None:
    assert texts("10.1.0.4") == (["spoke 10.1.0.0/16", "hub 10.0.0.0/8"], [])


def test_an_address_in_no_network_has_the_prefixes_that_share_the_most_leading_bits() -> None:
    assert texts("10.9.0.4", NETWORKS[1:]) == ([], ["spoke 10.1.0.0/16", "lab 172.16.0.0/12", "spoke 192.168.0.0/24"])


def test_prefixes_of_the_other_address_family_are_never_near() -> None:
    assert texts("2001:db8::1") == ([], ["hub fd00::/8"])
    assert texts("2001:db8::1", NETWORKS[1:]) == ([], [])
