"""Which network an address is in, and what the configuration says of it."""

from ipaddress import ip_address
from typing import Any

import msgspec
import pytest

from resolver import settings
from resolver.host_port import HostPort
from resolver.settings import NetworkListener
from resolver.worker.access.clients import DROPPED, PROXY, REFUSED, Client, Clients, packed
from zones.networks.network import Network, Networks
from zones.networks.prefixes import NONE, NetworkIndex

BOUND = HostPort("127.0.0.2", 53)
ALLOW = ("10.0.0.0/8", "fc00::/7", "192.168.0.0/16", "fe80::/10")
NETWORKS = (Network("a", ("10.0.0.0/8",)), Network("b", ("10.1.0.0/16", "fd00::/8")))


def clients(networks: tuple[Network, ...] = NETWORKS, **keys: Any) -> Clients:  # noqa: ANN401 - keys of the settings
    return Clients(Networks(networks), msgspec.structs.replace(settings.WorkerSettings((), ALLOW), **keys))


def at(address: str) -> bytes:
    return ip_address(address).packed


def test_the_network_of_a_client_is_found_once_and_within_bounds() -> None:
    known = clients()
    for address, network in {
        "10.0.0.1": 0, "10.1.0.1": 1, "fd00::1": 1, "192.168.1.1": NONE, "192.0.2.1": REFUSED, "2001:db8::1": REFUSED,
        "::ffff:10.1.0.1": 1, "::ffff:192.0.2.1": REFUSED, "fe80::1%eth0": NONE,
    }.items():  # fmt: skip
        assert known.find(packed(address)) == network
        assert known.find(packed(address)) == network
    assert len(known.known) == 7, "mapped addresses are those of IPv4"
    for i in range(70_000):
        known.find(packed(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"))
    assert len(known.known) <= 65_536


def test_an_address_to_drop_is_dropped_whether_allowed_or_not() -> None:
    known = clients(drop_clients=("10.9.0.0/16", "192.0.2.0/24"))
    assert [known.find(packed(each)) for each in ("10.9.0.1", "192.0.2.1", "10.8.0.1")] == [DROPPED, DROPPED, 0]


def test_a_proxy_is_known_as_one_and_as_a_client_by_what_it_tells() -> None:
    known = clients(proxy_from=("10.0.0.0/28",))
    assert known.find(packed("10.0.0.1")) == PROXY
    assert known.find(packed("10.0.0.17")) == 0
    assert known.client(at("10.1.2.3")) == Client(at("10.1.2.3"), NetworkIndex(1))
    assert known.client(at("10.0.0.1")) == Client(at("10.0.0.1"), NetworkIndex(0)), "a proxy's own query, by LOCAL"


def test_an_ipv4_mapped_address_is_the_ipv4_address() -> None:
    assert packed("::ffff:10.1.2.3") == at("10.1.2.3")
    assert packed("fe80::1%3") == at("fe80::1")


def test_only_listed_resolvers_are_forwarders() -> None:
    known = clients(forwarders=("10.0.0.53/32",))
    assert known.client(at("10.0.0.53")).forwarder
    assert not known.client(at("10.0.0.54")).forwarder


@pytest.mark.parametrize(
    ("subnet", "length", "network", "scope"),
    [
        ("10.1.2.0", 24, 1, 16),  # inside one network: all of its prefix has the same answer
        ("10.1.2.3", 32, 1, 16),
        ("10.1.0.0", 16, 1, 16),
        ("10.2.0.0", 16, 0, 15),  # inside the wider one alone, and 10.2.0.0/15 is beside 10.1.0.0/16
        ("10.0.7.0", 24, 0, 16),  # 10.0.0.0/15 has addresses of both
        ("10.200.0.0", 16, 0, 9),
        ("10.0.0.0", 8, NONE, 16),  # the wider one has a hole: what holds depends on 16 bits
        ("10.0.0.0", 7, NONE, 16),
        ("192.168.0.0", 24, NONE, 1),  # in none, as all addresses from 128.0.0.0
        ("11.0.0.0", 24, NONE, 8),
        ("0.0.0.0", 0, NONE, 16),
        ("fd12::", 48, 1, 8),
    ],
)
def test_a_subnet_counts_only_when_it_lies_whole_in_one_network(
    subnet: str, length: int, network: int, scope: int
) -> None:
    forwarder = Client(at("10.3.0.1"), NetworkIndex(0), forwarder=True)
    expected = forwarder.network if network == NONE else network
    known = clients()
    for _ in range(2):  # the second time from memory
        assert known.subnet(forwarder, at(subnet), length) == (expected, scope)


def test_the_scope_is_never_zero() -> None:
    assert clients(()).subnet(Client(at("10.3.0.1"), NetworkIndex(0), forwarder=True), at("0.0.0.0"), 0) == (0, 1)


def test_a_network_may_have_two_prefixes_in_one_subnet() -> None:
    known = clients((Network("a", ("10.0.0.0/25", "10.0.0.128/25")),))
    forwarder = Client(at("10.3.0.1"), NONE, forwarder=True)
    assert known.subnet(forwarder, at("10.0.0.0"), 24) == (NONE, 25), "the two are not known to be the whole"


def test_only_addresses_that_are_not_local_have_a_limit_without_a_cookie() -> None:
    allow = ("0.0.0.0/0", "::/0")
    known = clients(allow=allow)
    local = ("10.0.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1")
    assert {known.client(at(each)).factor for each in (*local, "fe80::1")} == {0}
    assert {known.client(at(each)).factor for each in ("192.0.2.1", "172.32.0.1", "2001:db8::1")} == {10}
    assert {clients().client(at("192.0.2.1")).factor} == {10}, "a client that is refused"
    given = clients(allow=allow, unproven=settings.Unproven(("192.0.2.0/24",), 3))
    assert [given.client(at(each)).factor for each in ("192.0.2.1", "10.0.0.1")] == [0, 3]


# -- networks that change


def test_when_networks_change_every_client_is_looked_at_anew() -> None:
    known = clients(forwarders=("10.0.0.53/32",), listeners=(NetworkListener(BOUND, "b"),))
    bound = known.at(BOUND)
    forwarder = known.client(at("10.0.0.53"))
    assert [known.find(at("10.1.0.1")), known.find(at("10.7.0.1")), bound.find(at("10.7.0.1"))] == [1, 0, 1]
    assert known.subnet(forwarder, at("10.1.2.0"), 24) == (1, 16)

    known.replace((Network("a", ("10.1.0.0/16",)), Network("c", ("10.7.0.0/16",), key="/c")))
    found = [known.find(at(each)) for each in ("10.1.0.1", "10.7.0.1", "10.2.0.1")]
    assert [*found, bound.find(at("10.7.0.1"))] == [0, 2, NONE, NONE]
    assert known.peer(at("10.7.0.1")) == Client(at("10.7.0.1"), NetworkIndex(2))
    assert known.subnet(forwarder, at("10.1.2.0"), 24) == (0, 16)


# -- listeners for one network


def test_all_who_are_allowed_are_in_the_network_of_their_listener() -> None:
    known = clients(
        listeners=(NetworkListener(BOUND, "b"),), drop_clients=("10.9.0.0/16",), forwarders=("10.0.0.53/32",)
    )
    bound = known.at(BOUND)
    assert known.at(HostPort("127.0.0.1", 53)) is known
    assert known.at(BOUND) is bound
    assert [bound.find(at(each)) for each in ("10.0.0.1", "192.168.0.1", "192.0.2.1", "10.9.0.1")] == [
        1, 1, REFUSED, DROPPED,
    ]  # fmt: skip
    assert not bound.client(at("10.0.0.53")).forwarder, "whatever subnet it tells"


def test_a_listener_for_a_network_that_is_not_there_is_for_none() -> None:
    known = clients(listeners=(NetworkListener(BOUND, "spoke"),))
    bound = known.at(BOUND)
    assert bound.find(at("10.1.0.1")) == NONE

    known.replace((Network("spoke", ()),))
    assert bound.find(at("10.1.0.1")) == known.networks.find_named("spoke") != NONE
