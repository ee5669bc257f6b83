"""The memory of a process that holds an estate: what a load leaves behind, and how long the collector stops it.

Refuses to know what is in it.
"""

import ctypes
import gc
import time
from collections.abc import Mapping
from typing import Final

LONG: Final = 0.020
"""Seconds that a collection may take before queries feel it."""


def collect_seldom() -> None:
    """Full collections walk every long-lived object, and everything waits."""
    gc.set_threshold(100_000, 50, 1000)


def settle() -> None:
    """After a load: the collector leaves alone what is there now, and what the load used goes back to the system.

    Without a collection: nearly all of it lives as long as the process. What glibc has freed in between (JSON, tables
    that grew) it keeps, unless it is asked for (malloc_trim(3)); other C libraries have no such call.
    """
    gc.freeze()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


class Pauses:
    """Counts the collections that took longer than `LONG`, once it is among `gc.callbacks`."""

    def __init__(self) -> None:
        self.long = 0
        self._began = 0.0

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        """A collection begins or ends."""
        if phase == "start":
            self._began = time.perf_counter()
        elif time.perf_counter() - self._began > LONG:
            self.long += 1
