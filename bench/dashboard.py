"""`python -m bench.dashboard`: how soon the page shows an estate of any size, and what open pages do to answers.

A browser without a cache opens each view several times. Then a paced client asks a worker for names of endpoints, in
pairs of rounds: alone, and while 20 pages are open. These pages are clients that make a page's requests without drawing
it: each follows the live overview and reads what two views show, again and again. The worker has one core; control and
the clients have the other. Linux only.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import aiohttp
from playwright.sync_api import Browser, Error, sync_playwright

from bench import paced
from bench.generate import Ports, write
from bench.measure import PATIENCE, Result, ready
from bench.processes import PLDNS, Background, Broken, cores, pin
from bench.report import report
from resolver.dashboard import built

PORTS: Final = Ports(5575, 5576, 5577)
VIEWS: Final = {"overview": ("", ".facts"), "findings": ("findings", "main"), "map": ("map", ".node")}
"""The path of each view, and an element that it has once the data has arrived."""
PAGES: Final = 20
PULSE: Final = 0.01
"""Seconds between two small requests that show how long control is busy."""
EVERY: Final = 10.0
"""Seconds after which an open page reads a view again; the map does so every 15 seconds, the overview every 30."""
READS: Final = ("/v1/traffic", "/v1/map")
"""What the overview and the map read again while they are open."""
KB: Final = 1000
_MARK: Final = """
(element) => {
  const check = () => {
    const page = document.querySelector("#page:has(.menu):not(:has(.loading))");
    const { dataset } = document.documentElement;
    if (!dataset.shown && page?.querySelector(element)) dataset.shown = performance.now();
  };
  new MutationObserver(check).observe(document, { childList: true, subtree: true, attributes: true });
}
"""
"""Notes when a view has its data. `.menu` is in what the script draws, and `.loading` while a view reads."""


class Shown(NamedTuple):
    """A view that was opened: milliseconds until the first paint and until the data is shown, and octets received."""

    paint: float
    data: float
    octets: int


def everything(folder: Path, endpoints: int, rounds: int, seconds: float) -> Iterator[Result]:
    """Yield all results. Raises `Broken`."""
    write(folder, endpoints, PORTS)
    with Background((PLDNS, "serve", "-c", folder / "pldns.yaml"), folder / "serve.log") as daemon:
        while not ready(PORTS.admin):
            if time.monotonic() - daemon.began > PATIENCE:
                raise Broken("/readyz was not 200")
            daemon.breathe(0.2)
        yield from _map()
        with _chromium() as browser:
            for view in VIEWS:
                yield from _view(view, [_opened(browser, view) for _ in range(rounds)])
        for name, core in (("worker", cores()[0]), ("control", cores()[1])):
            for pid in daemon.children(f"resolver.main.{name}"):
                pin(pid, core)
        _round(folder, seconds)  # compiles the answers
        pairs = [(_round(folder, seconds), *_loaded(folder, seconds)) for _ in range(rounds)]
    yield from _compared(pairs, seconds)


def _map() -> Iterator[Result]:
    """Measure the first map, later ones, and how long control answers nothing else while it makes the first one."""
    with _Pulse() as pulse:
        first = _get("/v1/map")
    yield Result("map, first request", first, "ms", 300)
    yield Result("map, longest stall of control at the first request", pulse.longest, "ms", 50)
    later = sorted(_get("/v1/map") for _ in range(9))
    yield Result("map, later request", statistics.median(later), "ms", 300, note=f"{later[0]:.0f} to {later[-1]:.0f}")
    yield Result("map, search for a part of a name", _get("/v1/map/search?text=contoso0999"), "ms")


def _get(path: str) -> float:
    """Return how many milliseconds a request takes."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{PORTS.admin}{path}") as response:
        response.read()
    return (time.monotonic() - began) * 1000


class _Pulse(threading.Thread):
    """Asks control for a tiny reply again and again. `longest`: milliseconds that the slowest one took."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(PULSE):
            self.longest = max(self.longest, _get("/livez"))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


@contextmanager
def _chromium() -> Iterator[Browser]:
    """Start the browser. Raises `Broken` if a view does not show its data."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        try:
            yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            raise Broken(f"the browser: {error}") from None


def _opened(browser: Browser, view: str) -> Shown:
    """Open a view in a browser that has nothing in its cache."""
    path, element = VIEWS[view]
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    octets: Counter[str] = Counter()

    def received(event: dict[str, Any]) -> None:
        octets[event["requestId"]] += event["encodedDataLength"]

    def finished(event: dict[str, Any]) -> None:
        octets[event["requestId"]] = event["encodedDataLength"]  # also counts the head of the response

    network = context.new_cdp_session(page)
    network.on("Network.dataReceived", received)
    network.on("Network.loadingFinished", finished)
    network.send("Network.enable")
    page.add_init_script(f"({_MARK})({json.dumps(element)})")
    page.goto(f"http://127.0.0.1:{PORTS.admin}/ui/{path}")
    page.wait_for_selector("html[data-shown]", timeout=PATIENCE * 1000)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    shown = Shown(paint, page.evaluate("Number(document.documentElement.dataset.shown)"), octets.total())
    context.close()
    return shown


