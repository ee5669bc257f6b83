"""Runs pldns for an hour with changes and faults: `python -m tests.chaos.soak [--minutes N] [--rate N] [--write]`.

Clients ask the known mix at a steady rate and check every answer. Every few seconds an endpoint moves or a fault begins
that ends no process. Measured once a second are the resident memory and the open descriptors of each process. The slope
of memory is that of a straight line through the second half: the memory of pldns is limited here, so that its caches
are full before. `--write` puts the table into docs/reliability.md. Exit status 1: an answer that no fault explains,
more descriptors at the end, or a slope above 1 MB an hour. Linux only.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from bench.processes import cpu, resident
from bench.questions import Outcome
from tests.chaos import files, network, processes, table
from tests.chaos.observer import Imperfect, Observer, observing
from tests.chaos.site import Setup, Site, running
from tests.live.daemon import give_way, until

FAULTS: Final = (
    *network.UPSTREAM[:3], *network.UPSTREAM[5:7], *files.SOURCES, *processes.RELOADS, *network.FLOODS, *network.IDLE,
)  # fmt: skip
"""None of them ends a process: the memory of a new process says nothing about a leak."""
_CALM: Final = 5.0
"""Seconds before and after each fault."""
_MEMORY: Final = "128MiB"
_MEGABYTE: Final = 1_000_000
_LIMIT: Final = 1.0
"""Megabytes an hour."""
_SPARE: Final = 2
"""Descriptors by which two medians may differ: of connections that are opened and closed."""


class Sample(NamedTuple):
    """Memory in octets, and descriptors, of a process."""

    at: float
    memory: int
    descriptors: int


@dataclass(slots=True)
class Samples:
    """What was measured of one process."""

    name: str
    pid: int
    taken: list[Sample] = field(default_factory=list)

    def take(self) -> None:
        """Take a sample."""
        descriptors = sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())
        self.taken.append(Sample(time.monotonic(), resident(self.pid), descriptors))

    @property
    def slope(self) -> float:
        """Growth of memory in the second half, in megabytes an hour."""
        half = self.taken[len(self.taken) // 2 :]
        line = statistics.linear_regression([each.at for each in half], [each.memory for each in half])
        return line.slope * 3600 / _MEGABYTE

    @property
    def descriptors(self) -> tuple[float, float]:
        """Median numbers of descriptors in the third and in the last quarter."""
        quarter = len(self.taken) // 4
        third, last = self.taken[2 * quarter : 3 * quarter], self.taken[3 * quarter :]
        return statistics.median(each.descriptors for each in third), statistics.median(
            each.descriptors for each in last
        )

    def row(self) -> str:
        """Return a row of the table."""
        first, last = (sum(each.memory for each in part) / len(part) / _MEGABYTE for part in self._ends())
        before, after = self.descriptors
        return table.cells(
            (self.name, f"{first:.1f} MB", f"{last:.1f} MB", f"{self.slope:.1f}", f"{before:g}", f"{after:g}")
        )

    def _ends(self) -> tuple[list[Sample], list[Sample]]:
        tenth = max(1, len(self.taken) // 10)
        return self.taken[len(self.taken) // 2 :][:tenth], self.taken[-tenth:]


def main() -> int:
    """Run the soak, and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=1_000.0, help="queries a second")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pldns-soak-") as folder,
        running(Path(folder), Setup(settings={"memory": _MEMORY})) as site,
        observing(site.ports, site.authority, given.rate) as observer,
    ):
        began = time.monotonic()
        used = cpu(site.children()["worker"][0])
        measured, unexplained = _soak(site, observer, given.minutes * 60)
        seconds = time.monotonic() - began
        load = (cpu(measured[-1].pid) - used) / seconds
        text = _text(measured, observer, began, f"{seconds / 60:.0f} minutes, worker at {load:.0%} of a core")
    print(text, *unexplained[:20], sep="\n")  # noqa: T201 - a program
    if given.write:
        table.write("make soak", text)
    return int(bool(unexplained) or not all(map(_is_level, measured)))


def _soak(site: Site, observer: Observer, seconds: float) -> tuple[list[Samples], list[Imperfect]]:
    """Return the samples, and what went wrong although no fault explains it."""
    children = site.children()
    measured = [
        Samples(name, pid)
        for name, pid in (
            ("supervisor", site.pid),
            ("control", children["control"][0]),
            ("worker", children["worker"][0]),
        )
    ]
    unexplained: list[Imperfect] = []
    begin = since = time.monotonic()
    for fault in itertools.cycle(FAULTS):
        site.moved()
        _watch(measured, _CALM)
        over = fault.begin(site)
        _watch(measured, fault.hold)
        if over:
            until(over)
        fault.end(site)
        site.moved()
        _watch(measured, _CALM)
        decided = observer.decided
        imperfect = observer.between(since, decided)
        unexplained += [each for each in imperfect if not fault.allowed.permits(each.kind, each.outcome)]
        since = decided
        if decided > begin + seconds:
            break
    assert site.children() == children, "a process was replaced"
    return measured, unexplained


def _watch(measured: list[Samples], seconds: float) -> None:
    """Take samples for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for each in measured:
            each.take()
        give_way(1.0)


def _is_level(samples: Samples) -> bool:
    before, after = samples.descriptors
    return samples.slope <= _LIMIT and after - before <= _SPARE


def _text(measured: list[Samples], observer: Observer, began: float, how: str) -> str:
    """Return the table, after a line about the queries."""
    now = time.monotonic()
    imperfect = observer.between(began, now)
    counts = Counter(each.outcome for each in imperfect)
    late = sum(each.late for each in imperfect if each.outcome is not Outcome.LOST)
    queries = (
        f"{observer.sent(began, now):,} queries in {how}: {counts[Outcome.WRONG]} wrong, {counts[Outcome.LOST]} lost"
    )
    columns = (
        "process",
        "memory at half-time",
        "memory at the end",
        "MB an hour",
        "descriptors in the third quarter",
        "and in the last",
    )
    rows = [table.cells(columns), "|---" * len(columns) + "|", *(each.row() for each in measured)]
    return "\n".join([f"{queries}, {counts[Outcome.SERVFAIL]} SERVFAIL, {late} late.", "", *rows]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
