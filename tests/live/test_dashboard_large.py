"""The page at 100,000 endpoints: every view, its lists by pages, its searches, and live queries in a flood."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dns.message
import pytest
import yaml
from playwright.sync_api import Page, expect

from bench.generate import Ports, write
from tests.live.browser import Tab
from tests.live.daemon import Daemon, until
from tests.paths import ROOT

pytestmark = pytest.mark.live

ENDPOINTS: Final = 100_000
DEAD: Final = 250
"""More endpoints, which are rejected: each has a finding."""
LONG: Final = 500.0
"""Seconds until the daemon has read the estate. Only a failure takes so long, even on a loaded machine."""
NAME: Final = "stcontoso050000.blob.core.windows.net"
"""The name of one endpoint."""
ZONE: Final = "zones?zone=privatelink.blob.core.windows.net"
VIEWS: Final = {
    "": "100,251",
    "findings": "dead-",
    f"explain?name={NAME}": "10.",
    "map": "vnet-",
    "networks?client=10.0.0.5": "pe-",
    "zones": "privatelink.blob.core.windows.net",
    ZONE: ".blob.core.windows.net",
    "history": "What changed",
    "sources": "estate",
    "upstreams": "public",
    f"cache?name={NAME}": "10.",
    "queries": "Pause",
}
"""Every view, and a text that it shows once it has its data."""
MOST_ROWS: Final = 100
MOST_ELEMENTS: Final = 12_000


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("large")
    write(folder, ENDPOINTS, Ports())
    wanted = yaml.safe_load((folder / "pldns.yaml").read_text())
    made = Daemon(folder, {key: wanted[key] for key in ("sources", "networks")})
    try:
        made.start()
        until(lambda: made.get("/readyz")[0] == 200, LONG)
        dead = [{"name": f"dead-{each:03d}", "target": "/subscriptions/s/x", "group": "blob", "state": "Rejected",
                 "records": [{"fqdn": f"dead{each}.blob.core.windows.net", "ips": ["10.254.0.4"]}]}
                for each in range(DEAD)]  # fmt: skip
        (folder / "endpoints" / "dead.yaml").write_text(yaml.safe_dump({"endpoints": dead}))
        until(lambda: made.get("/v1/findings?name=dead-249")[1]["items"], LONG)
        yield made
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_shows_its_data_and_no_long_list(tab: Tab, view: str) -> None:
    page = tab.open(view)
    expect(page.get_by_role("main")).to_contain_text(VIEWS[view], timeout=30_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    rows = page.evaluate("Math.max(0, ...[...document.querySelectorAll('tbody')].map(each => each.rows.length))")
    assert rows <= MOST_ROWS
    assert page.get_by_role("main").get_by_role("article").count() <= MOST_ROWS
    assert page.locator("*").count() <= MOST_ELEMENTS


def first(page: Page, view: str) -> str:
    """Return the first entry of the list that has pages."""
    main = page.get_by_role("main")
    entry = main.get_by_role("article").first if view == "findings" else main.get_by_role("row").nth(1)
    return entry.inner_text().partition("\n")[0]


@pytest.mark.parametrize("view", ["findings", ZONE])
def test_a_long_list_is_paged_by_the_server(tab: Tab, view: str) -> None:
    page = tab.open(view)
    buttons = page.get_by_role("group", name=re.compile("^Pages"))
    before = first(page, view)
    expect(buttons.get_by_role("button", name="Previous")).to_be_disabled()
    buttons.get_by_role("button", name="Next").click()
    page.wait_for_url("**cursor=*")
    tab.settled()
    assert first(page, view) != before
    buttons.get_by_role("button", name="Previous").click()
    expect(page).not_to_have_url(re.compile("cursor="))
    tab.settled()
    assert first(page, view) == before


@pytest.mark.parametrize(
    ("view", "label", "text", "found"),
    [
        (ZONE, "Name", "stcontoso050000.privatelink.blob.core.windows.net", "stcontoso050000"),
        ("findings", "Name, endpoint, address or source", "dead-177", "dead-177"),
        ("cache", "Name", NAME, "10."),
        ("map", "Find", "stcontoso050000", "stcontoso050000"),
        ("networks", "Whose client is this address?", "10.0.0.5", "10.0.0.5 is a client of"),
    ],
)
def test_a_search_finds_one_of_them(tab: Tab, view: str, label: str, text: str, found: str) -> None:
    page = tab.open(view)
    page.get_by_role("main").get_by_label(label).first.fill(text)
    expect(page.get_by_role("main")).to_contain_text(found, timeout=30_000)


@contextmanager
def flood(port: int) -> Iterator[None]:
    """Ask as many queries as one thread can."""
    packets = [dns.message.make_query(f"www{each}.flood.example", "A").to_wire() for each in range(50)]
    packets += [dns.message.make_query(NAME, "A").to_wire()]
    over = threading.Event()

    def ask() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port))
            client.settimeout(0)
            while not over.is_set():
                for packet in packets:
                    try:
                        client.send(packet)
                        client.recv(4096)
                    except OSError:
                        over.wait(0.001)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_live_queries_stay_bounded_in_a_flood(tab: Tab, daemon: Daemon) -> None:
    source = (ROOT / "page" / "src" / "views" / "queries" / "stream.ts").read_text()
    most = int(re.findall(r"const MOST = (\d+);", source)[0])
    page = tab.open("queries")
    rows = page.get_by_role("row")
    with flood(daemon.port):
        expect(page.get_by_role("main")).to_contain_text("not shown", timeout=60_000)
        assert 1 < rows.count() <= most + 1
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("main")).to_contain_text("paused")
        assert 1 < rows.count() <= most + 1
        paused = rows.nth(1).inner_text()
        expect(page.get_by_role("main")).to_contain_text("queries since")
        assert rows.nth(1).inner_text() == paused
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Name, and names below it").fill(NAME)
        page.wait_for_url("**name=*")
        expect(rows.nth(1)).to_contain_text(NAME, timeout=60_000)
        expect(page.get_by_role("row").filter(has_text="flood.example")).to_have_count(0)
        assert rows.count() <= most + 1
