"""Served rows: the whole answer-relevant state of one private name, packed into octets.

A worker may hold millions of them, so a row is one bytes object: no object for the collector to walk, nothing to
decode when it arrives. Layout: one octet generation stamp, then variants; each holds for one class of networks:
class (8 octets, big-endian), flags (1), counts of A, AAAA and public names (2 octets each), then those. Classes are
interned masks of networks; the variants of a row never overlap.
"""

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple

from zones.dns.name import Name
from zones.networks.network import bits

REFUSED: Final = 1
"""Flag: the conflict policy refuses to decide; SERVFAIL."""
BY_RULE: Final = 2
"""Flag: the one public name is what the catalogue derives, so it is not stored."""
ALONE: Final = 4
"""Flag: the name stands in no private zone; the address is at the FQDN itself."""

_HEAD: Final = Struct(">QBHHH")
LIKENESS: Final = slice(1 + 8, 1 + _HEAD.size)
"""Of a row's first variant, all but who sees it and what it says: flags and counts."""
USUAL: Final = 1 + _HEAD.size + 4
"""Octets of the row of nearly every endpoint: one class, one IPv4 address, the public name derived."""


class Variant(NamedTuple):
    """What a name is in the networks of one class. `publics` are the FQDNs that lead to it by a CNAME."""

    networks: int
    flags: int
    a: tuple[bytes, ...]
    aaaa: tuple[bytes, ...]
    publics: tuple[Name, ...]


def pack(variants: Sequence[Variant], generation: int = 0) -> bytes:
    """One row. `variant.networks` is a class number."""
    out = bytearray((generation & 0xFF,))
    for variant in variants:
        out += _HEAD.pack(variant.networks, variant.flags, len(variant.a), len(variant.aaaa), len(variant.publics))
        out += b"".join((*variant.a, *variant.aaaa, *variant.publics))
    return bytes(out)


def restamped(row: bytes, generation: int) -> bytes:
    """The same row with another generation stamp."""
    return bytes((generation & 0xFF,)) + row[1:]


def unpack(row: bytes) -> list[Variant]:
    """Variants of a row made by `pack`."""
    if len(row) == USUAL:
        networks, flags, n_a, _, _ = _HEAD.unpack_from(row, 1)
        if n_a == 1:
            return [Variant(networks, flags, (row[-4:],), (), ())]
    out, at = [], 1
    while at < len(row):
        networks, flags, n_a, n_aaaa, n_publics = _HEAD.unpack_from(row, at)
        at += _HEAD.size
        a = tuple(row[at + 4 * i : at + 4 * i + 4] for i in range(n_a))
        at += 4 * n_a
        aaaa = tuple(row[at + 16 * i : at + 16 * i + 16] for i in range(n_aaaa))
        at += 16 * n_aaaa
        publics = []
        for _ in range(n_publics):
            end = at
            while row[end]:
                end += 1 + row[end]
            publics.append(Name(row[at : end + 1]))
            at = end + 1
        out.append(Variant(networks, flags, a, aaaa, tuple(publics)))
    return out


def first_class(row: bytes) -> int:
    """The class of networks that see the first variant of a row."""
    return int.from_bytes(row[1:9], "big")


def classes(row: bytes) -> set[int]:
    """The classes of networks that see the row."""
    return {variant.networks for variant in unpack(row)}


class Classes:
    """Interned masks of networks: a class number stands for a set of networks, for good.

    The number is made from the networks' identities (`identities`, by bit), so that another process gives the same set
    the same number whatever its bits are, and rows that a worker has from before it keep their meaning.
    """

    def __init__(self, identities: Sequence[str]) -> None:
        self.masks: dict[int, int] = {}
        """Mask by number, in the order in which the numbers were given."""
        self._identities = identities
        self._numbers: dict[int, int] = {}

    def number(self, mask: int) -> int:
        """Number of the class with this mask, new if need be."""
        number = self._numbers.get(mask)
        if number is None:
            text = "\n".join(sorted(self._identities[i] for i in bits(mask)))
            number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
            while self.masks.setdefault(number, mask) != mask:
                number = number + 1 & 0xFFFFFFFFFFFFFFFF
            self._numbers[mask] = number
        return number
