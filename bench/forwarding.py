"""`python -m bench.forwarding`: pldns as a forwarder, compared with Unbound, dnsmasq and dnsdist.

All forwarders have one upstream server (NSD with a wildcard), the same queries, and one worker or thread on its own
core. Measured are queries per second and CPU time of cache hits and misses, the latency that a miss adds at 1,000
queries a second, many equal questions at once, names that nobody answers, and the memory of a full cache.
"""

import argparse
import itertools
import socket
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.exception
import dns.message
import dns.query
import dns.rrset
import msgspec

from bench import dead_names, load, paced
from bench.measure import MIB, Result
from bench.peers import nsd, program
from bench.processes import PLDNS, Background, Broken, cores, pin
from bench.report import report
from resolver.forward.cache import Key, UpstreamCache
from resolver.wire import relay
from zones.clocks import SteadyTime
from zones.dns.name import from_text

UPSTREAM: Final = 5390
SLOW: Final = 5389
HIT_NAMES: Final = 1_000
MISS_NAMES: Final = 40_000
"""Names of one round."""
EQUAL: Final = 10_000
_NAMES: Final = itertools.count()
_CACHE: Final = 16 * MIB
_SETTLED: Final = 20.0  # seconds until a server answers


@dataclass(frozen=True, eq=False)
class Peer:
    """A forwarder: its command, its port, and the content of its files."""

    name: str
    port: int
    command: tuple[str, ...]
    files: dict[str, str]


def peers(folder: Path) -> list[Peer]:
    """Return the installed forwarders."""
    ours, theirs, dist = (str(folder / name) for name in ("pldns.yaml", "unbound.conf", "dnsdist.conf"))
    found = [
        Peer("pldns", 5391, (str(PLDNS), "serve", "-c", ours), {"pldns.yaml": _pldns(5391, UPSTREAM)}),
        Peer("unbound", 5392, ("unbound", "-d", "-c", theirs), {"unbound.conf": _unbound(folder, 5392)}),
        Peer("dnsmasq", 5393, _dnsmasq(5393), {}),
        Peer("dnsdist", 5394, ("dnsdist", "--supervised", "-C", dist), {"dnsdist.conf": _dnsdist(5394)}),
    ]
    return [peer for peer in found if peer.name == "pldns" or program(peer.command[0])]


def _pldns(port: int, upstream: int, tries: int = 3) -> str:
    return msgspec.json.encode({
        "dns": {"listen": [f"127.0.0.1:{port}"]},
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{upstream}"], "tries": tries}},
        "admin": {"listen": "off"},
        "state": {"directory": "state"},
    }).decode()  # fmt: skip


def _unbound(folder: Path, port: int) -> str:
    return f"""
server:
  interface: 127.0.0.1
  port: {port}
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
  outgoing-range: 4096
  num-queries-per-thread: 2048
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{UPSTREAM}
remote-control:
  control-enable: no
"""


def _dnsmasq(port: int) -> tuple[str, ...]:
    return (
        "dnsmasq", "--keep-in-foreground", f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces",
        "--no-resolv", "--no-hosts", f"--server=127.0.0.1#{UPSTREAM}", "--cache-size=10000", "--dns-forward-max=2000",
        "--conf-file=/dev/null", "--user=root", "--pid-file=",
    )  # fmt: skip


def _dnsdist(port: int) -> str:
    return f"""
setLocal("127.0.0.1:{port}")
newServer({{address="127.0.0.1:{UPSTREAM}"}})
getServer(0):setUp()
getPool(""):setCache(newPacketCache(200000, {{maxTTL=86400, minTTL=0}}))
"""


def _nsd(folder: Path) -> tuple[str, ...]:
    (folder / "bench.zone").write_text(
        "$ORIGIN bench.\n$TTL 300\n@ SOA ns h 1 3600 300 86400 300\n@ NS ns\nns A 192.0.2.1\n* A 192.0.2.1\n"
    )
    return nsd(folder, UPSTREAM, "bench", program("nsd") or "nsd")


# -- a forwarder under load


