"""Memory of a process that holds many long-lived objects: less work for the collector, and its pauses counted.

Does not know what the objects are.
"""

import ctypes
import gc
import time
from collections.abc import Mapping
from typing import Final

LONG: Final = 0.020
"""Seconds. A collection that takes longer delays queries noticeably."""


def collect_seldom() -> None:
    """Make collections rare: a full one visits every long-lived object, and the process does nothing else meanwhile."""
    gc.set_threshold(100_000, 50, 1000)


def settle() -> None:
    """After a load: exclude all present objects from collections, and return freed memory to the system.

    Nearly all present objects live as long as the process, so they are not collected first.
    """
    gc.freeze()
    give_back()


def give_back() -> None:
    """Return freed memory to the system. glibc keeps it until malloc_trim(3) is called; other C libraries lack that."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


class Pauses:
    """Counts the collections that take longer than `LONG`. Add an instance to `gc.callbacks`."""

    def __init__(self) -> None:
        self.long = 0
        self._began = 0.0

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        """Called by the collector when a collection starts and when it ends."""
        if phase == "start":
            self._began = time.perf_counter()
        elif time.perf_counter() - self._began > LONG:
            self.long += 1
