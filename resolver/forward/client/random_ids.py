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
        most = 0x10000 - 0x10000 % bound
        while True:
            stock, at = self._stock, self._at
            if at + 2 > len(stock):
                stock = self._stock = os.urandom(_BLOCK)
                at = 0
            self._at = at + 2
            number = stock[at] << 8 | stock[at + 1]
            if number < most:
                return number % bound


RANDOM: Final = RandomIds()
"""The random numbers of this process."""
below: Final = RANDOM.below
"""`RANDOM.below`, for callers that take a function."""
