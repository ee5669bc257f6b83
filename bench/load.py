"""Rounds of dnsperf against one worker: queries per second, losses, and the server's CPU time per query."""

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
    """Medians over the rounds, losses of all rounds, and the rate of each."""

    rate: float
    lost: int
    cpu: float
    rates: tuple[int, ...]


def measure(worker: int, port: int, queries: Path, seconds: int, rounds: int, options: Sequence[str] = ()) -> Load:
    """Send `queries` repeatedly for `seconds`, in `rounds` rounds after a warm-up round that does not count."""
    runs = [one(worker, port, queries, seconds, options) for _ in range(rounds + 1)][1:]
    return Load(
        statistics.median(run.rate for run in runs),
        sum(run.lost for run in runs),
        statistics.median(run.cpu for run in runs),
        tuple(round(run.rate) for run in runs),
    )


def one(worker: int, port: int, queries: Path, seconds: int, options: Sequence[str]) -> Round:
    """Run dnsperf once and measure the CPU time of one process."""
    before = cpu(worker)
    run = ask(port, queries, seconds, options)
    return Round(run.rate, run.lost, (cpu(worker) - before) / run.completed * 1e6)


class Asked(NamedTuple):
    """The result that dnsperf prints."""

    rate: float
    completed: int
    lost: int


def ask(port: int, queries: Path, seconds: int, options: Sequence[str], codes: frozenset[str] = NOERROR) -> Asked:
    """Run dnsperf once. Raises `Broken` without answers, or for response codes other than `codes`."""
    given = command(port, queries, seconds, options)
    return asked(subprocess.run(given, capture_output=True, text=True, check=True).stdout, codes)


def asked(output: str, codes: frozenset[str]) -> Asked:
    """Parse the output of dnsperf. Raises `Broken` as `ask` does."""
    found = _STATISTICS.search(output)
    if not found or not int(found["completed"]):
        raise Broken(f"dnsperf got no answers:\n{output}")
    if not {each.split()[0] for each in found["codes"].split(", ")} <= codes:
        raise Broken(f"answers other than {', '.join(sorted(codes))}: {found['codes']}")
    return Asked(float(found["rate"]), int(found["completed"]), int(found["lost"]))


def command(port: int, queries: Path, seconds: int, options: Sequence[str]) -> list[str]:
    """Return the command that runs dnsperf on the core of the clients."""
    return [
        "taskset", "--cpu-list", str(cores()[1]), "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(queries),
        "-l", str(seconds), "-c", "4", "-T", "1", "-q", str(OUTSTANDING), *options,
    ]  # fmt: skip
