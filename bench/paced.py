"""A paced probe: sends queries at a steady rate, independent of the answers, and reports the latency of each.

`python -m bench.paced PORT QUERIES SECONDS` prints `ready`, waits for a line of input, sends the questions of a dnsperf
file to 127.0.0.1:PORT in turn and prints one line of JSON: `sent`, `lost`, and `p50`, `p99`, `p999`, `worst` in
microseconds; also `p99_steady`, of the share `steady` of the answers that no spell of slow memory touched (see
`bench.slow_memory`). A wait starts when the kernel accepts the query and ends when the kernel receives the answer
(SO_TIMESTAMPNS, socket(7)), so that other work on the probe's core does not count. Linux only.
"""

import argparse
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import dns.message

from bench.processes import Broken, cores
from bench.slow_memory import SlowMemory, outside

RATE: Final = 1000
"""Queries per second."""
_TIMESTAMPS: Final = 35  # SO_TIMESTAMPNS, asm-generic/socket.h
_TIMESPEC: Final = struct.Struct("@ll")
_GRACE: Final = 2.0
"""Seconds to wait for the last answers before they count as lost."""
_IDS: Final = 1 << 16
_ROOM: Final = 4096


class Waits(NamedTuple):
    """Latencies of a run, in microseconds."""

    sent: int
    lost: int
    p50: float
    p99: float
    p999: float
    worst: float
    p99_steady: float
    steady: float


class Answered(NamedTuple):
    """One answered query: when it was asked, in seconds since the epoch, and its latency in microseconds."""

    asked: float
    latency: float


def waits(sent: int, answered: Sequence[Answered], spells: list[tuple[float, float]]) -> Waits:
    """Return the figures of a run. `spells`: when memory was slow, in seconds since the epoch."""
    rising = sorted(one.latency for one in answered)
    if not rising:
        raise Broken(f"none of {sent} queries was answered")
    steady = sorted(
        one.latency for one in answered if outside(spells, one.asked, one.asked + one.latency / 1_000_000)
    ) or rising  # fmt: skip
    return Waits(
        sent=sent, lost=sent - len(rising),
        p50=_at(rising, 0.5), p99=_at(rising, 0.99), p999=_at(rising, 0.999), worst=rising[-1],
        p99_steady=_at(steady, 0.99), steady=len(steady) / len(rising),
    )  # fmt: skip


def _at(rising: Sequence[float], share: float) -> float:
    return rising[min(int(len(rising) * share), len(rising) - 1)]


def queries(file: Path, most: int = 10_000, *, edns: bool = False) -> list[bytes]:
    """Return the first `most` questions of a dnsperf file as packets without ids."""
    with file.open() as lines:
        pairs = [line.split() for line, _ in zip(lines, range(most), strict=False)]
    return [dns.message.make_query(name, kind, use_edns=0 if edns else -1).to_wire()[2:] for name, kind in pairs]


def ask(port: int, packets: Sequence[bytes], seconds: float, rate: int = RATE) -> Waits:
    """Send queries for `seconds`. Raises `Broken` without any answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        sock.connect(("127.0.0.1", port))
        sock.settimeout(0)
        return _ask(sock, packets, int(seconds * rate), rate)


def _ask(sock: socket.socket, packets: Sequence[bytes], count: int, rate: int) -> Waits:
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    began = time.monotonic()
    pending: dict[int, int] = {}
    taken: list[Answered] = []
    memory = SlowMemory()
    for number in range(count):
        while (left := began + number / rate - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                _take(sock, pending, taken)
        key = number % _IDS
        pending[key] = time.time_ns()
        with contextlib.suppress(BlockingIOError):
            sock.send(key.to_bytes(2, "big") + packets[number % len(packets)])
        memory.touch()
    until = time.monotonic() + _GRACE
    while pending and (left := until - time.monotonic()) > 0:
        if poll.poll(left * 1000):
            _take(sock, pending, taken)
    return waits(count, taken, memory.spells())


def _take(sock: socket.socket, pending: dict[int, int], taken: list[Answered]) -> None:
    """Read the replies that have arrived."""
    while True:
        try:
            reply, ancillary, _, _ = sock.recvmsg(_ROOM, 64)
        except BlockingIOError:
            return
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        if (asked := pending.pop(int.from_bytes(reply[:2], "big"), None)) is not None:
            taken.append(Answered(asked / 1e9, (seconds * 1_000_000_000 + nanoseconds - asked) / 1000))


class Probe:
    """The probe in its own process on the clients' core, with a higher priority than dnsperf where permitted."""

    def __init__(self, port: int, file: Path, seconds: float, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.paced", str(port), file, str(seconds), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.sched_setaffinity(self._process.pid, {cores()[1]})
        if not self._process.stdout or self._process.stdout.readline() != "ready\n":
            raise Broken("the paced probe does not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def begin(self) -> None:
        """Start sending; the packets have been made."""
        if self._process.stdin:
            self._process.stdin.write("\n")
            self._process.stdin.flush()

    def waits(self) -> Waits:
        """Wait for the end of the run and return its latencies. Raises `Broken`."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise Broken(f"the paced probe ended with {self._process.returncode}")
        return Waits(**json.loads(output))


def main() -> None:
    """Send queries and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.paced", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("queries", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("--edns", action="store_true")
    given = parser.parse_args()
    packets = queries(given.queries, edns=given.edns)
    print("ready", flush=True)
    sys.stdin.readline()
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    print(json.dumps(ask(given.port, packets, given.seconds, given.rate)._asdict()), flush=True)


if __name__ == "__main__":
    main()
