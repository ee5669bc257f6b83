"""Faults of Azure, one after the other, and how a running daemon handles them.

Each test moves an endpoint to another address while the fault lasts. A fatal fault ends the sync: the old address is
served, and the metrics, the findings and the state of the source say what is wrong. After any other fault the new
address is served, and a metric counts the fault. When the fault is over, the next sync is complete.
"""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fake_azure import shapes
from tests.fake_azure.faults import FakeFault
from tests.live.cloud import ONE, TWO, LiveCloud, source, sync
from tests.live.daemon import PLDNS, Daemon, until

pytestmark = pytest.mark.live

NAME, STAYS, FAR = (f"{name}.blob.core.windows.net" for name in ("moves", "stays", "far"))
HUB = shapes.virtual_network(shapes.group(ONE), "hub", ["127.0.0.0/8"])
SPOKE = shapes.virtual_network(shapes.group(TWO), "spoke", ["10.2.0.0/16"])
ADDRESSES = (f"10.1.{high}.{low}" for high, low in itertools.product(range(1, 255), range(1, 255)))
FAR_ENDPOINT = shapes.endpoint(shapes.group(TWO), "far", {FAR: "10.2.0.1"}, vnet=SPOKE["id"])
OPTIONS = ("--page", "2", "--unlimited")
NETWORKS = [{"name": "all", "clients": ["127.0.0.0/8"], "reach": ["all"]}]
NOWHERE = "http://127.0.0.2:9"


def endpoint(name: str, address: str) -> list[Any]:
    return list(shapes.endpoint(shapes.group(ONE), name, {f"{name}.blob.core.windows.net": address}, vnet=HUB["id"]))


class Followed(NamedTuple):
    """A daemon and the fake Azure that it follows. The source syncs only when a test asks for it."""

    cloud: LiveCloud
    daemon: Daemon

    def source(self) -> Any:  # noqa: ANN401 - JSON
        return source(self.daemon)

    def sync(self) -> str:
        return sync(self.daemon)

    def move(self) -> str:
        """Move the endpoint to an address that it never had. Return the address."""
        address = next(ADDRESSES)
        self.cloud.put(*endpoint("moves", address))
        return address

    def serves(self, address: str) -> None:
        until(lambda: self.daemon.addresses(NAME) == {address})
        assert self.daemon.addresses(STAYS) == {"10.1.0.1"}
        assert self.daemon.addresses(FAR) == {"10.2.0.1"}

    def serial(self) -> int:
        """Return the serial of the served state. The serial changes whenever anything changes for clients."""
        return int(self.daemon.get("/v1/status")[1]["serial"])

    def findings(self) -> dict[str, str]:
        """Return the messages of the findings about sources, by subject."""
        items = self.daemon.get("/v1/findings?code=source-unreadable")[1]["items"]
        return {each["subject"]: each["evidence"]["message"] for each in items}

    def metric(self, name: str, **labels: str) -> float:
        return self.daemon.metric(name, source="hub", **labels) or 0.0

    def asked(self, counted: tuple[str, str]) -> float:
        return self.metric("sync_requests_total", asked=counted[0], status=counted[1])

    def recovers(self) -> None:
        """Check that a change after the fault is served, and that nothing reports the fault any more."""
        address = self.move()
        assert self.sync() == "published"
        self.serves(address)
        now = self.source()
        assert (now["last_error"], now["unreadable"], now["sync"]["failures"]) == ("", 0, 0)
        assert self.findings() == {}
        assert self.metric("sync_failing") == 0
        assert self.metric("source_unreadable_parts") == 0


def began(folder: Path, interval: str, *faults: FakeFault) -> Iterator[Followed]:
    """Start a daemon with four endpoints and two networks in two subscriptions. A page has two resources."""
    here = [endpoint(name, address) for name, address in (("also", "10.1.0.2"), ("moves", "10.1.0.3"))]
    here.append(endpoint("stays", "10.1.0.1"))
    cloud = LiveCloud(folder, HUB, SPOKE, *FAR_ENDPOINT, *itertools.chain(*here), options=OPTIONS)
    cloud.fail(*faults)
    hub = {"name": "hub", "type": "azure", "management": cloud.given["management"], "interval": interval}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment.items():
            patch.setenv(name, value)
        daemon = Daemon(folder, {"sources": [hub], "networks": NETWORKS}).start()
    try:
        yield Followed(cloud, daemon)
    finally:
        daemon.stop()
        cloud.stop()
    assert "Traceback" not in daemon.log.read_text()


