"""When the state directory is written: a crash loses at most 30 seconds, whatever writes take and changes come."""

from hypothesis import given
from hypothesis import strategies as st

from resolver.control.state.schedule import LOSS, SaveSchedule


def writes(changes: list[float], duration: float) -> list[tuple[float, float]]:
    """Return begin and end of each write of a caller that asks once a second and does not ask while it writes."""
    schedule, made, now, saved = SaveSchedule(), [], 0.0, -1.0
    while now < max(changes) + 2 * LOSS:
        if schedule.is_due(behind=any(saved < each <= now for each in changes), now=now):
            made.append((now, now + duration))
            saved, now = now, now + duration
            schedule.wrote(duration)
        now += 1.0
    return made


@given(st.lists(st.floats(0.0, 120.0), min_size=1, max_size=20), st.floats(0.0, 12.0))
def test_each_change_is_written_within_30_seconds(changes: list[float], duration: float) -> None:
    made = writes([0.0, *changes], duration)
    for change in changes:
        ends = [end for begin, end in made if begin >= change]
        # The duration of the very first write is not known before.
        assert min(ends) - change <= LOSS + (duration if change <= made[0][0] else 0.0)


def test_changes_all_the_time_are_written_about_twice_a_minute() -> None:
    assert len(writes([each / 2 for each in range(240)], 0.1)) <= 5


def test_without_a_change_nothing_is_written() -> None:
    assert not SaveSchedule().is_due(behind=False, now=1e9)
