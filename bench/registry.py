"""`python -m bench.registry`: how fast the registry creates private endpoints, what it costs, and its start when full.

Clients create endpoints over HTTP with kept connections, each endpoint with a storage account that is there already.
Measured: creates per second, the CPU time of control for one, the delay of the answer after the response, the time of
a whole list in pages, and what creates do to a worker's answers. Then a daemon starts with a full database, twice:
without and with a saved inventory. While answers are compared, the worker has one core, and control and the clients
have the other. Linux only.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlencode

import dns.message
import msgspec

from bench import paced, registry_estate
from bench.measure import MIB, PATIENCE, Result, _worker, ready
from bench.processes import PLDNS, Background, Broken, cores, cpu, peak, pin, resident
from bench.registry_estate import CLIENT, IN_NETWORK, SECRET, endpoint, fill, group, name
from bench.report import report
from resolver.registry.store.sqlite_file import FILE
from resolver.registry_settings import TENANT

PORT: Final = 5570
VERSION: Final = "2025-05-01"
CLIENTS: Final = 16
LISTED: Final = 10_000
DELAYS: Final = 100


class Plan(NamedTuple):
    """The parameters. `creates`: endpoints that the rounds create. `full`: endpoints of a full registry."""

    rounds: int
    creates: int
    full: int


# -- a client


class Connection:
    """A kept HTTP connection to the registry at a port of 127.0.0.1, with a token."""

    def __init__(self, token: str = "", port: int = PORT + 2) -> None:
        self._token = token
        self._port = port

    async def open(self) -> Self:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def send(self, method: str, path: str, octets: bytes, kind: str = "application/json") -> tuple[int, bytes]:
        """Return the status and the body of a response."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(octets)}\r\n\r\n"
        )
        self._writer.write(head.encode() + octets)
        found = await self._reader.readuntil(b"\r\n\r\n")
        fields = found.lower().split(b"\r\n")
        length = next(int(each.partition(b":")[2]) for each in fields if each.startswith(b"content-length:"))
        return int(fields[0].split()[1]), await self._reader.readexactly(length)

    async def put(self, wanted: registry_estate.Request) -> None:
        """Write a resource. Raises `Broken`."""
        path, body = wanted
        status, octets = await self.send("PUT", f"{path}?api-version={VERSION}", msgspec.json.encode(body))
        if status not in {200, 201}:
            raise Broken(f"PUT {path}: {status} {octets.decode()[:300]}")

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


