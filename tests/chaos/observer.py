"""What the clients of the harness report: which queries were not answered as they should be, and when.

Does not know what was done to the server.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.questions import Outcome
from bench.steady import PATIENCE as LOST
from tests.live.daemon import PATIENCE
from tests.paths import ROOT


class Imperfect(NamedTuple):
    """A query that was not answered rightly, or late. `at`: when it was sent, on the steady clock."""

    at: float
    kind: str
    transport: str
    outcome: Outcome
    late: bool
    name: str


class _Tick(NamedTuple):
    at: float
    sent: int
    decided: float


class Observer:
    """Reads the reports of the clients."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._imperfect: list[Imperfect] = []
        self._ticks = [_Tick(0.0, 0, 0.0)]
        self._thread = threading.Thread(target=self._read, name="observer")
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._take(json.loads(line))

    def _take(self, line: dict[str, Any]) -> None:
        if "tick" in line:
            self._ticks.append(_Tick(line["tick"], line["sent"], line["decided"]))
        else:
            self._imperfect.append(Imperfect(**{**line, "outcome": Outcome(line["outcome"])}))

    @property
    def decided(self) -> float:
        """When the oldest query was sent of which nobody knows yet what becomes of it."""
        assert self._process.poll() is None, "the clients have ended"
        return self._ticks[-1].decided

    def between(self, begin: float, end: float) -> list[Imperfect]:
        """Return what went wrong with queries sent in this time."""
        return [each for each in self._imperfect if begin <= each.at < end]

    def sent(self, begin: float, end: float) -> int:
        """Return how many queries were sent in this time, to the nearest report before its ends."""
        counts = [max(tick.sent for tick in self._ticks if tick.at <= max(at, 0.0)) for at in (begin, end)]
        return counts[1] - counts[0]

    def end(self) -> None:
        """End the clients."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._thread.join()
        assert self._process.stdout
        self._process.stdout.close()


@contextmanager
def observing(ports: dict[str, int], authority: Path, rate: float, patience: float = LOST) -> Iterator[Observer]:
    """Run the clients while the block runs."""
    command = [sys.executable, "-m", "tests.chaos.client", json.dumps(ports), str(authority), str(rate), str(patience)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    observer = Observer(process)
    try:
        yield observer
    finally:
        observer.end()
