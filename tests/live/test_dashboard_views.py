"""What people do in the views of the page: sources, queries, history, networks, zones, upstream servers, cache."""

import re
from collections.abc import Iterator

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from resolver.admin.access.tokens import digest
from tests.live import example
from tests.live.browser import Tab
from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live

ROLES = ("read", "operate")
"""Names of tokens, which are also their roles, and their secrets with `pldns_` before."""
COUNT = 8
"""Endpoints of the source `lab`."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The example estate, a source `lab`, and a token for each role."""
    folder = tmp_path_factory.mktemp("views")
    config = example.copy(folder)
    (folder / "lab").mkdir()
    lab = {"name": "lab", "type": "files", "path": "./lab"}
    made = Daemon(folder, config | {"sources": [*config["sources"], lab]})
    made.config["admin"]["tokens"] = [{"name": role, "role": role, "sha256": digest(f"pldns_{role}")} for role in ROLES]
    made.write()
    write(made, range(COUNT))
    try:
        made.start()
        until(lambda: made.unix("GET", "/readyz")[0] == 200)
        yield made
    finally:
        made.stop()
    assert "Traceback" not in (text := made.log.read_text()), text


def write(daemon: Daemon, numbers: range, file: str = "all", network: str = "10.0.8") -> None:
    """Write a file of the source `lab`. `network`: the first three octets of all addresses."""
    path = daemon.directory / "lab" / f"{file}.yaml"
    endpoints = [lab_endpoint(each, network) for each in numbers]
    path.with_suffix(".new").write_text(yaml.safe_dump({"endpoints": endpoints}))
    path.with_suffix(".new").rename(path)


def lab_endpoint(number: int, network: str = "10.0.8") -> dict[str, object]:
    target = f"/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/lab{number}"
    records = [{"fqdn": f"lab{number}.blob.core.windows.net", "ips": [f"{network}.{number + 10}"]}]
    return {"name": f"pe-lab{number}", "target": target, "group": "blob", "state": "Approved", "records": records}


