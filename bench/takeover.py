"""`python -m bench.takeover`: takeovers under load, while every answer is checked.

Clients send 5,000 queries a second in all over UDP, TCP, TLS and HTTPS for the name of one endpoint. SIGUSR2 makes a
successor take over, ten times. Counted are queries lost, wrong answers and SERVFAIL, and connections that ended by an
error. Linux only.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.loaded import asking, serving, suffered
from bench.measure import Result
from bench.processes import Broken
from bench.report import report
from bench.steady import Clients

_PATIENCE: Final = 60.0
"""Seconds until a takeover counts as failed."""


def everything(directory: Path, rate: float, times: int, workers: int) -> Iterator[Result]:
    """Yield the results. Raises `Broken`."""
    with serving(directory, workers) as (daemon, clients):
        pids = [daemon.pid]
        try:
            seconds = asyncio.run(_taken_over(clients, directory / "log", pids, rate, times))
        finally:
            if pids[-1] != daemon.pid:
                os.kill(pids[-1], signal.SIGTERM)
                while _runs(pids[-1]):
                    time.sleep(0.02)  # the successor is not our child, so its end cannot be waited for
    yield Result("takeovers", times, "", note=f"the longest took {max(seconds, default=0):.1f} s; {workers} workers")
    yield from suffered(clients)


async def _taken_over(clients: Clients, log: Path, pids: list[int], rate: float, times: int) -> list[float]:
    """Let successors take over in turn, and append their process ids. Return how long each takeover took."""
    seconds = []
    async with asking(clients, rate):
        for _ in range(times):
            began = time.monotonic()
            os.kill(pids[-1], signal.SIGUSR2)
            while _runs(pids[-1]):
                if time.monotonic() - began > _PATIENCE:
                    raise Broken(f"no takeover within {_PATIENCE:.0f} s")
                await asyncio.sleep(0.01)
            seconds.append(time.monotonic() - began)
            pids.append(_successor(log))
            await asyncio.sleep(0.5)
    return seconds


def _successor(log: Path) -> int:
    """Return the process id of the last successor."""
    return int(re.findall(r"started the pldns with pid (\d+)", log.read_text())[-1])


def _runs(pid: int) -> bool:
    """Return whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.takeover", description=__doc__)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.rate, given.times, given.workers))


if __name__ == "__main__":
    sys.exit(main())
