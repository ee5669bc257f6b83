"""A small estate, commands run as a person runs them, and a real daemon on loopback for commands that ask one."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from resolver.cli import main
from resolver.cli.configuration import load
from resolver.host_port import HostPort
from tests.ports import free_port

ENDPOINTS = """
endpoints:
  - name: shop
    target: shop
    group: blob
    records: [{fqdn: shop.blob.core.windows.net, ips: [10.1.0.4]}]
  - name: east
    target: vault-1
    group: vault
    network: east
    records: [{fqdn: kv.vault.azure.net, ips: [10.1.0.5]}]
  - name: west
    target: vault-1
    group: vault
    network: west
    records: [{fqdn: kv.vault.azure.net, ips: [10.2.0.5]}]
  - name: waits
    target: later
    group: blob
    state: Pending
    records: [{fqdn: later.blob.core.windows.net, ips: [10.1.0.6]}]
  - name: star
    target: env
    group: managedEnvironments
    records: [{fqdn: "*.happy.westeurope.azurecontainerapps.io", ips: [10.1.0.7]}]
"""
CONFLICT = """
  - name: rival
    target: other
    group: blob
    records: [{fqdn: shop.blob.core.windows.net, ips: [10.1.0.9]}]
"""
ZONE = """$ORIGIN corp.example.
$TTL 60
@ SOA ns hostmaster 1 3600 300 2419200 30
@ NS ns
ns A 192.0.2.1
files CNAME shop.blob.core.windows.net.
out CNAME www.example.net.
"""
CONFIG = """
dns: {{listen: ["127.0.0.1:{dns}"]}}
sources: [{{name: estate, type: files, path: ./endpoints}}]
networks:
  - {{name: east, clients: [10.1.0.0/16, 127.0.0.0/8]}}
  - {{name: west, clients: [10.2.0.0/16]}}
zones:
  overrides: {{privatelink.blob.core.windows.net: {{on_miss: nxdomain}}}}
  files: [./corp.zone]
upstreams: {{public: {{servers: ["udp://127.0.0.1:{upstream}"]}}}}
admin: {{listen: "127.0.0.1:{admin}"}}
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - what JSON can hold
        return json.loads(self.out)


Run = Callable[..., Ran]


def write_estate(folder: Path) -> Path:
    """Write a configuration and its sources, and return the configuration file."""
    (folder / "endpoints").mkdir()
    (folder / "endpoints" / "all.yaml").write_text(ENDPOINTS)
    (folder / "corp.zone").write_text(ZONE)
    ports = {"dns": free_port(), "admin": free_port(), "upstream": free_port()}
    (folder / "pldns.yaml").write_text(CONFIG.format(**ports))
    return folder / "pldns.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_estate(tmp_path)


@pytest.fixture
def contested(config: Path) -> Path:
    """The same estate with a second endpoint that claims one of the names."""
    (config.parent / "endpoints" / "all.yaml").write_text(ENDPOINTS + CONFLICT)
    return config


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start a daemon, and return its configuration file when the daemon is ready."""
    folder = tmp_path_factory.mktemp("daemon")
    config = write_estate(folder)
    (folder / "endpoints" / "all.yaml").write_text(ENDPOINTS + CONFLICT)
    command = [sys.executable, "-m", "resolver.cli", "serve", "-c", str(config), "--set", "dns.workers=1"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            deadline = time.monotonic() + 90
            admin = load(config, {}).control.admin.listen
            assert admin
            while not _is_ready(admin):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
            yield config
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)


def _is_ready(admin: HostPort) -> bool:
    try:
        with socket.create_connection((admin.host, admin.port), 1) as sock:
            sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return b" 200 " in sock.makefile("rb").readline()
    except OSError:
        return False
