"""`python -m bench.reload`: a storm of reloads under load, while every answer is checked.

Clients send queries at a steady rate over UDP, TCP, TLS and HTTPS for the name of one endpoint. Meanwhile the
configuration is reloaded 100 times in 60 s, good and bad in turn: a good one renames the network of the clients or
changes the rate limit, a bad one has a mistake. Counted are queries lost, wrong answers and SERVFAIL,
connections that ended by an error, and reloads with another outcome than they should have. Linux only.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec

from bench.loaded import asking, serving, suffered
from bench.measure import Result
from bench.report import report
from bench.steady import Clients
from resolver.cli import unix_socket


def configured(first: dict[str, Any], turn: int) -> dict[str, Any]:
    """Return the configuration of one reload. Every second one has a mistake."""
    if turn % 2:
        return {**first, "dns": {**first["dns"], "allow": ["nonsense"]}}
    if turn % 4:
        limit = {"per_second": 100_000 + turn, "exempt": ["127.0.0.0/8"]}
        return {**first, "dns": {**first["dns"], "rate_limit": limit}}
    return {**first, "networks": [{"name": f"n{turn}", "clients": ["127.0.0.0/8"]}]}


def everything(directory: Path, rate: float, times: int, seconds: float) -> Iterator[Result]:
    """Yield the results. Raises `Broken`."""
    with serving(directory, 1) as (_, clients):
        storm = Storm(directory / "pldns.yaml", times, seconds)
        asyncio.run(storm.run(clients, rate))
    note = f"the longest took {max(storm.took):.1f} s, the median {sorted(storm.took)[times // 2]:.1f}"
    yield Result("reloads", times, "", note=note)
    yield Result("reloads with another outcome", storm.odd, "", 0)
    yield from suffered(clients)


class Storm:
    """The reloads. `took`: the seconds of each; `odd`: how many had another outcome than they should.

    A reload is requested at its time, also while an earlier one is being checked. A check may then read what the next
    turns have written, and the outcome may be that of one of them.
    """

    def __init__(self, path: Path, times: int, seconds: float) -> None:
        self.took: list[float] = []
        self.odd = 0
        self._path = path
        self._first = msgspec.json.decode(path.read_bytes())
        self._times = times
        self._seconds = seconds
        self._written = 0
        """The last turn whose configuration is in the file."""

    async def run(self, clients: Clients, rate: float) -> None:
        """Reload in turn, while the clients ask."""
        async with asking(clients, rate):
            started = time.monotonic()
            async with asyncio.TaskGroup() as requests:
                for turn in range(self._times):
                    await asyncio.sleep(max(0.0, started + turn * self._seconds / self._times - time.monotonic()))
                    fresh = self._path.with_suffix(".new")
                    fresh.write_bytes(msgspec.json.encode(configured(self._first, turn)))
                    fresh.rename(self._path)
                    self._written = turn
                    requests.create_task(asyncio.to_thread(self._reload, turn))

    def _reload(self, turn: int) -> None:
        began = time.monotonic()
        status = _reload(self._path.parent / "state/admin.sock")
        self.took.append(time.monotonic() - began)
        self.odd += status not in {422 if each % 2 else 200 for each in range(turn, self._written + 1)}


def _reload(admin_socket: Path) -> int:
    """Return the status of a reload."""
    with contextlib.closing(HTTPConnection("localhost", timeout=100)) as connection:
        connection.sock = unix_socket.connected(str(admin_socket))
        connection.request("POST", "/v1/reload", json.dumps({}), {"Content-Type": "application/json"})
        return connection.getresponse().status


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.reload", description=__doc__)
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.rate, given.times, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
