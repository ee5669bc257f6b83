"""The memory budget of a running pldns: what its processes use, and what each worker may use.

Measures about once a second, and at once when a configuration check starts, which needs memory too. Does not know how
the budget is divided (`memory_budget`), or how a worker makes room.
"""

import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Final

from resolver import memory_budget
from resolver.memory_budget import Budget, BudgetSource, MemoryState, RecentPeak, SteadyShare, Use
from resolver.process import orders
from resolver.process.memory_use import MemoryUse
from resolver.supervisor.cgroup import ControlGroups
from resolver.supervisor.children import Children
from resolver.supervisor.reload import Configuration
from zones.clocks import SteadyTime

INTERVAL: Final = 1.0
"""Seconds between two measurements."""
TIGHT: Final = 0.1
"""The same while memory is nearly short. A program in the same control group may take 1 MiB each millisecond."""
PAUSE: Final = 5.0
"""Least seconds between two orders to drop caches: the memory has to be returned first."""
_QUIET: Final = 60.0  # seconds without such an order after which the next one is logged again
_STEADY: Final = 64  # a share that differs by less than one part of so many is not sent again

_log = logging.getLogger(__name__)


class MemoryBudget:
    """The budget of these children and of this process."""

    def __init__(self, configuration: Configuration, children: Children, groups: ControlGroups) -> None:
        self._configuration = configuration
        self._children = children
        self._groups = groups
        self._own = MemoryUse()
        self._steady = SteadyShare()
        self._due = SteadyTime(0.0)
        self._dropped = SteadyTime(-_QUIET)
        self._was_checking = False
        self._control_peak = RecentPeak()
        self._logged: tuple[int, BudgetSource] | None = None
        """The budget that was logged last."""

    def next_time(self) -> SteadyTime:
        """Return when `look` has something to do."""
        return self._due

    def look(self) -> None:
        """Measure, divide the budget, and send each worker its share and control the state."""
        now, checking = SteadyTime(time.monotonic()), self._configuration.pid is not None
        if now < self._due and checking == self._was_checking:
            return
        self._was_checking = checking
        control, logger = self._children.control.memory, self._children.query_logger
        workers, log = [each.memory for each in self._children.workers], logger.process.memory
        peak = self._control_peak.peak(control, now)
        use = Use(
            self._own.octets(), control, peak, tuple(workers), log, checking=checking, logging=logger.is_on
        )  # fmt: skip
        used = use.supervisor + control + sum(workers) + log
        configured = self._configuration.accepted.memory
        budget = memory_budget.budget(configured, self._groups.limit(), used)
        at_once = checking or memory_budget.is_tight(budget)
        share = self._steady.share(memory_budget.share(budget, use, len(workers)), at_once=at_once)
        self._due = SteadyTime(now + (TIGHT if memory_budget.is_tight(budget) else INTERVAL))
        self._announce(budget, share, configured)
        self._send_shares(share, workers, drop=self._must_drop(budget, max(workers) > share, now))
        state = MemoryState(
            budget.source, budget.octets, budget.free, share, use.supervisor, control, use.workers, log
        )  # fmt: skip
        if self._children.control.link:
            with contextlib.suppress(OSError):
                orders.send_memory(self._children.control.link, state)

    def _must_drop(self, budget: Budget, is_above: bool, now: SteadyTime) -> bool:
        """Return whether workers that are above their share have to drop their caches. `is_above`: there is one."""
        if not is_above or not memory_budget.is_short(budget) or now - self._dropped < PAUSE:
            return False
        if now - self._dropped >= _QUIET:
            _log.warning(
                "memory is short: %d of %d MiB are left; workers drop their caches",
                budget.free >> 20, budget.octets >> 20,
            )  # fmt: skip
        self._dropped = now
        return True

    def _send_shares(self, share: int, used: Sequence[int], *, drop: bool) -> None:
        """Send the workers a share that has changed, and those above it the order to drop their caches."""
        has_changed = abs(share - self._children.share) * _STEADY > self._children.share
        if has_changed:
            self._children.share = share
        for process, octets in zip(self._children.workers, used, strict=True):
            if process.link and (has_changed or (drop and octets > share)):
                # A worker that does not read its orders has ended, or hangs: it gets its share when it starts again.
                with contextlib.suppress(OSError):
                    orders.send_share(process.link, share, drop=drop and octets > share)

    def _announce(self, budget: Budget, share: int, configured: int) -> None:
        """Log a budget that is new."""
        if self._logged == (budget.octets, budget.source) or (not budget.octets and self._logged is None):
            return
        self._logged = budget.octets, budget.source
        if not budget.octets:
            _log.info("memory: there is no limit")
            return
        of = "`memory`" if budget.source is BudgetSource.CONFIGURATION else "the control group's limit"
        if configured > budget.octets:
            _log.warning("memory: %d MiB are more than the control group's limit, which counts", configured >> 20)
        _log.info("memory: the budget is %d MiB (%s); each worker may use %d MiB", budget.octets >> 20, of, share >> 20)
        if share < memory_budget.WORKER:
            _log.warning("memory: the budget is too small; a worker needs %d MiB", memory_budget.WORKER >> 20)
