"""Changes under load: `python -m bench.changes`. What clients wait while 100 endpoints a second get another address.

dnsperf asks at half of the worker's rate, a paced client beside it; first nothing changes, then files with one endpoint
each are renamed into place. The worker stands on one core; all others (control, dnsperf, the client, who changes the
files) share the other.
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
from bench.report import told

RATE: Final = 100
"""Changes a second."""
FILES: Final = 50
"""Endpoints that change again and again, a file each."""


_EVICTED: Final = "pldns_answers_evicted_total "
_REPORTED: Final = 2.5  # seconds in which workers have told what they counted


def fqdn(number: int) -> str:
    """Of an endpoint that changes."""
    return f"changing{number}.blob.core.windows.net"


class Changing:
    """The files, and their addresses so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = 0
        for _ in range(FILES):
            self.next()

    def next(self) -> None:
        """One more change, as one rename."""
        number, at = self._turn % FILES, IPv4Address("10.200.0.0") + self._turn
        self._turn += 1
        record = {"fqdn": fqdn(number), "ips": [str(at)]}
        endpoint = {"name": f"changing{number}", "target": f"changing{number}", "group": "blob", "records": [record]}
        beside = self._folder / ".changing"
        beside.write_text(json.dumps({"endpoints": [endpoint]}))
        beside.replace(self._folder / f"changing{number}.json")

    def go_on(self, seconds: float) -> int:
        """Change at `RATE`; how many there were."""
        began, count = time.monotonic(), 0
        while (now := time.monotonic()) < began + seconds:
            if count < (now - began) * RATE:
                self.next()
                count += 1
            else:
                time.sleep(0.002)  # until one is due; the core is dnsperf's and control's too
        return count

    def last(self) -> tuple[str, str]:
        """The name that changed last, and its address."""
        return fqdn((self._turn - 1) % FILES), str(IPv4Address("10.200.0.0") + self._turn - 1)


def measure(folder: Path, endpoints: int, seconds: int) -> Iterator[Result]:
    """All figures. Raises `Broken`."""
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
        load.one(worker, ports.dns, queries, 120, ("-n", "1"))  # every answer is made once
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
    """Answers that workers have dropped for changes so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as reply:
        told = reply.read().decode()
    return next((float(line.split()[1]) for line in told.splitlines() if line.startswith(_EVICTED)), 0.0)


def _beside(
    port: int, queries: Path, rate: int, seconds: int, changing: Changing | None
) -> tuple[paced.Waits, int, int]:
    """What the paced client waits beside that load, what both lost, and how many changes there were."""
    command = load.command(port, queries, seconds + 3, ("-Q", str(rate)))
    with (
        paced.Probe(port, queries, seconds) as probe,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dnsperf,
    ):
        time.sleep(1)  # dnsperf has begun, and its first burst is over
        probe.begin()
        count = changing.go_on(seconds) if changing else 0
        waits = probe.waits()
        output, _ = dnsperf.communicate()
    return waits, waits.lost + load.asked(output, load.NOERROR).lost, count


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.changes", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf or taskset is missing")
        return 0
    return told(lambda folder: measure(folder, given.endpoints, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
