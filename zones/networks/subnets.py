"""The network of a whole subnet, and the scope in which that result holds (RFC 7871 §7.2.1).

The prefixes of networks divide the addresses into ranges. All addresses of a range are in the same network, by the
longest match. Does not know queries and options.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from zones.networks.prefixes import NONE, NetworkIndex, Prefix


class _Range(NamedTuple):
    """Adjacent addresses, as numbers, up to the start of the next range."""

    start: int
    network: NetworkIndex
    length: int
    """Length in bits of the prefix that decides; 0 for addresses without a prefix."""


class Subnets:
    """Ranges of addresses, made from the prefixes of networks. Of two equal prefixes, the later one counts."""

    def __init__(self, held: Iterable[tuple[Prefix, NetworkIndex]]) -> None:
        by_size: dict[int, dict[Prefix, NetworkIndex]] = {4: {}, 16: {}}
        for prefix, index in held:
            by_size[len(prefix.address)][prefix] = index
        self._ranges = {size: _ranges(size * 8, prefixes) for size, prefixes in by_size.items()}
        self._starts = {size: [each.start for each in ranges] for size, ranges in self._ranges.items()}

    def find(self, address: bytes, length: int) -> tuple[NetworkIndex, int]:
        """Return the network of all addresses of a subnet, or `NONE`, and the scope in bits.

        The subnet has `length` bits at the packed `address`. If all of it is in one range, the scope is that of the
        longest prefix in the range: the result is the same for every address in the scope. Otherwise the result is
        `NONE`, and the scope is the longest prefix that a network has in the subnet, or `length` if that is more.
        """
        size, bits = len(address), len(address) * 8
        start, end = _bounds(int.from_bytes(address, "big"), bits - length)
        starts, ranges = self._starts[size], self._ranges[size]
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end) - 1
        if first < last:
            return NONE, max(length, *(each.length for each in ranges[first : last + 1]))
        low = ranges[first].start
        high = starts[first + 1] - 1 if first + 1 < len(starts) else (1 << bits) - 1
        scope = length
        while scope:
            wider = _bounds(start, bits - scope + 1)
            if wider[0] < low or wider[1] > high:
                break
            scope -= 1
        return ranges[first].network, scope


def _bounds(number: int, spare: int) -> tuple[int, int]:
    """Return the first and the last address of the prefix that leaves `spare` bits of an address."""
    first = number >> spare << spare
    return first, first | (1 << spare) - 1


def _ranges(bits: int, prefixes: dict[Prefix, NetworkIndex]) -> list[_Range]:
    """Return the ranges of one address family, from the first address to the last."""
    found = [_Range(0, NONE, 0)]
    around = [((1 << bits) - 1, NONE, 0)]
    """Last address, network and length of the prefixes that contain the current one, the longest last."""

    def begin(start: int, network: NetworkIndex, length: int) -> None:
        if found[-1].start == start:
            found.pop()
        found.append(_Range(start, network, length))

    for (address, length), network in sorted(prefixes.items()):
        start = int.from_bytes(address, "big")
        while around[-1][0] < start:
            end, _, _ = around.pop()
            begin(end + 1, *around[-1][1:])
        if network != around[-1][1]:  # a longer prefix of the same network changes nothing
            begin(start, network, length)
            around.append((_bounds(start, bits - length)[1], network, length))
    while len(around) > 1:
        end, _, _ = around.pop()
        if end + 1 < 1 << bits:
            begin(end + 1, *around[-1][1:])
    return found
