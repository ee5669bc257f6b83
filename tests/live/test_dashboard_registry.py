"""The registry on the page: decisions with a reason, a new endpoint, and what each role is offered."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from resolver.admin.access.tokens import digest
from tests.live.browser import Tab
from tests.live.daemon import Daemon, until
from tests.live.registry import RegistryClient, configuration, prepare
from tests.registry_shapes import CONSUMER, PROVIDER, SUBNET, account, endpoint, network

pytestmark = pytest.mark.live

TOKENS = {
    "owner": {"owner": [CONSUMER, PROVIDER]},
    "consumer": {"consumer": [CONSUMER]},
    "reader": {"reader": [CONSUMER, PROVIDER]},
}
"""Names of tokens, which are also their secrets with `pldns_` before, and their roles in the registry."""
HOSTILE = "<img src=x onerror=window.hacked=1>\u202e"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, RegistryClient]]:
    """A daemon with a storage account, and an endpoint that waits for the approval of its owner."""
    folder = tmp_path_factory.mktemp("registry")
    config, client = configuration(folder)
    daemon = Daemon(folder, config)
    daemon.config["admin"]["tokens"] = [
        {"name": name, "role": "read", "sha256": digest(f"pldns_{name}"), "registry": roles}
        for name, roles in TOKENS.items()
    ]
    daemon.write()
    try:
        daemon.start()
        until(lambda: daemon.unix("GET", "/readyz")[0] == 200)
        prepare(client)
        asked = endpoint(account(), "file", manual=True)
        asked["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]["requestMessage"] = HOSTILE
        client.put(network("waits"), asked)
        yield daemon, client
    finally:
        daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


@pytest.fixture
def tab(browser: Browser, lab: tuple[Daemon, RegistryClient]) -> Iterator[Tab]:
    made = Tab(browser, f"http://127.0.0.1:{lab[0].admin}/")
    yield made
    made.close()


def opened(tab: Tab, name: str, view: str = "registry") -> Page:
    """Show a view to the holder of a token."""
    page = tab.open(view)
    page.get_by_label("Token").fill(f"pldns_{name}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("main h1")
    tab.settled()
    return page


def test_who_may_not_decide_is_offered_no_decision(tab: Tab) -> None:
    page = opened(tab, "reader")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("main button", has_text="Approve")).to_have_count(0)
    expect(page.get_by_role("button", name="New private endpoint")).to_have_count(0)


def test_a_consumer_makes_an_endpoint_and_deletes_it(tab: Tab, lab: tuple[Daemon, RegistryClient]) -> None:
    page = opened(tab, "consumer", "registry?list=endpoints")
    page.get_by_role("button", name="New private endpoint").click()
    assert tab.violations() == []
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("mine")
    form.get_by_label("Subnet").select_option(SUBNET)
    form.get_by_label("Target: a resource").fill(account())
    form.get_by_label("Sub-resource").fill("table")
    form.get_by_label("Static address").fill("10.9.9.9")
    form.get_by_role("button", name="Create").click()
    expect(form.locator(".field", has_text="Static address").get_by_role("alert")).to_contain_text("10.9.9.9")
    form.get_by_label("Static address").fill("")
    form.get_by_role("button", name="Preview").click()
    preview = form.get_by_label("What would change")
    expect(preview).to_contain_text("mine rg would be Pending, with the address 10.1.0.")
    assert tab.violations() == []
    form.get_by_role("button", name="Create").click()
    row = page.locator("tbody tr", has_text="mine")
    expect(row).to_contain_text("Pending")
    expect(row).to_contain_text("10.1.0.")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


@pytest.mark.parametrize("view", ["registry", "registry?list=connections", "registry?list=endpoints&state=Pending"])
def test_everybody_can_use_the_lists(tab: Tab, view: str) -> None:
    page = opened(tab, "owner", view)
    assert tab.violations() == []
    assert page.locator("main img").count() == 0
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_an_owner_approves_with_a_reason(tab: Tab, lab: tuple[Daemon, RegistryClient]) -> None:
    daemon, client = lab
    name = "acct.file.core.windows.net"
    page = opened(tab, "owner")
    expect(page.locator("tbody tr")).to_contain_text("<img src=x onerror=window.hacked=1>\\u202E")
    page.get_by_role("button", name="Approve").click()
    effect = page.get_by_role("dialog").get_by_label("What would change")
    expect(effect).to_contain_text("acct.privatelink.file.core.windows.net")
    assert tab.violations() == []
    page.get_by_label("Reason").fill("agreed on Monday")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.locator("main")).to_contain_text("No connection waits for approval.")
    until(lambda: daemon.addresses(name))
    page.get_by_role("link", name="Connections").click()
    expect(page.locator("tbody tr")).to_contain_text("agreed on Monday")
    assert "agreed on Monday" in str(client.get(network("waits")))
