"""The frame of the page: search across everything, the menu, the overview's links and charts, and tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live import example
from tests.live.browser import RULES, Tab
from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live

BROKEN_WORDS: Final = """() => [...document.querySelectorAll("td")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [];
  while (texts.nextNode()) {
    for (const {0: word, index} of texts.currentNode.data.matchAll(/[^\\s./:@_|-]{2,24}/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      if (range.getClientRects().length > 1) broken.push(word);
    }
  }
  return broken;
})"""
"""Words in tables that are on two lines."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with example.running(tmp_path_factory.mktemp("frame")) as started:
        yield started


def search(page: Page, text: str) -> None:
    """Open the search with its keys, and type a text. Waits for what pldns finds."""
    page.locator("body").press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill(text)
    expect(page.locator(".palette [role=status]")).not_to_contain_text("Searching")


@pytest.mark.parametrize(
    ("text", "hit", "leads_to"),
    [
        ("kv-contoso-shared.vault.azure.net", "explain the answer", "explain?name=kv-contoso-shared.vault.azure.net"),
        ("10.2.3.4", "whose client it is", "networks?client=10.2.3.4"),
        ("pe-stcontososhop-blob", "endpoint · vnet-shop-weu", "map?focus=endpoint%3A"),
        ("spoke-data", "network", "map?focus=network%3Aspoke-data"),
        ("privatelink.blob.core", "zone", "zones?zone=privatelink.blob.core.windows.net"),
        ("10.2.2.20", "finding · error", "findings?name=10.2.2.20&code=address-reused"),
        ("upstr", "view · System", "upstreams"),
    ],
)
def test_a_text_leads_to_what_it_names(tab: Tab, text: str, hit: str, leads_to: str) -> None:
    page = tab.open()
    search(page, text)
    page.get_by_role("option").filter(has_text=hit).first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.startswith(f"{tab.base}ui/{leads_to}")


def test_the_search_needs_no_pointer(tab: Tab) -> None:
    page = tab.open("sources")
    search(page, "stcontososhop")
    field = page.get_by_role("dialog").get_by_role("combobox")
    expect(field).to_be_focused()
    assert tab.violations(RULES) == []
    first, second = page.get_by_role("option").nth(0), page.get_by_role("option").nth(1)
    expect(first).to_have_attribute("aria-selected", "true")
    field.press("ArrowDown")
    expect(second).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "")
    field.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sources")
    search(page, "stcontososhop.blob.core.windows.net")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Explain")
    expect(page.locator(".answer")).to_contain_text("stcontososhop")


def test_a_text_that_nothing_has_says_so(tab: Tab) -> None:
    page = tab.open()
    search(page, "<b>nothing</b>")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing has this text.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_key_alone_opens_nothing(tab: Tab) -> None:
    page = tab.open("networks")
    page.locator("body").press("/")
    page.locator("body").press("k")
    page.get_by_role("searchbox").first.press("/")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("searchbox").first).to_have_value("/")


def test_the_tab_and_the_navigation_name_the_errors(tab: Tab) -> None:
    page = tab.open("findings")
    expect(page).to_have_title("Findings (2) · pldns")
    expect(page.get_by_role("navigation").get_by_role("link", name="Findings")).to_have_text("Findings2 errors")
    page.goto(f"{tab.base}ui/explain?name=www.example.com")
    expect(page).to_have_title("www.example.com · Explain · pldns")


def test_the_menu_of_a_narrow_screen(browser: Browser, daemon: Daemon) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", 360)
    page = tab.open()
    menu, link = page.get_by_role("button", name="Views"), page.get_by_role("link", name="Live queries")
    expect(link).to_be_hidden()
    menu.click()
    expect(link).to_be_visible()
    assert tab.violations(("target-size", "color-contrast")) == []
    link.press("Escape")
    expect(link).to_be_hidden()
    tab.close()


def test_the_overview_leads_to_what_is_to_do(tab: Tab) -> None:
    page = tab.open()
    to_do = page.get_by_role("region", name="What to do")
    expect(to_do.get_by_role("listitem")).to_have_count(5)
    expect(to_do).to_contain_text("have this address")
    to_do.get_by_role("link", name="10.2.2.20").click()
    expect(page.locator(".finding")).to_have_count(1)
    page.go_back()
    page.locator(".facts").get_by_role("link", name="Names").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zones")


def test_charts_begin_in_the_first_seconds_and_are_read_with_keys(tab: Tab) -> None:
    page = tab.open()
    chart = page.get_by_role("slider", name="Answers per second, the last hour", exact=True)
    expect(chart).to_have_attribute("aria-valuetext", re.compile("private .*, public "))
    chart.press("Home")
    expect(chart).to_have_attribute("aria-valuenow", "0")
    expect(page.locator(".cursor")).to_have_count(3)
    expect(page.locator(".scale").first).to_contain_text("0.5")


@pytest.mark.parametrize("view", ["zones", "zones?zone=privatelink.blob.core.windows.net", "networks?client=10.2.3.4"])
def test_words_in_tables_are_whole(tab: Tab, view: str) -> None:
    page = tab.open(view)
    expect(page.locator("td").first).to_be_visible()
    assert page.evaluate(BROKEN_WORDS) == []


def test_a_new_user_gets_the_next_step(browser: Browser, tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, {"sources": []}).start()
    try:
        until(lambda: daemon.get("/livez")[0] == 200)
        tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/")
        page = tab.open()
        expect(page.get_by_role("region", name="Tell pldns where your endpoints are")).to_contain_text("type: azure")
        assert tab.violations(RULES) == []
        tab.close()
    finally:
        daemon.stop()
