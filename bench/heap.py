"""`python -m bench.heap`: memory and time that an estate of a million endpoints costs control and a worker.

The estate is in the short form, in files of 10,000 endpoints, as a pipeline writes them per subscription or team. Small
files keep changes small. Linux only.
"""

import argparse
import sys
import time
import urllib.request
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import measure
from bench.generate import Ports
from bench.measure import MIB, Result
from bench.paced import Probe
from bench.processes import PLDNS, Background, Broken, peak, resident
from bench.report import report

PER_FILE: Final = 10_000
NETWORKS: Final = 10
CHANGES: Final = 5
CHANGING: Final = "stchanging.blob.core.windows.net"
PORTS: Final = Ports(5480, 5481, 5482)
_PATIENCE: Final = 300.0
"""Seconds to wait before the load counts as broken."""
_KINDS: Final = (
    ("blob.core.windows.net", "blob", "Microsoft.Storage/storageAccounts"),
    ("vault.azure.net", "vault", "Microsoft.KeyVault/vaults"),
    ("database.windows.net", "sqlServer", "Microsoft.Sql/servers"),
    ("servicebus.windows.net", "namespace", "Microsoft.ServiceBus/namespaces"),
)
_SUBSCRIPTION: Final = "/subscriptions/00000000-0000-4000-a000-{:012d}/resourceGroups/rg-{:04d}/providers"

Json = dict[str, Any]


def endpoint(number: int) -> Json:
    """Return one endpoint of the short form, with its own name, address and target."""
    suffix, group, kind = _KINDS[number % len(_KINDS)]
    return {
        "name": f"pe-contoso{number:07d}-{group}",
        "target": f"{_SUBSCRIPTION.format(number // 50_000, number // 200)}/{kind}/contoso{number:07d}",
        "group": group,
        "network": f"spoke{number % NETWORKS}",
        "records": [{"fqdn": f"contoso{number:07d}.{suffix}", "ips": str(IPv4Address("10.0.0.0") + number)}],
    }


def changing(address: str) -> bytes:
    """Return a file with one endpoint that is visible to all networks."""
    return msgspec.json.encode(
        {"endpoints": [{"name": "pe-changing", "group": "blob", "records": [{"fqdn": CHANGING, "ips": address}]}]}
    )


def write(directory: Path, size: int) -> None:
    """Write the estate, its configuration and a query file."""
    folder = directory / "endpoints"
    folder.mkdir()
    for start in range(0, size, PER_FILE):
        rows = [endpoint(number) for number in range(start, min(start + PER_FILE, size))]
        (folder / f"estate-{start // PER_FILE:04d}.json").write_bytes(msgspec.json.encode({"endpoints": rows}))
    (folder / "changing.json").write_bytes(changing("10.255.0.1"))
    spokes = [{"name": f"spoke{n}", "clients": [f"10.{200 + n}.0.0/16"]} for n in range(1, NETWORKS)]
    # This machine is in the first network. JSON is YAML.
    (directory / "pldns.yaml").write_bytes(msgspec.json.encode({
        "dns": {"listen": [f"127.0.0.1:{PORTS.dns}"]},
        "sources": [{"name": "estate", "type": "files", "path": "./endpoints"}],
        "networks": [{"name": "spoke0", "clients": ["127.0.0.0/8"]}, *spokes],
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{PORTS.upstream}"]}},
        "admin": {"listen": f"127.0.0.1:{PORTS.admin}"},
        "state": {"directory": "./state"},
    }))  # fmt: skip
    names = (endpoint(number)["records"][0]["fqdn"] for number in range(0, size, NETWORKS))
    (directory / "private.txt").write_text(
        "".join(f"{name} A\n" for _, name in zip(range(10_000), names, strict=False))
    )


def everything(directory: Path, size: int) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    write(directory, size)
    upstream = (sys.executable, "-m", "bench.upstream", str(PORTS.upstream))
    with (
        Background(upstream, directory / "upstream.log"),
        Background((PLDNS, "serve", "-c", directory / "pldns.yaml"), directory / "serve.log") as daemon,
    ):
        while not measure.ready(PORTS.admin):
            if time.monotonic() - daemon.began > _PATIENCE:
                raise Broken(f"/readyz was not 200 within {_PATIENCE:.0f} s")
            daemon.breathe(0.1)
        yield Result(f"load of {size:,} endpoints, until ready", time.monotonic() - daemon.began, "s", 120)
        yield from _memory(daemon, "ready")
        with Probe(PORTS.dns, directory / "private.txt", 10) as probe:
            probe.begin()
            yield from _changes(directory, daemon)
            waits = probe.waits()
        yield Result("worst wait of a query during the changes", waits.worst / 1000, "ms", note=f"{waits.lost} lost")
        yield Result("collections over 20 ms in the worker", long_pauses(PORTS.admin), "", 0)
        daemon.breathe(35)  # control saves the inventory meanwhile
        yield from _memory(daemon, "after the inventory was saved")


def long_pauses(port: int) -> float:
    """Return the workers' count of collections over 20 ms."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
        lines = page.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("pldns_gc_long_pauses_total "))


def _memory(daemon: Background, when: str) -> Iterator[Result]:
    for part, limit in (("control", 2500e6), ("worker", 600e6)):
        (pid,) = daemon.children(f"resolver.main.{part}")
        yield Result(f"{part}, resident", resident(pid) / MIB, "MiB", limit / MIB, note=when)
        yield Result(f"{part}, peak", peak(pid) / MIB, "MiB", limit / MIB, note=when)


def _changes(directory: Path, daemon: Background) -> Iterator[Result]:
    """Replace the small file by renaming. The figure includes the 200 ms for which the watcher collects changes."""
    target, beside = directory / "endpoints/changing.json", directory / "changing.new"
    taken = []
    for number in range(CHANGES):
        address = f"10.255.1.{number + 1}"
        beside.write_bytes(changing(address))
        began = time.monotonic()
        beside.replace(target)
        while measure.address(PORTS.dns, CHANGING) != address:
            if time.monotonic() - began > _PATIENCE:
                raise Broken(f"{CHANGING} was not answered with {address}")
            daemon.breathe(0.002)
        taken.append(time.monotonic() - began)
    note = "each: " + ", ".join(f"{each * 1000:.0f}" for each in taken)
    yield Result("one change, from the rename until served, slowest", max(taken) * 1000, "ms", note=note)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.heap", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=1_000_000)
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.endpoints))


if __name__ == "__main__":
    sys.exit(main())
