"""The last changes of a hub, each encoded once for all spokes, with a serial. Bounded: the oldest are dropped.

Pure. Does not know what a change says.
"""

from typing import Final

LIMIT: Final = 16 << 20
"""Octets of all changes that are kept."""


class History:
    """The changes of one epoch. Serial 0 is the beginning."""

    def __init__(self, epoch: str, limit: int = LIMIT) -> None:
        self.epoch = epoch
        self.serial = 0
        """That of the last change."""
        self._limit = limit
        self._changes: dict[int, bytes] = {}
        self._first = 1
        """Serial of the oldest change that is kept, or of the next one."""
        self.octets = 0
        """Octets of the changes that are kept."""

    def add(self, octets: bytes) -> None:
        """Add a change, which gets the next serial. A change that is larger than the limit is not kept."""
        self.serial += 1
        self._changes[self.serial] = octets
        self.octets += len(octets)
        while self.octets > self._limit:
            self.octets -= len(self._changes.pop(self._first))
            self._first += 1

    def skip(self) -> None:
        """Count a change that is not kept, so that everybody needs a whole copy."""
        self.serial += 1
        self._changes.clear()
        self._first, self.octets = self.serial + 1, 0

    def covers(self, serial: int) -> bool:
        """Return whether all changes after this serial are kept."""
        return self._first - 1 <= serial <= self.serial

    def next(self, serial: int) -> bytes:
        """Return the change after this serial. Raises KeyError where there is none, or not any more."""
        return self._changes[serial + 1]

    def since(self, serial: int) -> int:
        """Return the octets of the changes after this serial, which the history covers."""
        return sum(len(self._changes[each]) for each in range(serial + 1, self.serial + 1))
