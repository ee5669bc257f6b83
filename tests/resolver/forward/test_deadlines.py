"""What waits is due once, in time and not early, unless its wait ends before."""

from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.deadlines import TICK, Deadlines, Waiting
from zones.clocks import SteadyTime


def waiting() -> Waiting:
    """Return an item that is in no queue, as a subclass makes itself."""
    made = Waiting()
    made.tick = 0
    return made


@given(
    waits=st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["stay", "drop", "later"])), max_size=30),
    steps=st.lists(st.floats(0.001, 2), min_size=1, max_size=40),
)
def test_each_item_is_due_once_after_its_deadline_and_no_later_than_a_tick(
    waits: list[tuple[float, str]], steps: list[float]
) -> None:
    deadlines, now, due = Deadlines(), 100.0, dict[Waiting, float]()
    given_at = {waiting(): (now + wait, what) for wait, what in waits}
    for item, (deadline, what) in given_at.items():
        deadlines.put(item, SteadyTime(deadline), SteadyTime(now))
        if what == "drop":
            deadlines.drop(item)
            deadlines.drop(item)
        elif what == "later":
            deadlines.put(item, SteadyTime(deadline + 0.5), SteadyTime(now))
    wanted = {item: at + (0.5 if what == "later" else 0) for item, (at, what) in given_at.items() if what != "drop"}
    for step in [*steps, 5.0]:
        before, now = now, now + step
        for item in deadlines.due(SteadyTime(now)):
            assert item not in due
            assert wanted[item] <= now
            assert wanted[item] + 2 * TICK > before
            due[item] = now
    assert due.keys() == wanted.keys()
    assert not deadlines


def test_items_can_be_added_after_a_long_time_without_any() -> None:
    deadlines, item = Deadlines(), waiting()
    for start in (10.0, 5_000.0):
        deadlines.put(item, SteadyTime(start + 1), SteadyTime(start))
        assert deadlines.due(SteadyTime(start + 0.5)) == []
        assert deadlines.due(SteadyTime(start + 1.02)) == [item]
