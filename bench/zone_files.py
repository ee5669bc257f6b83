"""`python -m bench.zone_files`: how long `pldns serve` takes to load many small zone files.

Each file has five records, which is common for parked domains and internal zones. The time ends when a worker answers
from the first, the middle and the last file. Linux only.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import msgspec

from bench.generate import Ports
from bench.measure import Result
from bench.processes import PLDNS, Background, Broken, cpu, run
from bench.report import report

PORTS: Final = Ports(5479, 5480, 5481)
_PATIENCE: Final = 200.0
"""Seconds to wait for the answers before the measurement counts as broken."""


def everything(directory: Path, zones: int) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    write(directory, zones)
    config = directory / "pldns.yaml"
    checked = run((PLDNS, "check", "-c", config), directory / "check.log")
    if checked.code:
        raise Broken((directory / "check.log").read_text(errors="replace")[-2000:])
    yield Result("pldns check", checked.seconds, "s")
    yield Result("pldns check, CPU", checked.cpu, "s")
    with Background((PLDNS, "serve", "-c", config), directory / "log") as daemon:
        while not all(map(_answers, (0, zones // 2, zones - 1))):
            if time.monotonic() - daemon.began > _PATIENCE:
                raise Broken(f"no answer within {_PATIENCE:.0f} s")
            daemon.breathe(0.02)
        yield Result(f"serve, until {zones:,} zones answer", time.monotonic() - daemon.began, "s", 4)
        for kind in ("control", "worker"):
            (child,) = daemon.children(f"resolver.main.{kind}")
            yield Result(f"{kind}, CPU until then", cpu(child), "s")


def write(directory: Path, zones: int) -> None:
    """Write the zone files and the configuration."""
    (directory / "zones").mkdir()
    for i in range(zones):
        (directory / "zones" / f"zone{i}.zone").write_text(
            f"$ORIGIN zone{i}.example.\n$TTL 300\n"
            f"@ IN SOA ns1.zone{i}.example. hostmaster.zone{i}.example. 2026010101 3600 600 86400 300\n"
            f"@ IN NS ns1\n@ IN MX 10 mail\nns1 IN A 192.0.2.{i % 250}\nwww 60 IN A 10.0.{i // 250 % 250}.{i % 250}\n"
        )
    # JSON is YAML.
    (directory / "pldns.yaml").write_bytes(msgspec.json.encode({
        "dns": {"listen": [f"127.0.0.1:{PORTS.dns}"], "workers": 1},
        "zones": {"files": ["zones/*.zone"]},
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{PORTS.upstream}"]}},
        "admin": {"listen": f"127.0.0.1:{PORTS.admin}"},
        "state": {"directory": "./state"},
    }))  # fmt: skip


def _answers(zone: int) -> bool:
    query = dns.message.make_query(f"www.zone{zone}.example.", "A")
    try:
        reply = dns.query.udp(query, "127.0.0.1", timeout=0.2, port=PORTS.dns)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.flags & dns.flags.AA)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.zone_files", description=__doc__)
    parser.add_argument("--zones", type=int, default=12_662)
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.zones))


if __name__ == "__main__":
    sys.exit(main())
