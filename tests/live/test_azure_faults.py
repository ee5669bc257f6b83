"""Whatever goes wrong in Azure: what was served is still served, somebody is told, and it mends itself.

One daemon lives through all of it, in this order; the fake runs in a thread of the test, which sets its faults.
"""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from tests.fake_azure import shapes
from tests.fake_azure.estate import Estate
from tests.fake_azure.faults import Fault
from tests.fake_azure.server import FakeAzure
from tests.live.daemon import Daemon, until
from tests.live.test_events import call

pytestmark = pytest.mark.live

ONE, TWO = shapes.subscription_id(1), shapes.subscription_id(2)
NO_GRAPH = Fault("status", api="graph", status=404, count=0)
LISTS = "privateendpoints?"


def endpoints(subscription: str, *names: str, address: str = "10.0.0.{}") -> list[dict[str, Any]]:
    """In a network of that subscription, all on one."""
    where = shapes.group(subscription)
    hub = shapes.virtual_network(where, "hub", ["127.0.0.0/8"])
    made = [hub]
    for i, name in enumerate(names):
        records = {f"{name}.blob.core.windows.net": address.format(4 + i)}
        made += shapes.endpoint(where, f"pe-{name}", records, vnet=hub["id"])
    return made


class Site:
    """The fake, in a loop of its own, and a daemon that follows it."""

    def __init__(self, folder: Any, stack: ExitStack) -> None:  # noqa: ANN401 - pytest's own
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        resources = [*endpoints(ONE, "a", "b", "c", "d", "e"), *endpoints(TWO, "far", address="10.9.0.{}")]
        self.azure = FakeAzure(Estate(resources), page=2)
        self._do(self.azure.start())
        stack.callback(self._end)
        source = {"name": "hub", "type": "azure", "management": self.azure.url, "interval": "1h"}
        for name, value in self.azure.environment.items():
            os.environ[name] = value
            stack.callback(os.environ.pop, name)
        self.daemon = Daemon(folder, {"sources": [source]})
        stack.callback(self.daemon.stop)
        self.daemon.start().ready()
        until(self.is_idle)
        self.changes = 0

    def _do(self, work: Any) -> None:  # noqa: ANN401 - a coroutine
        done: Future[None] = asyncio.run_coroutine_threadsafe(work, self.loop)
        done.result(10)

    def _end(self) -> None:
        self._do(self.azure.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def source(self) -> dict[str, Any]:
        found: dict[str, Any] = self.daemon.get("/v1/sources")[1]["items"][0]
        return found

    def is_idle(self) -> bool:
        return self.source()["sync"]["next"] is not None

    def results(self) -> dict[str, float]:
        """Syncs so far."""
        lines: str = self.daemon.get("/metrics")[1]
        found = [line for line in lines.splitlines() if line.startswith("pldns_sync_total{")]
        return {line.partition('result="')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in found}

    def metric(self, start: str) -> float:
        lines: str = self.daemon.get("/metrics")[1]
        return sum(float(line.rpartition(" ")[2]) for line in lines.splitlines() if line.startswith(start))

    def sync(self) -> None:
        """One more sync, to its end."""
        before = sum(self.results().values())
        body = json.dumps({"action": "now"})
        where = f"http://127.0.0.1:{self.daemon.admin}"
        status, _ = call("POST", where, "/v1/sources/hub/sync", body, {"Content-Type": "application/json"})
        assert status == 202
        until(lambda: sum(self.results().values()) > before and self.is_idle())

    def findings(self) -> set[str]:
        return {each["code"] for each in self.daemon.get("/v1/findings")[1]["items"]}

    def served(self) -> None:
        """What was served before."""
        for name, address in (("a", "10.0.0.4"), ("e", "10.0.0.8"), ("far", "10.9.0.4")):
            assert self.daemon.addresses(f"{name}.blob.core.windows.net") == {address}

    def mended(self) -> None:
        """The next sync is a good one and brings what has changed meanwhile."""
        self.azure.faults.clear()
        self.changes += 1
        new = f"new{self.changes}"
        self.azure.estate.add(*endpoints(ONE, new, address=f"10.1.{self.changes}.{{}}")[1:])
        self.sync()
        until(lambda: self.daemon.addresses(f"{new}.blob.core.windows.net") == {f"10.1.{self.changes}.4"})
        assert not self.source()["last_error"]
        assert self.findings().isdisjoint({"source-unreadable", "sync-held"})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path_factory.mktemp("faults"), stack)


