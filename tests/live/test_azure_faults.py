"""What goes wrong with Azure, one fault after the other, and what a real daemon makes of it.

Each story moves an endpoint to another address while the fault lasts. Either the fault is fatal to the sync: then the
address from before is served, and metrics, findings and the source's state say what is wrong. Or it is not: then the
new address is served all the same, and a metric counts the fault. Once it is over, the next sync is whole.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.fake_azure import shapes
from tests.fake_azure.faults import Fault
from tests.live.cloud import ONE, TWO, Cloud
from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live

NAME, STAYS, FAR = (f"{name}.blob.core.windows.net" for name in ("moves", "stays", "far"))
HUB = shapes.virtual_network(shapes.group(ONE), "hub", ["127.0.0.0/8"])
SPOKE = shapes.virtual_network(shapes.group(TWO), "spoke", ["10.2.0.0/16"])
ADDRESSES = (f"10.1.{high}.{low}" for high, low in itertools.product(range(1, 255), range(1, 255)))
OPTIONS = ("--page", "2", "--unlimited")
NOWHERE = "http://127.0.0.2:9"


def endpoint(name: str, address: str) -> list[Any]:
    return list(shapes.endpoint(shapes.group(ONE), name, {f"{name}.blob.core.windows.net": address}, vnet=HUB["id"]))


class Followed(NamedTuple):
    """A daemon and what it follows. Nothing syncs but when a story says so."""

    cloud: Cloud
    daemon: Daemon

    def source(self) -> Any:  # noqa: ANN401 - JSON
        items = self.daemon.get("/v1/sources")[1]["items"]
        return next(each for each in items if each["name"] == "hub")

    def sync(self) -> str:
        """Sync at once; what became of it."""
        before = self.source()["sync"]["results"]
        assert self.daemon.post("/v1/sources/hub/sync", {"action": "now"}) < 300

        def become() -> str:
            after = self.source()["sync"]["results"]
            return next((each for each in after if after[each] != before.get(each, 0)), "")

        return str(until(become))

    def move(self) -> str:
        """Move the endpoint to an address that it never had."""
        address = next(ADDRESSES)
        self.cloud.put(*endpoint("moves", address))
        return address

    def serves(self, address: str) -> None:
        until(lambda: self.daemon.addresses(NAME) == {address})
        assert self.daemon.addresses(STAYS) == {"10.1.0.1"}
        assert self.daemon.addresses(FAR) == {"10.2.0.1"}

    def serial(self) -> int:
        """Of the state that is served: another one whenever anything changes for clients."""
        return int(self.daemon.get("/v1/status")[1]["serial"])

    def findings(self) -> dict[str, str]:
        """What is told of sources, by its subject."""
        items = self.daemon.get("/v1/findings?code=source-unreadable")[1]["items"]
        return {each["subject"]: each["evidence"]["message"] for each in items}

    def metric(self, name: str, **labels: str) -> float:
        text = ",".join(f'{key}="{value}"' for key, value in sorted({"source": "hub", **labels}.items()))
        found = re.search(rf"^pldns_{name}{{{re.escape(text)}}} (\S+)$", self.daemon.get("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else 0.0

    def asked(self, counted: tuple[str, str]) -> float:
        return self.metric("sync_requests_total", asked=counted[0], status=counted[1])

    def recovers(self) -> None:
        """A change after the fault is served, and nothing of it is left."""
        address = self.move()
        assert self.sync() == "published"
        self.serves(address)
        source = self.source()
        assert (source["last_error"], source["unreadable"], source["sync"]["failures"]) == ("", 0, 0)
        assert self.findings() == {}
        assert self.metric("sync_failing") == 0
        assert self.metric("source_unreadable_parts") == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Four endpoints and two networks in two subscriptions, two to a page."""
    folder = tmp_path_factory.mktemp("faults")
    far = shapes.endpoint(shapes.group(TWO), "far", {FAR: "10.2.0.1"}, vnet=SPOKE["id"])
    here = [endpoint(name, address) for name, address in (("also", "10.1.0.2"), ("moves", "10.1.0.3"))]
    cloud = Cloud(folder, HUB, SPOKE, *far, *itertools.chain(*here), *endpoint("stays", "10.1.0.1"), options=OPTIONS)
    source = {"name": "hub", "type": "azure", "management": cloud.given["management"], "interval": "1h"}
    networks = [{"name": "all", "clients": ["127.0.0.0/8"], "reach": ["all"]}]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment.items():
            patch.setenv(name, value)
        daemon = Daemon(folder, {"sources": [source], "networks": networks}).start()
        try:
            yield Followed(cloud, daemon.ready())
        finally:
            daemon.stop()
            cloud.stop()
    assert "Traceback" not in daemon.log.read_text()


