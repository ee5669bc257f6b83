"""`python -m bench.explain`: the time of one explanation over the admin interface, for an estate of any size.

Explained are names that an endpoint has, in turn: the public name, the private name, a name that no endpoint has, the
PTR name of an address, and the public name for a client in no network. `/v1/status`, whose size does not depend on the
estate, shows what a request costs in itself. Linux only.
"""

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bench.generate import Ports, write
from bench.measure import PATIENCE, Result, ready
from bench.processes import PLDNS, Background, Broken
from bench.report import report

PORTS: Final = Ports(5488, 5489, 5490)
_LIMIT: Final = 20.0
"""Milliseconds of one explanation, at most."""


def everything(directory: Path, endpoints: int, times: int) -> Iterator[Result]:
    """Yield the results. Raises `Broken`."""
    write(directory, endpoints, PORTS)
    names = [line.split()[0] for line in (directory / "private.txt").read_text().splitlines()[:times]]
    with Background((PLDNS, "serve", "-c", directory / "pldns.yaml"), directory / "log") as daemon:
        while not ready(PORTS.admin):
            if time.monotonic() - daemon.began > PATIENCE:
                raise Broken("/readyz was not 200")
            daemon.breathe(0.2)
        connection = HTTPConnection("127.0.0.1", PORTS.admin, timeout=30)
        with contextlib.closing(connection):
            for what, questions in _questions(names).items():
                took = sorted(_timed(connection, f"/v1/explain?{urlencode(question)}") for question in questions)
                yield _result(what, took, _LIMIT)
            yield _result("/v1/status", sorted(_timed(connection, "/v1/status") for _ in names), None)


def _questions(names: list[str]) -> dict[str, list[dict[str, str]]]:
    """Return the parameters of explanations, by what is explained."""
    return {
        "a public name": [{"name": name, "client": "10.0.0.4"} for name in names],
        "another type": [{"name": name, "client": "10.0.0.4", "type": "AAAA"} for name in names],
        "no endpoint has it": [{"name": f"no{name}", "client": "10.0.0.4"} for name in names],
        "an address": [{"name": f"10.0.{n // 250}.{n % 250 + 4}", "client": "10.0.0.4"} for n in range(len(names))],
        "a client in no network": [{"name": name, "client": "192.168.77.1"} for name in names],
    }


def _timed(connection: HTTPConnection, path: str) -> float:
    """Return the milliseconds of a request. Raises `Broken`."""
    began = time.monotonic()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise Broken(f"{path}: {response.status} {body[:200]!r}")
    return (time.monotonic() - began) * 1000


def _result(what: str, took: list[float], limit: float | None) -> Result:
    note = f"the longest of {len(took)}: {took[-1]:.1f} ms"
    return Result(what, statistics.median(took), "ms", limit, note=note)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.explain", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=200, help="explanations of each kind")
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.endpoints, given.times))


if __name__ == "__main__":
    sys.exit(main())
