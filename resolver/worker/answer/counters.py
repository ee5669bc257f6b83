"""Counters of one worker: cells that the packet path adds to, by metric and label values.

A cell is a list of one integer: an answer holds its cell, so that counting it is one addition. Label values come from
the configuration and the catalogue, never from a packet, so there are few cells.
"""

from collections.abc import Iterator


class Counters:
    """Cumulative counts since the worker started."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, tuple[str, ...]], list[int]] = {}

    def cell(self, metric: str, labels: tuple[str, ...] = ()) -> list[int]:
        """The cell of a metric and its label values, made at first use."""
        return self._cells.setdefault((metric, labels), [0])

    def add(self, metric: str, labels: tuple[str, ...] = (), by: int = 1) -> None:
        """Count off the fast path."""
        self.cell(metric, labels)[0] += by

    def set(self, metric: str, value: int, labels: tuple[str, ...] = ()) -> None:
        """Take a count that is kept elsewhere."""
        self.cell(metric, labels)[0] = value

    def values(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """(metric, label values, count) of every cell."""
        for (metric, labels), (count,) in self._cells.items():
            yield metric, labels, count
