"""`python -m bench.hub`: one hub with 10,000 endpoints in its registry, and 1,000 simulated spokes on loopback.

All spokes connect at once and receive a whole copy each. Then a client of the registry creates 100 endpoints a second.
Measured: the time of the copies, the delay from the response to a create until the spokes have the change, the CPU time
and the memory of control, and octets. A second round without spokes shows what the creates themselves cost. Then a
worker's answers are compared with and without spokes that follow these creates.

The spokes are connections of one process. Most count octets only; some read the messages. Control has one core, the
spokes and the client have the other; while answers are compared, the worker has one core and all else the other. Linux
only.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TextIO, cast

import msgspec

from bench import paced, registry
from bench.measure import MIB, Result, _worker
from bench.processes import PLDNS, Background, Broken, cores, cpu, pin, resident
from bench.registry import Connection, _control, _paced, _until_ready, token
from bench.registry_estate import IN_NETWORK, endpoint, fill, name
from bench.report import report
from resolver.hub.messages import FORMAT, PATH, Change, MessageReader

PORT: Final = registry.PORT + 3
READERS: Final = 20
"""Spokes that read the messages."""
RATE: Final = 100
"""Creates per second."""
_CREATORS: Final = 16
_PATIENCE: Final = 30.0
"""Seconds to wait for the last changes."""
_NEARLY: Final = 600
"""Octets by which the headers and states of two responses may differ."""


class Plan(NamedTuple):
    """The parameters."""

    endpoints: int
    spokes: int
    seconds: int


# -- the spokes, in a process of their own


class Spokes:
    """All simulated spokes."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.octets = 0
        self.copy_octets = 0
        """Octets of the response up to the end of the whole copy; 0 until a reader knows."""
        self.all: list[Spoke] = []
        self.received: dict[int, list[float]] = {}
        """Monotonic times at which readers received the endpoint with this number."""
        self.lost = 0
        self.more = asyncio.Event()
        """Set when a reader has received a change."""

    async def have_received(self, numbers: Sequence[int]) -> None:
        """Wait until each reader has received the endpoints with these numbers."""
        for number in numbers:
            while len(self.received.get(number, ())) < READERS:
                self.more.clear()
                await self.more.wait()

    async def copied(self) -> None:
        """Connect all, and wait until each has a whole copy."""
        loop = asyncio.get_running_loop()
        self.all = [Spoke(self, reads=i % max(1, self.count // READERS) == 0) for i in range(self.count)]
        await asyncio.gather(*(loop.create_connection(partial(_same, each), "127.0.0.1", PORT) for each in self.all))
        while not self.copy_octets or any(each.octets < self.copy_octets - _NEARLY for each in self.all):  # noqa: ASYNC110 - an event would cost more for each piece
            await asyncio.sleep(0.01)


def _same(spoke: "Spoke") -> "Spoke":
    return spoke


class Spoke(asyncio.Protocol):
    """One connection. `reads`: it reads the messages, as a real spoke does."""

    def __init__(self, spokes: Spokes, *, reads: bool) -> None:
        self._spokes = spokes
        self._reader = MessageReader() if reads else None
        self._pending = b""
        self._begun = False
        self.octets = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        cast("asyncio.Transport", transport).write(
            f"GET {PATH}?format={FORMAT} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as in `asyncio.Protocol`
        """Count a spoke that the hub has disconnected."""
        self._spokes.lost += 1

    def data_received(self, data: bytes) -> None:
        """Count octets. A reader also notes which endpoints they have."""
        self.octets += len(data)
        self._spokes.octets += len(data)
        if self._reader is not None:
            self._read(self._reader, data)

    def _read(self, reader: MessageReader, data: bytes) -> None:
        for piece in self._pieces(data):
            for message in reader.feed(piece):
                if isinstance(message, Change):
                    self._note(message, time.monotonic())

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the chunks of the body that are complete (RFC 9112 §7.1)."""
        self._pending += data
        if not self._begun:
            _, end, rest = self._pending.partition(b"\r\n\r\n")
            if not end:
                return
            self._begun, self._pending = True, rest
        while b"\r\n" in self._pending:
            size, _, rest = self._pending.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return
            yield rest[:length]
            self._pending = rest[length + 2 :]

    def _note(self, change: Change, now: float) -> None:
        if not self._spokes.copy_octets:
            self._spokes.copy_octets = 0 if change.more else self.octets
        elif not change.more or change.parts:
            for delta in change.parts:
                number = delta.part.rpartition("/pe")[2]
                if number.isdecimal():
                    self._spokes.received.setdefault(int(number), []).append(now)
            self._spokes.more.set()


async def follow(count: int) -> None:
    """Simulate spokes. Print a line after the copies, and one when the changes that a line asks for are there."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    spokes, began = Spokes(count), time.monotonic()
    await spokes.copied()
    print(json.dumps({"seconds": time.monotonic() - began, "octets": spokes.copy_octets}), flush=True)
    spokes.octets = 0
    created: list[int] = json.loads(await asyncio.to_thread(sys.stdin.readline))
    with contextlib.suppress(TimeoutError):  # the other process reports what is missing
        async with asyncio.timeout(_PATIENCE):
            await spokes.have_received(created)
    print(json.dumps({"octets": spokes.octets, "lost": spokes.lost, "received": spokes.received}), flush=True)


class Followers:
    """The process of the spokes."""

    def __init__(self, count: int, core: int) -> None:
        command = [sys.executable, "-m", "bench.hub", "--follow", str(count)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pin(self._process.pid, core)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def line(self) -> dict[str, Any]:
        """Return the next line. Raises `Broken`."""
        text = cast("TextIO", self._process.stdout).readline()
        if not text:
            raise Broken("the spokes failed")
        return dict(json.loads(text))

    def end(self, created: Sequence[int]) -> dict[str, Any]:
        """Return what the spokes have received, as soon as the readers have the endpoints with these numbers."""
        print(json.dumps(created), file=cast("TextIO", self._process.stdin), flush=True)
        return self.line()


# -- the creates


async def _create(numbers: Sequence[int]) -> dict[int, float]:
    """Create endpoints at `RATE`. Return the monotonic time of each response, by number."""
    known, waiting, done = await token(), iter(numbers), dict[int, float]()
    connections = [await Connection(known).open() for _ in range(_CREATORS)]
    began = time.monotonic()

    async def work(connection: Connection) -> None:
        for number in waiting:
            if (left := began + (number - numbers[0]) / RATE - time.monotonic()) > 0:
                await asyncio.sleep(left)  # paces the creates
            await connection.put(endpoint(number))
            done[number] = time.monotonic()

    await asyncio.gather(*map(work, connections))
    for connection in connections:
        connection.close()
    return done


# -- what is measured


def everything(folder: Path, plan: Plan) -> Iterator[Result]:
    """Yield all results. Raises `Broken`."""
    each = plan.seconds * RATE
    fill(folder / "state", plan.endpoints, accounts=4 * each)
    (folder / "queries.txt").write_text("".join(f"{name(i)} A\n" for i in range(min(plan.endpoints, 2_000))))
    rounds = [range(plan.endpoints + n * each, plan.endpoints + (n + 1) * each) for n in range(4)]
    with Background((PLDNS, "serve", "-c", _write(folder, plan)), folder / "serve.log") as daemon:
        _until_ready(daemon)
        control = _control(daemon)
        pin(control, cores()[0])
        pin(os.getpid(), cores()[1])
        alone = _cost(control, rounds[0])
        before, size = cpu(control), resident(control) / MIB
        with Followers(plan.spokes, cores()[1]) as followers:
            copied = followers.line()
            shown = f"{copied['octets'] / MIB:.2f} MiB each; {cpu(control) - before:.1f} s of CPU in control"
            yield Result(f"whole copies for {plan.spokes:,} spokes", copied["seconds"], "s", note=shown)
            yield from _changes(followers, control, rounds[1], alone, plan)
            note = f"{size:,.0f} MiB before the spokes connected"
            yield Result("control, resident", resident(control) / MIB, "MiB", note=note)
            yield from _answers(folder, daemon, rounds[2:])


def _cost(control: int, numbers: Sequence[int]) -> float:
    """Return the CPU seconds of control for one of these creates."""
    before = cpu(control)
    asyncio.run(_create(numbers))
    return (cpu(control) - before) / len(numbers)


def _changes(followers: Followers, control: int, numbers: Sequence[int], alone: float, plan: Plan) -> Iterator[Result]:
    before, began = cpu(control), time.monotonic()
    done = asyncio.run(_create(numbers))
    seconds = time.monotonic() - began
    cost = (cpu(control) - before) / len(done)
    found = followers.end(sorted(done))
    received: dict[str, list[float]] = found["received"]
    delays = sorted(
        max(0.0, at - done[int(number)]) for number, ats in received.items() for at in ats if int(number) in done
    )
    expected = len(done) * READERS
    if len(delays) < expected or found["lost"]:
        raise Broken(f"{len(delays)} of {expected} changes arrived; {found['lost']} spokes were disconnected")
    note = f"p99 {delays[len(delays) * 99 // 100] * 1000:.0f} ms, worst {delays[-1] * 1000:.0f} ms"
    yield Result("delay from response to spoke, median", statistics.median(delays) * 1000, "ms", 1000, note=note)
    note = f"{alone * 1000:.1f} ms without spokes; {len(done) / seconds:.0f} changes/s"
    yield Result("CPU of control for a change", cost * 1000, "ms", note=note)
    each = found["octets"] / plan.spokes
    yield Result(
        "octets for each spoke", each / len(done), "octets", note=f"per change; {each / seconds / 1024:.1f} KiB/s"
    )


def _answers(folder: Path, daemon: Background, batches: Sequence[Sequence[int]]) -> Iterator[Result]:
    pin(_worker(daemon), cores()[0])
    pin(_control(daemon), cores()[1])
    pairs, seconds = [], len(batches[0]) / RATE
    _paced(folder, 2)  # compiles the answers
    for numbers in batches:
        quiet = _paced(folder, seconds)
        with paced.Probe(registry.PORT, folder / "queries.txt", seconds) as probe:
            probe.begin()
            asyncio.run(_create(numbers))
            pairs.append((quiet, probe.waits()))
    for what in ("p50", "p99"):
        ratios = [getattr(busy, what) / getattr(quiet, what) for quiet, busy in pairs]
        shown = f"{min(ratios):.2f} to {max(ratios):.2f}"
        yield Result(f"{what} of answers meanwhile", statistics.median(ratios), "times", 2, note=shown)


def _write(folder: Path, plan: Plan) -> Path:
    """Write a configuration. Return its path."""
    path = registry.write(folder)
    config = msgspec.json.decode(path.read_bytes())
    config["hub"] = {"listen": f"127.0.0.1:{PORT}", "followers": plan.spokes}
    path.write_bytes(msgspec.json.encode(config))
    return path


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.hub", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=10 * IN_NETWORK)
    parser.add_argument("--spokes", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=10, help="of each round")
    parser.add_argument("--follow", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.follow:
        asyncio.run(follow(given.follow))
        return 0
    return report(lambda folder: everything(folder, Plan(given.endpoints, given.spokes, given.seconds)))


if __name__ == "__main__":
    sys.exit(main())
