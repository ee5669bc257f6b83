"""One pldns takes over from another under load: no query is lost or answered wrongly over any transport."""

import asyncio
import os
import re
import signal
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.edns
import dns.message
import dns.query
import pytest
import trustme

from bench.questions import AddressOf
from bench.steady import Clients
from tests.live.daemon import PATIENCE, REPLY, Daemon, living
from tests.live.test_processes import NAME, SOURCES, endpoints
from tests.ports import free_ports

pytestmark = pytest.mark.live

RATES = {"udp": 300.0, "tcp": 100.0, "tls": 100.0, "https": 50.0}
"""Queries a second. `bench.takeover` sends more."""


def test_a_takeover_loses_nothing(start: Callable[..., Any], tmp_path: Path) -> None:
    endpoints(tmp_path / "endpoints", "10.0.0.4")
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pair.pem"))
    ports = dict(zip(("tls", "https"), free_ports(2), strict=True))
    pair = {"certificate": "pair.pem", "key": "pair.pem"}
    ways = {way: {"listen": [f"127.0.0.1:{port}"], **pair} for way, port in ports.items()}
    daemon: Daemon = start(dns=ways, sources=SOURCES).ready()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    clients = Clients(AddressOf.of(NAME, "10.0.0.4"), {"udp": daemon.port, "tcp": daemon.port, **ports}, context)
    cookie = server_cookie(daemon, b"8 octets")
    successor = asyncio.run(taken_over(daemon, clients))
    try:
        for transport, tally in clients.tallies.items():
            assert (tally.wrong, tally.servfail, tally.lost, tally.broken) == (0, 0, 0, 0), (transport, tally)
            assert tally.right == tally.sent > 0, (transport, tally)
        daemon.ready()
        assert daemon.addresses(NAME) == {"10.0.0.4"}
        assert server_cookie(daemon, cookie) == cookie  # the successor takes the cookies of its predecessor
    finally:
        os.kill(successor, signal.SIGTERM)


def server_cookie(daemon: Daemon, cookie: bytes) -> bytes:
    """Send a query with this cookie option, and return the option of the reply: the same one where it is good."""
    query = dns.message.make_query(NAME, "A", options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie)])
    (option,) = dns.query.udp(query, "127.0.0.1", port=daemon.port, timeout=REPLY).options
    octets: bytes = option.to_wire()
    return octets


async def taken_over(daemon: Daemon, clients: Clients) -> int:
    """Return the process id of the successor once the predecessor has ended; ask all the while."""
    ended = asyncio.Event()
    asking = asyncio.create_task(clients.run(RATES, ended.is_set, connections=2))
    while not all(tally.right for tally in clients.tallies.values()):  # noqa: ASYNC110 - of another task
        await asyncio.sleep(0.01)
    daemon.signal(signal.SIGUSR2)
    async with asyncio.timeout(PATIENCE):
        while living(daemon.pid):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.01)
    assert daemon.wait() == 0
    ended.set()
    await asking
    found = re.search(r"started the pldns with pid (\d+)", daemon.log.read_text())
    assert found
    return int(found[1])
