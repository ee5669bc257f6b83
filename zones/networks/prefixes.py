"""Address prefixes, and which of them is the longest that holds an address. Knows numbers, not whose they are."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple

NONE: Final = -1
"""In place of an index: nobody's."""
_REMEMBERED: Final = 1 << 17


class Prefix(NamedTuple):
    """A packed address, 4 or 16 octets, whose bits beyond `length` are zero."""

    address: bytes
    length: int

    def __str__(self) -> str:
        return f"{ip_address(self.address)}/{self.length}"

    @property
    def end(self) -> bytes:
        """The last address under it."""
        spare = len(self.address) * 8 - self.length
        return (int.from_bytes(self.address, "big") | (1 << spare) - 1).to_bytes(len(self.address), "big")


@lru_cache(_REMEMBERED)
def prefix(text: str) -> Prefix:
    """The prefix that a text is; bits beyond its length do not count. Raises ValueError."""
    network = ip_network(text, strict=False)
    return Prefix(network.network_address.packed, network.prefixlen)


class Prefixes:
    """Prefixes with an index each; of two that are equal, the later one counts."""

    def __init__(self, held: Iterable[tuple[Prefix, int]]) -> None:
        tables: dict[int, dict[int, dict[bytes, int]]] = {4: {}, 16: {}}
        for (address, length), index in held:
            tables[len(address)].setdefault(length, {})[address] = index
        self._tables: dict[int, list[tuple[int, dict[bytes, int]]]] = {4: [], 16: []}
        """By octets of an address: mask and prefixes, the longest first."""
        for size, by_length in tables.items():
            for length in sorted(by_length, reverse=True):
                mask = ((1 << length) - 1) << (size * 8 - length)
                self._tables[size].append((mask, by_length[length]))

    def at(self, prefix: Prefix) -> int | None:
        """The index of exactly this prefix; None: it is not among them."""
        for mask, table in self._tables[len(prefix.address)]:
            if mask.bit_count() == prefix.length:
                return table.get(prefix.address)
        return None

    def find(self, address: bytes) -> int:
        """The index of the longest prefix that holds the packed `address`; `NONE` where none does.

        An IPv4-mapped IPv6 address is the IPv4 address (RFC 4291 §2.5.5.2).
        """
        if len(address) == 16 and address.startswith(b"\x00" * 10 + b"\xff\xff"):
            address = address[12:]
        size = len(address)
        number = int.from_bytes(address, "big")
        for mask, table in self._tables[size]:
            index = table.get((number & mask).to_bytes(size, "big"))
            if index is not None:
                return index
        return NONE

    def find_subnet(self, address: bytes, length: int) -> tuple[int, int]:
        """The index for the whole subnet of `length` bits at the packed `address`, `NONE` where there is not one.

        With it the length in bits of the longest prefix that matters there: at or above the subnet, or inside it.
        """
        size = len(address)
        shift = size * 8 - length
        subnet = int.from_bytes(address, "big") >> shift << shift
        found, deepest = {NONE}, 0
        for mask, table in reversed(self._tables[size]):  # the shortest first
            depth = mask.bit_count()
            if depth <= length:
                index = table.get((subnet & mask).to_bytes(size, "big"))
                if index is not None:
                    found, deepest = {index}, depth
            else:
                inside = {index for at, index in table.items() if int.from_bytes(at, "big") >> shift << shift == subnet}
                found |= inside
                deepest = depth if inside else deepest
        return found.pop() if len(found) == 1 else NONE, deepest
