"""The division of the memory budget: everything fits, nothing is above what is configured, and no cache is lost."""

from hypothesis import given
from hypothesis import strategies as st

from resolver import memory_budget
from resolver.memory_budget import (
    CHECK,
    CONTROL,
    LEAST,
    NO_BUDGET,
    QUERY_LOG,
    UNLIMITED,
    WORKER,
    Budget,
    BudgetSource,
    Limit,
    MemoryParts,
    RecentPeak,
    SteadyShare,
    Use,
    WorkerMemory,
    bounds,
    headroom,
    share,
)

MIB = 1 << 20
DEFAULT = MemoryParts(64 * MIB, 192 * MIB, 64 * MIB)

octets = st.integers(0, 1 << 40)
parts = st.builds(MemoryParts, octets, octets, octets)
uses = st.builds(WorkerMemory, octets, octets, octets)


# -- the budget


def test_without_a_limit_and_a_key_there_is_no_budget() -> None:
    assert memory_budget.budget(0, None, 100 * MIB) == NO_BUDGET
    assert share(NO_BUDGET, Use(), 4) == UNLIMITED


def test_the_key_and_what_is_used_make_the_budget() -> None:
    found = memory_budget.budget(512 * MIB, None, 100 * MIB)
    assert found == Budget(512 * MIB, 412 * MIB, BudgetSource.CONFIGURATION)
    assert memory_budget.budget(96 * MIB, None, 100 * MIB).free == 0


def test_the_lower_one_of_key_and_limit_counts() -> None:
    limit = Limit(256 * MIB, 50 * MIB)
    assert memory_budget.budget(0, limit, MIB) == Budget(256 * MIB, 50 * MIB, BudgetSource.CGROUP)
    assert memory_budget.budget(512 * MIB, limit, MIB) == Budget(256 * MIB, 50 * MIB, BudgetSource.CGROUP)
    assert memory_budget.budget(128 * MIB, limit, MIB) == Budget(128 * MIB, 50 * MIB, BudgetSource.CONFIGURATION)


@given(st.integers(96 * MIB, 1 << 40), st.floats(0, 1), octets, octets, st.lists(octets, min_size=1, max_size=9))
def test_what_the_workers_may_use_fits(budget: int, part: float, control: int, peak: int, workers: list[int]) -> None:
    free = int(budget * part)
    use = Use(MIB, control, peak, tuple(workers))
    each = share(Budget(budget, free, BudgetSource.CGROUP), use, len(workers))
    assert each >= 0
    others_and_control = free + control + sum(workers) - max(control, peak, CONTROL)
    assert each == 0 or each * len(workers) + headroom(budget) <= others_and_control


def test_what_control_has_used_once_stays_reserved() -> None:
    budget = Budget(512 * MIB, 400 * MIB, BudgetSource.CGROUP)
    assert share(budget, Use(0, 60 * MIB, 160 * MIB, (MIB,)), 1) == (
        share(budget, Use(0, 60 * MIB, 60 * MIB, (MIB,)), 1) - 100 * MIB
    )


def test_the_query_logger_has_room_before_it_runs_and_keeps_what_it_uses() -> None:
    budget, use = Budget(512 * MIB, 400 * MIB, BudgetSource.CGROUP), Use(workers=(MIB,))
    assert share(budget, use._replace(logging=True), 1) == share(budget, use, 1) - QUERY_LOG
    # What the logger uses is no longer free.
    assert share(budget, use._replace(logging=True, query_log=QUERY_LOG + MIB), 1) == share(budget, use, 1)


def test_a_configuration_check_has_room() -> None:
    budget, use = Budget(512 * MIB, 400 * MIB, BudgetSource.CGROUP), Use(workers=(MIB, MIB))
    assert share(budget, use._replace(checking=True), 2) == share(budget, use, 2) - CHECK // 2


def test_a_program_that_soon_ends_lowers_no_share() -> None:
    steady = SteadyShare()
    assert [steady.share(each, at_once=False) for each in (100, 75, 75, 100, 75)] == [100] * 5
    assert [steady.share(75, at_once=False) for _ in range(5)] == [100, 100, 100, 75, 75]
    assert steady.share(90, at_once=False) == 90