def opened(tab: Tab, role: str, view: str) -> Page:
    """Show a view to a person with a role."""
    page = tab.open(view)
    page.get_by_label("Token").fill(f"pldns_{role}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("main h1")
    tab.settled()
    return page


def test_a_held_sync_is_shown_as_names_and_dropped_or_accepted(browser: Browser, tab: Tab, daemon: Daemon) -> None:
    page = opened(tab, "operate", "sources")
    page.get_by_role("button", name="Sync now: lab").click()
    expect(page.locator(".toasts")).to_contain_text("Synced.")
    write(daemon, range(0))
    held = page.get_by_label("Held sync of lab")
    expect(held).to_contain_text("It would remove all 8 private endpoints (100%)", timeout=30_000)
    expect(held).to_contain_text("lab3.blob.core.windows.net 10.0.8.13 → no private answer")
    assert tab.violations() == []
    held.get_by_role("button", name="Drop").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    expect(held).to_have_count(0)
    assert daemon.addresses("lab3.blob.core.windows.net") == {"10.0.8.13"}
    write(daemon, range(1))
    expect(held).to_be_visible(timeout=30_000)
    reader = Tab(browser, tab.base)
    expect(opened(reader, "read", "sources").get_by_label("Held sync of lab")).to_be_visible()
    expect(reader.page.locator("main button", has_text="Sync now")).to_have_count(0)
    expect(reader.page.locator("main button", has_text="Accept")).to_have_count(0)
    reader.close()
    held.get_by_role("button", name="Accept").click()
    page.get_by_role("dialog").get_by_role("button", name="Accept").click()
    expect(held).to_have_count(0)
    until(lambda: daemon.addresses("lab3.blob.core.windows.net") == set())


def test_queries_are_shown_as_they_are_answered_until_a_pause(tab: Tab, daemon: Daemon) -> None:
    page = opened(tab, "read", "queries?rcode=NOERROR")
    page.get_by_label("Name, and names below it").fill("vault.azure.net")
    expect(page).to_have_url(f"{tab.base}ui/queries?rcode=NOERROR&name=vault.azure.net")
    rows = page.locator("tbody tr")

    def asked() -> bool:
        daemon.ask("kv-contoso-shared.vault.azure.net")
        daemon.ask("lab0.blob.core.windows.net")
        return rows.count() > 0

    until(asked)
    expect(rows.first).to_contain_text("kv-contoso-shared.vault.azure.net")
    expect(rows.first).to_contain_text("127.0.0.0/24")
    expect(page.locator("tbody tr", has_text="lab0")).to_have_count(0)
    assert tab.violations() == []
    expect(rows.first).to_contain_text("10.1.2.11")
    expect(rows.first).to_contain_text("private endpoint")
    expect(page.locator("main")).to_contain_text("The role operate sees addresses.")
    page.get_by_role("button", name="Pause").click()
    shown = rows.count()
    daemon.ask("kv-contoso-shared.vault.azure.net")
    expect(page.locator("main")).to_contain_text("1 query since")
    assert rows.count() == shown
    page.get_by_role("button", name="Go on").click()
    expect(rows).to_have_count(shown + 1)
    page.get_by_role("button", name="Clear").click()
    expect(rows).to_have_count(0)
    page.get_by_label("Answered from").select_option("private endpoint")
    daemon.ask("files.corp.example")
    until(asked)
    rows.first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/ui/explain\?name=kv-contoso-shared\.vault\.azure\.net&type=A&client=hub$"))


def test_the_history_of_a_name_is_a_timeline(tab: Tab, daemon: Daemon) -> None:
    name = "lab20.blob.core.windows.net"
    write(daemon, range(20, 21), "moves")
    until(lambda: daemon.addresses(name) == {"10.0.8.30"})
    page = opened(tab, "read", f"history?kind=name&name={name}")
    expect(page.locator(".timeline > li")).to_have_count(1)
    expect(page.locator("main h2")).to_contain_text("Today")
    write(daemon, range(20, 21), "moves", "10.0.7")
    changed = page.locator(".timeline > li").first
    expect(changed).to_contain_text("changed", timeout=60_000)
    expect(changed).to_contain_text("The same endpoint has another address.")
    expect(changed.locator(".gone")).to_contain_text("10.0.8.30")
    expect(changed.locator(".new")).to_contain_text("10.0.7.30")
    assert tab.violations() == []


def test_upstream_servers_are_shown_with_their_health(tab: Tab, daemon: Daemon) -> None:
    page = opened(tab, "read", "upstreams?name=public")
    rows = page.get_by_label("Upstream servers", exact=True).locator("tbody tr")
    expect(rows.first).to_contain_text("127.0.0.1:9")

    def is_down() -> bool:
        daemon.ask("www.example.net")
        return "Connection refused" in rows.first.inner_text()

    until(is_down)
    expect(rows.first).to_contain_text("down")
    expect(page.get_by_role("alert")).to_contain_text("No server of the group public answers")
    page.get_by_text("What each worker knows").click()
    expect(page.get_by_label("Upstream servers by worker").locator("tbody tr")).to_have_count(1)
    assert tab.violations() == []
    page.get_by_label("Group or server").fill("nobody")
    expect(page.locator("main")).to_contain_text("nobody")


def test_an_address_shows_whose_client_it_is_and_what_it_sees(tab: Tab) -> None:
    page = opened(tab, "read", "networks")
    expect(page.locator("tbody tr", has_text="on-premises")).to_contain_text("192.168.0.0/16")
    page.get_by_label("Whose client is this address?").fill("10.2.3.4")
    client = page.get_by_role("region", name="The client")
    expect(client).to_contain_text("10.2.3.4 is a client of spoke-data, by its prefix 10.2.0.0/16.")
    expect(client.locator("tbody tr", has_text="kv-contoso-shared.vault.azure.net")).to_contain_text("10.2.2.5")
    assert tab.violations() == []
    expect(client.get_by_label("Names with another answer elsewhere")).to_contain_text("10.1.2.11")
    page.get_by_label("Whose client is this address?").fill("203.0.113.1")
    expect(client).to_contain_text("203.0.113.1 is the client of no network.")
    page.get_by_label("Whose client is this address?").fill("")
    page.get_by_role("link", name="spoke-app").click()
    expect(page).to_have_url(f"{tab.base}ui/networks?network=spoke-app")
    expect(page.get_by_label("Endpoints that the client sees").locator("tbody tr").first).to_be_visible()
    assert tab.violations() == []


def test_zones_lead_to_their_records(tab: Tab) -> None:
    page = opened(tab, "read", "zones")
    page.get_by_label("Names come from").select_option("zone file")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Names come from").select_option("everywhere")
    page.get_by_label("Part of a zone, or a name in it").fill("kv-contoso-shared.privatelink.vaultcore.azure.net")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="privatelink.vaultcore.azure.net").click()
    row = page.locator("tbody tr", has_text="kv-contoso-shared.vault.azure.net")
    expect(row).to_contain_text("10.2.2.5")
    expect(row).to_contain_text("10.1.2.11")
    assert tab.violations() == []
    expect(row).to_contain_text("differs by network")
    page.get_by_label("Part of a name").fill("platform")
    expect(row).to_have_count(0)
    expect(page.locator("tbody tr")).to_have_count(1)


def test_the_cache_is_flushed_by_who_may(browser: Browser, tab: Tab, daemon: Daemon) -> None:
    view = "cache?name=www.example.com"
    daemon.ask("www.example.com")
    page = opened(tab, "operate", view)
    expect(page.get_by_label("What the workers keep for the name").locator("tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Remove from the caches").click()
    assert tab.violations() == []
    page.get_by_role("dialog").get_by_label("Also all names below it").check()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".toasts")).to_contain_text("Removed")
    page.get_by_role("button", name="Remove all upstream replies").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Caches of the workers").locator("tbody tr").first).to_contain_text("octets")
    reader = Tab(browser, tab.base)
    expect(opened(reader, "read", view).get_by_role("button", name="Remove")).to_have_count(0)
    reader.close()
