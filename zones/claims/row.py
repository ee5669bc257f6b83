"""Rows: everything that decides the answers for one private name, packed into octets.

A worker may hold millions of rows, so a row is one bytes object: the collector has no object to walk, and nothing is
decoded when a row arrives.

Layout: the generation stamp (1 octet), then the variants. Each variant is for one class of networks: class (8 octets,
big-endian), flags (1 octet), the numbers of A records, AAAA records and public names (2 octets each), then those.
Classes are interned masks of networks. The variants of a row never overlap.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple, NewType

from zones.dns.name import Name
from zones.networks.network import NetworkMask, bits

REFUSED: Final = 1
"""Flag: the conflict policy refuses to decide, so the answer is SERVFAIL."""
BY_RULE: Final = 2
"""Flag: the only public name is the one that the catalogue derives, so the row does not store it."""
ALONE: Final = 4
"""Flag: the name is in no private zone, so the address is at the FQDN itself."""

_CLASS: Final = Struct(">Q")
_HEAD: Final = Struct(">QBHHH")
LIKENESS: Final = slice(1 + 8, 1 + _HEAD.size)
"""The flags and counts of a row's first variant: what it is like, without class, addresses and names."""
USUAL: Final = 1 + _HEAD.size + 4
"""Octets in the row of nearly every endpoint: one class, one IPv4 address, a derived public name."""


ClassNumber = NewType("ClassNumber", int)
"""Number of a set of networks (`Classes`), 64 bits."""


class Variant(NamedTuple):
    """The state of a name in one class of networks. `publics` are the FQDNs that lead to the name by a CNAME."""

    networks: ClassNumber
    flags: int
    a: tuple[bytes, ...]
    aaaa: tuple[bytes, ...]
    publics: tuple[Name, ...]


def pack(variants: Sequence[Variant], generation: int = 0) -> bytes:
    """Return the row with these variants. `variant.networks` is a class number."""
    out = bytearray((generation & 0xFF,))
    for variant in variants:
        out += _HEAD.pack(variant.networks, variant.flags, len(variant.a), len(variant.aaaa), len(variant.publics))
        out += b"".join((*variant.a, *variant.aaaa, *variant.publics))
    return bytes(out)


def restamped(row: bytes, generation: int) -> bytes:
    """Return the same row with another generation stamp."""
    return bytes((generation & 0xFF,)) + row[1:]


def unpack(row: bytes) -> list[Variant]:
    """Return the variants of a row that `pack` made."""
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


def first_class(row: bytes) -> ClassNumber:
    """Return the class number of a row's first variant."""
    number: ClassNumber = _CLASS.unpack_from(row, 1)[0]
    return number


def classes(row: bytes) -> set[ClassNumber]:
    """Return the class numbers of all variants of a row."""
    return {variant.networks for variant in unpack(row)}


class Classes:
    """Interned masks of networks. A class number means one set of networks, also in another process.

    The number is a hash of the networks' identities (`identities`, by bit). A new control process gives the same set
    the same number, whatever its bits are, so that the rows that a worker has already keep their meaning.
    """

    def __init__(self, identities: Sequence[str], known: Mapping[ClassNumber, NetworkMask] | None = None) -> None:
        """`known`: the classes of earlier rows, with the same bits."""
        self.masks: dict[ClassNumber, NetworkMask] = dict(known or {})
        """Mask by class number, in the order in which the numbers were made."""
        self._identities = identities
        self._numbers: dict[NetworkMask, ClassNumber] = {mask: number for number, mask in self.masks.items()}

    def number(self, mask: NetworkMask) -> ClassNumber:
        """Return the number of the class with this mask; a new one for a new mask."""
        number = self._numbers.get(mask)
        if number is None:
            text = "\n".join(sorted(self._identities[i] for i in bits(mask)))
            number = ClassNumber(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"))
            while self.masks.setdefault(number, mask) != mask:
                number = ClassNumber(number + 1 & 0xFFFFFFFFFFFFFFFF)
            self._numbers[mask] = number
        return number
