"""The page without a mouse: every control is reached and seen, dialogs give the focus back, and an action is done."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live import page_lab
from tests.live.browser import Tab
from tests.live.daemon import Daemon
from tests.live.page_lab import token

pytestmark = pytest.mark.live

VIEWS: Final = (
    "", "findings", "explain?name=kv-contoso-shared.vault.azure.net", "map", "registry", "networks?client=10.2.3.4",
    "zones", "queries", "history", "sources", "upstreams", "cache?name=www.example.com",
)  # fmt: skip
TABS: Final = 30
"""How often Tab is pressed on each view: past the navigation, and into the view."""
_WATCH: Final = """
() => {
  window.stops = [];
  addEventListener("focusin", ({ target }) => {
    if (target.matches("main")) return; // where the skip link leads
    const { width, height } = target.getBoundingClientRect();
    const isMarked = (each) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(each);
      return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    };
    const card = target.closest("div"); // of which the whole may be one link
    const name = target.getAttribute("aria-label") || target.innerText || target.id || target.tagName;
    const isSeen = width > 0 && height > 0 && (isMarked(target) || isMarked(card));
    window.stops.push([name.slice(0, 60), isSeen, Boolean(target.closest("main"))]);
  });
}
"""
_FOCUSED: Final = """
() => document.activeElement.getAttribute("aria-label") || document.activeElement.innerText
"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    made, client = page_lab.lab(tmp_path_factory.mktemp("keyboard"), "administrator")
    try:
        made.start()
        page_lab.fill(made, client)
        yield made
    finally:
        made.stop()
    assert "Traceback" not in (text := made.log.read_text()), text


@pytest.fixture
def tab(browser: Browser, daemon: Daemon) -> Iterator[Tab]:
    made = Tab(browser, f"http://127.0.0.1:{daemon.admin}/")
    made.sign_in(token("administrator"))
    yield made
    made.close()


def reach(page: Page, name: str) -> None:
    """Press Tab until the control with a name has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if str(page.evaluate(_FOCUSED)).startswith(name):
            return
    pytest.fail(f"Tab does not reach `{name}`")


@pytest.mark.parametrize("view", VIEWS)
def test_tab_reaches_the_view_and_each_stop_is_seen(tab: Tab, view: str) -> None:
    page = tab.open(view)
    page.evaluate(_WATCH)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    for _ in range(TABS // 2):
        page.keyboard.press("Tab")
    page.locator("body").evaluate("body => document.activeElement.blur()")
    for _ in range(TABS):
        page.keyboard.press("Tab")
    stops = page.evaluate("window.stops")
    assert [name for name, is_seen, _ in stops if not is_seen] == []
    assert any(in_view for *_, in_view in stops)


@pytest.mark.parametrize("title", ["Findings", "Map", "Live queries", "Cache"])
def test_a_new_view_takes_the_focus(tab: Tab, title: str) -> None:
    page = tab.open()
    page.get_by_role("navigation", name="Views").get_by_role("link", name=title).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_function("document.activeElement.matches('main, main h1')")
    tab.settled()  # before that, nothing in the view takes the focus
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")


@pytest.mark.parametrize(
    ("view", "opener"),
    [
        ("findings?state=open", "Acknowledge…"), ("cache?name=www.example.com", "Remove from the caches"),
        ("sources", "Accept"),
        ("registry?list=connections", "Reject"), ("registry?list=endpoints", "New private endpoint"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["Escape", "Cancel"])
def test_a_dialog_keeps_the_focus_and_gives_it_back(tab: Tab, view: str, opener: str, how: str) -> None:
    page = tab.open(view)
    reach(page, opener)
    name = page.locator(":focus").inner_text()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert page.evaluate("Boolean(document.activeElement.closest('dialog'))")
    if how == "Escape":
        page.keyboard.press("Escape")
    else:
        dialog.get_by_role("button", name="Cancel").press("Enter")
    expect(dialog).to_have_count(0)
    assert page.locator(":focus").inner_text() == name


def test_a_finding_is_acknowledged_with_the_keyboard(tab: Tab) -> None:
    page = tab.open("findings?state=open")
    subject = page.get_by_role("article").first.get_attribute("aria-label") or ""
    reach(page, "Acknowledge…")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_be_visible()
    if page.locator(":focus").evaluate("each => each.tagName") != "TEXTAREA":
        page.get_by_label("Why it may stay").focus()
    page.keyboard.type("known, until the move")
    reach(page, "Acknowledge")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the focus stays in the page"
    tab.go("findings?state=acknowledged")
    acknowledged = page.get_by_role("article").filter(has_text="known, until the move")
    expect(acknowledged).to_contain_text(subject[-20:])


def test_a_connection_is_approved_with_the_keyboard(tab: Tab) -> None:
    page = tab.open("registry")
    reach(page, "Approve")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Reason").press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the focus stays in the page"