def test_a_lower_share_counts_at_once_while_memory_is_tight() -> None:
    steady = SteadyShare()
    assert [steady.share(each, at_once=True) for each in (100, 75, 80, 10)] == [100, 75, 80, 10]
    assert steady.share(5, at_once=False) == 10


def test_a_peak_of_control_counts_for_one_to_two_hours() -> None:
    recent = RecentPeak()
    assert [recent.peak(octets, now) for octets, now in ((40, 5000.0), (300, 5001.0), (50, 8599.0))] == [40, 300, 300]
    assert [recent.peak(50, now) for now in (8600.0, 12199.0, 12200.0)] == [300, 300, 50]


def test_memory_is_tight_before_it_is_short_and_never_without_a_budget() -> None:
    def states(free: int) -> tuple[bool, bool]:
        budget = Budget(800 * MIB, free, BudgetSource.CGROUP)
        return memory_budget.is_tight(budget), memory_budget.is_short(budget)

    assert [states(free * MIB) for free in (200, 120, 70, 0)] == [
        (False, False), (True, False), (True, True), (True, True),
    ]  # fmt: skip
    assert not memory_budget.is_tight(NO_BUDGET)
    assert not memory_budget.is_short(NO_BUDGET)


# -- the parts of a worker


@given(octets, uses, parts)
def test_the_parts_of_a_worker_fit_into_its_share(share_of_worker: int, use: WorkerMemory, wanted: MemoryParts) -> None:
    found = bounds(share_of_worker, use, wanted)
    assert all(0 <= bound <= most for bound, most in zip(found, wanted, strict=True))
    assert all(bound >= min(most, LEAST) for bound, most in zip(found, wanted, strict=True))
    other = max(0, use.total - use.peak * 17 // 16 - use.streams) if use.total else WORKER
    assert sum(found) <= max(share_of_worker - other, 0) + 3 * LEAST


@given(octets, octets, uses, parts)
def test_a_larger_share_never_makes_a_part_smaller(
    one: int, other: int, use: WorkerMemory, wanted: MemoryParts
) -> None:
    low, high = bounds(min(one, other), use, wanted), bounds(max(one, other), use, wanted)
    # The parts of one sum are rounded, so an octet may move from one to the other.
    assert all(before <= after + 1 for before, after in zip(low, high, strict=True))


@given(uses, parts)
def test_without_a_budget_each_part_is_as_configured(use: WorkerMemory, wanted: MemoryParts) -> None:
    assert bounds(UNLIMITED, use, wanted) == wanted


def test_a_small_share_is_divided_as_the_configured_sizes_are() -> None:
    found = bounds(104 * MIB, WorkerMemory(20 * MIB, 0, 0), DEFAULT)
    assert found.streams == 21 * MIB
    assert abs(found.answers - 3 * found.replies) <= 3
    assert found.replies + found.answers == 63 * MIB * 16 // 17


def test_memory_that_the_caches_had_is_used_again() -> None:
    """The caches have shrunk, and the process has kept their memory: they may grow to what they had."""
    before = bounds(200 * MIB, WorkerMemory(20 * MIB, 0, 0), DEFAULT)
    filled = before.replies + before.answers
    after = bounds(200 * MIB, WorkerMemory(20 * MIB + filled * 17 // 16, filled, 0), DEFAULT)
    assert abs(after.replies - before.replies) <= 1
    assert abs(after.answers - before.answers) <= 1


def test_a_larger_table_leaves_less_for_the_caches() -> None:
    small = bounds(200 * MIB, WorkerMemory(20 * MIB, 0, 0), DEFAULT)
    large = bounds(200 * MIB, WorkerMemory(120 * MIB, 0, 0), DEFAULT)
    assert large.replies < small.replies
    assert large.answers < small.answers


def test_a_cache_that_is_turned_off_stays_off() -> None:
    assert bounds(100 * MIB, WorkerMemory(20 * MIB, 0, 0), MemoryParts(0, 0, MIB)) == MemoryParts(0, 0, MIB)
