"""The map in a real browser: what is drawn, what a click and the keyboard do, and what is saved as a picture."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.live import example
from tests.live.browser import Tab
from tests.live.daemon import Daemon

pytestmark = pytest.mark.live

HOSTILE = "<img src=x onerror=window.hacked=1>\u202e" + "x" * 200
CROSSED = """() => {
  const bodies = [...document.querySelectorAll(".stage .node.vnet > .body, .stage .node.network:not(.tab) > .body")];
  const boxes = bodies.map((each) => each.getBoundingClientRect());
  const matrix = document.querySelector(".stage svg > g").getScreenCTM();
  return [...document.querySelectorAll(".stage .wire")].filter((wire) => {
    for (let at = 0; at <= wire.getTotalLength(); at += 4) {
      const { x, y } = wire.getPointAtLength(at).matrixTransform(matrix);
      if (boxes.some((box) => x > box.left + 2 && x < box.right - 2 && y > box.top + 2 && y < box.bottom - 2))
        return true;
    }
    return false;
  }).length;
}"""
"""Returns the number of lines that cross a box."""
OUTSIDE = """() => {
  const stage = document.querySelector(".stage").getBoundingClientRect();
  return [...document.querySelectorAll(".stage .node > .body, .stage .wire")].filter((each) => {
    const { left, right, top, bottom } = each.getBoundingClientRect();
    return left < stage.left || right > stage.right || top < stage.top || bottom > stage.bottom;
  }).length;
}"""
"""Returns the number of boxes and lines that are not all on the stage."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The example estate, with one hostile endpoint more."""
    folder = tmp_path_factory.mktemp("map")
    config = example.copy(folder)
    add(folder, "hostile", HOSTILE, "Rejected")
    made = Daemon(folder, config)
    try:
        yield made.start().ready()
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.fixture
def tab(browser: Browser, daemon: Daemon) -> Iterator[Tab]:
    made = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", 1920)
    yield made
    made.close()


def add(folder: Path, file: str, name: str, state: str = "Approved") -> None:
    """Add an endpoint to the estate."""
    records = [{"fqdn": f"{file}.blob.core.windows.net", "ips": ["10.0.9.9"]}]
    target = f"/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/{name.replace('/', '')}"
    endpoint = {"name": name, "target": target, "group": "blob", "state": state, "records": records}
    (folder / "endpoints" / f"{file}.yaml").write_text(yaml.safe_dump({"endpoints": [endpoint]}, allow_unicode=True))


def drawn(tab: Tab, query: str = "") -> Page:
    """Open the map, and wait until it is drawn."""
    page = tab.open(f"map{query}")
    page.wait_for_selector(".stage .node")
    return page


def transform(page: Page) -> Any:  # noqa: ANN401 - any attribute
    return page.locator(".stage svg > g").get_attribute("transform")


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_no_line_crosses_a_box_and_all_of_the_map_is_visible(browser: Browser, daemon: Daemon, width: int) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", width)
    page = drawn(tab)
    assert page.locator(".stage .wire.peering").count() == 2
    assert page.evaluate(CROSSED) == 0
    assert page.evaluate(OUTSIDE) == 0
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Larger").click()
    assert page.evaluate(OUTSIDE) > 0
    page.get_by_role("button", name="Fit").click()
    assert page.evaluate(OUTSIDE) == 0
    tab.close()


def test_every_endpoint_is_named_and_services_are_closed_and_opened(tab: Tab) -> None:
    page = drawn(tab)
    endpoints = page.locator(".stage .node.endpoint")
    assert endpoints.count() == 47
    assert endpoints.filter(has_text="rejected").first.locator(".glyph.dead").count() == 1
    page.locator("[data-toggle$='|vault']").first.click()
    expect(page).to_have_url(re.compile("closed=service"))
    expect(endpoints).not_to_have_count(47)
    page.get_by_role("button", name="Close all").click()
    expect(endpoints).to_have_count(0)
    for service in ("sites", "blob"):
        page.locator(f".node.service[data-id$='|{service}']").first.click()
    expect(endpoints.filter(has_text="pe-app-contoso-reports")).to_have_count(1)
    expect(page).to_have_url(re.compile("open=service.*open=service"))
    page.get_by_role("button", name="Open all").click()
    expect(endpoints).to_have_count(47)


def test_a_click_on_a_network_shows_what_its_clients_see(tab: Tab) -> None:
    page = drawn(tab)
    page.locator("[data-id='network:spoke-data']").click()
    expect(page).to_have_url(f"{tab.base}ui/map?focus=network%3Aspoke-data")
    expect(page.locator(".node.vnet.hidden")).to_contain_text("vnet-shop-weu")
    expect(page.locator(".node.vnet.visible")).to_have_count(2)
    panel = page.locator(".panel")
    expect(panel.locator(".seen-by")).to_contain_text("24 endpoints in 2 VNets")
    expect(panel).to_contain_text("here: 10.2.2.5")
    expect(panel).to_contain_text("spoke-app: 10.1.2.11")
    contested = panel.locator("li", has_text="api.privatelink.monitor.azure.com").first
    expect(contested).to_contain_text("10.0.2.16 of pe-ampls-platform")
    contested.get_by_role("link", name="on the map").click()
    expect(page.locator(".node.endpoint.focus")).to_contain_text("pe-ampls-pl")
    page.locator(".node.endpoint.focus").click()
    expect(page).to_have_url(f"{tab.base}ui/map")


