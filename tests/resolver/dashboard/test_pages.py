"""The page's server: what a browser may load, what can be read without JavaScript, and that text is never markup."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.app import application, context_of
from resolver.admin_settings import AdminSettings
from resolver.control.estate.estate import Estate
from resolver.dashboard import built, dashboard
from resolver.dashboard.markup import element, visible
from tests.resolver.admin.conftest import LISTEN, T0, MakeEndpoint, ScriptedControl, control, endpoint, estate
from tests.resolver.admin.json_client import Client

__all__ = ("control", "endpoint", "estate")  # fixtures


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that was built, of two small files."""
    script = b"export const page = 1;" * 20
    (tmp_path / "main-AAAA.js").write_bytes(script)
    (tmp_path / "main-AAAA.js.gz").write_bytes(gzip.compress(script))
    (tmp_path / "main-AAAA.js.br").write_bytes(b"as brotli")
    (tmp_path / "main-BBBB.css").write_bytes(b"p{}")
    manifest = {
        "scripts": ["main-AAAA.js"], "preloads": [], "styles": ["main-BBBB.css"], "icon": "icon-C.svg",
        "licences": "licences.txt", "files": ["main-AAAA.js", "main-BBBB.css"],
    }  # fmt: skip
    (tmp_path / built.MANIFEST).write_text(json.dumps(manifest))
    monkeypatch.setattr(built, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
async def browser(control: ScriptedControl, files: Path) -> AsyncIterator[Client]:
    """A browser on loopback, which may read without a token."""
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN))
    app = application(context_of(control), LISTEN, dashboard.pages)
    async with TestClient(TestServer(app)) as client:
        yield client


