"""Errors of pldns on the page: each says what to do, and nothing that was shown is lost."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from resolver.admin.access.problems import Code
from tests.live import page_lab
from tests.live.browser import Tab
from tests.live.daemon import Daemon
from tests.live.page_lab import HELD, ROLES, token
from tests.paths import ROOT

pytestmark = pytest.mark.live

STATES: Final = ROOT / "page" / "src" / "components" / "states.tsx"
FOR_PROGRAMS: Final = {
    "user-refused", "unknown-pin", "unknown-token", "name-taken", "no-claim", "configured", "not-json",
    "configuration-refused", "not-ready", "no-supervisor",
}  # fmt: skip
"""Errors that no request of the page can get."""
STATUSES: Final = (
    (403, "role-too-low", "Ask somebody with that role"),
    (409, "limit-reached", "Withdraw acknowledgements"),
    (412, "changed", "Read it again"),
    (413, "", "Write less."),
    (429, "", "Try again in 7 seconds."),
    (503, "state-unwritable", "Make room in the state directory"),
    (503, "", "Try again in 7 seconds."),
    (502, "html", "the answer is not of pldns (HTTP status 502)"),
)
"""Status and code of an error, and what the page says about it."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    made, client = page_lab.lab(tmp_path_factory.mktemp("errors"), *ROLES)
    try:
        made.start()
        page_lab.fill(made, client)
        yield made
    finally:
        made.stop()
    assert "Traceback" not in (text := made.log.read_text()), text


def opened(tab: Tab, role: str, view: str) -> Page:
    tab.sign_in(token(role))
    return tab.open(view)


def acknowledge(page: Page) -> None:
    """Try to acknowledge a finding."""
    page.get_by_role("main").get_by_role("button", name="Acknowledge…").first.click()
    page.get_by_label("Why it may stay").fill("known")
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()


def test_a_change_without_a_session_leads_to_the_form_and_back(tab: Tab) -> None:
    page = opened(tab, "operator", "findings?severity=error")
    tab.context.clear_cookies()
    acknowledge(page)
    problem = page.get_by_role("dialog").get_by_role("alert")
    expect(problem).to_contain_text("Your session has ended")
    problem.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Token").fill(token("operator"))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{tab.base}ui/findings?severity=error")
    expect(page.get_by_role("article").first).to_be_visible()


def test_every_error_of_the_interface_has_words_on_the_page() -> None:
    known = set(re.findall(r'^  "?([a-z-]+)"?: "', STATES.read_text(), re.MULTILINE))
    assert {each.code for each in Code} - known == FOR_PROGRAMS


@pytest.mark.parametrize("view", ["zones", "sources", "map"])
def test_reading_without_a_session_leads_to_the_form_and_back(tab: Tab, view: str) -> None:
    page = opened(tab, "reader", "findings")
    tab.context.clear_cookies()
    tab.go(view)
    expect(page.get_by_role("main").get_by_role("link", name="Sign in again").first).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="You are signed out")).to_be_visible()


def test_who_may_only_use_the_registry_is_led_there(tab: Tab) -> None:
    page = opened(tab, "owner", "findings")
    expect(page.get_by_role("main")).to_contain_text("This view needs the role read")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("navigation", name="Views").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("main").get_by_role("link", name="Show the registry").click()
    expect(page.get_by_role("row").filter(has_text="waits")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(("status", "code", "advice"), STATUSES)
def test_each_error_says_what_to_do(tab: Tab, status: int, code: str, advice: str) -> None:
    def refuse(route: Route) -> None:
        if code == "html":
            route.fulfill(status=status, body="<b>Bad gateway</b>", content_type="text/html")
            return
        kind = f"urn:pldns:problem:{code}" if code else "about:blank"
        body = {"type": kind, "title": "No", "detail": "pldns says why", "status": status}
        route.fulfill(status=status, json=body, headers={"Retry-After": "7"})

    page = opened(tab, "operator", "findings")
    page.route("**/acknowledge", refuse)
    acknowledge(page)
    problem = page.get_by_role("dialog").get_by_role("alert")
    expect(problem).to_contain_text(advice)
    expect(problem.locator("b")).to_have_count(0)
    expect(page.get_by_label("Why it may stay")).to_have_value("known")
    expect(page.get_by_role("dialog").get_by_role("button", name="Acknowledge")).to_be_enabled()


def test_a_held_sync_that_somebody_else_has_decided_says_so(tab: Tab, daemon: Daemon) -> None:
    page_lab.hold(daemon)
    page = opened(tab, "operator", "sources")
    page.get_by_role("button", name="Accept").click()
    assert daemon.post(f"/v1/sources/{HELD}/sync", {"action": "drop"}) == 202
    page.get_by_role("dialog").get_by_role("button", name="Accept").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("has no held sync to accept")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Somebody else has decided")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("zones?zone=nosuch.example", "nosuch.example"), ("zones?network=nowhere", "nowhere"),
        ("map?focus=endpoint:nothing", "nothing"), ("networks?client=nonsense", "nonsense"),
        ("explain?name=a..b", "a..b"), ("findings?cursor=nonsense", "cursor"), ("findings?severity=bad", "bad"),
        ("history?since=never", "since"), ("cache?name=a..b", "a..b"), ("upstreams?state=bad", "bad"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named_with_what_to_do(tab: Tab, view: str, said: str) -> None:
    page = opened(tab, "reader", view)
    expect(page.get_by_role("main")).to_contain_text(said)
    assert page.get_by_role("alert").locator("p").count() != 1, "an error without what to do about it"
