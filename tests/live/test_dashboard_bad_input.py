"""Hostile texts on the page, in every field: stored in the estate or in the registry, and sent in an address."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import dns.message
import dns.name
import dns.query
import pytest
import yaml
from playwright.sync_api import Browser, expect

from tests.live import page_lab
from tests.live.browser import Tab
from tests.live.daemon import REPLY, Daemon
from tests.live.hostile import HOSTILE, LONGEST, MARKUP, faults
from tests.live.page_lab import token
from tests.live.registry import RegistryClient
from tests.registry_shapes import account, endpoint, network

pytestmark = pytest.mark.live

PHONE: Final = 360
"""Pixels."""
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("cursor",),
    "findings": ("severity", "state", "name", "network", "zone", "code", "cursor"),
    "explain": ("name", "type", "client"),
    "map": ("focus", "open", "severity", "skip"),
    "registry": ("list", "state", "name", "cursor"),
    "networks": ("client", "cursor"),
    "zones": ("zone", "name", "network", "cursor"),
    "queries": ("name", "client", "network", "rcode"),
    "history": ("name", "kind", "since", "cursor"),
    "sources": ("state", "cursor"),
    "upstreams": ("name", "state", "cursor"),
    "cache": ("name", "type"),
}
"""Every view, and what its address may have."""
NAME: Final = "kv-contoso-shared.vault.azure.net"
"""A name with a pin that has a hostile reason."""
TEXTS: Final = (pytest.param(HOSTILE, id="markup"), pytest.param(LONGEST, id="long"))
ODD: Final = dns.name.Name((b'<b>\0\\."&{{7}}', b"\xe2\x80\xae\x00\x7f", b"x" * 63, b"corp", b"example", b""))

ZONE: Final = rf"""$ORIGIN odd.example.
@ 60 IN SOA ns.odd.example. a\.b\000<i>.odd.example. 1 1 1 1 1
@ 60 IN NS ns
<i>\000\.\"x 60 IN TXT "<img src=x onerror=window.hacked=1>" "\226\128\174"
{"x" * 63} 60 IN A 10.0.9.20
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with hostile texts in all that it reads."""
    daemon, client = page_lab.lab(tmp_path_factory.mktemp("hostile"), "administrator")
    write(daemon.directory)
    try:
        daemon.start()
        page_lab.fill(daemon, client)
        fill(daemon, client)
        yield daemon
    finally:
        daemon.stop()
    assert "Traceback" not in (text := daemon.log.read_text()), text


def write(folder: Path) -> None:
    """Add hostile files to the estate."""
    storage = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts"
    target = f"{storage}/{HOSTILE.replace('/', '')}"
    vnet = f"/subscriptions/s/resourceGroups/{MARKUP}/providers/Microsoft.Network/virtualNetworks/{HOSTILE}"
    endpoints = [
        {"name": name, "target": target, "group": HOSTILE, "state": state, "records": [{"fqdn": fqdn, "ips": [ip]}]}
        for name, state, fqdn, ip in (
            (HOSTILE, "Rejected", "hostile.blob.core.windows.net", "10.0.9.9"),
            (f"a{HOSTILE}", "Approved", "hostile.blob.core.windows.net", "10.0.9.10"),
            (f"b{HOSTILE}", "Approved", "hostile.blob.core.windows.net", "10.0.9.11"),
            (f"c{HOSTILE}", HOSTILE, r"a\000b\.c\"<i>.blob.core.windows.net", "10.0.9.12"),
            ("long", "Approved", LONGEST, "10.0.9.13"),
            (LONGEST, "Approved", "x" * 63 + ".blob.core.windows.net", "10.0.9.14"),
            ("bad name", "Approved", HOSTILE, HOSTILE),
        )
    ]
    resource = {"id": vnet, "name": HOSTILE, "type": "Microsoft.Network/virtualNetworks", "location": HOSTILE}
    space = {"addressSpace": {"addressPrefixes": ["10.99.0.0/16", HOSTILE]}}
    estate = folder / "endpoints"
    dump(estate / "hostile.yaml", {"endpoints": endpoints})
    dump(estate / "vnet.yaml", [{**resource, "properties": space}])
    dump(estate / f"{HOSTILE.replace('/', '')[:60]}.yaml", HOSTILE)
    (folder / "static" / "odd.example.zone").write_text(ZONE)


def dump(path: Path, what: object) -> None:
    path.write_text(yaml.safe_dump(what, allow_unicode=True))


def fill(daemon: Daemon, client: RegistryClient) -> None:
    """Have hostile texts in the registry, in notes, reasons and the history."""
    asked = endpoint(account(), "queue", manual=True)
    asked["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]["requestMessage"] = HOSTILE
    asked["tags"] = {"note": HOSTILE}
    client.put(network("hostile"), asked)
    client.put(network("rejected"), endpoint(account(), "web", manual=True))
    assert daemon.post("/v1/registry/connections/rejected/reject", {"reason": printable(HOSTILE)}) == 200
    _, found = daemon.unix("GET", "/v1/findings?limit=3")
    for each in found["items"]:
        assert daemon.post(f"/v1/findings/{each['id']}/acknowledge", {"note": HOSTILE, "until": None}) == 200
    _, found = daemon.unix("GET", f"/v1/endpoints?name={NAME}")
    pin = {"name": NAME, "endpoint": found["items"][0]["id"], "network": None, "until": None, "reason": HOSTILE}
    status, body = daemon.unix("POST", "/v1/pins", pin)
    assert status == 200, body


def printable(text: str) -> str:
    return "".join(each for each in text if each >= " ")


@pytest.fixture(scope="module")
def signed_in(browser: Browser, lab: Daemon) -> Iterator[Tab]:
    """A page on a narrow screen."""
    tab = Tab(browser, f"http://127.0.0.1:{lab.admin}/", PHONE)
    tab.sign_in(token("administrator"))
    tab.open()
    yield tab
    tab.close()


@pytest.mark.parametrize(
    "view",
    [
        *FILTERS, "registry?list=connections", "registry?list=endpoints", f"explain?name={NAME}",
        "explain?name=hostile.blob.core.windows.net", f"explain?name={LONGEST}", "zones?zone=odd.example",
        "zones?zone=privatelink.blob.core.windows.net", f"history?name={NAME}", f"cache?name={LONGEST}",
        "networks?client=10.99.0.1", f"map?focus={quote(f'endpoint:{HOSTILE}')}", "findings?name=hostile",
    ],
    ids=lambda view: view[:50] or "overview",
)  # fmt: skip
def test_what_is_stored_is_shown_as_text(signed_in: Tab, view: str) -> None:
    page = signed_in.go(view)
    assert faults(page) == []


@pytest.mark.parametrize(
    "view",
    [
        "findings",
        f"explain?name={NAME}",
        "registry?list=connections",
        "registry?list=endpoints",
        "zones?zone=odd.example",
    ],
)
def test_hostile_texts_are_there_to_be_seen(signed_in: Tab, view: str) -> None:
    expect(signed_in.go(view).get_by_role("main")).to_contain_text(re.compile(r"<img src=x onerror|<i>"))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("view", FILTERS)
def test_what_an_address_has_is_shown_as_text(signed_in: Tab, view: str, text: str) -> None:
    for names in (*((name,) for name in FILTERS[view]), FILTERS[view]):
        page = signed_in.go(f"{view}?{urlencode(dict.fromkeys(names, text))}#{quote(text)}")
        assert (names, faults(page)) == (names, [])


def test_queries_are_shown_as_text(signed_in: Tab, lab: Daemon) -> None:
    page = signed_in.go("queries?name=corp.example")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    rows = page.get_by_role("row").filter(has_text="corp.example")
    while not rows.count():
        dns.query.udp(dns.message.make_query(ODD, "TXT"), "127.0.0.1", port=lab.port, timeout=REPLY)
        page.wait_for_timeout(100)
    expect(rows.first).to_contain_text("<b>\\000")
    assert faults(page) == []
    rows.first.get_by_role("link").first.click()
    signed_in.settled()
    assert faults(page) == []


@pytest.mark.parametrize("text", TEXTS)
def test_what_somebody_types_is_shown_as_text(signed_in: Tab, text: str) -> None:
    for view, label in (
        ("findings", "Name"), ("zones", "Part of a zone"), ("networks", "Whose client"), ("cache", "Name"),
        ("history", "Name"), ("upstreams", "Group or server"),
    ):  # fmt: skip
        page = signed_in.go(view)
        page.get_by_role("main").get_by_label(label).first.fill(text)
        page.wait_for_url(f"**/{view}?*")
        signed_in.settled()
        assert (view, faults(page)) == (view, [])


def test_a_note_is_taken_and_shown_as_text(signed_in: Tab) -> None:
    page = signed_in.go("findings?state=open")
    page.get_by_role("button", name="Acknowledge…").first.click()
    page.get_by_label("Why it may stay").fill(HOSTILE)
    assert faults(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    signed_in.go("findings?state=acknowledged")
    assert faults(page) == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "findings",
        "map",
        f"findings?after={quote(HOSTILE)}",
        f"sign-in?next={quote(MARKUP)}&problem={quote(MARKUP)}",
    ],
)
def test_pages_without_javascript_show_text(browser: Browser, lab: Daemon, path: str) -> None:
    tab = Tab(browser, f"http://127.0.0.1:{lab.admin}/", PHONE, java_script=False)
    tab.sign_in(token("administrator"))
    tab.page.goto(f"{tab.base}ui/{path}")
    assert faults(tab.page) == []
    tab.close()


@pytest.mark.parametrize("path", [quote(HOSTILE, safe=""), quote(MARKUP), "a/b", "findings/", "nothing", "assets/x.js"])
def test_an_unknown_address_is_not_repeated(browser: Browser, lab: Daemon, path: str) -> None:
    for java_script in (True, False):
        tab = Tab(browser, f"http://127.0.0.1:{lab.admin}/", PHONE, java_script=java_script)
        tab.sign_in(token("administrator"))
        tab.page.goto(f"{tab.base}ui/{path}")
        assert faults(tab.page) == []
        assert "onerror" not in tab.page.content()
        tab.close()
