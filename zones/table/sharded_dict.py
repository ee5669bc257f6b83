"""A big mapping by name, cut into small dicts.

No dict grows past some 200,000 entries then: the one insert that resizes a dict of 1.4 million took 57 ms, and
queries wait for it.
"""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=bytes)
V = TypeVar("V")

_BUCKETS: Final = 64


class Buckets(Generic[K, V]):
    """Octets to values."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: tuple[dict[K, V], ...] = tuple({} for _ in range(_BUCKETS))

    def of(self, key: K) -> dict[K, V]:
        """The dict in which `key` is, or would be."""
        return self._parts[hash(key) % _BUCKETS]

    def get(self, key: K) -> V | None:
        """The value of `key`."""
        return self._parts[hash(key) % _BUCKETS].get(key)

    def __iter__(self) -> Iterator[dict[K, V]]:
        """The dicts, one by one."""
        return iter(self._parts)

    def __len__(self) -> int:
        """How many keys there are in all."""
        return sum(map(len, self._parts))
