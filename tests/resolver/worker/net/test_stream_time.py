"""The time of connections in one turn of the event loop, with a clock that the test moves."""

from collections.abc import Callable

from resolver.worker.net.stream_time import SLICE, StreamTime


class Loop:
    """A clock, and the calls for the next turn."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[Callable[[], None]] = []

    def time(self) -> StreamTime:
        return StreamTime(lambda: self.now, self.calls.append)

    def turn(self) -> None:
        calls = self.calls[:]
        self.calls.clear()
        for call in calls:
            call()


class Job:
    """Work of some pieces, each of which takes a third of a slice."""

    def __init__(self, time: StreamTime, loop: Loop, done: list[str], name: str, pieces: int = 1) -> None:
        self.time, self.loop, self.done, self.name, self.left = time, loop, done, name, pieces

    def arrive(self) -> None:
        if self.time.admit(self):
            self.work()

    def work(self) -> None:
        self.loop.now += SLICE * 0.4
        self.done.append(self.name)
        self.left -= 1
        if self.left:
            self.time.later(self)


def test_work_beyond_a_slice_waits_for_the_next_turn_in_the_order_of_its_arrival() -> None:
    loop, done = Loop(), list[str]()
    time = loop.time()
    for name in "abcdefgh":
        Job(time, loop, done, name).arrive()
    assert "".join(done) == "abc"
    loop.turn()
    assert "".join(done) == "abcdef"
    Job(time, loop, done, "x").arrive()
    assert "".join(done) == "abcdef"
    loop.turn()
    assert "".join(done) == "abcdefghx"
    assert not time
    assert not loop.calls


def test_a_busy_connection_does_not_exclude_another() -> None:
    loop, done = Loop(), list[str]()
    time = loop.time()
    Job(time, loop, done, "a", 100).arrive()
    Job(time, loop, done, "b").arrive()
    loop.turn()
    assert done[:3] == ["a", "a", "b"]
    assert len(done) <= 4


def test_work_is_done_at_once_where_the_loop_has_time() -> None:
    loop, done = Loop(), list[str]()
    time = loop.time()
    for name in "abc":
        Job(time, loop, done, name).arrive()
        loop.now += 3 * SLICE
    assert "".join(done) == "abc"
    assert not loop.calls
