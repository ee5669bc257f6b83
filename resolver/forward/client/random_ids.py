"""Random numbers from the operating system, read in blocks: a system call for each would cost more than its use.

For ids, for ports, and for whom to ask: whoever can guess them can forge replies (RFC 5452 §4).
"""

import os
from typing import Final

_BLOCK: Final = 4096  # octets


class Chance:
    """A stock of octets, each used once."""

    __slots__ = ("_at", "_stock")

    def __init__(self) -> None:
        self._stock = b""
        self._at = 0

    def below(self, bound: int) -> int:
        """Every number from 0 to `bound` - 1 is as likely; `bound` is at most 65,536."""
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


below: Final = Chance().below
"""Of the one stock of a process."""
