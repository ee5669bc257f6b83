"""Random numbers from the operating system, read in blocks because a system call for each number is too slow.

They choose ids, sockets and servers. Somebody who can guess them can forge replies (RFC 5452 §4).
"""

import os
from typing import Final

_BLOCK: Final = 4096  # octets


class RandomIds:
    """A block of random octets, each used once."""

    __slots__ = ("_at", "_stock")

    def __init__(self) -> None:
        self._stock = b""
        self._at = 0

    def below(self, bound: int) -> int:
        """Return a number from 0 to `bound` - 1, all equally likely. `bound` is at most 65,536."""
        size = 1 if bound <= 0x100 else 2
        most = (1 << 8 * size) // bound * bound
        while True:
            at = self._at
            if at + size > len(self._stock):
                self._stock, at = os.urandom(_BLOCK), 0
            self._at = at + size
            number = int.from_bytes(self._stock[at : at + size], "big")
            if number < most:
                return number % bound


below: Final = RandomIds().below
"""The random numbers of this process."""
