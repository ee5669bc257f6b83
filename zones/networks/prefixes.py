"""Address prefixes, and the longest-prefix match. Does not know who the prefixes belong to."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple, NewType

NetworkIndex = NewType("NetworkIndex", int)
"""Index of a network, which is also its bit in a mask of networks; or `NONE`."""
NONE: Final = NetworkIndex(-1)
"""The index of no network."""
_REMEMBERED: Final = 1 << 17


class Prefix(NamedTuple):
    """A packed address of 4 or 16 octets, and the length in bits. The bits beyond `length` are zero."""

    address: bytes
    length: int

    def __str__(self) -> str:
        return f"{ip_address(self.address)}/{self.length}"

    @property
    def end(self) -> bytes:
        """The last address in the prefix."""
        spare = len(self.address) * 8 - self.length
        return (int.from_bytes(self.address, "big") | (1 << spare) - 1).to_bytes(len(self.address), "big")


@lru_cache(_REMEMBERED)
def prefix(text: str) -> Prefix:
    """Return the prefix that a text in CIDR form names. Bits beyond its length are ignored. Raises ValueError."""
    network = ip_network(text, strict=False)
    return Prefix(network.network_address.packed, network.prefixlen)


def covering(texts: Iterable[str], address: bytes) -> Prefix | None:
    """Return the longest of some prefixes that contains a packed address; None where none does."""
    found = [each for each in map(prefix, texts) if each.address <= address <= each.end]
    same = [each for each in found if len(each.address) == len(address)]
    return max(same, key=lambda each: each.length, default=None)


class Prefixes:
    """A table from prefixes to indices. Of two equal prefixes, the later one counts."""

    def __init__(self, held: Iterable[tuple[Prefix, NetworkIndex]]) -> None:
        tables: dict[int, dict[int, dict[bytes, NetworkIndex]]] = {4: {}, 16: {}}
        for (address, length), index in held:
            tables[len(address)].setdefault(length, {})[address] = index
        self._tables: dict[int, list[tuple[int, dict[bytes, NetworkIndex]]]] = {4: [], 16: []}
        """By address size in octets: mask and prefixes of each length, the longest first."""
        for size, by_length in tables.items():
            for length in sorted(by_length, reverse=True):
                mask = ((1 << length) - 1) << (size * 8 - length)
                self._tables[size].append((mask, by_length[length]))

    def at(self, prefix: Prefix) -> NetworkIndex | None:
        """Return the index of exactly this prefix; None where the table does not have it."""
        for mask, table in self._tables[len(prefix.address)]:
            if mask.bit_count() == prefix.length:
                return table.get(prefix.address)
        return None

    def find(self, address: bytes) -> NetworkIndex:
        """Return the index of the longest prefix that contains the packed `address`; `NONE` where no prefix does.

        An IPv4-mapped IPv6 address is taken as the IPv4 address (RFC 4291 §2.5.5.2).
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
