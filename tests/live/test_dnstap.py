"""dnstap messages of a running daemon, written by a real collector and read back by a real decoder."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon, until
from tests.peers import tool
from tests.ports import free_port

CONTENT = "protobuf:dnstap.Dnstap"


class Collector:
    """`fstrm_capture`, listening at `where`: options of the command."""

    def __init__(self, folder: Path, *where: str) -> None:
        self.file = folder / "captured.fstrm"
        self._command = ["fstrm_capture", "-t", CONTENT, *where, "-w", str(self.file)]
        self.process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def end(self) -> None:
        """End the collector, which completes its file."""
        self.process.terminate()
        self.process.wait()

    def start_again(self) -> None:
        self.file.unlink()
        self.process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def messages(self) -> list[str]:
        """Return a line for each message, without the time and the size: `CQ 127.0.0.1 UDP "localhost." IN A`."""
        done = subprocess.run(["dnstap-ldns", "-q", "-r", self.file], capture_output=True, text=True, check=True)
        words = [line.split()[2:] for line in done.stdout.splitlines()]
        return [" ".join(each[:3] + each[4:]) for each in words]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture
def collect(folder: Path) -> Iterator[Callable[..., Collector]]:
    for program in ("fstrm_capture", "dnstap-ldns"):
        tool(program)
    started: list[Collector] = []

    def call(*where: str) -> Collector:
        started.append(Collector(folder, *where))
        return started[-1]

    yield call
    for each in started:
        each.end()


def output(daemon: Daemon) -> dict[str, Any]:
    found: dict[str, Any] = daemon.get("/v1/status")[1]["query_log"]["outputs"][-1]
    return found


def test_a_real_collector_gets_queries_and_responses_and_may_go_and_come_back(
    start: Callable[..., Daemon], collect: Callable[..., Collector], folder: Path
) -> None:
    path = folder / "socket"
    collector = collect("-u", str(path))
    until(path.exists)
    section = {
        "dnstap": {"to": f"unix://{path}", "messages": ["client_query", "client_response"], "identity": "ns1"},
        "mask": {"ipv4": 8},
    }
    daemon = start(query_log=section, user="root").ready()
    daemon.ask("one.localhost")
    daemon.ask("two.invalid", "AAAA", tcp=True)
    until(lambda: output(daemon)["written"] == 2)
    collector.end()
    until(lambda: output(daemon)["fault"])
    daemon.ask("lost.localhost")
    until(lambda: output(daemon)["dropped"] == 1)
    assert collector.messages() == [
        'CQ 127.0.0.0 UDP "one.localhost." IN A', 'CR 127.0.0.0 UDP "one.localhost." IN A',
        'CQ 127.0.0.0 TCP "two.invalid." IN AAAA', 'CR 127.0.0.0 TCP "two.invalid." IN AAAA',
    ]  # fmt: skip
    details = subprocess.run(["dnstap-ldns", "-y", "-r", collector.file], capture_output=True, text=True, check=True)
    assert 'identity: "ns1"' in details.stdout
    assert 'version: "pldns ' in details.stdout
    path.unlink()
    collector.start_again()
    until(lambda: not output(daemon)["fault"])
    daemon.ask("again.localhost")
    daemon.stop()  # sends what waits, and the end of the stream
    collector.end()
    assert [line.split()[3] for line in collector.messages()] == ['"again.localhost."'] * 2
    log = daemon.log.read_text()
    assert log.count("queries are dropped") == log.count("works again; 1 queries were dropped") == 1


def test_a_collector_over_tcp(start: Callable[..., Daemon], collect: Callable[..., Collector]) -> None:
    port = free_port()
    collector = collect("-a", "127.0.0.1", "-p", str(port))
    daemon = start(query_log={"dnstap": {"to": f"tcp://127.0.0.1:{port}"}, "classes": ["denial"]}).ready()
    until(lambda: not output(daemon)["fault"])
    daemon.ask("one.localhost")
    daemon.ask("two.invalid")
    until(lambda: output(daemon)["written"] == 1)
    daemon.stop()
    collector.end()
    assert collector.messages() == ['CR 127.0.0.1 UDP "two.invalid." IN A']