async def token(port: int = PORT + 2) -> str:
    """Return a token."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
    connection = await Connection(port=port).open()
    kind = "application/x-www-form-urlencoded"
    _, octets = await connection.send("POST", f"/{TENANT}/oauth2/v2.0/token", urlencode(form).encode(), kind)
    connection.close()
    return str(msgspec.json.decode(octets)["access_token"])


async def create(numbers: Sequence[int], clients: int, rate: float = 0, ports: Sequence[int] = (PORT + 2,)) -> float:
    """Create endpoints. Return the seconds that this took.

    `rate`: per second; 0: as fast as possible. `ports`: of the registries that the clients use in turn.
    """
    known, waiting = await token(ports[0]), iter(numbers)
    connections = [await Connection(known, ports[i % len(ports)]).open() for i in range(clients)]
    began = time.monotonic()

    async def work(connection: Connection) -> None:
        for number in waiting:
            if rate and (left := began + (number - numbers[0]) / rate - time.monotonic()) > 0:
                await asyncio.sleep(left)  # paces the creates at `rate`
            await connection.put(endpoint(number))

    await asyncio.gather(*map(work, connections))
    taken = time.monotonic() - began
    for connection in connections:
        connection.close()
    return taken


async def delays(numbers: Sequence[int], port: int = PORT + 2, dns_port: int = PORT) -> list[float]:
    """Create endpoints one after the other. Return the seconds from each response until the name is answered.

    `port`: of the registry. `dns_port`: where the names are asked for.
    """
    connection, found = await Connection(await token(port), port).open(), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", dns_port))
        sock.settimeout(PATIENCE)
        for number in numbers:
            await connection.put(endpoint(number))
            began = time.monotonic()
            while not _answered(sock, name(number)):
                if time.monotonic() - began > PATIENCE:
                    raise Broken(f"{name(number)} was not answered")
            found.append(time.monotonic() - began)
    connection.close()
    return found


def _answered(sock: socket.socket, wanted: str) -> bool:
    sock.send(dns.message.make_query(wanted, "A").to_wire())
    return bool(dns.message.from_wire(sock.recv(4096)).answer)


async def listed(scopes: Sequence[str]) -> tuple[int, float]:
    """Read lists of endpoints in pages. Return how many they have, and the seconds that this took."""
    connection, count, began = await Connection(await token()).open(), 0, time.monotonic()
    for scope in scopes:
        path = f"{scope}/providers/Microsoft.Network/privateEndpoints?api-version={VERSION}"
        while path:
            status, octets = await connection.send("GET", path, b"")
            if status != 200:
                raise Broken(f"GET {path}: {status}")
            page = msgspec.json.decode(octets)
            count += len(page["value"])
            path = page.get("nextLink", "").removeprefix(f"http://127.0.0.1:{PORT + 2}")
    connection.close()
    return count, time.monotonic() - began


# -- the daemon


def write(folder: Path, port: int = PORT, **registry: str) -> Path:
    """Write a configuration with three ports, and more keys of `registry`. Return its path."""
    config: dict[str, Any] = {
        "dns": {"listen": [f"127.0.0.1:{port}"], "workers": 1},
        "admin": {"listen": f"127.0.0.1:{port + 1}"},
        "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
        "registry": {**registry_estate.section(port + 2), **registry},
        "sources": [{"name": "registry", "type": "registry"}],
        "state": {"directory": "./state"},
        "zones": {"defaults": {"on_miss": "nxdomain"}},
        "user": "root",
    }
    (folder / "pldns.yaml").write_bytes(msgspec.json.encode(config))
    return folder / "pldns.yaml"


def _serve(folder: Path) -> Background:
    return Background((PLDNS, "serve", "-c", write(folder)), folder / "serve.log")


def _until_ready(daemon: Background) -> float:
    while not ready(PORT + 1):
        if time.monotonic() - daemon.began > PATIENCE:
            raise Broken("/readyz was not 200")
        daemon.breathe(0.02)
    return time.monotonic() - daemon.began


def _until_answered(daemon: Background, wanted: str) -> float:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", PORT))
        sock.settimeout(0.1)
        while True:
            try:
                if _answered(sock, wanted):
                    return time.monotonic() - daemon.began
            except OSError:
                pass
            if time.monotonic() - daemon.began > PATIENCE:
                raise Broken(f"{wanted} was not answered")
            daemon.breathe(0.02)


def _control(daemon: Background) -> int:
    (found,) = daemon.children("resolver.main.control")
    return found


# -- what is measured


def everything(folder: Path, plan: Plan) -> Iterator[Result]:
    """Yield all results. Raises `Broken`."""
    yield from _creates(folder / "creates", plan)
    yield from _start(folder / "full", plan.full)


def _creates(folder: Path, plan: Plan) -> Iterator[Result]:
    paced_round = plan.creates // 4
    total = (plan.creates + paced_round) * plan.rounds + DELAYS
    fill(folder / "state", LISTED, accounts=total)
    (folder / "queries.txt").write_text("".join(f"{name(i)} A\n" for i in range(LISTED)))
    left = iter(range(LISTED, LISTED + total))
    with _serve(folder) as daemon:
        _until_ready(daemon)
        control = _control(daemon)
        rates, costs = [], []
        for _ in range(plan.rounds):
            numbers, before = [next(left) for _ in range(plan.creates)], cpu(control)
            rates.append(plan.creates / _spawned(numbers, CLIENTS))
            costs.append((cpu(control) - before) / plan.creates * 1000)
        shown = f"{CLIENTS} clients; {min(rates):,.0f} to {max(rates):,.0f}"
        yield Result("creates per second", statistics.median(rates), "creates", 200, least=True, note=shown)
        yield Result("CPU of control for a create", statistics.median(costs), "ms")
        waits = asyncio.run(delays([next(left) for _ in range(DELAYS)]))
        note = f"slowest of {DELAYS}; median {statistics.median(waits) * 1000:.1f} ms"
        yield Result("answered after the response", max(waits) * 1000, "ms", 100, note=note)
        count, taken = asyncio.run(listed([group(i) for i in range(LISTED // IN_NETWORK)]))
        yield Result(f"list of {count:,}", taken, "s", 2, note="in pages of 500")
        yield from _answers(folder, daemon, [[next(left) for _ in range(paced_round)] for _ in range(plan.rounds)])


def _answers(folder: Path, daemon: Background, batches: list[list[int]]) -> Iterator[Result]:
    pin(_worker(daemon), cores()[0])
    pin(_control(daemon), cores()[1])
    seconds = len(batches[0]) / 100
    pairs = []
    _paced(folder, seconds)  # compiles the answers
    for numbers in batches:
        quiet = _paced(folder, seconds)
        pairs.append((quiet, _paced(folder, seconds, numbers)))
    lost = sum(busy.lost for _, busy in pairs)
    note = f"p99 alone {statistics.median(quiet.p99 for quiet, _ in pairs):,.0f} us, lost {lost}"
    for what in ("p50", "p99"):
        ratios = [getattr(busy, what) / getattr(quiet, what) for quiet, busy in pairs]
        shown = f"{min(ratios):.2f} to {max(ratios):.2f}; {note}"
        yield Result(f"{what} with 100 creates/s", statistics.median(ratios), "times", 2, note=shown)


def _paced(folder: Path, seconds: float, numbers: Sequence[int] = ()) -> paced.Waits:
    with paced.Probe(PORT, folder / "queries.txt", seconds) as probe:
        probe.begin()
        if numbers:
            _spawned(numbers, 4, rate=100, core=cores()[1])
        return probe.waits()


def _spawned(numbers: Sequence[int], clients: int, rate: float = 0, core: int | None = None) -> float:
    """Create endpoints from a process of its own. Return the seconds that this took."""
    command = [sys.executable, "-m", "bench.registry", "--create", f"{numbers[0]},{len(numbers)},{clients},{rate}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if core is not None:
            pin(process.pid, core)
        output, _ = process.communicate()
    if process.returncode:
        raise Broken("the clients failed")
    return float(output)


def _start(folder: Path, endpoints: int) -> Iterator[Result]:
    began = time.monotonic()
    fill(folder / "state", endpoints)
    note = f"{(folder / 'state' / FILE).stat().st_size / MIB:,.0f} MiB"
    yield Result(f"fill with {endpoints:,} endpoints", time.monotonic() - began, "s", note=note)
    for what in ("start", "start again"):
        with _serve(folder) as daemon:
            answered = _until_answered(daemon, name(endpoints - 1))
            taken = _until_ready(daemon)
            note = f"first answer {answered:.1f} s; {cpu(_control(daemon)):.1f} s of CPU in control"
            yield Result(f"{what}, until ready", taken, "s", 5, note=note)
            sizes = resident(_control(daemon)) / MIB, peak(_control(daemon)) / MIB
            yield Result("control, resident", sizes[0], "MiB", note=f"peak {sizes[1]:,.0f} MiB")
            if what == "start":
                _until_saved(daemon, folder / "state")


def _until_saved(daemon: Background, folder: Path) -> None:
    while not any(folder.glob("inventory*")):
        if time.monotonic() - daemon.began > PATIENCE:
            raise Broken("the inventory was not saved")
        daemon.breathe(0.1)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--creates", type=int, default=2_000, help="endpoints that each round creates")
    parser.add_argument("--full", type=int, default=100_000, help="endpoints of the full registry")
    parser.add_argument("--create", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.create:
        first, count, clients, rate = given.create.split(",")
        numbers = range(int(first), int(first) + int(count))
        print(asyncio.run(create(numbers, int(clients), float(rate))))
        return 0
    return report(lambda folder: everything(folder, Plan(given.rounds, given.creates, given.full)))


if __name__ == "__main__":
    sys.exit(main())
