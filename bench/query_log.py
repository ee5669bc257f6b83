"""`python -m bench.query_log`: what the query log costs, on repeated queries over UDP.

Compares a worker that logs every query to a file with one that logs none, in pairs of rounds, and a worker of a daemon
that has the section but logs no class of these queries. The worker has a core of its own; dnsperf and the query logger
share the other one.
"""

import argparse
import json
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from bench import load
from bench.measure import MIB, PATIENCE, Result, ready
from bench.processes import PLDNS, Background, Broken, cores, cpu, pin, resident
from bench.report import report

PORT: Final = 5470
NAMES: Final = 1_000
LOGS: Final[dict[str, dict[str, object] | None]] = {
    "none": None,
    "all": {"to": "queries.log"},
    "errors": {"to": "errors.log", "classes": ["error"]},
}
"""The section `query_log` of each daemon."""


class Daemon:
    """A daemon with one worker, on the core of servers."""

    def __init__(self, stack: ExitStack, folder: Path, log: str, port: int) -> None:
        folder.mkdir()
        names = (f"contoso{i}.blob.core.windows.net" for i in range(NAMES))
        estate = [
            {"name": f"e{i}", "group": "blob", "records": [{"fqdn": name, "ips": ["10.0.0.4"]}]}
            for i, name in enumerate(names)
        ]
        (folder / "estate.json").write_bytes(msgspec.json.encode({"endpoints": estate}))
        config = {
            "dns": {"listen": [f"127.0.0.1:{port}"], "workers": 1},
            "admin": {"listen": f"127.0.0.1:{port + 1}"},
            "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
            "sources": [{"name": "estate", "type": "files", "path": "estate.json"}],
            "user": "root",
        }
        config |= {"query_log": LOGS[log]} if LOGS[log] else {}
        (folder / "pldns.yaml").write_bytes(msgspec.json.encode(config))
        self.port = port
        daemon = stack.enter_context(Background((PLDNS, "serve", "-c", folder / "pldns.yaml"), folder / "log"))
        while not ready(port + 1):
            if time.monotonic() - daemon.began > PATIENCE:
                raise Broken("/readyz was not 200")
            daemon.breathe(0.05)
        (self.worker,) = daemon.children("resolver.main.worker")
        self.loggers = daemon.children("resolver.main.query_log")
        pin(self.worker, cores()[0])
        for each in self.loggers:
            pin(each, cores()[1])


def measure(folder: Path, rounds: int, seconds: int) -> Iterator[Result]:
    """Measure the daemons in turn, so that each pair of rounds has the same machine."""
    queries = folder / "queries.txt"
    queries.write_text("".join(f"contoso{i}.blob.core.windows.net A\n" for i in range(NAMES)))
    with ExitStack() as stack:
        daemons = {log: Daemon(stack, folder / log, log, PORT + 2 * i) for i, log in enumerate(LOGS)}
        runs: dict[str, list[load.Round]] = {log: [] for log in LOGS}
        (logger,) = daemons["all"].loggers
        used, first = 0.0, 0
        for number in range(rounds + 1):
            for log, daemon in daemons.items():
                before = cpu(logger)
                run = load.one(daemon.worker, daemon.port, queries, seconds, ())
                if number:  # the first one compiles the answers
                    runs[log].append(run)
                    used += cpu(logger) - before if log == "all" else 0
            if not number:
                first = _written(daemons["all"])
        written = _written(daemons["all"]) - first
        memory = resident(logger)
    plain = runs["none"]
    note = f"{statistics.median(run.rate for run in plain):,.0f} queries/s"
    yield Result("CPU of a hit, no query log", statistics.median(run.cpu for run in plain), "us", note=note)
    for log, what, limit in (("all", "every query to a file", 1.33), ("errors", "errors only", None)):
        ratios = [run.cpu / alone.cpu for run, alone in zip(runs[log], plain, strict=True)]
        rates = [run.rate / alone.rate for run, alone in zip(runs[log], plain, strict=True)]
        note = f"{min(ratios):.2f} to {max(ratios):.2f}; queries/s: {statistics.median(rates):.2f} times"
        yield Result(f"{what}: CPU of a hit", statistics.median(ratios), "times", limit, note=note)
    share = written / sum(run.rate * seconds for run in runs["all"])
    yield Result("written lines per query", share, "", note="the others were dropped")
    yield Result(
        "CPU of the logger, per written line", used / max(written, 1) * 1e6, "us", note=f"{memory / MIB:.0f} MiB"
    )


def _written(daemon: Daemon) -> int:
    """Return how many lines the query log has written, when the logger has read all that it will."""
    time.sleep(1.5)  # it reports once a second
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port + 1}/v1/status") as reply:
        status = json.load(reply)
    return int(status["query_log"]["outputs"][0]["written"])


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.query_log", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf or taskset is missing")
        return 0
    return report(lambda folder: measure(folder, given.rounds, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
