"""Subnets against the longest match of each of their addresses."""

from hypothesis import given
from hypothesis import strategies as st

from zones.networks.prefixes import NONE, NetworkIndex, Prefix, Prefixes
from zones.networks.subnets import Subnets

SHIFT = 27
"""Only the first 5 bits of an address differ, so that all cases are few."""


def shortened(number: int, length: int) -> Prefix:
    return Prefix(((number >> (5 - length) << (5 - length)) << SHIFT).to_bytes(4, "big"), length)


prefixes = st.builds(shortened, st.integers(0, 31), st.integers(0, 5))
held = st.lists(st.tuples(prefixes, st.sampled_from([NONE, 0, 1, 2]).map(NetworkIndex)), max_size=8)


@given(held, prefixes)
def test_the_scope_has_one_network_and_is_as_wide_as_the_prefix_that_decides(
    held: list[tuple[Prefix, NetworkIndex]], subnet: Prefix
) -> None:
    network, scope = Subnets(held).find(*subnet)
    table = Prefixes(held)

    def networks(prefix: Prefix) -> set[NetworkIndex]:
        first = int.from_bytes(prefix.address, "big") >> SHIFT
        return {table.find((at << SHIFT).to_bytes(4, "big")) for at in range(first, first + (1 << 5 - prefix.length))}

    if scope <= subnet.length and networks(subnet) == {network}:
        number = int.from_bytes(subnet.address, "big") >> SHIFT
        assert networks(shortened(number, min(scope, 5))) == {network}
    else:
        assert network == NONE
        assert scope >= subnet.length


def test_two_prefixes_of_one_network_stay_apart_and_one_inside_another_does_not() -> None:
    a, b = NetworkIndex(0), NetworkIndex(1)
    side = Subnets([(Prefix(bytes((10, 0, 0, 0)), 25), a), (Prefix(bytes((10, 0, 0, 128)), 25), a)])
    assert side.find(bytes((10, 0, 0, 5)), 32) == (a, 25)
    nested = Subnets([(Prefix(bytes((10, 0, 0, 0)), 8), a), (Prefix(bytes((10, 1, 0, 0)), 16), a)])
    assert nested.find(bytes((10, 1, 2, 0)), 24) == (a, 8)
    between = Subnets([(Prefix(bytes(16), 0), a), (Prefix(b"\xfd" + bytes(15), 8), b)])
    assert between.find(b"\xfd\x01" + bytes(14), 56) == (b, 8)
    assert between.find(b"\xfc" + bytes(15), 56) == (a, 8)
