"""`python -m bench.sync`: a daemon that reads a fake Azure of 100,000 endpoints in 100 subscriptions.

Measured are the first sync, a sync without changes, the latency of clients during a sync, and the time from an event to
the answer. The worker has one core; control, the fake and the client share the other, so a sync has half a machine.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench import paced
from bench.generate import GeneratedEstate
from bench.measure import PATIENCE, Result, address, ready
from bench.processes import PLDNS, Background, Broken, cores, cpu, pin
from bench.report import report
from resolver.cli import unix_socket
from tests.fake_azure import shapes

DNS, ADMIN, EVENTS, CLOUD = 5470, 5471, 5472, 5473
SECRET: Final = "0123456789abcdef"  # noqa: S105 - a secret of this benchmark only


def call(method: str, url: str, body: object = None, admin_socket: Path | None = None) -> bytes:
    """Return the body of a reply, over the admin socket if one is given. Raises `Broken` for an error status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    if admin_socket:
        connection.sock = unix_socket.connected(str(admin_socket))
    try:
        sent = {"Content-Type": "application/json"}
        connection.request(method, f"{parts.path}?{parts.query}", json.dumps(body) if body else None, sent)
        reply = connection.getresponse()
        text = reply.read()
    finally:
        connection.close()
    if reply.status >= 300:
        raise Broken(f"{method} {parts.path}: {reply.status} {text[:200]!r}")
    return text


class Site:
    """The fake Azure and the daemon."""

    def __init__(self, folder: Path, endpoints: int, subscriptions: int, stack: ExitStack) -> None:
        command = [sys.executable, "-m", "tests.fake_azure", "--endpoints", str(endpoints),
                   "--subscriptions", str(subscriptions), "--port", str(CLOUD)]  # fmt: skip
        fake = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(fake.terminate)
        self._admin_socket = folder / "state/admin.sock"
        self._group = GeneratedEstate(endpoints, subscriptions=subscriptions).vnets[0].id.partition("/providers/")[0]
        self.cloud: dict[str, str] = json.loads(fake.stdout.readline() if fake.stdout else "")
        (folder / "secret").write_text(SECRET)
        (folder / "pldns.yaml").write_text(
            json.dumps(
                {
                    "dns": {"listen": [f"127.0.0.1:{DNS}"]},
                    "admin": {"listen": f"127.0.0.1:{ADMIN}"},
                    "state": {"directory": "./state"},
                    "upstreams": {"public": {"servers": ["udp://127.0.0.1:9"]}},
                    "sources": [
                        {
                            "name": "cloud",
                            "type": "azure",
                            "management": self.cloud["management"],
                            "interval": "1h",
                            "events": {"listen": f"127.0.0.1:{EVENTS}", "secret": {"file": "secret"}},
                        }
                    ],
                }
            )
        )
        os.environ |= {name: value for name, value in self.cloud.items() if name.startswith("IDENTITY_")}
        serve = (PLDNS, "serve", "-c", folder / "pldns.yaml")
        self.daemon = stack.enter_context(Background(serve, folder / "serve.log"))
        while not ready(ADMIN):
            if time.monotonic() - self.daemon.began > PATIENCE:
                raise Broken("/readyz was not 200")
            self.daemon.breathe(0.1)
        self.first = time.monotonic() - self.daemon.began
        (self.worker,), (self.control,) = (
            self.daemon.children(f"resolver.main.{each}") for each in ("worker", "control")
        )
        pin(self.worker, cores()[0])
        for other in (self.control, self.daemon.pid, fake.pid):
            pin(other, cores()[1])

    def source(self) -> dict[str, Any]:
        """The source as `/v1/sources` shows it."""
        found: dict[str, Any] = json.loads(call("GET", f"http://127.0.0.1:{ADMIN}/v1/sources"))["items"][0]
        return found

    def sync(self) -> float:
        """Run one more sync to its end. Return its duration in seconds."""
        self.settle()
        before = self.source()["last_success"]
        began = time.monotonic()
        call("POST", f"http://127.0.0.1:{ADMIN}/v1/sources/cloud/sync", {"action": "now"}, self._admin_socket)
        while self.source()["last_success"] == before:
            self._patient(began, "the sync did not end")
        return time.monotonic() - began

    def settle(self) -> None:
        """Return True when no sync is running."""
        began = time.monotonic()
        while self.source()["sync"]["next"] is None:
            self._patient(began, "the sync did not end")

    def _patient(self, began: float, why: str, seconds: float = 0.05) -> None:
        """Wait before the next check."""
        if time.monotonic() - began > PATIENCE:
            raise Broken(why)
        self.daemon.breathe(seconds)

    def event(self, number: int) -> float:
        """Create an endpoint in the fake and send its event. Return the seconds until its name is answered."""
        where = self._group
        fqdn, at = f"event{number}.blob.core.windows.net", f"10.250.{number // 250}.{number % 250}"
        made = list(shapes.endpoint(where, f"pe-event{number}", {fqdn: at}))
        call("PUT", f"{self.cloud['control']}/estate", made)
        resource = next(each["id"] for each in made if "privateEndpoints" in each["id"])
        event = {"id": f"e{number}", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": resource}
        began = time.monotonic()
        call("POST", f"http://127.0.0.1:{EVENTS}/events?secret={SECRET}", [event])
        while address(DNS, fqdn) != at:
            self._patient(began, f"{fqdn} was not answered with {at}", 0.002)
        return time.monotonic() - began


def measure(folder: Path, given: argparse.Namespace) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    with ExitStack() as stack:
        site = Site(folder, given.endpoints, given.subscriptions, stack)
        yield Result("first sync, from start until ready", site.first, "s", 60)
        before = cpu(site.control)
        took = site.sync()
        yield Result(
            "a sync without a change, CPU of control", cpu(site.control) - before, "s", 5, note=f"{took:.1f} s"
        )
        queries = folder / "queries.txt"
        queries.write_text("event0.blob.core.windows.net A\n")
        taken = sorted(site.event(number) for number in range(given.events))
        note = f"median {taken[len(taken) // 2] * 1e3:.0f} ms, of {len(taken)}"
        yield Result("from an event to the answer, p99", taken[int(len(taken) * 0.99)], "s", 0.3, note=note)
        waits = []
        for syncing in (False, True):
            with paced.Probe(DNS, queries, given.seconds) as probe:
                probe.begin()
                if syncing:
                    site.sync()
                waits.append(probe.waits())
        idle, busy = waits
        yield Result("p99.9 while a sync runs, more than idle", (busy.p999 - idle.p999) / 1e3, "ms", 10,
                     note=f"{idle.p999:.0f} and {busy.p999:.0f} us; lost {idle.lost + busy.lost}")  # fmt: skip


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.sync", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=100_000)
    parser.add_argument("--subscriptions", type=int, default=100)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=15)
    given = parser.parse_args()
    return report(lambda folder: measure(folder, given))


if __name__ == "__main__":
    sys.exit(main())