def everything(folder: Path, rounds: int, seconds: int) -> Iterator[Result]:
    """Yield results as they are measured. The forwarders take turns: other work affects all. Raises `Broken`."""
    hits = _file(folder, "hits", HIT_NAMES)
    with ExitStack() as stack:
        stack.enter_context(Background(_nsd(folder), folder / "nsd.log"))
        _answers(UPSTREAM)
        running = {peer: _busy(stack.enter_context(_started(peer, folder)), peer) for peer in peers(folder)}
        for peer, pid in running.items():
            load.one(pid, peer.port, hits, seconds, ())  # fills the cache; not counted
        rows: dict[tuple[str, str], list[load.Round]] = {}
        for _ in range(rounds):
            for peer, pid in running.items():
                rows.setdefault((peer.name, "hit"), []).append(load.one(pid, peer.port, hits, seconds, ()))
        for _ in range(rounds):
            for peer, pid in running.items():
                names = _file(folder, "misses", MISS_NAMES)
                rows.setdefault((peer.name, "miss"), []).append(load.one(pid, peer.port, names, 60, ("-n", "1")))
        for peer in running:
            yield from _results(peer, rows)
            yield from _waits(peer, folder)
    yield from _compared(rows)
    yield from _equal(folder)
    yield from dead_names.results(folder, 5395, SLOW, _pldns(5395, SLOW), _answers)
    yield _weight()


def _started(peer: Peer, folder: Path) -> Background:
    for name, text in peer.files.items():
        (folder / name).write_text(text)
    command = (program(peer.command[0]) or peer.command[0], *peer.command[1:])
    return Background(command, folder / f"{peer.name}.log")


def _busy(process: Background, peer: Peer) -> int:
    """Return the id of the answering process, pinned to its own core."""
    _answers(peer.port)
    pid = process.children("resolver.main.worker")[0] if peer.name == "pldns" else process.pid
    pin(pid, cores()[0])
    return pid


def _answers(port: int) -> None:
    """Wait until a server answers."""
    query = dns.message.make_query(f"w{next(_NAMES)}.bench.", "A")
    end = time.monotonic() + _SETTLED
    while True:
        try:
            if dns.query.udp(query, "127.0.0.1", timeout=0.2, port=port).answer:
                return
        except (dns.exception.Timeout, OSError):
            pass
        if time.monotonic() > end:
            raise Broken(f"nobody answers on port {port}")
        time.sleep(0.02)  # servers do not announce that they are ready, and each query slows its start


def _file(folder: Path, name: str, count: int) -> Path:
    """Write a file of names that no client has asked for yet."""
    file = folder / f"{name}.txt"
    file.write_text("".join(f"n{next(_NAMES)}.bench. A\n" for _ in range(count)))
    return file


def _results(peer: Peer, rows: dict[tuple[str, str], list[load.Round]]) -> Iterator[Result]:
    for kind in ("hit", "miss"):
        runs = rows[peer.name, kind]
        note = f"lost {sum(run.lost for run in runs)}"
        yield Result(f"{peer.name}, a {kind}", statistics.median(run.rate for run in runs), "queries/s", note=note)
        each = [run.cpu for run in runs]
        note = f"{min(each):.1f} to {max(each):.1f}"
        yield Result(f"{peer.name}, CPU of a {kind}", statistics.median(each), "us/query", note=note)


def _waits(peer: Peer, folder: Path) -> Iterator[Result]:
    """Yield the latency that a miss adds at 1,000 queries a second to that of the upstream server alone."""
    there = _paced(UPSTREAM, folder)
    here = _paced(peer.port, folder)
    what = f"{peer.name}, {{}} that a miss adds at 1,000/s"
    limit = 1.0 if peer.name == "pldns" else None
    yield Result(what.format("median"), (here.p50 - there.p50) / 1e3, "ms")
    note = f"p99 {here.p99 / 1e3:.2f} ms, of the upstream alone {there.p99 / 1e3:.2f} ms"
    yield Result(what.format("p99"), (here.p99 - there.p99) / 1e3, "ms", limit, note=note)
    note = f"of the {here.steady:.0%} of answers outside spells of slow memory (bench.slow_memory)"
    yield Result(what.format("steady p99"), (here.p99_steady - there.p99_steady) / 1e3, "ms", limit, note=note)


