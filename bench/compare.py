"""`python -m bench.compare`: pldns compared with Knot DNS, NSD, Unbound, dnsmasq, and an echo server that does nothing.

All servers run on the same machine with the same names and query files: the server on one core, dnsperf on the other.
The servers take turns, one round each, so that other work on the machine affects all of them. Afterwards dnsperf loads
every server at the same rate while a client measures its latency with 1,000 queries a second. The program prints
Markdown and stores results/compare-*.json.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import dns.exception
import dns.message
import dns.query
import dns.rcode

from bench import load, paced, peers
from bench.measure import MIB
from bench.peers import Peer
from bench.processes import Background, Broken, cores, pin, proportional, tree, used
from bench.report import keep

PUBLIC: Final = 1_000
MIXED: Final = (80, 15, 5)
"""Percentages of private, public and missing names in the mix."""
ITSELF: Final = ("A", "A, EDNS", "NODATA")
"""The workloads that alternate when pldns is compared with itself."""
FEW: Final = 5
"""A fifth of the names is used then, so that pldns keeps all three answers of each name."""
_SETTLED: Final = 120.0  # seconds until a server answers
_WARM: Final = 1  # seconds of the warm-up round


class Workload(NamedTuple):
    """A query file, the dnsperf options that send it, and the expected response codes."""

    file: str
    options: tuple[str, ...] = ()
    codes: frozenset[str] = load.NOERROR


WORKLOADS: Final = {
    "A": Workload("private"),
    "A, EDNS": Workload("private", ("-e",)),
    "NODATA": Workload("nodata"),
    "NXDOMAIN": Workload("missing", codes=frozenset(("NXDOMAIN",))),
    "cached public": Workload("public"),
    "mix": Workload("mix", codes=frozenset(("NOERROR", "NXDOMAIN"))),
    "TCP": Workload("private", ("-m", "tcp")),
    "DoT": Workload("private", ("-m", "dot")),
}
TARGETS: Final = {
    ("A", "Knot"): 1.0, ("A", "Unbound"): 0.85, ("A", "echo in C"): 1.4, ("cached public", "Unbound"): 0.85,
    ("TCP", "Knot"): 1.5,
}  # fmt: skip
"""Target for pldns's CPU time per query, relative to the peer's."""
_P999: Final = 2.0
"""Target for the latency of the paced client, relative to its latency with Knot."""


class Round(NamedTuple):
    """Queries per second, lost queries, and CPU microseconds per query in user and in system mode."""

    rate: float
    lost: int
    user: float
    system: float

    @property
    def cpu(self) -> float:
        """User and system time together."""
        return self.user + self.system


class PeerServer:
    """A running server. `pids`: all of its processes."""

    def __init__(self, peer: Peer, process: Background) -> None:
        self.peer = peer
        self._process = process
        _answers(peer, process)
        self.pids = tree(process.pid)
        for pid in self.pids:
            pin(pid, cores()[0])

    def round(self, work: Workload, folder: Path, seconds: int) -> Round:
        """Run dnsperf once."""
        port = self.peer.tls if "dot" in work.options else self.peer.port
        codes = work.codes | load.NOERROR if self.peer.name.startswith("echo") else work.codes
        before = used(self.pids)
        run = load.ask(port, folder / f"{work.file}.txt", seconds, work.options, codes)
        user, system = ((after - was) / run.completed * 1e6 for after, was in zip(used(self.pids), before, strict=True))
        return Round(run.rate, run.lost, user, system)

    def waits(self, work: Workload, folder: Path, seconds: int, rate: int) -> paced.Waits:
        """Return the waits of the paced client while dnsperf sends `rate` queries per second."""
        file = folder / f"{work.file}.txt"
        command = load.command(self.peer.port, file, seconds + 5, (*work.options, "-Q", str(rate)))
        with (
            paced.Probe(self.peer.port, file, seconds) as probe,
            Background(command, folder / "half.log") as half,
        ):
            half.breathe(1.0)
            probe.begin()
            found = probe.waits()
            half.breathe(0.0)  # raises `Broken` if the load ended early
            return found


def _answers(peer: Peer, process: Background) -> None:
    """Wait until an existing and a missing name are answered. A server that is still loading denies nothing."""
    end = time.monotonic() + _SETTLED
    for name in (peers.name(0), f"missing.{peers.ZONE}"):
        query = dns.message.make_query(name, "A")
        while not _is_answered(query, peer.port):
            if time.monotonic() > end:
                raise Broken(f"{peer.name} does not answer for {name}")
            process.breathe(0.05)


def _is_answered(query: dns.message.Message, port: int) -> bool:
    try:
        reply = dns.query.udp(query, "127.0.0.1", timeout=0.5, port=port)
    except (dns.exception.DNSException, OSError):
        return False
    return reply.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}


def questions(folder: Path, names: int) -> None:
    """Write the query files, which are the same for all servers."""
    order = random.Random(names)
    private = [peers.name(order.randrange(names)) for _ in range(names)]
    public = [f"public{i}.example" for i in range(PUBLIC)]
    missing = [f"missing{i}.{peers.ZONE}" for i in range(names)]
    mix = [order.choice(order.choices((private, public, missing), MIXED)[0]) for _ in range(names)]
    kinds = {"public": public, "missing": missing, "mix": mix}
    for kind, asked in kinds.items():
        (folder / f"{kind}.txt").write_text("".join(f"{name} A\n" for name in asked))
    for part, some in (("", private), ("few-", private[: names // FEW])):
        (folder / f"{part}nodata.txt").write_text("".join(f"{name} AAAA\n" for name in some))
        (folder / f"{part}private.txt").write_text("".join(f"{name} A\n" for name in some))


Rounds = dict[str, list[Round]]
"""Results by server, or by workload."""


def rounds(servers: list[PeerServer], work: str, folder: Path, count: int, seconds: int) -> Rounds:
    """Return by server the rounds after a warm-up round, in turn. A server that fails is skipped, with a line."""
    able = [server for server in servers if work in server.peer.can]
    found: Rounds = {server.peer.name: [] for server in able}
    for number in range(count + 1):
        for server in list(able):
            try:
                one = server.round(WORKLOADS[work], folder, max(_WARM, seconds))
            except (Broken, subprocess.CalledProcessError) as error:
                print(f"{work}: {server.peer.name} is left out: {error}")
                able.remove(server)
                del found[server.peer.name]
            else:
                found[server.peer.name] += [one] if number else []
    return found


def itself(server: PeerServer, folder: Path, count: int, seconds: int) -> Rounds:
    """Return by workload the rounds of one server, in turn, after one warm-up round each."""
    works = {name: WORKLOADS[name]._replace(file=f"few-{WORKLOADS[name].file}") for name in ITSELF}
    for work in works.values():
        server.round(work, folder, seconds)
    found: Rounds = {name: [] for name in works}
    for _ in range(count):
        for name, work in works.items():
            found[name].append(server.round(work, folder, seconds))
    return found


def ratios(found: Rounds, peer: str) -> list[float]:
    """Return the ratios of pldns's CPU time per query to the peer's, per round, in ascending order."""
    return sorted(ours.cpu / its.cpu for ours, its in zip(found["pldns"], found[peer], strict=True))


def ratio_text(ratios: list[float], target: float | None) -> str:
    """Return median, minimum and maximum as text, and whether the median meets the target."""
    middle = statistics.median(ratios)
    verdict = "" if target is None else f", target {target}: {'met' if middle <= target else 'MISSED'}"
    return f"{middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f}){verdict}"


def table(work: str, found: Rounds) -> Iterator[str]:
    """Return the Markdown table of one workload."""
    yield f"\n**{work}**\n"
    yield "| | queries/s | lost | CPU of a query, us (user + system) | CPU of pldns, of this |"
    yield "|---|---|---|---|---|"
    for name, each in found.items():
        rate = statistics.median(one.rate for one in each)
        user, system = (statistics.median(getattr(one, what) for one in each) for what in ("user", "system"))
        cpu = statistics.median(one.cpu for one in each)
        held = (
            ratio_text(ratios(found, name), TARGETS.get((work, name))) if name != "pldns" and "pldns" in found else ""
        )
        lost = sum(one.lost for one in each)
        yield f"| {name} | {rate:,.0f} | {lost} | {cpu:.2f} ({user:.2f} + {system:.2f}) | {held} |"


def waiting(
    servers: list[PeerServer], folder: Path, count: int, seconds: int, rate: int
) -> dict[str, list[paced.Waits]]:
    """Return by server the waits of the paced client, in turn."""
    able = [server for server in servers if "A" in server.peer.can]
    found: dict[str, list[paced.Waits]] = {server.peer.name: [] for server in able}
    for _ in range(count):
        for server in able:
            found[server.peer.name].append(server.waits(WORKLOADS["A"], folder, seconds, rate))
    return found


def waits_table(found: Mapping[str, list[paced.Waits]], rate: int) -> Iterator[str]:
    """Return the Markdown table of the waits."""
    yield f"\n**A client that asks 1,000 times a second, beside {rate:,} queries/s** (microseconds)\n"
    yield "| | p50 | p99 | p99.9 | lost | p99.9 of pldns, of this |"
    yield "|---|---|---|---|---|---|"
    for name, each in found.items():
        p50, p99, p999 = (statistics.median(getattr(one, what) for one in each) for what in ("p50", "p99", "p999"))
        of = [ours.p999 / its.p999 for ours, its in zip(found["pldns"], each, strict=True)]
        held = ratio_text(of, _P999 if name == "Knot" else None) if name != "pldns" else ""
        yield f"| {name} | {p50:.0f} | {p99:.0f} | {p999:.0f} | {sum(one.lost for one in each)} | {held} |"


def compare(folder: Path, given: argparse.Namespace, kept: dict[str, Any]) -> None:
    """Measure the requested workloads, print tables and add the figures to `kept`. Raises `Broken`."""
    questions(folder, given.names)
    with ExitStack() as stack:
        command = (sys.executable, "-m", "bench.upstream", str(given.port))
        upstream = stack.enter_context(Background(command, folder / "upstream.log"))
        pin(upstream.pid, cores()[1])
        servers: list[PeerServer] = []
        for peer in peers.written(folder, given.names, given.port):
            if isinstance(peer, str):
                print(peer)
            elif not given.servers or peer.name in given.servers:
                log = folder / f"{peer.name}.log"
                servers.append(PeerServer(peer, stack.enter_context(Background(peer.command, log))))
        print(", ".join(f"{server.peer.name} {server.peer.version}" for server in servers))
        kept["versions"] = {server.peer.name: server.peer.version for server in servers}
        slowest = 0.0
        for work in given.workloads or WORKLOADS:
            found = rounds(servers, work, folder, given.rounds, given.seconds)
            print("\n".join(table(work, found)), flush=True)
            kept.setdefault("rounds", {})[work] = _plain(found)
            if work == "A":
                slowest = min(statistics.median(one.rate for one in each) for each in found.values())
        if slowest:
            waits = waiting(servers, folder, given.rounds, given.waits, int(slowest / 2))
            print("\n".join(waits_table(waits, int(slowest / 2))), flush=True)
            kept["waits"] = _plain(waits)
        memory = {server.peer.name: proportional(tree(server.pids[0])) / MIB for server in servers}
        print("\nMemory (Pss), MiB:", ", ".join(f"{name} {octets:,.0f}" for name, octets in memory.items()))
        kept["memory (Pss), MiB"] = memory
        for server in servers:
            if server.peer.name == "pldns":
                beside = itself(server, folder, given.rounds, given.seconds)
                print("\n".join(_within(beside)))
                kept["itself"] = _plain(beside)


def _plain(found: Mapping[str, Sequence[Round | paced.Waits]]) -> dict[str, list[dict[str, float]]]:
    return {name: [one._asdict() for one in each] for name, each in found.items()}


def _within(found: Rounds) -> Iterator[str]:
    """Print the cost of EDNS and NODATA relative to a plain answer."""
    for work, target in (("A, EDNS", 1.1), ("NODATA", 1.1)):
        held = [one.cpu / base.cpu for one, base in zip(found[work], found["A"], strict=True)]
        yield f"\npldns, CPU of {work}, of A in turn with it: {ratio_text(held, target)}"


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each round")
    parser.add_argument("--waits", type=int, default=10, help="seconds of each round of the paced client")
    parser.add_argument("--workloads", nargs="*", choices=WORKLOADS, metavar="WORKLOAD", help=", ".join(WORKLOADS))
    parser.add_argument(
        "--servers", nargs="*", metavar="SERVER", help="pldns, Knot, NSD, Unbound, dnsmasq, 'echo in C'"
    )
    parser.add_argument("--port", type=int, default=5410, help=f"the first of {peers.PORTS} ports that servers take")
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf (Debian: dnsperf) or taskset (util-linux) is missing")
        return 0
    kept: dict[str, Any] = {}
    broken: Exception | None = None
    with tempfile.TemporaryDirectory(prefix="pldns-bench-") as directory:
        try:
            compare(Path(directory), given, kept)
        except (Broken, subprocess.CalledProcessError) as error:
            print(f"broken: {error}", file=sys.stderr)
            broken = error
    print(f"kept in {keep(kept, 'compare-')}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
