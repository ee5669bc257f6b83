"""A daemon with one endpoint and all listeners, and clients that ask for its name over every transport.

`takeover` and `reload` share it. Does not know what happens to the daemon meanwhile.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import trustme

from bench.generate import Ports
from bench.measure import Result, _wait, ready
from bench.processes import PLDNS, Background
from bench.questions import AddressOf
from bench.steady import Clients

PORTS: Final = Ports(5485, 5486, 5487)
WAYS: Final = {"tls": 5488, "https": 5489}
SHARES: Final = {"udp": 0.7, "tcp": 0.14, "tls": 0.13, "https": 0.03}
"""Shares of the transports. HTTPS costs this client the most."""
_NAME: Final = "acct.blob.core.windows.net"
_ADDRESS: Final = "10.0.0.4"


def write(directory: Path, workers: int) -> ssl.SSLContext:
    """Write the configuration, one endpoint and a certificate. Return the context for clients."""
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(directory / "pair.pem"))
    pair = {"certificate": "pair.pem", "key": "pair.pem"}
    ways = {way: {"listen": [f"127.0.0.1:{port}"], **pair} for way, port in WAYS.items()}
    (directory / "endpoints").mkdir()
    # JSON is YAML.
    (directory / "endpoints/a.yaml").write_bytes(msgspec.json.encode({
        "endpoints": [{"name": "one", "group": "blob", "records": [{"fqdn": _NAME, "ips": [_ADDRESS]}]}]
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


@contextmanager
def serving(directory: Path, workers: int) -> Iterator[tuple[Background, Clients]]:
    """Run a ready daemon. Yield it with its clients. Raises `Broken`."""
    context = write(directory, workers)
    with Background((PLDNS, "serve", "-c", directory / "pldns.yaml"), directory / "log") as daemon:
        while not ready(PORTS.admin):
            _wait(daemon, 0.05, daemon.began, "/readyz was not 200")
        ports = {"udp": PORTS.dns, "tcp": PORTS.dns, **WAYS}
        yield daemon, Clients(AddressOf.of(_NAME, _ADDRESS), ports, context)


@contextlib.asynccontextmanager
async def asking(clients: Clients, rate: float) -> AsyncIterator[None]:
    """Ask at a rate over all transports, from a second before the block until its end, and wait for the answers."""
    ended = asyncio.Event()
    rates = {transport: rate * share for transport, share in SHARES.items()}
    task = asyncio.create_task(clients.run(rates, ended.is_set, connections=8))
    await asyncio.sleep(1)
    try:
        yield
    finally:
        ended.set()
        await task


def suffered(clients: Clients) -> Iterator[Result]:
    """Yield what the clients suffered over each transport. Nothing should be other than 0."""
    for transport, tally in clients.tallies.items():
        note = f"of {tally.sent:,}; the slowest {tally.slowest:.2f} s; {tally.resent} sent again on another connection"
        yield Result(f"{transport}: lost", tally.lost, "", 0, note=" ".join([note, *tally.examples]))
        yield Result(f"{transport}: wrong or SERVFAIL", tally.wrong + tally.servfail, "", 0)
        yield Result(f"{transport}: broken connections", tally.broken, "", 0)
