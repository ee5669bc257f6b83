"""A page that loses pldns: it says since when, keeps what it has shown, and goes on where it was."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.live import page_lab
from tests.live.browser import Tab
from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live

NAME = "kv-contoso-shared.vault.azure.net"
KEPT = {
    "": "Endpoints",
    "findings?severity=error": "error",
    "queries?name=vault.azure.net": NAME,
    "map?focus=network%3Aspoke-data": "spoke-data",
    "zones?zone=privatelink.vaultcore.azure.net": NAME,
}
"""Views with their filters, and a text that each of them shows."""
BACK = 90_000.0
"""Milliseconds until a page has found pldns again: it waits longer after each try."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon without access control: a session would end with it."""
    made, _ = page_lab.lab(tmp_path_factory.mktemp("outage"))
    try:
        yield made.start().ready()
    finally:
        made.stop()
    assert "Traceback" not in (text := made.log.read_text()), text


@pytest.fixture(scope="module")
def tabs(browser: Browser, daemon: Daemon) -> Iterator[dict[str, Tab]]:
    """Pages with different views, which have their data. Then pldns is gone."""
    opened = {view: Tab(browser, f"http://127.0.0.1:{daemon.admin}/") for view in KEPT}
    for view, tab in opened.items():
        tab.open(view)
    ask_until_more_rows(daemon, opened["queries?name=vault.azure.net"])
    daemon.kill()
    yield opened
    for tab in opened.values():
        tab.close()


def ask_until_more_rows(daemon: Daemon, tab: Tab) -> None:
    """Ask for a name until the live queries show it once more."""
    rows = tab.page.get_by_role("row").filter(has_text=NAME)
    before = rows.count()

    def has_more() -> bool:
        daemon.ask(NAME)
        return rows.count() > before

    until(has_more)


@pytest.mark.parametrize(
    "view", ["sources", "upstreams", "history", "networks", "explain?name=a.example", "cache?name=a.example"]
)
def test_a_view_without_pldns_says_what_is_wrong(tabs: dict[str, Tab], view: str) -> None:
    tab = tabs[""]
    page = tab.page
    page.get_by_role("alert").filter(has_text="cannot be reached since").wait_for()
    tab.go(view)
    alerts = page.get_by_role("main").get_by_role("alert")
    expect(alerts.filter(has_text="cannot be reached since")).to_be_visible()
    expect(alerts.filter(has_text="Check that pldns runs").first).to_be_visible()
    page.go_back()
    expect(page.get_by_role("main")).to_contain_text("Endpoints")


def test_all_pages_go_on_where_they_were(tabs: dict[str, Tab], daemon: Daemon) -> None:
    lost = {
        view: tab.page.get_by_role("alert").filter(has_text="cannot be reached since") for view, tab in tabs.items()
    }
    for view, tab in tabs.items():
        expect(lost[view]).to_be_visible(timeout=BACK)
        expect(tab.page.get_by_role("main")).to_contain_text(KEPT[view])
    daemon.start().ready()
    for view, tab in tabs.items():
        expect(lost[view]).to_have_count(0, timeout=BACK)
        expect(tab.page.get_by_role("alert")).to_have_count(0, timeout=BACK)
        expect(tab.page).to_have_url(f"{tab.base}ui/{view}")
        expect(tab.page.get_by_role("main")).to_contain_text(KEPT[view])
    ask_until_more_rows(daemon, tabs["queries?name=vault.azure.net"])
    tabs["zones?zone=privatelink.vaultcore.azure.net"].go("sources")
    expect(tabs["zones?zone=privatelink.vaultcore.azure.net"].page.get_by_role("row").nth(1)).to_be_visible()