def _view(view: str, shown: list[Shown]) -> Iterator[Result]:
    for what, times, limit in (
        ("first paint", [each.paint for each in shown], 1000),
        ("data shown", [each.data for each in shown], None),
    ):
        note = f"{min(times):.0f} to {max(times):.0f}"
        yield Result(f"{view}, {what}", statistics.median(times), "ms", limit, note=note)
    limit = 300 if view == "overview" else None
    yield Result(f"{view}, received", max(each.octets for each in shown) / KB, "kB", limit, note="compressed")


def _round(folder: Path, seconds: float) -> paced.Waits:
    with paced.Probe(PORTS.dns, folder / "private.txt", seconds) as probe:
        probe.begin()
        return probe.waits()


def _loaded(folder: Path, seconds: float) -> tuple[paced.Waits, int]:
    """Measure while pages are open. Return also the number of overviews that they received."""
    command = [sys.executable, "-m", "bench.dashboard", "--follow", str(seconds)]
    with paced.Probe(PORTS.dns, folder / "private.txt", seconds) as probe:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pages:
            pin(pages.pid, cores()[1])
            if not pages.stdout or pages.stdout.readline() != "open\n":
                raise Broken("the pages do not open")
            probe.begin()
            waits, (said, _) = probe.waits(), pages.communicate()
        if pages.returncode:
            raise Broken("a page got an error")
    return waits, int(said)


def _compared(pairs: list[tuple[paced.Waits, paced.Waits, int]], seconds: float) -> Iterator[Result]:
    alone, loaded, events = zip(*pairs, strict=True)
    note = f"{statistics.median(events) / seconds:.0f} overviews/s, lost {sum(each.lost for each in loaded)}"
    for what in ("p50", "p99"):
        before, after = ([getattr(each, what) for each in waits] for waits in (alone, loaded))
        ratios = [busy / quiet for quiet, busy in zip(before, after, strict=True)]
        shown = f"{min(ratios):.2f} to {max(ratios):.2f}; {note}"
        yield Result(f"{what} alone", statistics.median(before), "us")
        yield Result(f"{what} with {PAGES} open pages", statistics.median(after), "us")
        yield Result(f"{what}, relative to none", statistics.median(ratios), "times", 1.1, note=shown)


async def follow(seconds: float) -> int:
    """Keep pages open for some time. Return the number of overviews that arrived. Raises `aiohttp.ClientError`."""
    opened = asyncio.Barrier(PAGES + 1)
    connector = aiohttp.TCPConnector(limit=0)
    base = f"http://127.0.0.1:{PORTS.admin}"
    async with aiohttp.ClientSession(base, connector=connector, raise_for_status=True) as session:
        async with asyncio.TaskGroup() as tasks:
            streams = [tasks.create_task(_stream(session, opened, seconds)) for _ in range(PAGES)]
            await opened.wait()
            print("open", flush=True)
            for number in range(PAGES):
                tasks.create_task(_reads(session, READS[number % len(READS)], number / PAGES * EVERY, seconds))
        return sum(stream.result() for stream in streams)


async def _stream(session: aiohttp.ClientSession, opened: asyncio.Barrier, seconds: float) -> int:
    """Follow the live overview."""
    events = 0
    async with session.get("/v1/live") as response:
        await response.content.readline()
        await opened.wait()
        try:
            async with asyncio.timeout(seconds):
                async for line in response.content:
                    events += line.startswith(b"data:")
        except TimeoutError:
            return events
    raise Broken("pldns has ended the live overview")


async def _reads(session: aiohttp.ClientSession, path: str, delay: float, seconds: float) -> None:
    """Read a view again and again, first after a delay: pages are not opened at the same time."""
    end = time.monotonic() + seconds
    await asyncio.sleep(delay)
    while time.monotonic() < end:
        async with session.get(path) as response:
            await response.read()
        await asyncio.sleep(min(EVERY, max(end - time.monotonic(), 0)))


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument(
        "--rounds", type=int, default=3, help="of each view, and pairs of rounds with and without pages"
    )
    parser.add_argument("--seconds", type=float, default=6, help="of each round of queries")
    parser.add_argument("--follow", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.follow:
        print(asyncio.run(follow(given.follow)), flush=True)
        return 0
    if not shutil.which("chromium") or not built.read(built.FOLDER).scripts:
        print("not measured: chromium is missing, or the page is not built (`make page`)")
        return 0
    load = os.getloadavg()[0]
    print(f"load of the machine before: {load:.1f}")
    return report(lambda folder: everything(folder, given.endpoints, given.rounds, given.seconds))


if __name__ == "__main__":
    sys.exit(main())