class Story(NamedTuple):
    """Faults, and what an operator sees: words of the error, or none where a sync gets over it."""

    faults: tuple[Fault, ...]
    error: str = ""
    metric: str = ""
    finding: str = ""


FAILED, UNREADABLE, PARTS = "pldns_sync_failing", "source-unreadable", "pldns_source_unreadable_parts"
STRANGER = "http://127.0.0.1:9"
STORIES = {
    "a burst of 429": Story((Fault("status", status=429, seconds=1, count=3),), metric='status="429"'),
    "graph refuses": Story((Fault("status", api="graph", status=403, count=0),), metric='status="403"'),
    "graph is down": Story((Fault("status", api="graph", status=503, count=0),), metric='status="503"'),
    "500 between two pages": Story(
        (NO_GRAPH, Fault("status", api="arm", path="skiptoken", status=500, count=0)), "500", FAILED, UNREADABLE
    ),
    "a page comes again and again": Story(
        (NO_GRAPH, Fault("repeat", api="arm", path=LISTS, count=0)), "privateEndpoints", FAILED, UNREADABLE
    ),
    "a page is lost": Story((NO_GRAPH, Fault("lose", api="arm", path=LISTS)), metric='asked="resource"'),
    "a subscription is gone": Story((Fault("gone", path=TWO),), metric=PARTS, finding=UNREADABLE),
    "a subscription may not be read": Story(
        (Fault("forbidden", path=TWO),), metric=PARTS, finding=UNREADABLE
    ),
    "a token expires": Story((Fault("expired"),), metric='status="401"'),
    "no token is to be had": Story(
        (Fault("status", api="token", status=400, count=0), Fault("expired", count=0)), "token", FAILED, UNREADABLE
    ),
    "a slow body": Story((Fault("slow", seconds=1),)),
    "a connection is cut": Story((NO_GRAPH, Fault("cut", api="arm", path=LISTS, count=0)), "", FAILED, UNREADABLE),
    "a body that is no JSON": Story(
        (NO_GRAPH, Fault("malformed", api="arm", path=LISTS, count=0)), "cannot be read", FAILED, UNREADABLE
    ),
    "pages of 20 MB": Story((Fault("huge", api="graph"),)),
    "clocks that differ": Story((Fault("skew", seconds=-7200, count=0),), "clock", FAILED, UNREADABLE),
    "a page elsewhere": Story(
        (NO_GRAPH, Fault("elsewhere", api="arm", path=LISTS, to=STRANGER, count=0)), "", FAILED,
        UNREADABLE,
    ),
    "a redirect": Story(
        (NO_GRAPH, Fault("redirect", api="arm", path=LISTS, to=STRANGER, count=0)), "", FAILED, UNREADABLE
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_a_fault_costs_nothing_that_was_served_is_told_and_mends_itself(site: Site, name: str) -> None:
    story = STORIES[name]
    before = site.metric("pldns_sync_requests_total{")
    for fault in story.faults:
        site.azure.faults.add(fault)
    site.sync()
    site.served()
    source, failed = site.source(), FAILED in story.metric
    assert bool(source["last_error"]) == failed, source["last_error"]
    assert story.error.casefold() in source["last_error"].casefold()
    assert site.metric("pldns_sync_failing{") == failed
    assert site.metric("pldns_sync_requests_total{") > before
    if story.metric and not failed:
        lines: str = site.daemon.get("/metrics")[1]
        assert any(story.metric in line and not line.endswith(" 0.0") for line in lines.splitlines()), lines
    if story.finding:
        assert story.finding in site.findings()
    site.mended()
    site.served()
