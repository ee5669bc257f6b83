"""A running daemon, started with the `pldns` command, and clients that ask it over sockets."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import dns.message
import dns.query
import dns.rdatatype
import yaml
from prometheus_client.parser import text_string_to_metric_families

from resolver.cli import unix_socket
from tests.ports import free_port

PLDNS = Path(sys.executable).with_name("pldns")
PATIENCE: Final = 90.0
"""Seconds until a test gives up. Only a failure takes so long, even on a loaded machine."""
REPLY: Final = 15.0
"""Seconds to wait for one reply. A query that is lost because a process died is asked again after that."""


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:  # noqa: ANN401 - whatever the condition gives
    """Poll until the condition is true. Return its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{condition} did not hold within {seconds} s"
        give_way(0.02)


def give_way(seconds: float) -> None:
    """Leave the processor to others between two polls."""
    signal.sigtimedwait([], seconds)


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = unix_socket.connected(self._path)
        self.sock.settimeout(PATIENCE)


class Daemon:
    """`pldns serve` with one configuration, in a directory of its own."""

    def __init__(self, directory: Path, config: dict[str, Any], descriptors: int | None = None) -> None:
        """`descriptors`: the limit of open files."""
        self.directory = directory
        self.port, self.admin = free_port(), free_port()
        self.config = {
            "dns": {"listen": [f"127.0.0.1:{self.port}"], **config.pop("dns", {})},
            "admin": {"listen": f"127.0.0.1:{self.admin}"},
            "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
            "state": {"directory": "./state"},
        } | config
        self.path = directory / "pldns.yaml"
        self.write()
        self.log = directory / "log"
        self.command = [str(PLDNS), "serve", "-c", str(self.path)]
        if descriptors:
            self.command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *self.command]
        self._process: subprocess.Popen[bytes] | None = None

    def write(self) -> None:
        """Write the configuration file."""
        self.path.write_text(yaml.safe_dump(self.config))

    def start(self, stderr: int | None = None) -> "Daemon":
        """Start the daemon. Its log goes to the file `log`, or to the descriptor `stderr`."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=stderr or log, start_new_session=True)
        return self

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def ready(self) -> "Daemon":
        until(lambda: self.get("/readyz")[0] == 200)
        return self

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and body of an admin request. The status is 0 when nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=PATIENCE) as reply:
                return reply.status, _body(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, _body(error.read())
        except OSError:
            return 0, None

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of a metric with exactly these labels; None where there is none."""
        families = text_string_to_metric_families(str(self.get("/metrics")[1]))
        found = (each for family in families for each in family.samples)
        return next((each.value for each in found if (each.name, each.labels) == (f"pldns_{name}", labels)), None)

    def post(self, path: str, body: object) -> int:
        """Send an admin request that changes something, over the Unix socket. Return its status."""
        return self.unix("POST", path, body)[0]

    def unix(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body of an admin request over the Unix socket. The status is 0 when nobody listens."""
        try:
            with contextlib.closing(
                UnixConnection(self.directory / self.config["state"]["directory"] / "admin.sock")
            ) as connection:
                octets = None if body is None else json.dumps(body)
                connection.request(method, path, octets, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                return reply.status, _body(reply.read())
        except OSError:
            return 0, None

    def ask(self, name: str, rtype: str = "A", *, source: str = "127.0.0.1", tcp: bool = False) -> dns.message.Message:
        query = dns.message.make_query(name, rtype, use_edns=0)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, "127.0.0.1", port=self.port, timeout=REPLY, source=source)

    def addresses(self, name: str, *, source: str = "127.0.0.1") -> set[str]:
        """Return the addresses in the answer; empty when it has none, or when there is no reply."""
        try:
            answer = self.ask(name, source=source).answer
        except (OSError, dns.exception.Timeout):
            return set()
        return {rdata.address for rrset in answer if rrset.rdtype == dns.rdatatype.A for rdata in rrset}

    def children(self) -> dict[str, list[int]]:
        """Return the process ids of control, the workers and the query logger."""
        found: dict[str, list[int]] = {"control": [], "worker": [], "query_log": []}
        for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
            except FileNotFoundError:
                continue  # the process has ended
            for kind, pids in found.items():
                if f"resolver.main.{kind}" in command:
                    pids.append(int(pid))
        return found

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = PATIENCE) -> int:
        assert self._process
        return self._process.wait(seconds)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the supervisor at once, if it runs. Its children end with it."""
        assert self._process
        self._process.kill()
        self.wait()


def _body(octets: bytes) -> Any:  # noqa: ANN401 - JSON or text
    try:
        return json.loads(octets)
    except ValueError:
        return octets.decode()


def living(pid: int) -> bool:
    """Return whether the process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