class Page(HTMLParser):
    """The tags, links and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert name != "style"
            assert not name.startswith("on")
            if name in {"href", "src", "action"}:
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


async def read(client: Client, path: str, status: int = 200) -> Page:
    async with client.get(path, allow_redirects=False) as response:
        assert response.status == status
        assert response.content_type == "text/html"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        return Page(await response.text())


@pytest.mark.parametrize("path", ["/", "/ui"])
async def test_the_top_leads_to_the_page(browser: Client, path: str) -> None:
    async with browser.get(path, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (307, "ui/")


@pytest.mark.parametrize("path", ["/ui/", "/ui/findings", "/ui/sign-in", "/ui/map?network=hub"])
async def test_every_address_on_a_page_is_relative(browser: Client, path: str) -> None:
    """A reverse proxy may serve pldns under any path."""
    page = await read(browser, path)
    assert page.links
    assert [each for each in page.links if re.match(r"/|[a-z]+:", each)] == []


async def test_a_page_leads_to_the_licences_of_its_libraries(browser: Client) -> None:
    assert "assets/licences.txt" in (await read(browser, "/ui/")).links


async def test_status_can_be_read_without_javascript(browser: Client, control: ScriptedControl) -> None:
    page = await read(browser, "/ui/")
    assert "pldns is ready: " in page.text or "pldns answers, but " in page.text
    assert "12.3" in page.text
    assert "estate" in page.text
    control.lacking.append("source estate: not read yet")
    assert "pldns is not ready: source estate: not read yet." in (await read(browser, "/ui/")).text


async def test_findings_can_be_read_page_after_page_without_javascript(
    browser: Client, control: ScriptedControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "_ROWS", 1)
    seen, path = "", "/ui/findings"
    for _ in control.estate.board:
        page = await read(browser, path)
        seen += page.text
        following = [each for each in page.links if each.startswith("findings?")]
        path = f"/ui/{following[0]}" if following else ""
    assert path == ""
    for each in control.estate.board:
        assert each.code in seen
        assert each.action in seen
    assert (await read(browser, "/ui/findings?after=nonsense")).text.strip().endswith("all findings")


async def test_a_view_that_needs_javascript_says_so(browser: Client) -> None:
    assert "needs JavaScript" in (await read(browser, "/ui/map")).text


async def test_text_is_never_markup(browser: Client, estate: Estate, endpoint: MakeEndpoint) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202egnp"
    made = endpoint(hostile, "x.blob.core.windows.net", target=hostile)
    estate.ledger.apply({made.key: made}, T0)
    estate.health.failed("estate", hostile, T0)
    for path in ("/ui/", "/ui/findings"):
        page = await read(browser, path)
        assert "img" not in page.tags
        assert "\u202e" not in page.text
    assert "<img src=x onerror=alert(1)>\\u202Egnp" in (await read(browser, "/ui/")).text


def test_elements_escape_text_and_attributes() -> None:
    assert element("a", 'x<y>&"', href='"><b>', class_="c") == (
        '<a href="&quot;&gt;&lt;b&gt;" class="c">x&lt;y&gt;&amp;&quot;</a>'
    )
    assert element("p", element("b", "x"), None) == "<p><b>x</b></p>"
    assert visible("a\u202eb\x00\u200b\tc") == "a\\u202Eb\\u0000\\u200B\tc"
    assert visible("a\u00adb\u034f\ufe0f\U000e0041") == "a\\u00ADb\\u034F\\uFE0F\\uE0041"
    assert visible("e\u0301, e" + "\u0301" * 6) == "e\u0301, e" + "\u0301" * 4 + "\\u0301\\u0301"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)],
)
async def test_files_are_compressed_and_immutable(browser: Client, accepted: str, coding: str | None) -> None:
    headers = {"Accept-Encoding": accepted}
    async with browser.get("/ui/assets/main-AAAA.js", headers=headers, auto_decompress=False) as response:
        assert response.status == 200
        assert response.headers.get("Content-Encoding") == coding
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.content_type == "text/javascript"
        tag = response.headers["ETag"]
    headers["If-None-Match"] = tag
    async with browser.get("/ui/assets/main-AAAA.js", headers=headers) as response:
        assert (response.status, await response.read()) == (304, b"")


async def test_an_upgrade_of_the_files_does_not_break_the_page_of_a_running_daemon(
    browser: Client, files: Path
) -> None:
    before = (files / "main-AAAA.js").read_bytes()
    for each in files.iterdir():
        each.unlink()
    async with browser.get("/ui/assets/main-AAAA.js", headers={"Accept-Encoding": "identity"}) as response:
        assert (response.status, await response.read()) == (200, before)


@pytest.mark.parametrize("name", ["manifest.json", "main-AAAA.js.gz", "..%2f..%2fpolicy.py", "other.js"])
async def test_only_files_of_the_page_are_served(browser: Client, name: str) -> None:
    async with browser.get(f"/ui/assets/{name}") as response:
        assert response.status == 404


async def test_a_page_that_was_not_built_can_be_read_all_the_same(
    control: ScriptedControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "FOLDER", tmp_path)
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN))
    async with TestClient(TestServer(application(context_of(control), LISTEN, dashboard.pages))) as client:
        page = await read(client, "/ui/")
        assert "script" not in page.tags
        assert "`make page` builds it" in page.text
        assert "Sources" in page.text


async def test_the_interface_and_its_errors_stay_as_they_are(browser: Client) -> None:
    async with browser.get("/nothing") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
    async with browser.get("/v1/status") as response:
        assert response.headers["Cache-Control"] == "no-store"


async def test_another_host_is_refused(browser: Client) -> None:
    async with browser.get("/ui/", headers={"Host": "evil.example"}) as response:
        assert response.status == 421


def test_pages_are_routes_of_get_but_for_signing_in(control: ScriptedControl) -> None:
    """A GET changes nothing."""
    resources = application(context_of(control), LISTEN, dashboard.pages).router.routes()
    changes = {str(each.resource.canonical) for each in resources if each.resource and each.method == "POST"}
    assert {path for path in changes if not path.startswith("/v1/")} == {"/sign-in", "/sign-out"}