def test_what_needs_attention_leads_to_the_map(tab: Tab) -> None:
    page = drawn(tab)
    first = page.locator(".urgent li").first
    expect(first).to_contain_text("error")
    name = first.get_by_role("link").inner_text()
    first.get_by_role("link").click()
    expect(page.locator(".panel h2")).to_have_text(name)
    expect(page.locator(".node.endpoint.focus")).to_have_count(1)
    expect(page.locator(".map-findings .badge").first).to_contain_text("error")


def test_the_search_is_used_with_the_keyboard(tab: Tab) -> None:
    page = drawn(tab)
    page.get_by_role("combobox", name="Find").fill("contoso")
    options = page.locator("#map-hits").get_by_role("option")
    expect(options.first).to_contain_text("endpoint")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    name = options.nth(1).locator("bdi").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".panel h2")).to_have_text(name)
    expect(options).to_have_count(0)
    expect(page.locator(".node.endpoint.focus")).to_be_in_viewport()


def test_the_panel_leads_from_an_endpoint_to_everything_about_it(tab: Tab) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = drawn(tab)
    page.get_by_role("combobox", name="Find").fill("10.2.2.20")
    page.locator("#map-hits").get_by_role("option").first.click()
    panel = page.locator(".panel")
    expect(panel).to_contain_text("address-reused")
    for fact in ("Names", "State", "Target", "NIC", "Subnet", "Source", "Visible to"):
        expect(panel).to_contain_text(fact)
    panel.get_by_role("button", name="10.2.2.20").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == "10.2.2.20"
    panel.get_by_role("link", name="Explain for spoke-data").first.click()
    expect(page.locator(".answer")).to_contain_text("10.2.2.20")
    page.go_back()
    expect(panel).to_contain_text("address-reused")
    panel.get_by_role("link", name="History").first.click()
    expect(page).to_have_url(re.compile(r"/ui/history\?name="))


def test_the_drawing_is_used_with_the_keyboard(tab: Tab) -> None:
    page = drawn(tab)
    stage, said = page.get_by_role("application"), page.locator(".map-stage [role=status]")
    stage.focus()
    assert page.locator(".ring").evaluate("ring => getComputedStyle(ring).stroke") != "none"
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("VNet vnet-hub-weu")
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("service AzureBackup")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("endpoint pe-rsv-contoso")
    page.keyboard.press("Enter")
    expect(page.locator(".panel h2")).to_have_text("pe-rsv-contoso")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    expect(said).to_contain_text("closed")
    page.keyboard.press("Escape")
    expect(page.locator(".panel h2")).to_have_text("Needs attention")
    before = transform(page)
    page.keyboard.press("+")
    expect(page.locator(".stage svg > g")).not_to_have_attribute("transform", before)
    page.keyboard.press("0")
    expect(page.locator(".stage svg > g")).to_have_attribute("transform", before)
    assert tab.violations() == []


def test_the_list_beside_the_map_has_the_same(tab: Tab) -> None:
    page = drawn(tab)
    page.get_by_text("The same as a list").click()
    ids = page.locator(".stage [data-id]").evaluate_all("nodes => new Set(nodes.map(n => n.dataset.id)).size")
    assert page.locator(".map-tree a").count() == ids
    page.locator(".map-tree").get_by_role("link", name="sqlServer").first.press("Enter")
    expect(page.locator(".node.service.focus")).to_contain_text("sqlServer")


def test_the_map_follows_the_estate_and_stays_where_it_is(tab: Tab, daemon: Daemon) -> None:
    page = drawn(tab)
    page.locator("[data-id='network:spoke-data']").click()
    page.locator("[data-toggle$='|vault']").first.click()
    page.get_by_role("button", name="Larger").click()
    hub = page.locator(".node.vnet", has_text="vnet-hub-weu").locator(".body")
    before, address = hub.bounding_box(), page.url
    add(daemon.directory, "later", "pe-later")
    try:
        expect(page.locator(".node.endpoint", has_text="pe-later")).to_have_count(1, timeout=30_000)
    finally:
        (daemon.directory / "endpoints" / "later.yaml").unlink()
    assert page.url == address
    assert before is not None
    assert hub.bounding_box() == pytest.approx(before)


def test_hostile_names_are_text(tab: Tab) -> None:
    page = tab.open("map?focus=endpoint:hostile")
    expect(page.locator(".problem")).to_contain_text("the estate has no endpoint `hostile`")
    page.get_by_role("combobox", name="Find").fill("onerror")
    page.locator("#map-hits").get_by_role("option").first.click()
    expect(page.locator(".panel h2")).to_contain_text("<img src=x onerror=window.hacked=1>\\u202Exxx")
    expect(page.locator(".node.endpoint.focus")).to_contain_text("rejected")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save SVG").click()
    assert "<img" not in saved.value.path().read_text()
    assert page.evaluate("window.hacked") is None


def test_a_picture_has_a_title_and_light_colours_also_in_the_dark(browser: Browser, daemon: Daemon) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{daemon.admin}/", 360, "dark")
    page = drawn(tab)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save SVG").click()
    picture = saved.value.path().read_text()
    assert saved.value.suggested_filename.startswith("estate-20")
    assert picture.startswith("<svg ")
    assert "endpoints in 3 VNets, 4 networks" in picture
    assert "pe-kv-contoso-shared" in picture  # a name of a row, although the stage is too small for rows
    assert 'fill="rgb(255, 255, 255)"' in picture
    assert "class=" not in picture
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save PNG").click()
    content = saved.value.path().read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20]) > 1000
    tab.close()
