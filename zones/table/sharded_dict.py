"""A large mapping by octets, cut into small dicts.

A worker with a million names has no dict of more than some 20,000 entries then. The one insert that resizes a dict of
1.4 million entries took 57 ms, and queries wait for that.
"""

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=bytes)
V = TypeVar("V")

_SHARDS: Final = 64


class ShardedDict(Generic[K, V]):
    """A mapping of octets to values."""

    __slots__ = ("_shards",)

    def __init__(self) -> None:
        self._shards: tuple[dict[K, V], ...] = tuple({} for _ in range(_SHARDS))

    def shard(self, key: K) -> dict[K, V]:
        """Return the dict that has the key, or would have it."""
        return self._shards[hash(key) % _SHARDS]

    def get(self, key: K) -> V | None:
        """Return the value of a key."""
        return self._shards[hash(key) % _SHARDS].get(key)

    def shards(self) -> Iterator[dict[K, V]]:
        """Every dict, one after another."""
        return iter(self._shards)

    def __len__(self) -> int:
        """Return the number of all keys."""
        return sum(map(len, self._shards))
