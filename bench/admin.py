"""`python -m bench.admin`: what reads of the admin interface do to answers, and how many changes the history can write.

A paced client asks a worker for names of endpoints, in pairs of rounds: alone, and while another client reads the admin
interface at a steady rate, one list or status after the other. The worker has one core; control and the clients have
the other. Then the journal of the history writes changes as fast as it can. Linux only.
"""

import argparse
import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec

from bench import paced
from bench.measure import PATIENCE, Result, _worker, ready
from bench.processes import PLDNS, Background, Broken, cores, pin
from bench.report import report
from resolver.control.history.entry import Kind, State
from resolver.control.history.journal import Bounds, Journal
from zones.clocks import WallTime

PORT: Final = 5560
NAMES: Final = 2_000
"""Endpoints, each with one name."""
RATE: Final = 200
"""Requests per second."""
READS: Final = (
    "/v1/status", "/v1/findings?severity=error", "/v1/endpoints?limit=10", "/v1/zones", "/metrics", "/v1/sources",
    "/v1/endpoints?name=contoso7.blob.core.windows.net", "/v1/claims?name=contoso7.blob.core.windows.net",
    "/v1/networks", "/v1/history?limit=10", "/readyz?verbose", "/v1/upstreams", "/v1/fallbacks", "/v1/cache",
)  # fmt: skip
"""The mix, in turn. `/v1/explain` has a measurement of its own (`bench.explain`)."""
CHANGES: Final = 20_000


def write(folder: Path) -> Path:
    """Write a configuration and its estate. Return the configuration."""
    endpoints = [
        {
            "name": f"e{i}",
            "group": "blob",
            "records": [{"fqdn": f"contoso{i}.blob.core.windows.net", "ips": ["10.0.0.4"]}],
        }
        for i in range(NAMES)
    ]
    (folder / "estate.json").write_bytes(msgspec.json.encode({"endpoints": endpoints}))
    (folder / "queries.txt").write_text("".join(f"contoso{i}.blob.core.windows.net A\n" for i in range(NAMES)))
    config = {
        "dns": {"listen": [f"127.0.0.1:{PORT}"], "workers": 1},
        "admin": {"listen": f"127.0.0.1:{PORT + 1}"},
        "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
        "sources": [{"name": "estate", "type": "files", "path": "estate.json"}],
        "state": {"directory": "./state"},
        "user": "root",
    }
    (folder / "pldns.yaml").write_bytes(msgspec.json.encode(config))
    return folder / "pldns.yaml"


def read(port: int, seconds: float, rate: int) -> int:
    """Read the admin interface for some time. Return the number of responses. Raises `Broken` for an error."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    began = time.monotonic()
    for number, path in enumerate(cycle(READS)):
        if number >= rate * seconds or time.monotonic() > began + seconds:
            return number
        if (left := began + number / rate - time.monotonic()) > 0:
            time.sleep(left)  # paces the requests at `rate`; a busy wait would take the core from the other clients
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        if response.status != http.HTTPStatus.OK:
            raise Broken(f"{path} has status {response.status}")
    raise AssertionError


def everything(folder: Path, rounds: int, seconds: float) -> Iterator[Result]:
    """Yield all results. Raises `Broken`."""
    with Background((PLDNS, "serve", "-c", write(folder)), folder / "serve.log") as daemon:
        while not ready(PORT + 1):
            if time.monotonic() - daemon.began > PATIENCE:
                raise Broken("/readyz was not 200")
            daemon.breathe(0.05)
        pin(_worker(daemon), cores()[0])
        for pid in daemon.children("resolver.main.control"):
            pin(pid, cores()[1])
        _round(folder, seconds)  # compiles the answers
        pairs = [(_round(folder, seconds), *_loaded(folder, seconds)) for _ in range(rounds)]
    alone, loaded, counts = zip(*pairs, strict=True)
    note = (
        f"p99 alone {statistics.median(each.p99 for each in alone):,.0f} us, lost {sum(each.lost for each in loaded)}"
    )
    yield Result("admin reads per second", statistics.median(counts) / seconds, "requests", RATE * 0.95, least=True)
    for what in ("p50", "p99"):
        ratios = [getattr(busy, what) / getattr(quiet, what) for quiet, busy in zip(alone, loaded, strict=True)]
        shown = f"{min(ratios):.2f} to {max(ratios):.2f}; {note}"
        yield Result(f"{what} with admin reads", statistics.median(ratios), "times", 1.1, note=shown)
    yield _journal(folder)


def _round(folder: Path, seconds: float) -> paced.Waits:
    with paced.Probe(PORT, folder / "queries.txt", seconds) as probe:
        probe.begin()
        return probe.waits()


def _loaded(folder: Path, seconds: float) -> tuple[paced.Waits, int]:
    command = [sys.executable, "-m", "bench.admin", "--read", str(seconds)]
    with paced.Probe(PORT, folder / "queries.txt", seconds) as probe:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            pin(reader.pid, cores()[1])
            probe.begin()
            waits, (said, _) = probe.waits(), reader.communicate()
        if reader.returncode:
            raise Broken("the reader of the admin interface failed")
    return waits, int(said)


def _journal(folder: Path) -> Result:
    journal = Journal(str(folder / "history.sqlite"), Bounds(1e9, 1 << 40))
    journal.begin(Kind.NAME)
    value = '{{"answers":[{{"data":["10.0.0.{}"],"endpoints":["/subscriptions/s/e"],"rule":""}}]}}'
    began = time.monotonic()
    for batch in range(0, CHANGES, 1_000):
        names = [f"contoso{i % NAMES}.privatelink.blob.core.windows.net" for i in range(batch, batch + 1_000)]
        journal.record([State(Kind.NAME, name, name, value.format(batch), WallTime(batch)) for name in names])
    taken = time.monotonic() - began
    journal.close()
    return Result("journal, changes per second", CHANGES / taken, "changes", 1_000, least=True)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.admin", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of rounds")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round")
    parser.add_argument("--read", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read is not None:
        print(read(PORT + 1, given.read, RATE))
        return 0
    return report(lambda folder: everything(folder, given.rounds, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
