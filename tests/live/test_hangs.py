"""A process that hangs is found, killed and replaced, and no query is lost meanwhile."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import pytest

from tests.live.daemon import PATIENCE, Daemon, until
from tests.live.test_processes import NAME, SOURCES, endpoints

pytestmark = pytest.mark.live

CLIENTS = 20


def test_a_stopped_worker_and_a_stopped_control_are_replaced(start: Callable[..., Any], tmp_path: Path) -> None:
    endpoints(tmp_path / "endpoints", "10.0.0.4")
    daemon: Daemon = start(dns={"workers": 2}, sources=SOURCES, processes={"heartbeat": 1}).ready()
    worker = daemon.children()["worker"][0]
    os.kill(worker, signal.SIGSTOP)
    assert answers(daemon) == {"10.0.0.4"}
    log = until(lambda: hung(daemon, f"worker 0 (pid {worker}) hangs: it has done nothing for 1."))
    assert "worker 0 is absent; worker 1 reads its sockets" in log
    daemon.ready()
    assert worker not in daemon.children()["worker"]

    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGSTOP)
    until(lambda: hung(daemon, f"control (pid {control}) hangs: it has done nothing for 1."))
    daemon.ready()
    assert answers(daemon) == {"10.0.0.4"}


def hung(daemon: Daemon, line: str) -> str:
    """Return the log if it has this line."""
    log = daemon.log.read_text()
    return log if f"error supervisor {line}" in log else ""


def answers(daemon: Daemon) -> set[str]:
    """Return the addresses in the answers to several clients, whom the kernel distributes over the workers."""
    clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(CLIENTS)]
    found = set()
    for client in clients:
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", daemon.port))
        client.send(dns.message.make_query(NAME, "A", use_edns=0).to_wire())
    for client in clients:
        found.add(dns.message.from_wire(client.recv(4096)).answer[-1][0].to_text())
        client.close()
    return found
