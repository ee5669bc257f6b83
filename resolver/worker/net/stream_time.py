"""The time that connections of clients get before packets over UDP are read again.

Without a limit, many busy connections would fill one turn of the event loop, and packets over UDP would be lost
meanwhile: the kernel keeps some hundreds of them. Here connections work for `SLICE` seconds. What is left waits, in the
order of its arrival, for the next turn of the loop, in which UDP is read too. Does not know what the work is.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

SLICE: Final = 0.002
"""Seconds of work before the event loop continues. One piece of work is never interrupted."""


class HasWork(Protocol):
    """Something with work to do, in pieces of less than a millisecond."""

    def work(self) -> None:
        """Do one piece of work."""


class StreamTime:
    """Divides the time of the event loop. Work that has to wait is done in the order in which it arrived."""

    def __init__(self, clock: Callable[[], float], next_turn: Callable[[Callable[[], None]], object]) -> None:
        """`clock` returns seconds. `next_turn` has a function called in the next turn of the loop."""
        self._clock = clock
        self._next_turn = next_turn
        self._until = 0.0
        """End of the current slice."""
        self._waiting = deque[HasWork]()
        self._due = False
        """Whether a call of `_begin` is scheduled."""

    def __len__(self) -> int:
        """Return how many workers wait."""
        return len(self._waiting)

    def admit(self, worker: HasWork) -> bool:
        """Return whether there is time for a piece of work now. Otherwise `worker.work` is called in a later turn."""
        now = self._clock()
        if not self._waiting:
            if now < self._until:
                return True
            if now >= self._until + SLICE:  # the loop has had time for everything else
                self._until = now + SLICE
                return True
        self.later(worker)
        return False

    @property
    def is_over(self) -> bool:
        """Whether a piece of work should end, because the slice does."""
        return self._clock() >= self._until

    def later(self, worker: HasWork) -> None:
        """Have `worker.work` called in a later turn."""
        self._waiting.append(worker)
        if not self._due:
            self._due = True
            self._next_turn(self._begin)

    def _begin(self) -> None:
        """Work for one slice. The rest waits for the next turn."""
        waiting, clock = self._waiting, self._clock
        self._until = clock() + SLICE
        for _ in range(len(waiting)):  # a worker that has more to do waits again
            waiting.popleft().work()
            if clock() >= self._until:
                break
        self._due = bool(waiting)
        if waiting:
            self._next_turn(self._begin)
