"""`python -m bench.transports`: the cost of each transport.

Measured are queries per second of one worker over UDP, TCP, TLS and HTTPS, the latency of a paced client at half of
that load, the memory of an idle connection, and the latency of a good query during a flood of malformed packets.
"""

import argparse
import functools
import re
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import dns.message
import msgspec
import trustme

from bench import load
from bench.generate import Ports, write
from bench.measure import MIB, Result, _wait, _worker, ready
from bench.processes import PLDNS, Background, cores, pin, resident
from bench.report import report

WAYS: Final = {"udp": "udp", "tcp": "tcp", "tls": "dot", "https": "doh"}
"""Names of the transports, and dnsperf's names for them."""
IDLE: Final = 5_000
PROBES: Final = 2_000
PACE: Final = 250.0
"""Probes per second."""
_FLOOD: Final = "bench.flood"


class Site(NamedTuple):
    """A daemon with all listeners."""

    directory: Path
    ports: Ports
    tls: int
    https: int

    def port(self, way: str) -> int:
        """The port of a transport."""
        return {"tls": self.tls, "https": self.https}.get(way, self.ports.dns)


def site(directory: Path, endpoints: int) -> Site:
    """Write an estate and a certificate."""
    ports = Ports()
    made = Site(directory, ports, ports.dns + 100, ports.dns + 101)
    write(directory, endpoints, ports)
    certificate = trustme.CA().issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(directory / "pair.pem"))
    file = directory / "pldns.yaml"
    settings = msgspec.json.decode(file.read_bytes())
    pair = {"certificate": "pair.pem", "key": "pair.pem"}
    settings["dns"] |= {
        "tls": {"listen": [f"127.0.0.1:{made.tls}"], **pair},
        "https": {"listen": [f"127.0.0.1:{made.https}"], **pair},
        "streams": {"connections": IDLE + 100, "idle": "1h"},
    }
    file.write_bytes(msgspec.json.encode(settings))
    return made


def everything(made: Site, rounds: int, seconds: int) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    command = (PLDNS, "serve", "-c", made.directory / "pldns.yaml")
    with Background(command, made.directory / "serve.log") as daemon:
        while not ready(made.ports.admin):
            _wait(daemon, 0.05, daemon.began, "/readyz was not 200")
        worker = _worker(daemon)
        pin(worker, cores()[0])
        for way in WAYS:
            yield from _way(made, worker, way, rounds, seconds)
        yield from _flooded(made)
        yield from _idle(made, worker)


def _way(made: Site, worker: int, way: str, rounds: int, seconds: int) -> Iterator[Result]:
    queries = made.directory / "private.txt"
    options = ["-m", WAYS[way], "-O", "doh-uri=https://localhost/dns-query"][: 4 if way == "https" else 2]
    found = load.measure(worker, made.port(way), queries, seconds, rounds, options)
    yield Result(f"{way}, private A", found.rate, "queries/s", note=f"lost {found.lost}")
    yield Result(f"{way}, CPU of the worker", found.cpu, "us/query")
    half = int(found.rate / 2)
    command = ["taskset", "--cpu-list", str(cores()[1]), "dnsperf", "-s", "127.0.0.1", "-p", str(made.port(way)),
               "-d", str(queries), "-l", "60", "-c", "4", "-T", "1", "-Q", str(half), *options]  # fmt: skip
    with Background(command, made.directory / "half.log") as half_load:
        half_load.breathe(1.0)
        waits = _probes(made, way, PROBES)
    yield Result(f"{way}, p50 at half load", statistics.median(waits) * 1e3, "ms", note=f"{half:,} queries/s")
    yield Result(f"{way}, p99 at half load", waits[int(len(waits) * 0.99)] * 1e3, "ms")


def _probes(made: Site, way: str, count: int) -> list[float]:
    """Return the latencies in seconds, sorted, of one client that sends queries at a fixed rate."""
    ask, close = _client(made, way)
    name = (made.directory / "private.txt").read_text().split()[0]
    packet = dns.message.make_query(name, "A", id=0x4242).to_wire()
    waits = []
    due = time.monotonic()
    try:
        for _ in range(count):
            due += 1 / PACE
            time.sleep(max(0.0, due - time.monotonic()))  # queries go out at a fixed rate
            began = time.perf_counter()
            ask(packet)
            waits.append(time.perf_counter() - began)
    finally:
        close()
    return sorted(waits)


def _client(made: Site, way: str) -> tuple[Callable[[bytes], bytes], Callable[[], None]]:
    if way == "udp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(10)
        sock.connect(("127.0.0.1", made.port(way)))
        return functools.partial(_datagram, sock), sock.close
    stream = socket.create_connection(("127.0.0.1", made.port(way)), 10)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if way == "tcp":
        return functools.partial(_framed, stream), stream.close
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["dot"] if way == "tls" else ["http/1.1"])
    secure = context.wrap_socket(stream)
    return functools.partial(_framed if way == "tls" else _posted, secure), secure.close


def _datagram(sock: socket.socket, packet: bytes) -> bytes:
    sock.send(packet)
    return sock.recv(4096)


def _framed(sock: socket.socket, packet: bytes) -> bytes:
    sock.sendall(len(packet).to_bytes(2, "big") + packet)
    reply = sock.recv(4096)
    while len(reply) < 2 or len(reply) < 2 + int.from_bytes(reply[:2], "big"):
        reply += sock.recv(4096)
    return reply[2:]


def _posted(sock: socket.socket, packet: bytes) -> bytes:
    head = "POST /dns-query HTTP/1.1\r\nhost: x\r\ncontent-type: application/dns-message\r\ncontent-length: "
    sock.sendall(f"{head}{len(packet)}\r\n\r\n".encode() + packet)
    reply = sock.recv(4096)
    while True:
        start, end = reply.find(b"\r\n\r\n"), re.search(rb"content-length: (\d+)", reply)
        if start >= 0 and end and len(reply) >= start + 4 + int(end[1]):
            return reply[start + 4 :]
        reply += sock.recv(4096)


def _flooded(made: Site) -> Iterator[Result]:
    """Send malformed packets from another process, ten times as many as good queries."""
    rate = int(PACE * 10)
    quiet = _probes(made, "udp", PROBES)
    command = [sys.executable, "-m", _FLOOD, str(made.port("udp")), str(rate)]
    with Background(command, made.directory / "flood.log") as flood:
        flood.breathe(0.5)
        waits = _probes(made, "udp", PROBES)
    note = f"{rate:,} malformed packets/s; quiet {quiet[int(len(quiet) * 0.99)] * 1e3:.2f} ms"
    yield Result("udp, p99 in a flood of malformed ones", waits[int(len(waits) * 0.99)] * 1e3, "ms", 50, note=note)
    yield Result("udp, slowest of them", waits[-1] * 1e3, "ms", 50)


def _idle(made: Site, worker: int) -> Iterator[Result]:
    before = resident(worker)
    held = [socket.create_connection(("127.0.0.1", made.port("tcp")), 10) for _ in range(IDLE)]
    packet = dns.message.make_query("health.pldns", "A", id=1).to_wire()
    for each in held:
        _framed(each, packet)
    after = resident(worker)
    for each in held:
        each.close()
    note = f"{IDLE:,} connections, one query each; {(after - before) / MIB:.1f} MiB"
    yield Result("tcp, an idle connection", (after - before) / IDLE / 1024, "KiB", 20, note=note)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.transports", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf or taskset is missing")
        return 1
    return report(lambda folder: everything(site(folder, given.endpoints), given.rounds, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
