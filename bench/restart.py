"""`python -m bench.restart`: the latency of clients while a restarted control process reads a large Azure.

The benchmark waits for the first sync and ends control. The next control process restores the saved inventory, sends
all of it to the worker, and reads every page again. The paced probe sends queries meanwhile. The estate is that of
`tests/fake_azure`, in its own process and with Azure's quota. The worker has one core; control, the fake and the probe
share the other. Linux only.
"""

import argparse
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.generate import GeneratedEstate, Ports
from bench.measure import MIB, Result
from bench.paced import Probe, Waits
from bench.processes import PLDNS, Background, Broken, cores, cpu, pin, resident
from bench.report import report

PORTS: Final = Ports(5475, 5476, 5477)
FAKE: Final = 5478
RUN: Final = 20.0
"""Seconds of one run of the paced probe."""
_PATIENCE: Final = 200.0
"""Seconds to wait for an expected event before the measurement counts as broken."""
_SAVING: Final = 35.0  # seconds within which control saves the inventory


class Place(NamedTuple):
    """The folder of the measurement and the size of the estate."""

    directory: Path
    endpoints: int
    subscriptions: int

    @property
    def queries(self) -> Path:
        """The query file."""
        return self.directory / "private.txt"


def get(path: str) -> bytes:
    """Return the body of an admin reply. Raises `OSError`, and `Broken` for an error status."""
    connection = http.client.HTTPConnection("127.0.0.1", PORTS.admin, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise Broken(f"{path}: {answer.status} {content[:200]!r}")
    return content


def everything(place: Place) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    size = ("--endpoints", str(place.endpoints), "--subscriptions", str(place.subscriptions))
    fake, upstream = (sys.executable, "-m", "tests.fake_azure", *size), (sys.executable, "-m", "bench.upstream")
    log = place.directory / "fake.log"
    with (
        Background((*upstream, str(PORTS.upstream)), place.directory / "upstream.log"),
        Background((*fake, "--port", str(FAKE)), log) as cloud,
    ):
        while not (said := log.read_text()).startswith("{") or not said.endswith("\n"):
            _wait(cloud, 0.1, cloud.began, "the fake Azure was not there")
        azure: dict[str, str] = json.loads(said)
        os.environ |= {name: value for name, value in azure.items() if name.startswith("IDENTITY_")}
        write(place, azure["management"])
        with Background((PLDNS, "serve", "-c", place.directory / "pldns.yaml"), place.directory / "log") as daemon:
            yield from _first(daemon)
            daemon.breathe(_SAVING)  # control saves the first sync meanwhile
            yield from _full(place, daemon, cloud)


def write(place: Place, management: str) -> None:
    """Write the configuration and a query file."""
    source = {"name": "hub", "type": "azure", "management": management, "interval": "1d"}
    # JSON is YAML.
    (place.directory / "pldns.yaml").write_bytes(msgspec.json.encode({
        "dns": {"listen": [f"127.0.0.1:{PORTS.dns}"]},
        "sources": [source],
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{PORTS.upstream}"]}},
        "admin": {"listen": f"127.0.0.1:{PORTS.admin}"},
        "state": {"directory": "./state"},
    }))  # fmt: skip
    place.queries.write_text("".join(f"{name} A\n" for name in names(place)))


def names(place: Place) -> Iterator[str]:
    """Yield about 10,000 names, spread over the estate."""
    every = max(place.endpoints // 10_000, 1)
    for index, (_, nic) in enumerate(GeneratedEstate(place.endpoints, subscriptions=place.subscriptions).resources()):
        if index % every == 0:
            ip = nic["properties"]["ipConfigurations"][0]["properties"]
            yield ip["privateLinkConnectionProperties"]["fqdns"][0]


def _first(daemon: Background) -> Iterator[Result]:
    while not _is_ready():
        _wait(daemon, 0.1, daemon.began, "/readyz was not 200")
    yield Result("first sync, from the start until ready", time.monotonic() - daemon.began, "s", 60)
    control = _child(daemon, "control")
    yield Result("control, CPU until then", cpu(control), "s")
    yield Result("control, resident", resident(control) / MIB, "MiB")


def _is_ready() -> bool:
    try:
        get("/readyz")
    except (OSError, Broken):  # not listening yet, or not ready
        return False
    return True


def _full(place: Place, daemon: Background, cloud: Background) -> Iterator[Result]:
    """End control and measure while its successor restores, reads everything and sends it to the worker."""
    worker, control = _child(daemon, "worker"), _child(daemon, "control")
    pin(worker, cores()[0])
    pin(cloud.pid, cores()[1])
    _ask(place, 5)
    idle = _ask(place, RUN)
    yield Result("p99.9 while nothing happens", idle.p999 / 1000, "ms", note=_said(idle))
    os.kill(control, signal.SIGTERM)
    began = time.monotonic()
    while (new := daemon.children("resolver.main.control")) in ([], [control]):
        _wait(daemon, 0.02, began, "there was no new control")
    pin(new[0], cores()[1])
    waits: list[Waits] = []
    while not _live(daemon):
        waits.append(_ask(place, RUN))
        if time.monotonic() - began > _PATIENCE:
            raise Broken(f"a full sync took more than {_PATIENCE:.0f} s")
    seconds = time.monotonic() - began
    if _child(daemon, "worker") != worker:
        raise Broken("the worker was started again")
    # The percentile of the whole run cannot be derived from those of its parts. The worst of them is an upper bound.
    worst = max(waits, key=lambda each: each.p999)
    lost = sum(each.lost for each in waits)
    note = f"over that while nothing happens; the worst of {len(waits)} runs in {seconds:.0f} s: {_said(worst)}"
    yield Result("p99.9 while a full sync runs", (worst.p999 - idle.p999) / 1000, "ms", 10, note=note)
    yield Result("queries lost meanwhile", lost, "", 0, note=f"of {sum(each.sent for each in waits):,}")


def _live(daemon: Background) -> bool:
    """Return True when a sync of this control process has replaced the saved inventory."""
    try:
        (source,) = json.loads(get("/v1/sources"))["items"]
    except OSError:
        daemon.breathe(0.1)
        return False
    return not source["saved"] and not source["sync"]["syncing"]


def _ask(place: Place, seconds: float) -> Waits:
    with Probe(PORTS.dns, place.queries, seconds) as probe:
        probe.begin()
        return probe.waits()


def _said(waits: Waits) -> str:
    return f"p50 {waits.p50:.0f} us, p99 {waits.p99:.0f} us, p99.9 {waits.p999:.0f} us, worst {waits.worst:.0f} us"


def _child(daemon: Background, kind: str) -> int:
    found = daemon.children(f"resolver.main.{kind}")
    if len(found) != 1:
        raise Broken(f"expected one {kind}, found {found}")
    return found[0]


def _wait(process: Background, seconds: float, since: float, why: str) -> None:
    if time.monotonic() - since > _PATIENCE:
        raise Broken(f"{why} within {_PATIENCE:.0f} s")
    process.breathe(seconds)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.restart", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--subscriptions", type=int, default=100)
    given = parser.parse_args()
    return report(lambda folder: everything(Place(folder, given.endpoints, given.subscriptions)))


if __name__ == "__main__":
    sys.exit(main())
