"""Every change that the page can make, with every role: what is not permitted is neither offered nor done."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from resolver.admin.routes import ROUTES
from tests.live import page_lab
from tests.live.browser import Tab
from tests.live.daemon import Daemon
from tests.live.page_lab import HELD, ROLES, token
from tests.paths import ROOT
from tests.registry_shapes import account, network

pytestmark = pytest.mark.live

SOURCE: Final = ROOT / "page" / "src"
NOBODY: Final = "nobody"
"""Somebody without a token, on a loopback address where there is no token."""
OPERATORS: Final = frozenset(("operator", "administrator"))
OWNERS: Final = OPERATORS | {"supplier", "owner"}
"""Of the target of the connection."""
CONSUMERS: Final = OPERATORS | {"consumer", "owner"}
"""Of the network of the private endpoint."""
STALE: Final = "not the present version"


class Action(NamedTuple):
    """A change that the page can make.

    `file`: in page/src, where the request is made. `button`: how the name of the button begins. `may`: who may do it.
    `body`: of a request that changes nothing, also where it is permitted. `name`: what is changed. `elsewhere`: to whom
    it is offered, because they may do it to other resources.
    """

    file: str
    route: str
    view: str
    button: str
    may: frozenset[str]
    body: Mapping[str, Any]
    name: str = ""
    elsewhere: frozenset[str] = frozenset()


ACTIONS: Final = (
    Action(
        "views/findings/acknowledge.tsx", "/v1/findings/{id}/acknowledge", "findings?state=open", "Acknowledge…",
        OPERATORS, {"note": "known", "until": None}, "{open}",
    ),
    Action(
        "views/findings/acknowledge.tsx", "/v1/findings/{id}/withdraw", "findings?state=acknowledged",
        "Withdraw the acknowledgement", OPERATORS, {}, "{known}",
    ),
    Action(
        "views/sources/sync-now.tsx", "/v1/sources/{name}/sync", "sources", f"Sync now: {HELD}", OPERATORS,
        {"action": "now"}, HELD,
    ),
    Action(
        "views/sources/held.tsx", "/v1/sources/{name}/sync", "sources", "Accept", OPERATORS, {"action": "accept"}, HELD
    ),
    Action("views/sources/held.tsx", "/v1/sources/{name}/sync", "sources", "Drop", OPERATORS, {"action": "drop"}, HELD),
    Action(
        "views/cache/flush.tsx", "/v1/cache", "cache?name=www.example.com", "Remove from the caches", OPERATORS,
        {"action": "flush", "name": "www.example.com", "subtree": False, "type": None},
    ),
    Action(
        "views/cache/flush.tsx", "/v1/cache", "cache?name=www.example.com", "Remove all upstream replies", OPERATORS,
        {"action": "flush", "name": ".", "subtree": True, "type": None},
    ),
    Action(
        "views/registry/decision.tsx", "/v1/registry/connections/{name}/approve", "registry", "Approve", OWNERS,
        {"reason": "", "etag": STALE}, "waits",
    ),
    Action(
        "views/registry/decision.tsx", "/v1/registry/connections/{name}/reject", "registry", "Reject", OWNERS,
        {"reason": "", "etag": STALE}, "waits",
    ),
    Action(
        "views/registry/decision.tsx", "/v1/registry/connections/{name}/delete", "registry?list=connections", "Remove",
        OWNERS, {"reason": "", "etag": STALE}, "waits",
    ),
    Action(
        "views/registry/decision.tsx", "/v1/registry/endpoints/{name}/delete", "registry?list=endpoints", "Delete",
        CONSUMERS, {"etag": STALE}, network("waits"),
    ),
    Action(
        "views/registry/creation.tsx", "/v1/registry/endpoints", "registry?list=endpoints", "New private endpoint",
        CONSUMERS, {"name": "new", "subnet": "hub/pe", "target": account(), "sub_resource": "nonsense"},
        elsewhere=frozenset(("supplier",)),
    ),
)  # fmt: skip
"""Every change, except for those of forms."""
FORMS: Final = {("components/who.tsx", "../sign-out")}
"""The forms of the page: the file and where it posts to. The server makes the form for signing in."""
FOR_PROGRAMS: Final = {
    "/v1/reload", "/v1/drain", "/v1/log-level", "/v1/pins", "/v1/pins/{name}/remove", "/v1/registry/networks",
    "/v1/registry/targets", "/v1/registry/plan", "/v1/tokens", "/v1/tokens/{name}/revoke",
}  # fmt: skip
"""Changes that the page does not offer to anybody."""
PREVIEW: Final = "/v1/registry/preview"
"""Says what a change would do, and changes nothing."""

_CHANGES = """
async changes => Promise.all(changes.map(async ([path, body]) => {
  const headers = {"Content-Type": "application/json", "Pldns-Page": "1"};
  if (!path.startsWith("/v1/registry/")) headers["If-Match"] = '"not the present version"';
  const reply = await fetch(`..${path}`, {method: "POST", headers, body});
  return reply.status;
}))
"""


@pytest.fixture(scope="module")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Daemon]]:
    """A daemon with tokens, and one without any."""
    labs = {
        has_tokens: page_lab.lab(tmp_path_factory.mktemp("actions"), *(ROLES if has_tokens else ()))
        for has_tokens in (True, False)
    }
    started = {has_tokens: daemon for has_tokens, (daemon, _) in labs.items()}
    try:
        for daemon in started.values():
            daemon.start()
        for daemon, client in labs.values():
            page_lab.fill(daemon, client)
            _, found = daemon.unix("GET", "/v1/findings?limit=1")
            note = {"note": "known", "until": None}
            assert daemon.post(f"/v1/findings/{found['items'][0]['id']}/acknowledge", note) == 200
        yield started
    finally:
        for daemon in started.values():
            daemon.stop()
    assert not any("Traceback" in daemon.log.read_text() for daemon in started.values())


def opened(browser: Browser, daemons: Mapping[bool, Daemon], role: str) -> Tab:
    """Return a page that is open for somebody with a role."""
    tab = Tab(browser, f"http://127.0.0.1:{daemons[role != NOBODY].admin}/")
    if role != NOBODY:
        tab.sign_in(token(role))
    tab.open("registry")
    return tab


def button(page: Page, name: str) -> Locator:
    """Return the buttons of the view whose name begins with a text."""
    return page.get_by_role("main").get_by_role("button", name=re.compile(f"^{re.escape(name)}"))


def test_every_change_in_the_source_of_the_page_is_in_the_table() -> None:
    calls, forms = [], set()
    for path in sorted(SOURCE.rglob("*.ts*")):
        file, text = str(path.relative_to(SOURCE)), path.read_text()
        forms |= {(file, to) for to in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', text)}
        if file != "api/client.ts":
            assert not re.search(r"method: *.POST|XMLHttpRequest|sendBeacon", text), f"{file}: use `post`"
            calls += [(file, route) for route in re.findall(r"\bpost\(\s*([^,]*)", text)]
    assert forms == FORMS
    calls = [(file, route) for file, route in calls if route != f'"{PREVIEW}"']
    assert sorted(calls) == sorted({(each.file, f'"{each.route}"') for each in ACTIONS})


def test_every_change_of_the_interface_is_on_the_page_or_for_programs() -> None:
    assert {route.path for route in ROUTES if route.body} == {each.route for each in ACTIONS} | FOR_PROGRAMS | {PREVIEW}


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
def test_what_a_role_may_not_do_is_neither_offered_nor_done(
    browser: Browser, daemons: dict[bool, Daemon], role: str
) -> None:
    tab = opened(browser, daemons, role)
    offered = []
    for view, actions in groupby(ACTIONS, key=lambda each: each.view):
        tab.go(view)
        offered += [each for each in actions if button(tab.page, each.button).count()]
    assert offered == [each for each in ACTIONS if role in each.may | each.elsewhere]
    assert tab.page.get_by_role("button", name="Sign out").count() == (role != NOBODY)
    _, found = daemons[role != NOBODY].unix("GET", "/v1/findings")
    ids = {("known" if each["acknowledged"] else "open"): each["id"] for each in found["items"]}
    statuses = tab.page.evaluate(_CHANGES, [[path(each, ids), json.dumps(each.body)] for each in ACTIONS])
    refused = {401, 403, 404}  # the registry does not say whether there is a resource that the caller does not see
    permitted = [each for each, status in zip(ACTIONS, statuses, strict=True) if status not in refused]
    assert (permitted, statuses) == ([each for each in ACTIONS if role in each.may], statuses)
    assert all(status >= 400 for status in statuses), "the requests of this test change nothing"
    tab.close()


@pytest.mark.parametrize("role", sorted(OPERATORS))
def test_who_operates_pldns_makes_each_change_on_the_page(
    browser: Browser, daemons: dict[bool, Daemon], role: str
) -> None:
    page_lab.hold(daemons[True])
    tab = opened(browser, daemons, role)
    page = tab.go("findings?state=open")
    button(page, "Acknowledge…").first.click()
    page.get_by_label("Why it may stay").fill(f"known to {role}")
    press(tab, "Acknowledge", "Acknowledged.")
    tab.go("findings?state=acknowledged")
    known = page.get_by_role("article").filter(has_text=f"known to {role}")
    known.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("status").filter(has_text="The finding is open again.")).to_be_visible()
    tab.go("cache?name=www.example.com")
    for opener, word in (("Remove from the caches", "Remove"), ("Remove all upstream replies", "Remove all")):
        button(page, opener).click()
        press(tab, word, "Removed")
    tab.go("sources")
    button(page, "Drop").click()
    press(tab, "Drop", "Dropped.")
    expect(button(page, "Accept")).to_have_count(0)
    page_lab.hold(daemons[True])
    tab.open("sources")
    button(page, "Accept").click()
    press(tab, "Accept", "Accepted.")
    button(page, f"Sync now: {HELD}").click()
    expect(page.get_by_role("status").filter(has_text="Synced.")).to_be_visible()
    tab.close()


@pytest.mark.parametrize("role", ["supplier", "owner"])
def test_an_owner_of_the_target_decides_on_the_page(browser: Browser, daemons: dict[bool, Daemon], role: str) -> None:
    tab = opened(browser, daemons, role)
    page = tab.go("registry?list=connections")
    for word, said in (("Reject", "Rejected."), ("Approve", "Approved.")):
        button(page, f"{word} other").click()
        page.get_by_label("Reason").fill(f"{word} by {role}")
        press(tab, word, said)
        expect(page.get_by_role("row").filter(has_text="other")).to_contain_text(f"{word} by {role}")
    tab.close()


def press(tab: Tab, name: str, said: str) -> None:
    """Press a button of the dialog, which everybody can use, and wait until the page says that it is done."""
    page = tab.page
    assert tab.violations() == []
    page.get_by_role("dialog").get_by_role("button", name=name).click()
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def path(action: Action, ids: Mapping[str, str]) -> str:
    """Return the path of a change. `ids`: of a finding that is open, and of one that is known."""
    return re.sub(r"\{\w+\}", action.name.format_map(ids).replace("/", "%2F"), action.route)
