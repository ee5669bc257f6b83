"""A started worker has its table before it reads its sockets: meanwhile packets wait, and no known name is refused."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import pytest

from tests.live.daemon import PATIENCE, Daemon, until
from tests.live.test_processes import NAME, SOURCES, endpoints

pytestmark = pytest.mark.live

Start = Callable[..., Any]

QUERIES = 50


def answers(daemon: Daemon, absent: Callable[[], object]) -> set[str]:
    """Return the addresses and response codes in the answers to queries sent while `absent` takes the worker away."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", daemon.port))
        absent()
        for number in range(QUERIES):
            client.send(dns.message.make_query(NAME, "A", use_edns=0, id=number).to_wire())
        return {_content(client.recv(4096)) for _ in range(QUERIES)}


def _content(packet: bytes) -> str:
    message = dns.message.from_wire(packet)
    return message.answer[-1][0].to_text() if message.answer else dns.rcode.to_text(message.rcode())


def test_a_killed_worker_is_replaced_by_one_that_has_its_table_first(start: Start, tmp_path: Path) -> None:
    endpoints(tmp_path / "endpoints", "10.0.0.4")
    daemon = start(sources=SOURCES).ready()

    def kill() -> None:
        (worker,) = daemon.children()["worker"]
        os.kill(worker, signal.SIGKILL)

    assert not (tmp_path / "state" / "served.v1").exists()  # only control has the table
    assert answers(daemon, kill) == {"10.0.0.4"}
    daemon.stop()
    daemon.start()
    until(lambda: "listening on" in daemon.log.read_text().rpartition("stopping")[2])
    assert answers(daemon, lambda: None) == {"10.0.0.4"}  # from the saved table
