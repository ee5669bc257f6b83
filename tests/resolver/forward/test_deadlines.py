"""Items are due once, in time and not early."""

from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.deadlines import TICK, Deadlines
from zones.clocks import SteadyTime


@given(
    waits=st.lists(st.floats(0, 3), max_size=30),
    steps=st.lists(st.floats(0.001, 2), min_size=1, max_size=40),
)
def test_each_item_is_due_once_after_its_deadline_and_no_later_than_a_tick(
    waits: list[float], steps: list[float]
) -> None:
    deadlines, now, due = Deadlines[int](), 100.0, dict[int, float]()
    given_at = {number: now + wait for number, wait in enumerate(waits)}
    for number, deadline in given_at.items():
        deadlines.add(number, SteadyTime(deadline), SteadyTime(now))
    for step in [*steps, 5.0]:
        before, now = now, now + step
        for number in deadlines.due(SteadyTime(now)):
            assert number not in due
            assert given_at[number] <= now
            assert given_at[number] + 2 * TICK > before
            due[number] = now
    assert due.keys() == given_at.keys()
    assert not deadlines


def test_items_can_be_added_after_a_long_time_without_any() -> None:
    deadlines = Deadlines[str]()
    for start in (10.0, 5_000.0):
        deadlines.add("a", SteadyTime(start + 1), SteadyTime(start))
        assert deadlines.due(SteadyTime(start + 0.5)) == []
        assert deadlines.due(SteadyTime(start + 1.02)) == ["a"]
