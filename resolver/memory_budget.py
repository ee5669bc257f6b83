"""How the memory budget is divided: between the processes, and between the caches and buffers of one worker.

Owns the arithmetic and its constants. Does not know how memory is measured, or how a cache shrinks. Pure. All amounts
are in octets.
"""

from collections import deque
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

SUPERVISOR: Final = 24 << 20
"""What the supervisor takes."""
CONTROL: Final = 48 << 20
"""What control takes at least: the interpreter, its libraries and a small estate. Measured: 40 MiB."""
WORKER: Final = 32 << 20
"""What a worker takes without caches, at least. Measured: 20 MiB, and more with HTTPS."""
QUERY_LOG: Final = 24 << 20
"""What the query logger takes at least, where queries are logged. Measured: 16 MiB."""
CHECK: Final = 64 << 20
"""What the check of a new configuration takes for a second. Measured: 50 MiB."""
LEAST: Final = 1 << 20
"""What each cache, and the buffers of connections, may take however little memory there is."""
UNLIMITED: Final = 1 << 62
"""The share of a worker where there is no budget."""
_HEADROOM: Final = 8
"""One of so many parts of the budget stays free: for the kernel, and for what grows within a second."""
_PEAK: Final = 3600.0
"""Seconds after which a peak of control may be forgotten: longer than most intervals between two syncs."""
_LOOKS: Final = 5  # a lower share counts when so many measurements in a row have found it
_STREAMS: Final = 4  # connections may take one of so many parts of what a worker has for caches and buffers
_OVERHEAD: Final = 16  # an allocator takes one part more for so many parts that caches count. Measured: 3 %


class BudgetSource(StrEnum):
    """Where the budget comes from."""

    CONFIGURATION = "configuration"
    """The key `memory`."""
    CGROUP = "cgroup"
    """The memory limit of the control group of pldns, or of a group that contains it."""
    NONE = "none"
    """There is no limit. Each cache has its configured size."""


class MemoryState(msgspec.Struct, frozen=True):
    """The budget and what is used of it, as the supervisor measures it about once a second."""

    source: BudgetSource = BudgetSource.NONE
    budget: int = 0
    """0: there is none."""
    free: int = 0
    """What is left of the budget."""
    share: int = UNLIMITED
    """What each worker may use in all."""
    supervisor: int = 0
    control: int = 0
    workers: tuple[int, ...] = ()
    """By index. The worker itself says what its caches have of that."""
    query_log: int = 0


class Limit(NamedTuple):
    """A limit of the system: what may be used, and what is left of that."""

    octets: int
    free: int


class Budget(NamedTuple):
    """What all processes of pldns together may use, and what is left of that."""

    octets: int
    free: int
    source: BudgetSource


NO_BUDGET: Final = Budget(0, 0, BudgetSource.NONE)


def budget(configured: int, limit: Limit | None, used: int) -> Budget:
    """Return the budget: the lower one of the key `memory` (0: not set) and the limit of the system (None: none).

    `used`: what the processes of pldns use now.
    """
    if configured and (limit is None or configured <= limit.octets):
        free = max(0, configured - used)
        return Budget(configured, min(free, limit.free) if limit else free, BudgetSource.CONFIGURATION)
    return Budget(limit.octets, limit.free, BudgetSource.CGROUP) if limit else NO_BUDGET


class Use(NamedTuple):
    """What the processes use. Each amount is 0 where it cannot be measured."""

    supervisor: int = 0
    control: int = 0
    control_peak: int = 0
    """The most that control has used lately. It will use that much again, for the next sync of the same estate."""
    workers: tuple[int, ...] = ()
    query_log: int = 0
    checking: bool = False
    """A new configuration is being checked, in a process of its own."""
    logging: bool = False
    """Queries are logged, by a process of its own."""


def headroom(budget: int) -> int:
    """Return how much of the budget no process is given."""
    return budget // _HEADROOM


