"""The pldns that is broken on purpose: its estate, its upstream servers, and the handles by which faults reach it.

Does not know what a fault may do to answers.
"""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

import trustme
import yaml

from tests.chaos.mix import ENDPOINTS, MOVED, MOVING, SUFFIX, ZONE, private_address
from tests.chaos.stepped import set_offset
from tests.chaos.upstream import Manner, Upstream, serving
from tests.live.daemon import PATIENCE, Daemon, living, until
from tests.paths import ROOT
from tests.ports import free_ports

_STARTED: Final = r"SIGUSR2: started the pldns with pid (\d+)"
_PIPE: Final = 65_536
"""Octets of log that wait for their reader."""
_RECEIVE: Final = 4 << 20
"""ReceiveBuffer= of systemd/pldns.socket."""
_ACTIVATE: Final = """
import fcntl, os, sys
high = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 100) for word in sys.argv[1].split(",")]
for number, each in enumerate(high, 3):
    os.dup2(each, number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(high)), "LISTEN_FDNAMES": sys.argv[2]}
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Runs a program with sockets, as systemd does (sd_listen_fds(3))."""


class Start(Enum):
    """How the daemon is started."""

    PLAIN = auto()
    ACTIVATED = auto()
    """The sockets belong to the harness, as to systemd, and outlive the daemon."""
    STEPPED = auto()
    """Faults can set the clock of the daemon (`stepped`)."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What differs between one pldns of the harness and another."""

    workers: int = 1
    descriptors: int | None = None
    """The limit of open files."""
    start: Start = Start.PLAIN
    settings: dict[str, Any] = field(default_factory=dict)
    """More sections of the configuration."""


