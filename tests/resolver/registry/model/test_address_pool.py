"""The addresses of a subnet: given out once, the lowest first, and held after their release."""

from ipaddress import IPv4Address, ip_address
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from resolver.registry.model.address_pool import AddressPool, AddressRow
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.subnet import Address, Subnet
from tests.resolver.registry.model.refused import refused
from zones.clocks import WallTime

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/pe"
NOW = WallTime(1_000_000.0)
HOLD = 60.0


def pool(*prefixes: str, hold: float = HOLD, rows: list[AddressRow] | None = None) -> AddressPool:
    return AddressPool(Subnet(ID, prefixes or ("10.1.0.0/24",)), hold, rows or ())


def later(seconds: float) -> WallTime:
    return WallTime(NOW + seconds)


def test_the_first_endpoint_gets_the_fifth_address_and_the_next_ones_those_after_it() -> None:
    one = pool()
    assert [str(one.take(f"pe{n}", NOW)) for n in range(3)] == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]
    assert one.used == 3
    assert one.owner(ip_address("10.1.0.5")) == "pe1"
    assert one.owner(ip_address("10.1.0.7")) is None


def test_a_dynamic_address_passes_over_static_ones() -> None:
    one = pool()
    assert str(one.take_static("pe0", "10.1.0.4", NOW)) == "10.1.0.4"
    assert str(one.take_static("pe1", "10.1.0.6", NOW)) == "10.1.0.6"
    assert [str(one.take(f"pe{n}", NOW)) for n in (2, 3)] == ["10.1.0.5", "10.1.0.7"]


def test_an_address_in_use_is_refused_with_who_uses_it() -> None:
    one = pool()
    one.take("/subscriptions/s/…/privateEndpoints/first", NOW)
    with refused("PrivateIPAddressInUse", "10.1.0.4", "privateEndpoints/first", ID):
        one.take_static("second", "10.1.0.4", NOW)
    assert one.owner(ip_address("10.1.0.4")) == "/subscriptions/s/…/privateEndpoints/first"


def test_a_released_address_is_not_given_again_until_the_hold_is_over() -> None:
    one = pool()
    first = one.take("pe0", NOW)
    one.release(first, NOW)
    assert str(one.take("pe1", later(59))) == "10.1.0.5"
    with refused("PrivateIPAddressInUse", "10.1.0.4", "held for 1 more second"):
        one.take_static("pe2", "10.1.0.4", later(59))
    assert one.take("pe3", later(60)) == first


def test_without_a_hold_an_address_is_free_at_once() -> None:
    one = pool(hold=0.0)
    first = one.take("pe0", NOW)
    one.release(first, NOW)
    assert one.take_static("pe1", str(first), NOW) == first


def test_an_address_of_a_request_that_failed_is_free_at_once() -> None:
    one = pool()
    first = one.take("pe0", NOW)
    one.undo(first)
    assert one.take("pe1", NOW) == first
    far = one.take_static("pe2", "10.1.0.200", NOW)
    one.undo(far)
    assert one.take_static("pe3", "10.1.0.200", NOW) == far


def test_a_full_subnet_is_refused_with_its_numbers() -> None:
    one = pool("10.1.0.0/29")
    taken = [one.take(f"pe{n}", NOW) for n in range(3)]
    with refused("SubnetIsFull", ID, "10.1.0.0/29", "all 3 are in use"):
        one.take("pe3", NOW)
    one.release(taken[1], NOW)
    with refused("SubnetIsFull", "2 are in use, and 1 are held"):
        one.take("pe3", NOW)
    assert one.take("pe3", later(HOLD)) == taken[1]


def test_all_prefixes_of_a_subnet_are_used() -> None:
    one = pool("10.2.0.0/29", "10.1.0.0/29")
    assert {str(one.take("pe", NOW)) for _ in range(6)} == {f"10.{n}.0.{k}" for n in (1, 2) for k in (4, 5, 6)}


def test_an_ipv6_address_comes_from_the_ipv6_prefix() -> None:
    one = pool("10.1.0.0/24", "fd00:db8::/64")
    assert [str(one.take("pe", NOW, 6)) for _ in range(2)] == ["fd00:db8::4", "fd00:db8::5"]
    assert str(one.take("pe", NOW)) == "10.1.0.4"
    with refused("SubnetIsFull", "no IPv6 prefix"):
        pool().take("pe", NOW, 6)


def test_a_pool_from_stored_rows_goes_on_where_the_other_was() -> None:
    rows = [
        AddressRow(IPv4Address("10.1.0.4"), "pe0"),
        AddressRow(IPv4Address("10.1.0.5"), "", later(-30)),
        AddressRow(IPv4Address("10.1.0.6"), "", later(-90)),
        AddressRow(IPv4Address("10.9.0.4"), "elsewhere"),
        AddressRow(IPv4Address("10.9.0.5"), "", later(-90)),
    ]
    one = pool(rows=rows)
    assert [str(one.take("new", NOW)) for _ in range(2)] == ["10.1.0.6", "10.1.0.7"]
    assert one.owner(ip_address("10.9.0.4")) == "elsewhere"