@pytest.fixture
def azure(running: Followed) -> Iterator[Followed]:
    """All is well before a story."""
    running.cloud.fail()
    if running.source()["last_error"] or running.findings():
        running.sync()
    assert running.findings() == {}
    yield running
    running.cloud.fail()


def fault(kind: str, api: str, **keys: Any) -> Fault:  # noqa: ANN401 - the fault's
    """One that lasts until it is mended, unless it says how many requests it hits."""
    return Fault(kind, api, **{"count": 0, **keys})  # type: ignore[arg-type]  # as the test says


GRAPH_IS_OUT = fault("status", "graph", status=503)
ENDPOINTS = f"{ONE}/providers/Microsoft.Network/privateEndpoints"


class Story(NamedTuple):
    """`fault` while `others` last; what the source says of it; what counts it: what was asked, and what came of it."""

    fault: Fault
    said: str
    counted: tuple[str, str]
    others: tuple[Fault, ...] = ()


FATAL = {
    "a page of Resource Graph is repeated": Story(
        fault("repeat", "graph"), "Resource Graph: /subscriptions/.* came twice", ("graph", "200")
    ),
    "a page of Resource Graph is lost": Story(
        fault("lose", "graph"), "Resource Graph: 2 of 4 rows came", ("graph", "200")
    ),
    "Resource Graph answers half a JSON": Story(
        fault("malformed", "graph"), "Resource Graph: its answer cannot be read", ("graph", "200")
    ),
    "Resource Graph redirects": Story(
        fault("redirect", "graph", to=NOWHERE), r"sends us elsewhere \(HTTP 307\)", ("graph", "307")
    ),
    "the Resource Manager redirects": Story(
        fault("redirect", "arm", to=NOWHERE), r"sends us elsewhere \(HTTP 307\)", ("subscriptions", "307")
    ),
    "the Resource Manager answers half a JSON": Story(
        fault("malformed", "arm"), "a page cannot be read", ("subscriptions", "200")
    ),
    "the Resource Manager fails": Story(
        fault("status", "arm", status=500), "HTTP 500 InternalServerError", ("subscriptions", "500")
    ),
    "every connection is cut": Story(fault("cut", ""), "the connection broke off", ("subscriptions", "error")),
    "a page has no end": Story(
        fault("huge", "arm", size=65 << 20), "an answer of more than 64 MiB", ("subscriptions", "too-long")
    ),
    "tokens expire at once": Story(fault("expired", "arm"), "tokens are refused", ("subscriptions", "401")),
    "Azure's clock is behind": Story(
        fault("skew", "", seconds=-4000), r"this machine's clock is \d+ s ahead of Azure's", ("subscriptions", "401")
    ),
    "Azure's clock is ahead": Story(
        fault("skew", "", seconds=90_000), r"this machine's clock is \d+ s behind Azure's", ("subscriptions", "401")
    ),
    "no token is given": Story(
        fault("status", "token", status=400),
        "no token: .*No managed identity",
        ("token", "failed"),
        (fault("expired", "arm", count=1),),
    ),
    "a list fails in the middle": Story(
        fault("status", "arm", path=ENDPOINTS, skip=1, status=500), "HTTP 500", ("list", "500"), (GRAPH_IS_OUT,)
    ),
    "a page of a list is repeated": Story(
        fault("repeat", "arm", path=ENDPOINTS),
        f"the list of privateEndpoints in subscription {ONE}: .* twice",
        ("list", "200"),
        (GRAPH_IS_OUT,),
    ),
    "a list leads elsewhere": Story(
        fault("elsewhere", "arm", path=ENDPOINTS, to=NOWHERE),
        "a link leads to 127.0.0.2, .* it was not followed",
        ("list", "200"),
        (GRAPH_IS_OUT,),
    ),
    "a list is half a JSON": Story(
        fault("malformed", "arm", path=ENDPOINTS), "cannot be read", ("list", "200"), (GRAPH_IS_OUT,)
    ),
    "a list is cut off": Story(
        fault("cut", "arm", path=ENDPOINTS), "the connection broke off", ("list", "error"), (GRAPH_IS_OUT,)
    ),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_breaks_a_sync_is_told_and_what_was_served_is_served(azure: Followed, name: str) -> None:
    story = FATAL[name]
    (served,) = azure.daemon.addresses(NAME)
    serial, counted = azure.serial(), azure.asked(story.counted)
    failed = azure.metric("sync_total", result="failed")

    azure.cloud.fail(story.fault, *story.others)
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

    azure.cloud.fail(*story.others)
    azure.recovers()
