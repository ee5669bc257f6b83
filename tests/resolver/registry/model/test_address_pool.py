"""The addresses of a subnet: given out once, the lowest first, and held after their release."""

from ipaddress import IPv4Address, ip_address
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from resolver.registry.model.address_pool import AddressRow, IpVersion
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.subnet import Address, Subnet
from tests.resolver.registry.model.refused import refused
from tests.resolver.registry.model.stored_addresses import Stored
from zones.clocks import WallTime

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/pe"
NOW = WallTime(1_000_000.0)
HOLD = 60.0


def subnet(*prefixes: str, hold: float = HOLD) -> Stored:
    return Stored(Subnet(ID, prefixes or ("10.1.0.0/24",)), hold)


def later(seconds: float) -> WallTime:
    return WallTime(NOW + seconds)


def test_the_first_endpoint_gets_the_fifth_address_and_the_next_ones_those_after_it() -> None:
    one = subnet()
    assert [str(one.take(f"pe{n}", NOW)) for n in range(3)] == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]


def test_a_dynamic_address_passes_over_static_ones() -> None:
    one = subnet()
    assert str(one.take_static("pe0", "10.1.0.4", NOW)) == "10.1.0.4"
    assert str(one.take_static("pe1", "10.1.0.6", NOW)) == "10.1.0.6"
    assert [str(one.take(f"pe{n}", NOW)) for n in (2, 3)] == ["10.1.0.5", "10.1.0.7"]


def test_an_address_in_use_is_refused_with_who_uses_it() -> None:
    one = subnet()
    one.take("/subscriptions/s/…/privateEndpoints/first", NOW)
    with refused("PrivateIPAddressInUse", "10.1.0.4", "privateEndpoints/first", ID):
        one.take_static("second", "10.1.0.4", NOW)


def test_a_released_address_is_not_given_again_until_the_hold_is_over() -> None:
    one = subnet()
    first = one.take("pe0", NOW)
    one.release(first, NOW)
    assert str(one.take("pe1", later(59))) == "10.1.0.5"
    with refused("PrivateIPAddressInUse", "10.1.0.4", "held for 1 more second"):
        one.take_static("pe2", "10.1.0.4", later(59))
    assert one.take("pe3", later(60)) == first


def test_without_a_hold_an_address_is_free_at_once() -> None:
    one = subnet(hold=0.0)
    first = one.take("pe0", NOW)
    one.release(first, NOW)
    assert one.take_static("pe1", str(first), NOW) == first


def test_a_full_subnet_is_refused_with_its_numbers() -> None:
    one = subnet("10.1.0.0/29")
    taken = [one.take(f"pe{n}", NOW) for n in range(3)]
    with refused("SubnetIsFull", ID, "10.1.0.0/29", "all 3 are in use"):
        one.take("pe3", NOW)
    one.release(taken[1], NOW)
    with refused("SubnetIsFull", "2 are in use, and 1 are held"):
        one.take("pe3", NOW)
    assert one.take("pe3", later(HOLD)) == taken[1]


def test_all_prefixes_of_a_subnet_are_used() -> None:
    one = subnet("10.2.0.0/29", "10.1.0.0/29")
    assert {str(one.take("pe", NOW)) for _ in range(6)} == {f"10.{n}.0.{k}" for n in (1, 2) for k in (4, 5, 6)}


def test_an_ipv6_address_comes_from_the_ipv6_prefix() -> None:
    one = subnet("10.1.0.0/24", "fd00:db8::/64")
    assert [str(one.take("pe", NOW, 6)) for _ in range(2)] == ["fd00:db8::4", "fd00:db8::5"]
    assert str(one.take("pe", NOW)) == "10.1.0.4"
    with refused("SubnetIsFull", "no IPv6 prefix"):
        subnet().take("pe", NOW, 6)


def test_rows_outside_the_prefixes_do_not_count() -> None:
    """A change of the prefixes can leave them."""
    one = subnet("10.1.0.0/29")
    one.rows = {IPv4Address(f"10.{n}.0.{k}"): AddressRow("pe") for n in (0, 9) for k in range(4, 7)}
    assert [str(one.take("new", NOW)) for _ in range(3)] == ["10.1.0.4", "10.1.0.5", "10.1.0.6"]
    with refused("SubnetIsFull", "all 3 are in use"):
        one.take("new", NOW)


class _Full(Stored):
    """Every address but one is in use. Counts the questions of the pool."""

    free = ip_address("fd00:db8::dead:beef")
    asked = 0

    def count(self, first: Address, last: Address) -> int:
        self.asked += 1
        return int(last) - int(first) + 1 - (int(first) <= int(self.free) <= int(last))


@pytest.mark.parametrize(("prefix", "most"), [("10.0.0.0/8", 26), ("fd00:db8::/64", 66)])
def test_the_one_free_address_of_a_huge_subnet_is_found_with_few_counts(prefix: str, most: int) -> None:
    one = _Full(Subnet(ID, (prefix,)), HOLD)
    version: IpVersion = 6 if ":" in prefix else 4
    one.free = ip_address("fd00:db8::dead:beef" if version == 6 else "10.200.3.4")
    assert one.pool.lowest(version) == one.free
    assert one.asked <= most


class Pool(RuleBasedStateMachine):
    """The pool beside a plain list of all addresses, which is searched from the start each time."""

    PREFIXES: ClassVar = ("10.1.0.16/29", "10.1.0.0/28")

    def __init__(self) -> None:
        super().__init__()
        self.subnet = Subnet(ID, self.PREFIXES)
        self.stored = Stored(self.subnet, HOLD)
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
            assert self.stored.take(owner, self.now) == free[0]
            self.gave(free[0], owner)
        else:
            with refused("SubnetIsFull", ID):
                self.stored.take(owner, self.now)

    @rule(last=st.integers(0, 31))
    def take_static(self, last: int) -> None:
        address = IPv4Address(f"10.1.0.{last}")
        if address in self.free():
            assert self.stored.take_static("static", str(address), self.now) == address
            self.gave(address, "static")
            return
        with pytest.raises(ArmFailure) as caught:
            self.stored.take_static("static", str(address), self.now)
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
        self.stored.release(address, self.now)
        del self.used[address]
        self.released[address] = self.now

    @rule(seconds=st.sampled_from([0.0, 1.0, 30.0, 59.0, 60.0, 200.0]))
    def wait(self, seconds: float) -> None:
        self.now = WallTime(self.now + seconds)

    @invariant()
    def both_agree_on_the_owners(self) -> None:
        in_use = {address: row.holder for address, row in self.stored.rows.items() if row.released is None}
        assert in_use == self.used


TestPool = Pool.TestCase
TestPool.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