def test_a_release_of_an_address_that_nobody_uses_changes_nothing() -> None:
    one = pool()
    one.release(IPv4Address("10.1.0.4"), NOW)
    one.undo(IPv4Address("10.1.0.5"))
    assert [str(one.take("pe", NOW)) for _ in range(2)] == ["10.1.0.4", "10.1.0.5"]


def test_every_address_of_a_large_subnet_is_given_once() -> None:
    """65,531 addresses, some of them released and given again: a search that begins at the start would not end."""
    one = pool("10.1.0.0/16")
    taken = [one.take("pe", NOW) for _ in range(2**16 - 5)]
    assert len(set(taken)) == 2**16 - 5
    with refused("SubnetIsFull", "all 65,531"):
        one.take("pe", NOW)
    for address in taken[::8]:
        one.release(address, NOW)
    assert [one.take("pe", later(HOLD)) for _ in taken[::8]] == taken[::8]
    rebuilt = AddressPool(one.subnet, HOLD, [AddressRow(address, "pe") for address in taken[:-1]])
    assert rebuilt.take("pe", NOW) == taken[-1]


def test_an_address_that_comes_and_goes_costs_no_memory() -> None:
    one = pool(hold=0.0)
    one.take_static("pe", "10.1.0.4", NOW)
    assert str(one.take("other", NOW)) == "10.1.0.5"
    for at in range(1_000):
        one.release(IPv4Address("10.1.0.4"), later(at))
        one.take_static("pe", "10.1.0.4", later(at))
    family = one._families[4]
    assert len(family._returned) + len(family._ends) <= 2


class Pool(RuleBasedStateMachine):
    """The pool beside two plain dictionaries, which are searched from the start each time."""

    PREFIXES: ClassVar = ("10.1.0.16/29", "10.1.0.0/28")

    def __init__(self) -> None:
        super().__init__()
        self.subnet = Subnet(ID, self.PREFIXES)
        self.pool = AddressPool(self.subnet, HOLD)
        self.numbers = sorted(number for each in self.subnet.usable(4) for number in each)
        self.used: dict[Address, str] = {}
        self.released: dict[Address, WallTime] = {}
        self.now = NOW
        self.count = 0

    def free(self) -> list[Address]:
        held = {address for address, at in self.released.items() if at + HOLD > self.now}
        every = [IPv4Address(number) for number in self.numbers]
        return [address for address in every if address not in self.used and address not in held]

    def gave(self, address: Address, owner: str) -> None:
        self.used[address] = owner
        self.released.pop(address, None)

    @rule()
    def take(self) -> None:
        owner, free = f"pe{self.count}", self.free()
        self.count += 1
        if free:
            assert self.pool.take(owner, self.now) == free[0]
            self.gave(free[0], owner)
        else:
            with refused("SubnetIsFull", ID):
                self.pool.take(owner, self.now)

    @rule(last=st.integers(0, 31))
    def take_static(self, last: int) -> None:
        address = IPv4Address(f"10.1.0.{last}")
        if address in self.free():
            assert self.pool.take_static("static", str(address), self.now) == address
            self.gave(address, "static")
            return
        with pytest.raises(ArmFailure) as caught:
            self.pool.take_static("static", str(address), self.now)
        if int(address) in self.numbers:
            assert caught.value.code == "PrivateIPAddressInUse"
        elif last < 24:
            assert caught.value.code == "PrivateIPAddressInReservedRange"
        else:
            assert caught.value.code == "PrivateIPAddressNotInSubnet"

    @precondition(lambda self: self.used)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        address = data.draw(st.sampled_from(sorted(self.used, key=int)))
        self.pool.release(address, self.now)
        del self.used[address]
        self.released[address] = self.now

    @precondition(lambda self: self.used)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        address = data.draw(st.sampled_from(sorted(self.used, key=int)))
        self.pool.undo(address)
        del self.used[address]

    @rule(seconds=st.sampled_from([0.0, 1.0, 30.0, 59.0, 60.0, 200.0]))
    def wait(self, seconds: float) -> None:
        self.now = WallTime(self.now + seconds)

    @rule()
    def restart(self) -> None:
        """Make the pool again from the rows that a database would have."""
        rows = [AddressRow(address, owner) for address, owner in self.used.items()]
        rows += [AddressRow(address, "", at) for address, at in self.released.items()]
        self.pool = AddressPool(self.subnet, HOLD, rows)

    @invariant()
    def both_agree_on_the_owners(self) -> None:
        assert self.pool.used == len(self.used)
        for number in self.numbers:
            address = IPv4Address(number)
            assert self.pool.owner(address) == self.used.get(address)


TestPool = Pool.TestCase
TestPool.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
