"""Signing in with an OpenID provider in a real browser, behind a reverse proxy that serves pldns under a path.

The provider has another host, so for the browser it is another site. What else must not let anybody in is in
`tests/resolver/dashboard/test_provider_sign_in.py`.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live.browser import Tab, proxied
from tests.live.daemon import Daemon, until
from tests.openid import CLIENT, OpenIdProvider, running

pytestmark = pytest.mark.live

WAITS = {"name": "pe-waits", "target": "/subscriptions/s/x", "group": "blob", "state": "Pending", "records": []}
PREFIX = "/tools/pldns/"
BUTTON = "Sign in with localhost"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, provider: OpenIdProvider) -> Iterator[str]:
    """The address of a proxy in front of a daemon, as the browser has it."""
    folder = tmp_path_factory.mktemp("sign-in")
    (folder / "estate.yaml").write_text(f"endpoints: [{WAITS}]")
    (folder / "secret").write_text("geheim\n")
    made = Daemon(folder, {"sources": [{"name": "estate", "type": "files", "path": "./estate.yaml"}]})
    made.config["admin"]["oidc"] = {
        "issuer": provider.issuer, "audience": ["api://pldns"], "client_id": CLIENT,
        "client_secret": {"file": "./secret"}, "roles": {"Pldns.Read": "read", "Pldns.Operate": "operate"},
    }  # fmt: skip
    made.write()
    provider.secret = "geheim"  # noqa: S105 - that of the test
    try:
        made.start()
        until(lambda: made.unix("GET", "/readyz")[0] == 200)
        with proxied(made.admin, PREFIX) as address:
            provider.redirects = {f"{address}ui/sign-in/callback"}
            yield address
    finally:
        made.stop()
    assert "Traceback" not in made.log.read_text()


@pytest.fixture
def tab(browser: Browser, base: str, provider: OpenIdProvider) -> Iterator[Tab]:
    provider.works()
    made = Tab(browser, base, others=(provider.issuer,))
    yield made
    made.close()


def sign_in(page: Page) -> None:
    page.get_by_role("link", name=BUTTON).click()
    page.get_by_role("link", name="Continue as ada").click()


def test_a_person_signs_in_with_an_account_and_sees_the_view_that_was_asked_for(tab: Tab) -> None:
    page = tab.open("findings?severity=info")
    assert tab.violations() == []
    sign_in(page)
    expect(page).to_have_url(f"{tab.base}ui/findings?severity=info")
    expect(page.locator(".finding")).to_contain_text("waits for approval")
    expect(page.locator(".identity")).to_contain_text("ada@corp.example")
    cookies = [(each["name"], each["path"], each["httpOnly"], each["sameSite"]) for each in tab.context.cookies()]
    assert cookies == [("pldns_session", "/tools/pldns", True, "Strict")]
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == '[{},{},""]'
    page.reload()
    expect(page.locator(".finding")).to_have_count(1)


@pytest.mark.parametrize(("role", "offered"), [("Pldns.Read", 0), ("Pldns.Operate", 1)])
def test_an_app_role_says_what_is_offered(tab: Tab, provider: OpenIdProvider, role: str, offered: int) -> None:
    provider.roles = [role]
    page = tab.open("findings")
    sign_in(page)
    expect(page.locator(".finding")).to_have_count(1)
    expect(page.get_by_role("button", name="Acknowledge…")).to_have_count(offered)


def test_somebody_without_a_role_is_told_so_and_may_use_another_account(tab: Tab, provider: OpenIdProvider) -> None:
    provider.roles = []
    page = tab.open("findings")
    sign_in(page)
    expect(page.get_by_role("alert")).to_contain_text("your account has no role in pldns")
    assert tab.violations() == []
    assert tab.context.cookies() == []
    provider.roles = ["Pldns.Read"]
    page.get_by_role("link", name="Use another account").click()
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    page.get_by_role("link", name="Continue as ada").click()
    expect(page).to_have_url(f"{tab.base}ui/findings")
    expect(page.locator(".finding")).to_have_count(1)


FAULTS: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({"refusal": {"error": "access_denied", "error_description": "AADSTS50105: x"}}, "localhost did not let you in"),
    ({"refusal": {"error": "interaction_required"}}, "wants something from you first"),
    ({"claims_changed": {"aud": "other"}}, "a token for another application"),
    ({"claims_changed": {"exp": 1}}, "had expired when it came"),
    ({"claims_changed": {"nbf": 1 << 40}}, "differ by more than a minute"),
    ({"token_error": {"error": "invalid_client"}}, "does not accept pldns as an application"),
    ({"status": 503}, "cannot reach localhost"),
)
"""What the provider does, and what the page says."""


def test_each_fault_is_said_in_words_beside_the_way_to_sign_in_again(tab: Tab, provider: OpenIdProvider) -> None:
    page = tab.open("findings")
    for fault, said in FAULTS:
        page.get_by_role("link", name=BUTTON).click()
        for name, value in fault.items():
            setattr(provider, name, value)
        page.get_by_role("link", name="Continue as ada").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
        assert tab.context.cookies() == []
        provider.works()
    sign_in(page)
    expect(page).to_have_url(f"{tab.base}ui/findings")


def test_the_address_of_a_sign_in_works_once_and_in_one_browser(tab: Tab, browser: Browser) -> None:
    page = tab.open()
    page.get_by_role("link", name=BUTTON).click()
    with page.expect_request(lambda request: "/callback?" in request.url) as found:
        page.get_by_role("link", name="Continue as ada").click()
    expect(page.locator(".identity")).to_contain_text("ada@corp.example")
    used = found.value.url
    page.goto(used)
    expect(page.get_by_role("alert")).to_contain_text("This sign-in was finished before.")
    page.go_back()
    expect(page).not_to_have_url(used)
    other = Tab(browser, tab.base)
    other.page.goto(used)
    expect(other.page.get_by_role("alert")).to_be_visible()
    assert other.context.cookies() == []
    other.close()


def test_signing_out_says_that_the_provider_may_still_know_the_person(tab: Tab) -> None:
    page = tab.open("findings")
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out of pldns.")
    tab.open("findings")
    expect(page.get_by_role("link", name=BUTTON)).to_be_visible()


def test_a_person_signs_in_without_javascript(browser: Browser, base: str, provider: OpenIdProvider) -> None:
    provider.works()
    tab = Tab(browser, base, java_script=False, others=(provider.issuer,))
    page = tab.open("findings")
    sign_in(page)
    expect(page).to_have_url(f"{base}ui/findings")
    expect(page.locator("tbody tr")).to_contain_text("waits for approval")
    tab.close()
