"""`python -m bench.changes`: the latency of clients while 100 endpoints a second change their address.

dnsperf sends half of the queries that the worker can answer, and a paced client measures. First nothing changes; then
files with one endpoint each are renamed into place. The worker has one core; control, dnsperf, the client and the
process that changes the files share the other.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from bench import load, paced
from bench.generate import Ports, write
from bench.measure import PATIENCE, Result, address, ready
from bench.processes import PLDNS, Background, Broken, cores, pin
from bench.report import report

RATE: Final = 100
"""Changes per second."""
FILES: Final = 50
"""Number of endpoints that change repeatedly; each has its own file."""


_EVICTED: Final = "pldns_answers_evicted_total "
_REPORTED: Final = 2.5  # seconds within which workers report their counters


def fqdn(number: int) -> str:
    """Return the FQDN of a changing endpoint."""
    return f"changing{number}.blob.core.windows.net"


class Changing:
    """The files of the changing endpoints, and the addresses used so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = 0
        for _ in range(FILES):
            self.next()

    def next(self) -> None:
        """Make one more change, by renaming a file."""
        number, at = self._turn % FILES, IPv4Address("10.200.0.0") + self._turn
        self._turn += 1
        record = {"fqdn": fqdn(number), "ips": [str(at)]}
        endpoint = {"name": f"changing{number}", "target": f"changing{number}", "group": "blob", "records": [record]}
        beside = self._folder / ".changing"
        beside.write_text(json.dumps({"endpoints": [endpoint]}))
        beside.replace(self._folder / f"changing{number}.json")

    def go_on(self, seconds: float) -> int:
        """Make changes at `RATE` for `seconds`. Return their number."""
        began, count = time.monotonic(), 0
        while (now := time.monotonic()) < began + seconds:
            if count < (now - began) * RATE:
                self.next()
                count += 1
            else:
                time.sleep(0.002)  # paces the changes at RATE; a busy wait would take the core from dnsperf
        return count

    def last(self) -> tuple[str, str]:
        """The last name that changed, and its address."""
        return fqdn((self._turn - 1) % FILES), str(IPv4Address("10.200.0.0") + self._turn - 1)


def measure(folder: Path, endpoints: int, seconds: int) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    ports = Ports()
    write(folder, endpoints, ports)
    changing = Changing(folder / "endpoints")
    queries = folder / "private.txt"
    queries.write_text(queries.read_text() + "".join(f"{fqdn(number)} A\n" for number in range(FILES)))
    with ExitStack() as stack:
        command = (PLDNS, "serve", "-c", folder / "pldns.yaml")
        daemon = stack.enter_context(Background(command, folder / "serve.log"))
        while not ready(ports.admin):
            if time.monotonic() - daemon.began > PATIENCE:
                raise Broken("/readyz was not 200")
            daemon.breathe(0.05)
        (worker,) = daemon.children("resolver.main.worker")
        pin(worker, cores()[0])
        for other in (os.getpid(), daemon.pid, *daemon.children("resolver.main.control")):
            pin(other, cores()[1])
        load.one(worker, ports.dns, queries, 120, ("-n", "1"))  # compile every answer once
        half = int(load.one(worker, ports.dns, queries, seconds, ()).rate / 2)
        quiet, lost_quiet, _ = _beside(ports.dns, queries, half, seconds, None)
        evicted = _evicted(ports.admin)
        busy, lost_busy, count = _beside(ports.dns, queries, half, seconds, changing)
        yield Result("changes", count / seconds, "a second", RATE * 0.95, least=True, note=f"{half:,} queries/s beside")
        yield Result("lost, quiet and changing", lost_quiet + lost_busy, "queries", 0)
        yield Result("p99, quiet", quiet.p99 / 1e3, "ms", note=f"p50 {quiet.p50:.0f} us, p99.9 {quiet.p999:.0f} us")
        yield Result("p99, changing", busy.p99 / 1e3, "ms", note=f"p50 {busy.p50:.0f} us, p99.9 {busy.p999:.0f} us")
        yield Result("p99, changing, of quiet", busy.p99 / quiet.p99, "times", 2)
        name, at = changing.last()
        began = time.monotonic()
        while address(ports.dns, name) != at:
            if time.monotonic() - began > PATIENCE:
                raise Broken(f"{name} was not answered with {at}")
            daemon.breathe(0.005)
        yield Result("the last change, until served", time.monotonic() - began, "s", 1, note="after the load")
        daemon.breathe(_REPORTED)
        gone = _evicted(ports.admin) - evicted
        yield Result("answers evicted, of each change", gone / count, "", 1, note=f"{gone:.0f}, of {endpoints:,} kept")


def _evicted(admin: int) -> float:
    """Return the number of answers that changes have evicted so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(_EVICTED)), 0.0)


def _beside(
    port: int, queries: Path, rate: int, seconds: int, changing: Changing | None
) -> tuple[paced.Waits, int, int]:
    """Return the waits of the paced client, the losses of both clients, and the number of changes."""
    command = load.command(port, queries, seconds + 3, ("-Q", str(rate)))
    with (
        paced.Probe(port, queries, seconds) as probe,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dnsperf,
    ):
        time.sleep(1)  # dnsperf prints nothing until it ends: allow for its start and its first burst
        probe.begin()
        count = changing.go_on(seconds) if changing else 0
        waits = probe.waits()
        output, _ = dnsperf.communicate()
    return waits, waits.lost + load.asked(output, load.NOERROR).lost, count


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.changes", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf or taskset is missing")
        return 0
    return report(lambda folder: measure(folder, given.endpoints, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