def share(of: Budget, use: Use, workers: int) -> int:
    """Return how much each of `workers` workers may use in all. 0: the other processes need everything.

    What other programs in the same control group use is neither free nor counted in `use`.
    """
    if not of.octets:
        return UNLIMITED
    control = max(use.control_peak, use.control, CONTROL)
    taken = control + max(use.query_log, QUERY_LOG * use.logging) + CHECK * use.checking
    available = of.free + use.control + sum(use.workers) + use.query_log - headroom(of.octets) - taken
    return max(0, available // workers)


class SteadyShare:
    """Shares over time. A lower one counts when it is not the result of a program that soon ends, such as a probe."""

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_LOOKS)

    def share(self, measured: int, *, at_once: bool) -> int:
        """Return the largest share of the last `_LOOKS` measurements; the last one alone with `at_once`."""
        if at_once:
            self._recent.clear()
        self._recent.append(measured)
        return max(self._recent)


class RecentPeak:
    """The highest measurement of the last one to two periods of `_PEAK` seconds."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._before = self._present = 0

    def peak(self, measured: int, now: float) -> int:
        """Return the peak, this measurement included. `now`: seconds on a steady clock."""
        if now - self._begun >= _PEAK:
            self._begun, self._before, self._present = now, self._present, 0
        self._present = max(self._present, measured)
        return max(self._before, self._present)


def is_tight(of: Budget) -> bool:
    """Return whether the headroom is nearly touched: measure more often."""
    return of.octets > 0 and of.free < headroom(of.octets) * 5 // 4


def is_short(of: Budget) -> bool:
    """Return whether a quarter of the headroom is used: memory must be returned to the system."""
    return of.octets > 0 and of.free < headroom(of.octets) * 3 // 4


class MemoryParts(NamedTuple):
    """Amounts of the parts of a worker that have a bound."""

    replies: int
    """Replies of upstream servers (`cache.size`)."""
    answers: int
    """Compiled answers (`cache.answers`)."""
    streams: int
    """Buffers of connections of clients."""


class WorkerMemory(msgspec.Struct, frozen=True, gc=False):
    """What one worker uses.

    `total` is all that the process uses. `peak` is the most that both caches have had since their memory was last
    returned to the system: the process keeps that memory until then, and uses it again.
    """

    total: int
    peak: int
    streams: int


def bounds(share_of_worker: int, use: WorkerMemory, wanted: MemoryParts) -> MemoryParts:
    """Return the bounds of the parts of a worker, with which it stays within its share. None is above `wanted`.

    What is not in these parts has precedence: the interpreter, the table, and the queries in progress.
    """
    other = use.total - use.peak - use.peak // _OVERHEAD - use.streams if use.total else WORKER
    return _divided(share_of_worker - max(0, other), wanted)


def expected(memory: int, workers: int, wanted: MemoryParts, *, logging: bool) -> MemoryParts:
    """Return the bounds of each worker's parts that a budget makes possible: with no endpoints and no other program."""
    use = Use(SUPERVISOR, CONTROL, CONTROL, logging=logging)
    each = share(Budget(memory, memory - SUPERVISOR - CONTROL, BudgetSource.CONFIGURATION), use, workers)
    return bounds(each, WorkerMemory(WORKER, 0, 0), wanted)


def _divided(room: int, wanted: MemoryParts) -> MemoryParts:
    streams = min(wanted.streams, max(LEAST, room // _STREAMS))
    left = max(0, room - streams) * _OVERHEAD // (_OVERHEAD + 1)
    both = wanted.replies + wanted.answers
    if left >= both:
        return MemoryParts(wanted.replies, wanted.answers, streams)
    replies = left * wanted.replies // both
    return MemoryParts(_at_least(replies, wanted.replies), _at_least(left - replies, wanted.answers), streams)


def _at_least(octets: int, wanted: int) -> int:
    return min(wanted, max(LEAST, octets))