def _paced(port: int, folder: Path) -> paced.Waits:
    """Send 8,000 queries for new names, 1,000 a second. Raises `Broken` where 1 % or more stay unanswered."""
    with paced.Probe(port, _file(folder, "paced", 8_000), 8.0) as probe:
        probe.begin()
        found = probe.waits()
    if found.lost > found.sent // 100:
        raise Broken(f"only {found.sent - found.lost} of {found.sent} queries were answered on port {port}")
    return found


def _compared(rows: dict[tuple[str, str], list[load.Round]]) -> Iterator[Result]:
    """Yield the ratios of CPU time per round, with their targets."""
    wanted = (("unbound", "hit", 0.85), ("unbound", "miss", 2.0), ("dnsmasq", "miss", 1.0), ("dnsdist", "miss", None))
    for peer, kind, limit in wanted:
        theirs = rows.get((peer, kind), [])
        ratios = sorted(ours.cpu / its.cpu for ours, its in zip(rows["pldns", kind], theirs, strict=False))
        if ratios:
            note = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
            yield Result(f"CPU of a {kind}, of {peer}'s", statistics.median(ratios), "times", limit, note=note)


# -- equal questions, and memory


def _equal(folder: Path) -> Iterator[Result]:
    """Send equal questions at once while the upstream server is slow."""
    place = folder / "equal"
    place.mkdir()
    # One try: after a second without a reply the same question would be sent again, which is no second question.
    (place / "pldns.yaml").write_text(_pldns(5395, SLOW, tries=1))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream,
        Background((PLDNS, "serve", "-c", place / "pldns.yaml"), place / "serve.log"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        upstream.bind(("127.0.0.1", SLOW))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * MIB)
        client.connect(("127.0.0.1", 5395))
        _local(client)
        packet = dns.message.make_query("equal.bench.", "A", id=0).to_wire()
        for number in range(EQUAL):
            client.send(number.to_bytes(2, "big") + packet[2:])
            if not number % 50:
                time.sleep(0.001)  # UDP has no flow control: the daemon must empty its receive buffer in between
        upstream.settimeout(0.5)
        asked = [upstream.recvfrom(4096)]
        try:
            while True:
                asked.append(upstream.recvfrom(4096))
        except TimeoutError:
            pass
        reply = dns.message.make_response(dns.message.from_wire(asked[-1][0]), recursion_available=True)
        reply.answer.append(dns.rrset.from_text("equal.bench.", 60, "IN", "A", "192.0.2.1"))
        upstream.sendto(reply.to_wire(), asked[-1][1])
        client.settimeout(2)
        answered = 0
        try:
            while answered < EQUAL:
                client.recv(4096)
                answered += 1
        except TimeoutError:
            pass
    yield Result(f"{EQUAL:,} equal misses, queries upstream", len(asked), "queries", 1, note=f"{answered:,} answered")


def _local(client: socket.socket) -> None:
    """Wait for a daemon whose upstream server does not answer."""
    client.settimeout(0.2)
    query = dns.message.make_query("health.pldns.", "A").to_wire()
    end = time.monotonic() + _SETTLED
    while time.monotonic() < end:
        try:
            client.send(query)
            client.recv(4096)
        except (TimeoutError, ConnectionRefusedError):
            time.sleep(0.05)  # a refused connection comes back at once; without a pause this would be a busy wait
        else:
            client.settimeout(None)
            return
    raise Broken("the daemon for equal questions does not answer")


def _weight() -> Result:
    """Yield the memory of a full cache, as Python counts its objects."""
    cache, number = UpstreamCache(_CACHE), 0
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    while not cache.evictions:
        name = from_text(f"name-{number}.some.where.example")
        query = dns.message.make_query(f"name-{number}.some.where.example", "A", id=1)
        reply = dns.message.make_response(query, recursion_available=True)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", address))
        cache.put(Key("public", name, 1), relay.parse(reply.to_wire(), relay.question(name, 1)), SteadyTime(0.0))
        del query, reply
        number += 1
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    note = f"{len(cache):,} replies, {taken / MIB:.1f} MiB for a bound of {_CACHE / MIB:.0f}"
    return Result("a full cache, of its bound", taken / _CACHE, "times", 1.2, note=note)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.forwarding", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    if not load.AVAILABLE or not program("nsd"):
        print("not measured: dnsperf, taskset or nsd is missing")
        return 1
    return report(lambda folder: everything(folder, given.rounds, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
