"""Counters of one worker, by metric and label values.

A cell is a list of one integer. Each compiled answer has a reference to its cell, so that the packet path counts it
with one addition. Label values come from the configuration and the catalogue, never from a packet: there are few cells.
"""

from collections.abc import Iterator
from typing import Final

_ZERO: Final = (0,)


class Counters:
    """Cumulative counts since the worker started."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self._expiring: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self.compiled = [0]
        """Answers that expire and were compiled. Each is sent once; whatever is sent beyond that is a cache hit."""

    def cell(self, metric: str, labels: tuple[str, ...] = ()) -> list[int]:
        """Return the cell of a metric and its label values; the first call makes it."""
        return self._cells.setdefault((metric, labels), [0])

    def expiring_cell(self, metric: str, labels: tuple[str, ...]) -> list[int]:
        """Return a second cell of a metric and its label values: for answers that expire. `values` adds the two."""
        self.cell(metric, labels)
        return self._expiring.setdefault((metric, labels), [0])

    @property
    def expiring(self) -> int:
        """The sum of all cells for answers that expire."""
        return sum(count for (count,) in self._expiring.values())

    def add(self, metric: str, labels: tuple[str, ...] = (), by: int = 1) -> None:
        """Add to a counter outside the fast path."""
        self.cell(metric, labels)[0] += by

    def set(self, metric: str, value: int, labels: tuple[str, ...] = ()) -> None:
        """Set a counter to a number that is counted elsewhere."""
        self.cell(metric, labels)[0] = value

    def values(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Yield (metric, label values, count) of every cell."""
        for key, (count,) in self._cells.items():
            yield *key, count + self._expiring.get(key, _ZERO)[0]
