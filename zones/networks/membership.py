"""Which network holds an address, by which prefix, and which networks nearly do."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from zones.networks.network import Network
from zones.networks.prefixes import Prefix, prefix

_NEAREST: Final = 3
"""Near misses that are reported."""


class Member(NamedTuple):
    """A network, and one prefix of its clients."""

    network: str
    prefix: Prefix


class Membership(NamedTuple):
    """The prefixes that hold an address, the longest first, and those that share the most leading bits with it."""

    holds: tuple[Member, ...]
    nearest: tuple[Member, ...]
    """At most 3, the nearest first. Empty where a prefix holds the address."""


def membership(networks: Iterable[Network], address: bytes) -> Membership:
    """Return which prefixes of the networks hold a packed address."""
    members = [Member(each.name, prefix(text)) for each in networks for text in each.clients]
    same = [each for each in members if len(each.prefix.address) == len(address)]
    shared = {each: _shared_bits(each.prefix.address, address) for each in same}
    holds = sorted((each for each in same if shared[each] >= each.prefix.length), key=lambda each: -each.prefix.length)
    if holds:
        return Membership(tuple(holds), ())
    return Membership((), tuple(sorted(same, key=lambda each: (-shared[each], each))[:_NEAREST]))


def _shared_bits(one: bytes, other: bytes) -> int:
    """Return the number of leading bits that two addresses of one family have in common."""
    return len(one) * 8 - (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_length()
