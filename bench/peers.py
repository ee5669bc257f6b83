"""pldns and the servers that it is compared with: the same names, one thread each, no logging.

Owns their configurations. Does not know the queries.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import trustme

from bench.processes import PLDNS

ZONE: Final = "privatelink.blob.core.windows.net"
PORTS: Final = 16
"""How many ports the servers take, from the first one on: the upstream has the first."""
_TLS: Final = 8
"""The TLS port of a server is its plain one and so many more."""
UDP: Final = frozenset(("A", "A, EDNS", "NODATA", "NXDOMAIN"))
CACHE: Final = frozenset(("cached public", "mix"))
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Peer(NamedTuple):
    """One server: its port, its command, and the workloads that it supports."""

    name: str
    port: int
    command: tuple[str, ...]
    can: frozenset[str]
    version: str
    tls: int = 0


class Site(NamedTuple):
    """What all servers share: a folder for their files, the port of the upstream, the names with their addresses."""

    folder: Path
    upstream: int
    addresses: list[tuple[str, str]]


def name(number: int) -> str:
    """Return the private name of an endpoint."""
    return f"contoso{number}.{ZONE}"


def program(command: str) -> str | None:
    """Return the path of a program. Debian installs servers in sbin."""
    return shutil.which(command, path=_PATH)


def written(folder: Path, names: int, upstream: int) -> Iterator[Peer | str]:
    """Return each server with its files in `folder`, or a line that says why the server is skipped.

    `upstream` is the port of the public resolver. The servers take the ports after it.
    """
    addresses = [(name(i), str(IPv4Address("10.64.0.0") + i)) for i in range(names)]
    certificate = trustme.CA().issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "pair.pem"))
    site = Site(folder, upstream, addresses)
    yield _pldns(site, upstream + 1)
    peers = (
        (_knot, "knotd", "knot"), (_nsd, "nsd", "nsd"), (_unbound, "unbound", "unbound"),
        (_dnsmasq, "dnsmasq", "dnsmasq-base"), (_echo, "cc", "gcc"),
    )  # fmt: skip
    for port, (build, needs, package) in enumerate(peers, upstream + 2):
        found = program(needs)
        yield build(site, port, found) if found else f"{needs} is not installed (Debian: {package}): left out"


def _version(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.[\w.]+", done.stdout + done.stderr)
    return found[0] if found else "?"


def _pldns(site: Site, port: int) -> Peer:
    folder, upstream, addresses = site
    endpoints = [
        {"name": f"e{i}", "target": f"contoso{i}", "group": "blob",
         "records": [{"fqdn": name.replace("privatelink.", ""), "ips": [ip]}]}
        for i, (name, ip) in enumerate(addresses)
    ]  # fmt: skip
    (folder / "estate.json").write_bytes(msgspec.json.encode({"endpoints": endpoints}))
    pair = {"certificate": "pair.pem", "key": "pair.pem"}
    (folder / "pldns.yaml").write_bytes(
        msgspec.json.encode(
            {
                "dns": {"listen": [f"127.0.0.1:{port}"], "tls": {"listen": [f"127.0.0.1:{port + _TLS}"], **pair}},
                "sources": [{"name": "estate", "type": "files", "path": "estate.json"}],
                "zones": {"defaults": {"on_miss": "nxdomain"}},
                "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{upstream}"]}},
                "admin": {"listen": "off"},
                "state": {"directory": "state"},
            }
        )
    )
    command = (str(PLDNS), "serve", "-c", str(folder / "pldns.yaml"))
    version = f"{_version(str(PLDNS), 'version')}, CPython {sys.version.split()[0]}"
    return Peer("pldns", port, command, UDP | CACHE | {"TCP", "DoT"}, version, port + _TLS)


def _zone(folder: Path, addresses: list[tuple[str, str]]) -> Path:
    file = folder / "bench.zone"
    records = "".join(f"{name}. A {ip}\n" for name, ip in addresses)
    file.write_text(f"$ORIGIN {ZONE}.\n$TTL 300\n@ SOA ns h 1 3600 300 86400 300\n@ NS ns\nns A 192.0.2.1\n{records}")
    return file


def _knot(site: Site, port: int, found: str) -> Peer:
    folder, _, addresses = site
    _zone(folder, addresses)
    file = folder / "knot.conf"
    file.write_text(f"""
server:
  rundir: {folder}
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: warning
database:
  storage: {folder}/knot
zone:
  - domain: {ZONE}
    storage: {folder}
    file: bench.zone
    zonefile-sync: -1
    journal-content: none
""")
    return Peer("Knot", port, (found, "-c", str(file)), UDP | {"TCP"}, _version(found, "--version"))


def _nsd(site: Site, port: int, found: str) -> Peer:
    _zone(site.folder, site.addresses)
    command = nsd(site.folder, port, ZONE, found)
    return Peer("NSD", port, command, UDP | {"TCP"}, _version(found, "-v"))


def nsd(folder: Path, port: int, zone: str, found: str) -> tuple[str, ...]:
    """Write the files of an NSD with one process that serves `bench.zone` of the folder. Return its command."""
    file = folder / "nsd.conf"
    file.write_text(f"""
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd"
  zonelistfile: "{folder}/zones"
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: {zone}.
  zonefile: bench.zone
""")
    return found, "-d", "-c", str(file)


def _unbound(site: Site, port: int, found: str) -> Peer:
    folder, upstream, addresses = site
    file = folder / "unbound.conf"
    data = "".join(f"  local-data: '{name}. 300 A {ip}'\n" for name, ip in addresses)
    file.write_text(f"""
server:
  interface: 127.0.0.1@{port}
  interface: 127.0.0.1@{port + _TLS}
  tls-port: {port + _TLS}
  tls-service-key: "{folder}/pair.pem"
  tls-service-pem: "{folder}/pair.pem"
  num-threads: 1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  msg-cache-size: 64m
  rrset-cache-size: 128m
  incoming-num-tcp: 100
  local-zone: "{ZONE}." static
{data}
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
remote-control:
  control-enable: no
""")
    command = (found, "-d", "-c", str(file))
    return Peer("Unbound", port, command, UDP | CACHE | {"TCP", "DoT"}, _version(found, "-V"), port + _TLS)


def _dnsmasq(site: Site, port: int, found: str) -> Peer:
    folder, upstream, addresses = site
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{ip} {name}\n" for name, ip in addresses))
    command = (
        found, "--keep-in-foreground", f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces",
        "--no-resolv", "--no-hosts", f"--addn-hosts={hosts}", f"--local=/{ZONE}/", "--local-ttl=300",
        f"--server=127.0.0.1#{upstream}", "--cache-size=10000", "--dns-forward-max=2000", "--conf-file=/dev/null",
        "--user=root", "--pid-file=",
    )  # fmt: skip
    return Peer("dnsmasq", port, command, UDP | CACHE | {"TCP"}, _version(found, "--version"))


def _echo(site: Site, port: int, found: str) -> Peer:
    made = site.folder / "echo"
    source = Path(__file__).with_name("echo.c")
    subprocess.run([found, "-O2", "-Wall", "-Werror", "-o", made, source], check=True)
    return Peer("echo in C", port, (str(made), str(port)), UDP | CACHE, _version(found, "--version"))
