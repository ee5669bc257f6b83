"""The time of connections in one turn of the event loop, with a clock that the test moves."""

from collections.abc import Callable

from resolver.worker.net.turns import SLICE, Turns


class Loop:
    """A clock, and the calls for the next turn."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[Callable[[], None]] = []

    def turns(self) -> Turns:
        return Turns(lambda: self.now, self.calls.append)

    def turn(self) -> None:
        calls = self.calls[:]
        self.calls.clear()
        for call in calls:
            call()


class Job:
    """Work of some pieces, each of which takes a third of a slice."""

    def __init__(self, turns: Turns, loop: Loop, done: list[str], name: str, pieces: int = 1) -> None:
        self.turns, self.loop, self.done, self.name, self.left = turns, loop, done, name, pieces

    def arrive(self) -> None:
        if self.turns.admit(self):
            self.work()

    def work(self) -> None:
        self.loop.now += SLICE * 0.4
        self.done.append(self.name)
        self.left -= 1
        if self.left:
            self.turns.later(self)


def test_work_beyond_a_slice_waits_for_the_next_turn_in_the_order_of_its_arrival() -> None:
    loop, done = Loop(), list[str]()
    turns = loop.turns()
    for name in "abcdefgh":
        Job(turns, loop, done, name).arrive()
    assert "".join(done) == "abc"
    loop.turn()
    assert "".join(done) == "abcdef"
    Job(turns, loop, done, "x").arrive()
    assert "".join(done) == "abcdef"
    loop.turn()
    assert "".join(done) == "abcdefghx"
    assert not turns
    assert not loop.calls


def test_a_busy_connection_does_not_exclude_another() -> None:
    loop, done = Loop(), list[str]()
    turns = loop.turns()
    Job(turns, loop, done, "a", 100).arrive()
    Job(turns, loop, done, "b").arrive()
    loop.turn()
    assert done[:3] == ["a", "a", "b"]
    assert len(done) <= 4


def test_work_is_done_at_once_where_the_loop_has_time() -> None:
    loop, done = Loop(), list[str]()
    turns = loop.turns()
    for name in "abc":
        Job(turns, loop, done, name).arrive()
        loop.now += 3 * SLICE
    assert "".join(done) == "abc"
    assert not loop.calls
