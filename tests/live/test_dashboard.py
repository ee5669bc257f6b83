"""The page in a real browser: every view, for everybody, also with hostile names in the estate."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
import yaml
from playwright.sync_api import Browser, expect

from tests.live import example
from tests.live.browser import RULES, Tab
from tests.live.daemon import Daemon

pytestmark = pytest.mark.live

VIEWS = (
    "",
    "findings",
    "findings?severity=error&name=10.2.2.20",
    "findings?network=nowhere",
    "explain",
    "explain?name=kv-contoso-shared.vault.azure.net&client=spoke-data",
    "sources",
    "queries?network=hub",
    "history",
    "upstreams",
    "networks?client=10.2.3.4",
    "zones",
    "zones?zone=privatelink.blob.core.windows.net",
    "cache?name=www.example.com",
    "map",
    "map?focus=network:spoke-data",
    "map?focus=endpoint:hostile&severity=error",
)
"""Every view, also with filters, and with an error."""
HOSTILE = "<img src=x onerror=window.hacked=1>\u202e" + "x" * 200
"""A name of an endpoint: markup, a character that turns the direction of text around, and as long as may be."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The example estate, with one hostile endpoint more. Nobody has a token, so everybody may read."""
    folder = tmp_path_factory.mktemp("page")
    config = example.copy(folder)
    add(folder, "hostile", HOSTILE, "Rejected")
    made = Daemon(folder, config)
    try:
        yield made.start().ready()
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


def add(folder: Path, file: str, name: str, state: str = "Approved") -> None:
    """Add an endpoint to the estate."""
    records = [{"fqdn": f"{file}.blob.core.windows.net", "ips": ["10.0.9.9"]}]
    target = f"/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/{name.replace('/', '')}"
    endpoint = {"name": name, "target": target, "group": "blob", "state": state, "records": records}
    (folder / "endpoints" / f"{file}.yaml").write_text(yaml.safe_dump({"endpoints": [endpoint]}, allow_unicode=True))


@pytest.mark.parametrize("view", ["", "findings", "explain?name=files.corp.example", "map", "queries"])
def test_a_view_keeps_still_and_its_colors_may_be_the_readers(browser: Browser, daemon: Daemon, view: str) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", forced_colors="active", motion="reduce")
    page = tab.open(view)
    assert tab.violations() == []
    assert page.evaluate("document.getAnimations().filter(each => each.playState === 'running').length") == 0
    page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) not in {"none", ""}
    tab.close()


@pytest.mark.parametrize(
    ("theme", "width", "rules"),
    [("light", 1280, RULES), ("dark", 1920, ("color-contrast",)), ("light", 360, ("target-size", "label", "region"))],
)
def test_everybody_can_use_every_view(
    browser: Browser, daemon: Daemon, theme: Literal["light", "dark"], width: int, rules: Sequence[str]
) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", width, theme)
    for view in VIEWS:
        page = tab.open(view)
        assert (view, tab.violations(rules)) == (view, [])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (view, wide) == (view, 0)
        assert page.evaluate("window.hacked") is None
    tab.close()


def test_text_of_the_estate_is_never_markup(tab: Tab) -> None:
    page = tab.open("findings")
    shown = page.locator("main").inner_text()
    assert "<img src=x onerror=window.hacked=1>\\u202Exxx" in shown
    assert "\u202e" not in shown
    assert page.locator("main img").count() == 0


def test_the_overview_follows_the_daemon(tab: Tab, daemon: Daemon) -> None:
    page = tab.open()
    value = page.locator(".facts div", has_text="Endpoints").locator(".value")
    before = int(value.inner_text())
    add(daemon.directory, "new", "pe-new")
    expect(value).to_have_text(str(before + 1), timeout=30_000)


def test_a_filter_is_in_the_address(tab: Tab) -> None:
    page = tab.open("findings")
    page.get_by_role("group", name="Severity").get_by_role("button", name="error").click()
    expect(page).to_have_url(f"{tab.base}ui/findings?severity=error")
    expect(page.locator(".finding-group h2", has_text="warning")).to_have_count(0)
    page.go_back()
    expect(page.locator(".finding-group h2", has_text="warning").first).to_be_visible()


def test_the_licences_of_the_libraries_can_be_read(tab: Tab) -> None:
    page = tab.open("findings")
    page.get_by_role("link", name="Licences").click()
    expect(page.get_by_text("Libraries in the page of pldns, and their licences.")).to_be_visible()
    expect(page.get_by_text("preact")).to_be_visible()


def test_an_error_says_what_to_do(tab: Tab) -> None:
    page = tab.open("findings?network=nowhere")
    expect(page.get_by_role("alert")).to_contain_text("there is no network `nowhere`")
    expect(page.get_by_role("alert")).to_contain_text("Change the filter.")


def test_an_answer_is_explained_as_seen_from_each_network(tab: Tab) -> None:
    page = tab.open("explain")
    page.get_by_label("Name").fill("kv-contoso-shared.vault.azure.net")
    page.get_by_label("Client").fill("127.0.2.1")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page).to_have_url(f"{tab.base}ui/explain?name=kv-contoso-shared.vault.azure.net&client=127.0.2.1")
    expect(page.locator(".answer")).to_contain_text("10.2.2.5")
    expect(page.locator(".steps")).to_contain_text("the only claim that is visible here")
    expect(page.locator("tbody tr", has_text="spoke-app")).to_contain_text("10.1.2.11")
    page.get_by_role("link", name="spoke-app").click()
    expect(page.locator(".answer")).to_contain_text("10.1.2.11")


@pytest.mark.parametrize("name", ["x" * 64, ".".join(("x" * 63, "y" * 63, "z" * 63, "q" * 61)), "<b>x</b>", "a\u202eb"])
def test_any_text_may_be_a_name(tab: Tab, name: str) -> None:
    page = tab.open("explain")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator(".answer, .problem").first).to_be_visible()
    assert page.locator("main b", has_text="x").count() == 0 or "<" not in name
    assert "\u202e" not in page.locator("main").inner_text()


def test_the_keyboard_is_enough(tab: Tab) -> None:
    page = tab.open()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.get_by_role("link", name="Findings").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Findings")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_click_copies_a_command(tab: Tab) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = tab.open("findings?name=10.2.2.20")
    page.locator(".command button").first.click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("az graph query")


def test_status_and_findings_can_be_read_without_javascript(browser: Browser, daemon: Daemon) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", java_script=False)
    page = tab.open()
    expect(page.locator(".health")).to_contain_text("pldns")
    page.get_by_role("link", name="Findings").click()
    expect(page.locator("tbody tr", has_text="address-reused")).to_contain_text("10.2.2.20")
    tab.close()


def test_a_chosen_theme_stays(tab: Tab) -> None:
    page = tab.open()
    page.get_by_label("Theme").select_option("dark")
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_a_page_that_loses_the_daemon_says_so_and_goes_on(tab: Tab, daemon: Daemon) -> None:
    page = tab.open()
    banner = page.locator(".banner")
    expect(banner).to_have_count(0)
    daemon.kill()
    expect(banner).to_contain_text("pldns cannot be reached since", timeout=30_000)
    expect(page.locator(".facts").first).to_be_visible()
    daemon.start()
    expect(banner).to_have_count(0, timeout=90_000)
