"""Signing in on the page: with a token, behind a reverse proxy too; and what each role is offered."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from resolver.admin.access.tokens import digest
from tests.live.browser import Tab, proxied
from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live

TOKENS = {"read": "pldns_reads", "operate": "pldns_operates"}
WAITS = {"name": "pe-waits", "target": "/subscriptions/s/x", "group": "blob", "state": "Pending"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("roles")
    (folder / "estate.yaml").write_text(f"endpoints: [{WAITS | {'records': []}}]")
    made = Daemon(folder, {"sources": [{"name": "estate", "type": "files", "path": "./estate.yaml"}]})
    tokens = [{"name": role, "role": role, "sha256": digest(token)} for role, token in TOKENS.items()]
    made.config["admin"]["tokens"] = tokens
    made.write()
    try:
        made.start()
        yield made
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.fixture(scope="module")
def base(daemon: Daemon) -> Iterator[str]:
    """The address of a proxy that serves pldns under a path."""
    until(lambda: daemon.unix("GET", "/readyz")[0] == 200)
    with proxied(daemon.admin, "/tools/pldns/") as address:
        yield address


@pytest.fixture
def tab(browser: Browser, base: str) -> Iterator[Tab]:
    made = Tab(browser, base)
    yield made
    made.close()


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_a_view_is_shown_after_signing_in(tab: Tab) -> None:
    page = tab.open("findings?severity=info")
    assert tab.violations() == []
    sign_in(page, "pldns_wrong")
    expect(page.get_by_role("alert")).to_contain_text("The token is wrong, revoked or expired.")
    sign_in(page, TOKENS["read"])
    expect(page).to_have_url(f"{tab.base}ui/findings?severity=info")
    expect(page.locator(".finding")).to_contain_text("waits for approval")
    cookies = tab.context.cookies()
    assert [(each["path"], each["httpOnly"], each["sameSite"]) for each in cookies] == [
        ("/tools/pldns", True, "Strict")
    ]
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == '[{},{},""]'


def test_a_role_is_offered_what_it_may_do(tab: Tab) -> None:
    page = tab.open("findings")
    sign_in(page, TOKENS["read"])
    expect(page.locator(".identity")).to_contain_text("token read")
    expect(page.locator(".finding")).to_have_count(1)
    expect(page.get_by_role("button", name="Acknowledge…")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, TOKENS["operate"])
    tab.open("findings")
    page.get_by_role("button", name="Acknowledge…").click()
    assert tab.violations() == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Acknowledge…").click()
    page.get_by_label("Why it may stay").fill("<b>known</b>")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".finding")).to_contain_text("<b>known</b>")
    page.get_by_role("button", name="Withdraw the acknowledgement").click()
    expect(page.get_by_role("button", name="Acknowledge…")).to_have_count(1)


def test_a_session_that_has_ended_asks_to_sign_in_again(tab: Tab, daemon: Daemon) -> None:
    page = tab.open("findings")
    sign_in(page, TOKENS["read"])
    expect(page.locator(".finding")).to_have_count(1)
    daemon.stop()
    daemon.start()
    expect(page.locator(".banner")).to_contain_text("You are signed out", timeout=90_000)
    page.get_by_role("link", name="Sign in again").click()
    sign_in(page, TOKENS["read"])
    expect(page.locator(".finding")).to_have_count(1)
