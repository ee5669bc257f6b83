"""`python -m bench.workers`: more than one worker, and many networks.

Compares two workers with one: the distribution of 256 client sockets, and the cost of a query. Then compares 20,000
endpoints in one network with the same in 1,000: the cost should grow with the sum, not the product. Processes are not
pinned: two workers and dnsperf share all cores.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network
from itertools import chain
from pathlib import Path
from typing import Final

from bench import load
from bench.measure import MIB, PATIENCE, Result, ready
from bench.processes import PLDNS, Background, Broken, cpu, resident
from bench.report import report

ENDPOINTS: Final = 20_000
NETWORKS: Final = 1_000
SOCKETS: Final = "256"
PORT: Final = 5460


def fqdn(number: int) -> str:
    """Return the FQDN of an endpoint."""
    return f"contoso{number}.blob.core.windows.net"


def write(folder: Path, port: int, workers: int, networks: int, *, own: bool) -> Path:
    """Write a configuration and its estate. `own`: each endpoint is visible to one network, otherwise to all."""
    folder.mkdir()
    endpoints = [
        {"name": f"e{i}", "target": f"contoso{i}", "group": "blob",
         "records": [{"fqdn": fqdn(i), "ips": [str(IPv4Address("10.64.0.0") + i)]}]}
        | ({"network": f"n{i % networks}"} if own else {})
        for i in range(ENDPOINTS)
    ]  # fmt: skip
    (folder / "estate.json").write_text(json.dumps({"endpoints": endpoints}))
    (folder / "queries.txt").write_text("".join(f"{fqdn(i)} A\n" for i in range(ENDPOINTS)))
    prefixes = IPv4Network("10.0.0.0/8").subnets(new_prefix=20)
    config = {
        "dns": {"listen": [f"127.0.0.1:{port}"], "workers": workers},
        "admin": {"listen": f"127.0.0.1:{port + 1}"},
        "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
        "sources": [{"name": "estate", "type": "files", "path": "estate.json"}],
        "networks": [{"name": f"n{i}", "clients": [str(next(prefixes))]} for i in range(networks)],
    }
    config["networks"][0]["clients"].append("127.0.0.0/8")  # type: ignore[index]
    (folder / "pldns.yaml").write_text(json.dumps(config))
    return folder / "pldns.yaml"


def serve(stack: ExitStack, file: Path, port: int) -> Background:
    """Start a daemon and wait until it is ready."""
    daemon = stack.enter_context(Background((PLDNS, "serve", "-c", file), file.with_suffix(".log")))
    while not ready(port + 1):
        if time.monotonic() - daemon.began > PATIENCE:
            raise Broken("/readyz was not 200")
        daemon.breathe(0.05)
    return daemon


def workers(folder: Path, rounds: int, seconds: int) -> Iterator[Result]:
    """Measure one worker and two workers, in turn."""
    with ExitStack() as stack:
        running: dict[int, tuple[int, list[int]]] = {}
        for count in (1, 2):
            port = PORT + 2 * count
            daemon = serve(stack, write(folder / f"workers{count}", port, count, 1, own=False), port)
            running[count] = port, daemon.children("resolver.main.worker")
        queries = folder / "workers1" / "queries.txt"
        costs: dict[int, list[float]] = {1: [], 2: []}
        rates: dict[int, list[float]] = {1: [], 2: []}
        shares: list[float] = []
        for port, _ in running.values():
            load.ask(port, queries, 120, ("-c", SOCKETS, "-n", "8"))  # each worker compiles nearly all answers once
        for _ in range(rounds):
            for count, (port, pids) in running.items():
                before = [cpu(pid) for pid in pids]
                outstanding = str(
                    count * load.OUTSTANDING
                )  # the same number per worker: a larger batch makes each query cheaper
                run = load.ask(port, queries, seconds, ("-c", SOCKETS, "-q", outstanding))
                used = [cpu(pid) - was for pid, was in zip(pids, before, strict=True)]
                costs[count].append(sum(used) / run.completed * 1e6)
                rates[count].append(run.rate)
                shares += [max(used) / sum(used) * 2 - 1] if count == 2 else []
        for count in (1, 2):
            note = (
                f"{min(costs[count]):.1f} to {max(costs[count]):.1f}; {statistics.median(rates[count]):,.0f} queries/s"
            )
            yield Result(f"CPU of a query, {count} workers", statistics.median(costs[count]), "us", note=note)
        ratios = [two / one for one, two in zip(costs[1], costs[2], strict=True)]
        note = f"{min(ratios):.2f} to {max(ratios):.2f}"
        yield Result("two workers, CPU of a query, of one's", statistics.median(ratios), "times", 1.1, note=note)
        note = f"{SOCKETS} sockets; {min(shares):.2f} to {max(shares):.2f}"
        yield Result("two workers, off an even share", statistics.median(shares), "", 0.2, note=note)


def networks(folder: Path) -> Iterator[Result]:
    """Measure the same endpoints in one network and in many."""
    for what, count, own in (
        ("1 network", 1, False), (f"{NETWORKS:,} networks, all see all", NETWORKS, False),
        (f"{NETWORKS:,} networks, each its own", NETWORKS, True),
    ):  # fmt: skip
        with ExitStack() as stack:
            file = write(folder / f"networks{count}{own}", PORT, 1, count, own=own)
            daemon = serve(stack, file, PORT)
            took = time.monotonic() - daemon.began
            (worker,), (control,) = (daemon.children(f"resolver.main.{each}") for each in ("worker", "control"))
            note = f"control {resident(control) / MIB:.0f} MiB, worker {resident(worker) / MIB:.0f} MiB"
            yield Result(f"{ENDPOINTS:,} endpoints, {what}, until ready", took, "s", note=note)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf or taskset is missing")
        return 0
    return report(lambda folder: chain(networks(folder), workers(folder, given.rounds, given.seconds)))


if __name__ == "__main__":
    sys.exit(main())
