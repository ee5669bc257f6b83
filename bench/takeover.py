"""`python -m bench.takeover`: takeovers under load, while every answer is checked.

Clients send 5,000 queries a second in all over UDP, TCP, TLS and HTTPS for the name of one endpoint. SIGUSR2 makes a
successor take over, ten times. Counted are queries lost, wrong answers (SERVFAIL included), and connections that ended
by an error. Linux only.
"""

import argparse
import asyncio
import os
import re
import signal
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import trustme

from bench.generate import Ports
from bench.measure import Result, _wait, ready
from bench.processes import PLDNS, Background, Broken
from bench.report import report
from bench.steady import Clients

PORTS: Final = Ports(5485, 5486, 5487)
WAYS: Final = {"tls": 5488, "https": 5489}
SHARES: Final = {"udp": 0.7, "tcp": 0.14, "tls": 0.13, "https": 0.03}
"""Shares of the transports. HTTPS costs this client the most."""
NAME: Final = "acct.blob.core.windows.net"
ADDRESS: Final = "10.0.0.4"
_PATIENCE: Final = 60.0
"""Seconds until a takeover counts as failed."""


def write(directory: Path, workers: int) -> ssl.SSLContext:
    """Write the configuration, one endpoint and a certificate. Return the context for clients."""
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(directory / "pair.pem"))
    pair = {"certificate": "pair.pem", "key": "pair.pem"}
    ways = {way: {"listen": [f"127.0.0.1:{port}"], **pair} for way, port in WAYS.items()}
    (directory / "endpoints").mkdir()
    # JSON is YAML.
    (directory / "endpoints/a.yaml").write_bytes(msgspec.json.encode({
        "endpoints": [{"name": "one", "group": "blob", "records": [{"fqdn": NAME, "ips": [ADDRESS]}]}]
    }))  # fmt: skip
    (directory / "pldns.yaml").write_bytes(msgspec.json.encode({
        "dns": {"listen": [f"127.0.0.1:{PORTS.dns}"], "workers": workers, **ways},
        "sources": [{"name": "hub", "type": "files", "path": "./endpoints"}],
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{PORTS.upstream}"]}},
        "admin": {"listen": f"127.0.0.1:{PORTS.admin}"},
        "state": {"directory": "./state"},
    }))  # fmt: skip
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    return context


def everything(directory: Path, rate: float, times: int, workers: int) -> Iterator[Result]:
    """Yield the results. Raises `Broken`."""
    context = write(directory, workers)
    log = directory / "log"
    with Background((PLDNS, "serve", "-c", directory / "pldns.yaml"), log) as daemon:
        while not ready(PORTS.admin):
            _wait(daemon, 0.05, daemon.began, "/readyz was not 200")
        ports = {"udp": PORTS.dns, "tcp": PORTS.dns, **WAYS}
        clients = Clients(NAME, ADDRESS, ports, context)
        pids = [daemon.pid]
        try:
            seconds = asyncio.run(_taken_over(clients, log, pids, rate, times))
        finally:
            if pids[-1] != daemon.pid:
                os.kill(pids[-1], signal.SIGTERM)
                while _runs(pids[-1]):
                    time.sleep(0.02)  # the successor is not our child, so its end cannot be waited for
    yield Result("takeovers", times, "", note=f"the longest took {max(seconds, default=0):.1f} s; {workers} workers")
    for transport, tally in clients.tallies.items():
        note = f"of {tally.sent:,}; {tally.resent} sent again after the end of their connection {tally.examples or ''}"
        yield Result(f"{transport}: lost", tally.lost, "", 0, note=note)
        yield Result(f"{transport}: wrong", tally.wrong, "", 0)
        yield Result(f"{transport}: broken connections", tally.broken, "", 0)


async def _taken_over(clients: Clients, log: Path, pids: list[int], rate: float, times: int) -> list[float]:
    """Let successors take over in turn, and append their process ids. Return how long each takeover took."""
    ended, seconds = asyncio.Event(), []
    rates = {transport: rate * share for transport, share in SHARES.items()}
    asking = asyncio.create_task(clients.run(rates, ended.is_set, connections=8))
    await asyncio.sleep(1)
    for _ in range(times):
        began = time.monotonic()
        os.kill(pids[-1], signal.SIGUSR2)
        while _runs(pids[-1]):
            if time.monotonic() - began > _PATIENCE:
                raise Broken(f"no takeover within {_PATIENCE:.0f} s")
            await asyncio.sleep(0.01)
        seconds.append(time.monotonic() - began)
        pids.append(_successor(log))
        await asyncio.sleep(0.5)
    ended.set()
    await asking
    return seconds


def _successor(log: Path) -> int:
    """Return the process id of the last successor."""
    return int(re.findall(r"started the pldns with pid (\d+)", log.read_text())[-1])


def _runs(pid: int) -> bool:
    """Return whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.takeover", description=__doc__)
    parser.add_argument("--rate", type=float, default=5_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.rate, given.times, given.workers))


if __name__ == "__main__":
    sys.exit(main())
