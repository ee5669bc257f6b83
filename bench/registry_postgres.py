"""`python -m bench.registry_postgres`: creates per second of registries that share a PostgreSQL database.

A PostgreSQL server of Debian's package starts in a temporary folder. A registry with 2,000 endpoints fills its
database. Clients then create endpoints through one control plane, and through two. Measured: creates per second, the
CPU time of each control for one, and the delay from the response of one control plane to the answer of the other's
worker. Linux only.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.measure import PATIENCE, Result, ready
from bench.processes import PLDNS, Background, Broken, cpu
from bench.registry import CLIENTS, create, delays, write
from bench.registry_estate import fill
from bench.report import report
from tests.postgres_server import PostgresServer

PORTS: Final = (5573, 5576)
"""The first of three ports of each control plane."""
DELAYS: Final = 100
LISTED: Final = 2_000
"""Endpoints that are there before."""


def everything(folder: Path, rounds: int, creates: int) -> Iterator[Result]:
    """Yield all results. Raises `Broken`."""
    total = LISTED + 2 * rounds * creates + DELAYS
    fill(folder / "0" / "state", LISTED, accounts=total - LISTED)
    (folder / "1").mkdir()
    left = iter(range(LISTED, total))
    with PostgresServer.running() as server, ExitStack() as stack:
        url = server.database()
        daemons = []
        for i, port in enumerate(PORTS):
            path = write(folder / f"{i}", port, database=url)
            daemons.append(stack.enter_context(Background((PLDNS, "serve", "-c", path), folder / f"{i}" / "serve.log")))
            began = time.monotonic()
            while not ready(port + 1):
                if time.monotonic() - began > PATIENCE:
                    raise Broken("/readyz was not 200")
                daemons[-1].breathe(0.02)
            yield Result(f"control plane {i + 1} ready", time.monotonic() - began, "s", note=f"{LISTED:,} endpoints")
        controls = [each.children("resolver.main.control")[0] for each in daemons]
        for number in (1, 2):
            before = [*map(cpu, controls)]
            rates = [creates / _spawned([next(left) for _ in range(creates)], number) for _ in range(rounds)]
            shown = f"{CLIENTS} clients; {min(rates):,.0f} to {max(rates):,.0f}"
            what = "one control plane" if number == 1 else "two control planes"
            yield Result(
                f"creates per second, {what}", statistics.median(rates), "creates", 500, least=True, note=shown
            )
            costs = [(cpu(pid) - was) / (rounds * creates) * 1000 for pid, was in zip(controls, before, strict=True)]
            yield Result("CPU of control for a create", costs[0], "ms", note=f"the other control: {costs[1]:.1f} ms")
        waits = asyncio.run(delays([next(left) for _ in range(DELAYS)], PORTS[0] + 2, PORTS[1]))
        note = f"slowest of {DELAYS}; median {statistics.median(waits) * 1000:.1f} ms"
        yield Result("answered by the other after the response", max(waits) * 1000, "ms", 100, note=note)


def _spawned(numbers: Sequence[int], planes: int) -> float:
    """Create endpoints from a process of its own. Return the seconds that this took."""
    command = [sys.executable, "-m", "bench.registry_postgres", "--create", f"{numbers[0]},{len(numbers)},{planes}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Broken("the clients failed")
    return float(done.stdout)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.registry_postgres", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--creates", type=int, default=2_000, help="endpoints that each round creates")
    parser.add_argument("--create", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.create:
        first, count, planes = map(int, given.create.split(","))
        ports = [port + 2 for port in PORTS[:planes]]
        print(asyncio.run(create(range(first, first + count), CLIENTS, ports=ports)))
        return 0
    return report(lambda folder: everything(folder, given.rounds, given.creates))


if __name__ == "__main__":
    sys.exit(main())
