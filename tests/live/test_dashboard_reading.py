"""What people read on the page: findings with what to do about them, and explanations with links to each object."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.live import example
from tests.live.browser import RULES, Tab
from tests.live.daemon import Daemon

pytestmark = pytest.mark.live

NAME: Final = "kv-contoso-shared.vault.azure.net"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with example.running(tmp_path_factory.mktemp("reading")) as started:
        yield started


def test_severities_are_toggles_with_counts_and_carry_the_address(tab: Tab) -> None:
    page = tab.open("findings")
    group = page.get_by_role("group", name="Severity")
    error, info = group.get_by_role("button", name="error"), group.get_by_role("button", name="info")
    expect(error).to_have_text("error 2")
    error.click()
    info.click()
    expect(page).to_have_url(f"{tab.base}ui/findings?severity=error&severity=info")
    expect(info).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".finding-group")).to_have_count(5)
    error.click()
    expect(page).to_have_url(f"{tab.base}ui/findings?severity=info")


def test_a_single_command_is_visible_and_the_endpoints_lead_to_the_map(tab: Tab) -> None:
    page = tab.open("findings?code=address-reused")
    finding = page.get_by_role("article", name="10.2.2.20")
    expect(finding.locator("pre")).to_contain_text("az graph query")
    assert tab.violations(RULES) == []
    finding.get_by_role("link", name="pe-app-contoso-reports").click()
    expect(page.locator(".panel h2").first).to_contain_text("pe-app-contoso-reports")
    page.go_back()
    page.get_by_role("button", name="code: address-reused").click()
    expect(page).to_have_url(f"{tab.base}ui/findings")


def test_findings_of_one_kind_say_once_what_to_do(tab: Tab) -> None:
    page = tab.open("findings?code=shared-global-name")
    group = page.locator(".finding-group")
    expect(group.locator(".finding")).to_have_count(6)
    expect(group.get_by_text("What to do", exact=True).first).to_be_visible()
    expect(group.locator(".shared")).to_have_count(1)


def test_no_finding_is_said_in_words(tab: Tab) -> None:
    page = tab.open("findings?state=acknowledged")
    page.get_by_role("link", name="Show all findings").click()
    expect(page.locator(".finding").first).to_be_visible()


def test_the_answer_comes_first_and_differences_are_marked(tab: Tab) -> None:
    page = tab.open(f"explain?name={NAME}&client=spoke-data")
    answer = page.get_by_role("region", name="Answer")
    expect(answer.locator(".wanted")).to_contain_text("10.2.2.5")
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="spoke-app")).to_contain_text("differs")
    expect(rows.filter(has_text="spoke-data")).not_to_contain_text("differs")
    expect(page.get_by_text("Another answer in hub, on-premises, spoke-app.")).to_be_visible()
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert headings.index("As seen from each network") < headings.index("Why")


@pytest.mark.parametrize(
    ("name", "link", "leads_to"),
    [
        (NAME, "pe-kv-contoso-shared", "map?focus=endpoint%3A"),
        (NAME, "estate", "sources?name=estate"),
        (NAME, "spoke-data", "networks?client=10.2.0.0"),
        ("files.corp.example", "corp.example", "zones?zone=corp.example"),
    ],
)
def test_each_step_leads_to_its_object(tab: Tab, name: str, link: str, leads_to: str) -> None:
    page = tab.open(f"explain?name={name}&client=spoke-data")
    page.locator(".steps").get_by_role("link", name=link, exact=True).first.click()
    assert page.url.startswith(f"{tab.base}ui/{leads_to}")


def test_names_that_were_explained_are_offered_until_the_page_closes(tab: Tab) -> None:
    page = tab.open("explain")
    page.get_by_label("Name").fill("files.corp.example")
    page.get_by_label("Name").press("Enter")
    expect(page.locator(".answer")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Explain").click()
    page.get_by_role("region", name="Explained before").get_by_role("link", name="files.corp.example").click()
    expect(page.locator(".answer")).to_be_visible()
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