class Site(Daemon):
    """The daemon, its files and its upstream servers."""

    def __init__(self, folder: Path, upstreams: Sequence[Upstream], setup: Setup) -> None:
        self.upstreams = upstreams
        self.endpoints = folder / "endpoints"
        self.authority = folder / "authority.pem"
        self.workers = setup.workers
        self.owner = 0
        """Of the state directory, before a fault."""
        self.idle: list[socket.socket] = []
        """Connections that faults hold open."""
        self._turn = 0
        ports = dict(zip(("tls", "https"), free_ports(2), strict=True))
        _write_estate(folder)
        pair = {"certificate": "pair.pem", "key": "pair.pem"}
        ways = {way: {"listen": [f"127.0.0.1:{port}"], **pair} for way, port in ports.items()}
        servers = [f"udp://127.0.0.1:{each.port}" for each in upstreams]
        super().__init__(
            folder,
            {
                "dns": {"workers": setup.workers, **ways},
                "sources": [{"name": "estate", "type": "files", "path": "./endpoints"}],
                "zones": {"files": ["corp.zone"]},
                "upstreams": {"public": {"servers": servers}},
                "state": {"directory": "./disk/state"},
                **setup.settings,
            },
            setup.descriptors,
        )
        self.ports = {"udp": self.port, "tcp": self.port, **ports}
        self.state = folder / "disk/state"
        self.moved()
        self._successor: int | None = None
        self._takeovers = 0
        self._held: list[socket.socket] = []
        self.clock = folder / "clock"
        """The offset of the daemon's clock, with `Start.STEPPED`."""
        if setup.start is Start.ACTIVATED:
            self._activate()
        elif setup.start is Start.STEPPED:
            set_offset(self.clock, 0.0)
            self.command = [sys.executable, "-m", "tests.chaos.stepped", str(self.clock), str(self.path)]
        self._reader, self.log_pipe = os.pipe()
        fcntl.fcntl(self.log_pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        self.log_is_read = threading.Event()
        self.log_is_read.set()
        self._log_thread = threading.Thread(target=self._read_log, name="log")
        self._log_thread.start()

    def _activate(self) -> None:
        for kind, way in ((socket.SOCK_DGRAM, "udp"), *((socket.SOCK_STREAM, way) for way in ("tcp", "tls", "https"))):
            self._held.append(socket.socket(socket.AF_INET, kind))
            self._held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE)
            self._held[-1].bind(("127.0.0.1", self.ports[way]))
            if kind is socket.SOCK_STREAM:
                self._held[-1].listen(128)
            self._held[-1].set_inheritable(True)
        numbers = ",".join(str(each.fileno()) for each in self._held)
        names = "pldns.socket:pldns.socket:tls:https"
        self.command = [sys.executable, "-c", _ACTIVATE, numbers, names, *self.command]

    def _read_log(self) -> None:
        with self.log.open("ab") as log:
            while octets := os.read(self._reader, _PIPE):
                log.write(octets)
                log.flush()
                self.log_is_read.wait()

    # -- the daemon

    def begin(self) -> None:
        """Start pldns, and return when it is ready."""
        self._successor = None
        held = [each.fileno() for each in self._held]
        self._process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=self.log_pipe,
            pass_fds=held,
            start_new_session=True,
            cwd=ROOT,
        )
        until(lambda: self.get("/readyz")[0] == 200 or not living(self.pid))
        assert living(self.pid), self.log.read_text()[-4000:]

    @property
    def pid(self) -> int:
        """The supervisor, which a successor may have replaced."""
        return self._successor or super().pid

    def is_well(self) -> bool:
        """Return whether all processes work, and are as many as they should be."""
        kinds = self.children()
        return (len(kinds["control"]), len(kinds["worker"])) == (1, self.workers) and self.get("/readyz")[0] == 200

    def take_over(self) -> None:
        """Have a successor take over, and return when the predecessor has ended."""
        old, process = self.pid, self._process
        self.signal(signal.SIGUSR2)
        until(lambda: not living(old))
        if process and not self._successor:
            process.wait()
        found = until(lambda: re.findall(_STARTED, self.log.read_text())[self._takeovers :])
        self._takeovers += 1
        self._successor = int(found[0])

    def stop(self) -> None:
        """End pldns."""
        old = self.pid
        if living(old):
            self.signal(signal.SIGTERM)
            until(lambda: not living(old))
        assert self._process
        self._process.wait()

    def close(self) -> None:
        """End pldns and what belongs to it."""
        self.log_is_read.set()
        self.stop()
        os.close(self.log_pipe)
        self._log_thread.join(PATIENCE)
        os.close(self._reader)
        for each in self._held:
            each.close()

    # -- the estate

    def moved(self) -> str:
        """Give the moving endpoint its next address, which is returned."""
        self._turn = (self._turn + 1) % len(MOVED)
        address = MOVED[self._turn]
        _replace(self.endpoints / "moving.json", json.dumps({"endpoints": [_endpoint(MOVING, address)]}))
        return address

    def serves(self, address: str) -> Callable[[], bool]:
        """Return a condition: the moving endpoint has this address in answers."""
        return lambda: self.addresses(f"{MOVING}.{SUFFIX}") == {address}

    def configure(self, change: dict[str, Any]) -> None:
        """Write the configuration with other keys of `dns`."""
        _replace(self.path, yaml.safe_dump({**self.config, "dns": {**self.config["dns"], **change}}))

    def behave(self, manner: Manner, servers: int) -> None:
        """Have so many upstream servers, from the first, behave in a manner, and the others well."""
        for number, each in enumerate(self.upstreams):
            each.manner = manner if number < servers else Manner.GOOD


def _endpoint(name: str, address: str) -> dict[str, Any]:
    records = [{"fqdn": f"{name}.{SUFFIX}", "ips": [address]}]
    return {"name": name, "target": f"target-{name}", "group": "blob", "records": records}


def estate_text() -> str:
    """Return the file of all endpoints that do not move."""
    rows = [_endpoint(f"acct{number}", private_address(number)) for number in range(ENDPOINTS)]
    return json.dumps({"endpoints": rows})


def _write_estate(folder: Path) -> None:
    (folder / "endpoints").mkdir()
    (folder / "disk").mkdir(exist_ok=True)
    (folder / "endpoints/estate.json").write_text(estate_text())
    (folder / "corp.zone").write_text(f"$ORIGIN {ZONE}.\n@ 60 IN SOA ns. root. 1 2 3 4 5\nwww 60 IN A 10.22.0.1\n")
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "pair.pem"))
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))


def _replace(path: Path, text: str) -> None:
    """Replace a file by a rename."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.rename(path)


@contextmanager
def running(folder: Path, setup: Setup) -> Iterator[Site]:
    """Run pldns with two upstream servers while the block runs."""
    with serving(2) as upstreams:
        site = Site(folder, upstreams, setup)
        try:
            site.begin()
            yield site
        finally:
            site.close()
