"""`python -m bench.memory`: a control group with a limit, more names than fit, and a neighbour that takes memory.

Clients ask for new names as fast as they are answered, and for earlier ones again. When the caches are full, another
program in the group takes a part of the memory, and gives it back later. Needs root, and a control group hierarchy that
can be written. Linux only.
"""

import argparse
import os
import socket
import struct
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from bench.generate import Ports
from bench.measure import MIB, Result, ready
from bench.processes import PLDNS, Background, Broken
from bench.report import report
from bench.upstream import reply

PORTS: Final = Ports(5483, 5484, 5485)
_FILLING: Final = 20.0
"""Seconds in which the caches are filled."""
_HELD: Final = 6.0
"""Seconds for which the other program keeps its memory."""
_EACH_MIB: Final = 0.02
"""Seconds in which the other program takes one MiB."""
_GROUPS: Final = Path("/sys/fs/cgroup")
_V1: Final = _GROUPS / "memory"
_BATCH: Final = 64
_AGAIN: Final = 0.2  # part of the queries that are for an earlier name
_NEIGHBOUR: Final = """
import sys, time
held = []
for _ in range(int(sys.argv[1])):
    held.append(b"x" * (1 << 20))
    time.sleep(float(sys.argv[2]))  # memory goes at a rate: pldns has to notice while there is some left
time.sleep(float(sys.argv[3]))  # keeps the memory for the measurement, and uses no processor
"""


class Group:
    """A control group with a limit, of version 1 or 2."""

    def __init__(self, limit: int) -> None:
        self._is_v1 = _V1.is_dir()
        self.path = (_V1 if self._is_v1 else _GROUPS) / f"pldns-bench-{os.getpid()}"
        try:
            self.path.mkdir()
            (self.path / ("memory.limit_in_bytes" if self._is_v1 else "memory.max")).write_text(str(limit))
        except OSError as error:
            raise Broken(f"no control group can be made: {error}") from None

    def command(self, *words: str | Path) -> list[str | Path]:
        """Return a command that executes `words` in the group."""
        return ["sh", "-c", f'echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh", *words]

    def used(self) -> int:
        """Return the octets that the group has."""
        return int((self.path / ("memory.usage_in_bytes" if self._is_v1 else "memory.current")).read_text())

    def peak(self) -> int:
        """Return the most octets that the group has had."""
        name = "memory.max_usage_in_bytes" if self._is_v1 else "memory.peak"
        return int((self.path / name).read_text())

    def kills(self) -> int:
        """Return how many processes the kernel has killed for their memory."""
        lines = (self.path / ("memory.oom_control" if self._is_v1 else "memory.events")).read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

    def remove(self) -> None:
        """Remove the group. All of its processes must have ended."""
        while (self.path / "cgroup.procs").read_text():
            time.sleep(0.05)  # the kernel removes an ended process a little later; cgroups v1 do not report it
        self.path.rmdir()


class Clients:
    """Clients that ask for names and check every answer."""

    def __init__(self, port: int) -> None:
        self.asked = self.right = self.wrong = self.lost = 0
        self._random = Random(1)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.connect(("127.0.0.1", port))
        self._sock.settimeout(1.0)

    def ask_for(self, seconds: float) -> None:
        """Ask for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._batch()

    def _batch(self) -> None:
        """Ask some questions at the same time, and wait for the answers."""
        waiting = {}
        for number in range(self.asked, self.asked + _BATCH):
            again = self._random.random() < _AGAIN
            name = b"\x08n%07d\x07example\0" % (self._random.randrange(number + 1) if again else number)
            query = struct.pack(">H", number & 0xFFFF) + b"\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
            waiting[query[:2]] = query
            self._sock.send(query)
        self.asked += _BATCH
        try:
            while waiting:
                packet = self._sock.recv(512)
                query = waiting.pop(packet[:2], b"")
                right = packet[12 : len(query)] == query[12:] and packet[-4:] == reply(query)[-4:] if query else False
                self.right += right
                self.wrong += not right
        except TimeoutError:
            self.lost += len(waiting)


def everything(folder: Path, limit: int, taken: int) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Amounts are in MiB. Raises `Broken`."""
    config = folder / "pldns.yaml"
    # JSON is YAML.
    config.write_bytes(msgspec.json.encode({
        "dns": {"listen": [f"127.0.0.1:{PORTS.dns}"]},
        "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{PORTS.upstream}"]}},
        "admin": {"listen": f"127.0.0.1:{PORTS.admin}"},
        "state": {"directory": "./state"},
    }))  # fmt: skip
    group = Group(limit * MIB)
    upstream = (sys.executable, "-m", "bench.upstream", str(PORTS.upstream))
    try:
        with (
            Background(upstream, folder / "upstream.log"),
            Background(group.command(PLDNS, "serve", "-c", config), folder / "serve.log") as daemon,
        ):
            while not ready(PORTS.admin):
                daemon.breathe(0.1)
            clients = Clients(PORTS.dns)
            clients.ask_for(_FILLING)
            yield Result("filled caches, memory of the group", group.used() / MIB, "MiB", limit)
            command = group.command(sys.executable, "-c", _NEIGHBOUR, str(taken), str(_EACH_MIB), str(_HELD))
            with Background(command, folder / "neighbour.log"):
                clients.ask_for(taken * _EACH_MIB + _HELD)
            clients.ask_for(_FILLING)
            note = f"{clients.asked:,} asked, {clients.lost} lost"
            yield Result("wrong answers", clients.wrong, "", 0, note=note)
            yield Result("most memory of the group", group.peak() / MIB, "MiB", limit)
            yield Result("processes killed for their memory", group.kills(), "", 0)
            yield Result("caches dropped", metric("pldns_memory_drops_total"), "times")
            bound = metric('pldns_memory_bound_bytes{part="answers"}') + metric(
                'pldns_memory_bound_bytes{part="replies"}'
            )
            yield Result("bounds of the caches afterwards", bound / MIB, "MiB")
    finally:
        group.remove()


def metric(name: str) -> float:
    """Return the value of a metric, which is named with its labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORTS.admin}/metrics", timeout=60) as page:
        lines = page.read().decode().splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--limit", type=int, default=320, help="MiB of the group")
    parser.add_argument("--neighbour", type=int, default=150, help="MiB that another program takes")
    given = parser.parse_args()
    return report(lambda folder: everything(folder, given.limit, given.neighbour))


if __name__ == "__main__":
    sys.exit(main())
