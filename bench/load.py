"""Rounds of dnsperf against one worker: queries per second, loss, and the server's CPU time for each query."""

import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.processes import Broken, cores, cpu

AVAILABLE: Final = shutil.which("dnsperf") is not None and shutil.which("taskset") is not None
OUTSTANDING: Final = 100
NOERROR: Final = frozenset(("NOERROR",))
_STATISTICS: Final = re.compile(
    r"Queries sent: +(?P<sent>\d+).*Queries completed: +(?P<completed>\d+).*Queries lost: +(?P<lost>\d+).*"
    r"Response codes: +(?P<codes>[^\n]+).*Queries per second: +(?P<rate>[\d.]+)",
    re.DOTALL,
)


class Round(NamedTuple):
    """One run: completed queries per second, lost queries, CPU microseconds of the server per query."""

    rate: float
    lost: int
    cpu: float


class Load(NamedTuple):
    """Medians over the rounds, the losses of all of them, and each one's rate."""

    rate: float
    lost: int
    cpu: float
    rates: tuple[int, ...]


def measure(worker: int, port: int, queries: Path, seconds: int, rounds: int, options: Sequence[str] = ()) -> Load:
    """Ask all of `queries` again and again for `seconds`, `rounds` times after one that warms up and does not count."""
    runs = [one(worker, port, queries, seconds, options) for _ in range(rounds + 1)][1:]
    return Load(
        statistics.median(run.rate for run in runs),
        sum(run.lost for run in runs),
        statistics.median(run.cpu for run in runs),
        tuple(round(run.rate) for run in runs),
    )


def one(worker: int, port: int, queries: Path, seconds: int, options: Sequence[str]) -> Round:
    """One run of dnsperf, after which the CPU time of one process is looked at."""
    before = cpu(worker)
    run = ask(port, queries, seconds, options)
    return Round(run.rate, run.lost, (cpu(worker) - before) / run.completed * 1e6)


class Asked(NamedTuple):
    """What dnsperf says of a run."""

    rate: float
    completed: int
    lost: int


def ask(port: int, queries: Path, seconds: int, options: Sequence[str], codes: frozenset[str] = NOERROR) -> Asked:
    """One run of dnsperf. Raises `Broken` when nothing is answered, or with other than these response codes."""
    given = command(port, queries, seconds, options)
    return asked(subprocess.run(given, capture_output=True, text=True, check=True).stdout, codes)


def asked(output: str, codes: frozenset[str]) -> Asked:
    """What dnsperf has printed. Raises `Broken` as `ask`."""
    found = _STATISTICS.search(output)
    if not found or not int(found["completed"]):
        raise Broken(f"dnsperf got no answers:\n{output}")
    if not {each.split()[0] for each in found["codes"].split(", ")} <= codes:
        raise Broken(f"answers other than {', '.join(sorted(codes))}: {found['codes']}")
    return Asked(float(found["rate"]), int(found["completed"]), int(found["lost"]))


def command(port: int, queries: Path, seconds: int, options: Sequence[str]) -> list[str]:
    """How dnsperf is started, on the core of the clients."""
    return [
        "taskset", "--cpu-list", str(cores()[1]), "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(queries),
        "-l", str(seconds), "-c", "4", "-T", "1", "-q", str(OUTSTANDING), *options,
    ]  # fmt: skip
