"""The measurements in the order of a daemon's life: check, start, memory, one change, load."""

import functools
import http.client
import os
import statistics
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, NamedTuple

import dns.exception
import dns.message
import dns.query

from bench import load
from bench.generate import CHANGING, GeneratedEstate, Ports, write
from bench.processes import PLDNS, Background, Broken, cores, pin, resident, run

CHANGES: Final = 5
VERSIONS: Final = 11
PATIENCE: Final = 120.0
"""Seconds to wait for an expected event before the measurement counts as broken."""
MIB: Final = 1 << 20


class Result(NamedTuple):
    """One line of the table. `limit`: the target, if there is one. `least`: the target is a minimum."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.least else self.value <= self.limit


class MeasurePlan(NamedTuple):
    """The parameters of a measurement. `rounds` rounds of `seconds` seconds measure each load in `directory`."""

    directory: Path
    endpoints: int
    rounds: int
    seconds: int
    ports: Ports = Ports()

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.directory / "pldns.yaml"


def everything(plan: MeasurePlan) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    began = time.monotonic()
    estate = write(plan.directory, plan.endpoints, plan.ports)
    yield Result(f"generate {plan.endpoints:,} endpoints", time.monotonic() - began, "s")
    yield from _check(plan)
    upstream = (sys.executable, "-m", "bench.upstream", str(plan.ports.upstream))
    with (
        Background(upstream, plan.directory / "upstream.log"),
        Background((PLDNS, "serve", "-c", plan.file), plan.directory / "serve.log") as daemon,
    ):
        yield from _start(plan, daemon)
        yield from _change(plan, daemon, estate)
        if load.AVAILABLE:
            yield from _load(plan, daemon)
    yield from _restart(plan)


def _check(plan: MeasurePlan) -> Iterator[Result]:
    log = plan.directory / "check.log"
    done = run((PLDNS, "check", "-c", plan.file), log)
    if done.code not in {0, 2}:
        raise Broken(f"pldns check ended with {done.code}:\n{log.read_text()[-2000:]}")
    yield Result("pldns check", done.seconds, "s", 15, note=f"{done.cpu:.1f} s of CPU")
    yield Result("pldns check, peak memory", done.peak / MIB, "MiB", 1200)


def _start(plan: MeasurePlan, daemon: Background) -> Iterator[Result]:
    while not ready(plan.ports.admin):
        _wait(daemon, 0.02, daemon.began, "/readyz was not 200")
    yield Result("serve, until ready", time.monotonic() - daemon.began, "s", 20)
    yield Result("worker, resident", resident(_worker(daemon)) / MIB, "MiB", 250, note="ready, nothing asked yet")


def _restart(plan: MeasurePlan) -> Iterator[Result]:
    with Background((PLDNS, "serve", "-c", plan.file), plan.directory / "serve.log") as daemon:
        while address(plan.ports.dns, CHANGING) is None:
            _wait(daemon, 0.01, daemon.began, f"{CHANGING} was not answered")
        yield Result("serve again, until the first answer", time.monotonic() - daemon.began, "s", 4)
        while not ready(plan.ports.admin):
            _wait(daemon, 0.02, daemon.began, "/readyz was not 200")
        yield Result("serve again, until ready", time.monotonic() - daemon.began, "s")
    taken = [run((PLDNS, "version"), plan.directory / "version.log").seconds for _ in range(VERSIONS)]
    note = f"median of {VERSIONS}; {min(taken):.3f} to {max(taken):.3f}"
    yield Result("pldns version", statistics.median(taken), "s", 0.15, note=note)


def ready(port: int) -> bool:
    """Return True when `/readyz` returns 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _worker(daemon: Background) -> int:
    workers = daemon.children("resolver.main.worker")
    if len(workers) != 1:
        raise Broken(f"expected one worker, found {workers}")
    return workers[0]


def _wait(daemon: Background, seconds: float, since: float, why: str) -> None:
    if time.monotonic() - since > PATIENCE:
        raise Broken(f"{why} within {PATIENCE:.0f} s")
    daemon.breathe(seconds)


def _change(plan: MeasurePlan, daemon: Background, estate: GeneratedEstate) -> Iterator[Result]:
    """Replace a file with one endpoint by renaming, and ask until the answer has the new address."""
    target, beside = plan.directory / "endpoints/changing.json", plan.directory / "changing.new"
    taken = []
    for number in range(CHANGES):
        wanted = IPv4Address("10.255.1.1") + number
        beside.write_bytes(estate.changing(wanted))
        began = time.monotonic()
        beside.replace(target)
        while address(plan.ports.dns, CHANGING) != str(wanted):
            _wait(daemon, 0.002, began, f"{CHANGING} was not answered with {wanted}")
        taken.append(time.monotonic() - began)
    note = f"slowest of {CHANGES}; median {statistics.median(taken):.3f} s"
    yield Result("one endpoint changed, until served", max(taken), "s", 1, note=note)


def address(port: int, name: str) -> str | None:
    """Return the address of a name; None if it has none."""
    query = dns.message.make_query(name, "A")
    try:
        answer = dns.query.udp(query, "127.0.0.1", timeout=2, port=port).answer
    except (dns.exception.Timeout, OSError):
        return None
    return answer[-1][0].to_text() if answer else None


def _load(plan: MeasurePlan, daemon: Background) -> Iterator[Result]:
    worker = _worker(daemon)
    pin(worker, cores()[0])
    private, public = plan.directory / "private.txt", plan.directory / "public.txt"
    ask = functools.partial(load.measure, worker, plan.ports.dns, seconds=plan.seconds, rounds=plan.rounds)
    for what, queries, options, target in (
        ("private A", private, (), 40_000),
        ("private A, EDNS", private, ("-e",), 40_000),
        ("cached public A", public, (), None),
    ):
        found = ask(queries, options=options)
        note = f"rounds: {', '.join(f'{rate:,}' for rate in found.rates)}"
        yield Result(what, found.rate, "queries/s", target, least=True, note=note)
        yield Result(f"{what}, CPU of the worker", found.cpu, "us/query")
        yield Result(f"{what}, lost", found.lost, "queries", 0)
    yield Result("worker, resident", resident(worker) / MIB, "MiB", note="after the load, answers compiled")


def machine() -> dict[str, str | int]:
    """Describe the machine."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in cpus if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "kernel": os.uname().release, "python": sys.version}