@pytest.fixture(scope="module", autouse=True)
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon whose first sync fails, with its retry. Its interval, the shortest, passes while other tests run."""
    fault = FakeFault("status", "arm", status=503, count=2)
    for followed in began(tmp_path_factory.mktemp("alone"), "10s", fault):
        yield followed.daemon


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """A daemon that syncs only when a test asks for it."""
    for followed in began(tmp_path_factory.mktemp("faults"), "1h"):
        followed.daemon.ready()
        yield followed


@pytest.fixture
def azure(running: Followed) -> Iterator[Followed]:
    """The daemon without any fault before the test."""
    running.cloud.fail()
    if running.source()["last_error"] or running.findings():
        running.sync()
    assert running.findings() == {}
    yield running
    running.cloud.fail()


def fault(kind: str, api: str, **keys: Any) -> FakeFault:  # noqa: ANN401 - the fault's
    """Return a fault that lasts until it is removed, unless `count` says how many requests fail."""
    return FakeFault(kind, api, **{"count": 0, **keys})  # type: ignore[arg-type]  # as the test says


GRAPH_IS_OUT = fault("status", "graph", status=503)
ENDPOINTS = f"{ONE}/providers/Microsoft.Network/privateEndpoints"


class Fatal(NamedTuple):
    """Faults that end a sync.

    `said` is a pattern of the source's error, `counted` the kind of request and the status in the metric.
    """

    faults: tuple[FakeFault, ...]
    said: str
    counted: tuple[str, str]


FATAL_TO_GRAPH = {
    "a page of Resource Graph is repeated": Fatal(
        (fault("repeat", "graph"),), "Resource Graph: /subscriptions/.* came twice", ("graph", "200")
    ),
    "a page of Resource Graph is lost": Fatal(
        (fault("lose", "graph"),), "Resource Graph: 2 of 4 rows came", ("graph", "200")
    ),
    "Resource Graph answers half a JSON": Fatal(
        (fault("malformed", "graph"),), "Resource Graph: its answer cannot be read", ("graph", "200")
    ),
    "Resource Graph redirects": Fatal(
        (fault("redirect", "graph", to=NOWHERE),), r"redirects \(HTTP 307\)", ("graph", "307")
    ),
    "no token is given": Fatal(
        (fault("expired", "arm"), fault("status", "token", status=400)),
        "no token: .*No managed identity",
        ("token", "failed"),
    ),
}
FATAL_TO_LISTS = {
    "the Resource Manager redirects": Fatal(
        (fault("redirect", "arm", to=NOWHERE),), r"redirects \(HTTP 307\)", ("subscriptions", "307")
    ),
    "the Resource Manager answers half a JSON": Fatal(
        (fault("malformed", "arm"),), "the list of subscriptions: a page cannot be read", ("subscriptions", "200")
    ),
    "the Resource Manager fails": Fatal(
        (fault("status", "arm", status=500),), "HTTP 500 InternalServerError", ("subscriptions", "500")
    ),
    "every connection is cut": Fatal((fault("cut", ""),), "the connection broke off", ("subscriptions", "error")),
    "a page has no end": Fatal(
        (fault("huge", "arm", size=65 << 20),), "an answer of more than 64 MiB", ("subscriptions", "too-long")
    ),
    "tokens expire at once": Fatal((fault("expired", "arm"),), "tokens are refused", ("subscriptions", "401")),
    "Azure's clock is behind": Fatal(
        (fault("skew", "", seconds=-4000),), r"this machine's clock is \d+ s ahead of Azure's", ("subscriptions", "401")
    ),
    "Azure's clock is ahead": Fatal(
        (fault("skew", "", seconds=90_000),), r"this machine's clock is \d+ s behind Azure's", ("subscriptions", "401")
    ),
    "a list fails in the middle": Fatal(
        (fault("status", "arm", path=ENDPOINTS, skip=1, status=500),), "HTTP 500", ("list", "500")
    ),
    "a page of a list is repeated": Fatal(
        (fault("repeat", "arm", path=ENDPOINTS),),
        f"the list of privateEndpoints in subscription {ONE}: .* twice",
        ("list", "200"),
    ),
    "a list leads elsewhere": Fatal(
        (fault("elsewhere", "arm", path=ENDPOINTS, to=NOWHERE),),
        "a link leads to 127.0.0.2, .* it was not followed",
        ("list", "200"),
    ),
    "a list is half a JSON": Fatal(
        (fault("malformed", "arm", path=ENDPOINTS),), f"privateEndpoints in subscription {ONE}: .*read", ("list", "200")
    ),
    "a list is cut off": Fatal(
        (fault("cut", "arm", path=ENDPOINTS),), "the connection broke off", ("list", "error")
    ),
}  # fmt: skip
FATAL = {
    **{name: (story, ()) for name, story in FATAL_TO_GRAPH.items()},
    **{name: (story, (GRAPH_IS_OUT,)) for name, story in FATAL_TO_LISTS.items()},
}
"""Each fault with those that last during the whole test. Lists are read while Resource Graph is unavailable."""


@pytest.mark.parametrize("name", FATAL)
def test_a_fatal_fault_is_reported_and_the_old_answers_are_served(azure: Followed, name: str) -> None:
    story, lasting = FATAL[name]
    (served,) = azure.daemon.addresses(NAME)
    serial, counted = azure.serial(), azure.asked(story.counted)
    failed = azure.metric("sync_total", result="failed")

    azure.cloud.fail(*story.faults, *lasting)
    azure.move()
    assert azure.sync() == "failed"

    said = azure.source()["last_error"]
    assert re.search(story.said, said), said
    assert "\n" not in said
    assert azure.findings() == {"hub": said}
    assert said in azure.daemon.log.read_text()
    assert azure.metric("sync_failing") == 1
    assert azure.metric("sync_total", result="failed") == failed + 1
    assert azure.asked(story.counted) > counted
    assert azure.serial() == serial
    azure.serves(served)
    assert azure.daemon.get("/readyz")[0] == 200

    azure.cloud.fail(*lasting)
    azure.recovers()


class Borne(NamedTuple):
    """Faults that do not end a sync.

    `counted` is the kind of request and the status in the metric, `times` the number of requests that fail, `seconds`
    how long the sync takes at least.
    """

    faults: tuple[FakeFault, ...]
    counted: tuple[str, str]
    times: int = 1
    seconds: float = 0


BORNE_BY_GRAPH = {
    "Resource Graph throttles twice": Borne(
        (fault("status", "graph", status=429, seconds=1, count=2),), ("graph", "429"), 2, 2
    ),
    "Resource Graph fails among its pages": Borne(
        (fault("status", "graph", status=500, skip=1, count=1),), ("graph", "500")
    ),
    "Resource Graph is cut off": Borne((fault("cut", "graph"),), ("graph", "error")),
    "a token expires before its time": Borne((fault("expired", "graph", count=1),), ("graph", "401")),
    "a body is slow": Borne((fault("slow", "graph", seconds=1, count=1),), ("graph", "200"), seconds=1),
    "a page has 20 MiB": Borne((fault("huge", "graph", size=20 << 20, count=1),), ("graph", "200")),
} | {
    f"Resource Graph answers {status}": Borne((fault("status", "graph", status=status),), ("graph", str(status)))
    for status in (401, 403, 404, 503)
}
BORNE_BY_LISTS = {
    "the Resource Manager throttles twice": Borne(
        (fault("status", "arm", status=429, seconds=1, count=2),), ("subscriptions", "429"), 2, 2
    ),
    "the Resource Manager fails once": Borne((fault("status", "arm", status=500, count=1),), ("subscriptions", "500")),
    "a list fails once": Borne((fault("status", "arm", path=ENDPOINTS, status=503, count=1),), ("list", "503")),
    "a list throttles": Borne(
        (fault("status", "arm", path=ENDPOINTS, status=429, seconds=1, count=1),), ("list", "429"), 1, 1
    ),
}
BORNE = {
    **{name: (story, ()) for name, story in BORNE_BY_GRAPH.items()},
    **{name: (story, (GRAPH_IS_OUT,)) for name, story in BORNE_BY_LISTS.items()},
}


@pytest.mark.parametrize("name", BORNE)
def test_other_faults_are_counted_and_changes_are_served(azure: Followed, name: str) -> None:
    story, lasting = BORNE[name]
    counted = azure.asked(story.counted)
    azure.cloud.fail(*story.faults, *lasting)
    address = azure.move()
    assert azure.sync() == "published"
    azure.serves(address)
    assert azure.asked(story.counted) >= counted + story.times
    assert azure.metric("sync_duration_seconds") >= story.seconds
    assert (azure.source()["last_error"], azure.findings()) == ("", {})
    if all(each.count for each in story.faults):
        return  # the faults ended before the sync did
    azure.cloud.fail(*lasting)
    queries = azure.asked(("graph", "200"))
    azure.recovers()
    assert azure.asked(("graph", "200")) == queries + 3  # pages: two of endpoints and one of networks


LOST = {
    "it is gone": (
        (FakeFault("gone", path=TWO),), "no longer among the subscriptions that can be read", ("graph", "200")
    ),
    "it may not be read": (
        (FakeFault("forbidden", path=TWO),), "give the identity its role there again", ("graph", "200")
    ),
    "its lists may not be read": (
        (GRAPH_IS_OUT, fault("status", "arm", path=f"{TWO}/providers", status=403)),
        f"no permission: give the identity the role Reader on /subscriptions/{TWO}",
        ("list", "403"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_a_lost_subscription_is_served_as_before_and_the_others_are_followed(azure: Followed, name: str) -> None:
    faults, said, counted = LOST[name]
    before = azure.asked(counted)
    azure.cloud.fail(*faults)
    address = azure.move()
    assert azure.sync() == "published"
    azure.serves(address)  # and the endpoint of the lost subscription
    assert azure.asked(counted) > before
    assert azure.metric("source_unreadable_parts") == 1
    assert azure.metric("sync_failing") == 0
    assert azure.source()["unreadable"] == 1
    assert list(azure.findings()) == [TWO]
    assert said in azure.findings()[TWO]
    assert f"subscription {TWO}: {azure.findings()[TWO]}" in azure.daemon.log.read_text()
    azure.cloud.fail()
    azure.recovers()
    assert f"subscription {TWO} can be read again" in azure.daemon.log.read_text()


LOSES = (GRAPH_IS_OUT, fault("lose", "arm", path=ENDPOINTS))
"""The list has two of the three endpoints of the first subscription, and nothing in it says so."""


def test_the_endpoints_of_a_lost_page_are_read_one_by_one_and_stay(azure: Followed) -> None:
    counted = azure.asked(("resource", "200"))
    azure.cloud.fail(*LOSES)
    address = azure.move()
    assert azure.sync() == "published"
    azure.serves(address)
    assert azure.asked(("resource", "200")) == counted + 2  # the endpoint and its network interface
    assert azure.metric("sync_absent") == 0
    assert azure.findings() == {}
    azure.cloud.fail()
    azure.recovers()


def test_an_endpoint_that_cannot_be_read_again_stays_and_is_reported(azure: Followed) -> None:
    counted = azure.asked(("resource", "500"))
    azure.cloud.fail(*LOSES, fault("status", "arm", path="privateEndpoints/stays", status=500))
    address = azure.move()
    assert azure.sync() == "published"
    azure.serves(address)
    assert azure.asked(("resource", "500")) > counted
    ((subject, said),) = azure.findings().items()
    assert subject.endswith("/privateEndpoints/stays")
    assert "HTTP 500" in said
    azure.cloud.fail()
    azure.recovers()


def test_a_sync_that_would_remove_a_whole_subscription_is_held_for_an_operator(azure: Followed) -> None:
    azure.cloud.remove(FAR_ENDPOINT[0]["id"], SPOKE["id"])
    address = azure.move()
    assert azure.sync() == "held"
    assert azure.metric("sync_held") == 1
    ran = pldns(azure, "status")
    assert ran.returncode == 2
    assert f"everything of subscription {TWO}" in ran.stdout
    (held,) = azure.daemon.get("/v1/findings?code=sync-held")[1]["items"]
    assert (held["subject"], held["severity"]) == ("hub", "error")

    ran = pldns(azure, "drop", "hub")
    assert (ran.returncode, azure.metric("sync_held")) == (0, 0)
    assert pldns(azure, "accept", "hub").returncode == 1  # no sync is held any more
    assert azure.daemon.get("/v1/findings?code=sync-held")[1]["items"] == []
    assert azure.sync() == "held"  # the sync would still remove as much
    assert azure.daemon.addresses(FAR) == {"10.2.0.1"}

    assert pldns(azure, "accept", "hub").returncode == 0
    azure.serves(address)  # removed endpoints linger
    assert far(azure) == []
    assert pldns(azure, "status").returncode == 0
    azure.cloud.put(*FAR_ENDPOINT, SPOKE)
    azure.recovers()
    assert len(far(azure)) == 1


def pldns(azure: Followed, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PLDNS), "sync", *arguments, "-c", str(azure.daemon.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def far(azure: Followed) -> list[str]:
    """Return the ids of the endpoints in the second subscription."""
    return [each["id"] for each in azure.daemon.get("/v1/endpoints")[1]["items"] if TWO in each["id"]]


def test_after_a_fault_the_next_interval_recovers(left_alone: Daemon) -> None:
    left_alone.ready()  # nobody asked for a sync
    assert left_alone.addresses(STAYS) == {"10.1.0.1"}
    now = source(left_alone)
    assert (now["last_error"], now["sync"]["results"]["failed"]) == ("", 1)
    assert "source hub: /subscriptions: HTTP 503" in left_alone.log.read_text()
