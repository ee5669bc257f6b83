"""The page of the OpenAPI document: complete, without scripts, and without anything from another host."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from aiohttp.test_utils import TestClient, TestServer

from resolver.admin.app import application, context_of
from resolver.admin.routes import ROUTES
from tests.resolver.admin.conftest import LISTEN, ScriptedControl
from tests.resolver.admin.json_client import Client, get


class Page(HTMLParser):
    """The tags, ids and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert name != "style"
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src", "action"}:
                self.links.add(value or "")


async def test_the_page_shows_the_whole_document_and_needs_nothing_else(client: Client) -> None:
    document = await get(client, "/v1/openapi.json")
    async with client.get("/v1/docs") as response:
        text, policy = await response.text(), response.headers["Content-Security-Policy"]
        assert response.content_type == "text/html"
    page = Page()
    page.feed(text)
    assert not {"script", "iframe", "img", "link", "object", "form"} & page.tags
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if not link.startswith("#")} == {"openapi.json"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    operations = {each["operationId"] for item in document["paths"].values() for each in item.values()}
    assert operations | {f"schema-{name}" for name in document["components"]["schemas"]} <= set(page.ids)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(text) < 500_000


async def test_a_browser_can_open_the_page_without_a_token(client: Client, control: ScriptedControl) -> None:
    assert control.estate.settings.admin.tokens
    async with TestClient(TestServer(application(context_of(control), LISTEN))) as browser:
        async with browser.get("/v1/docs") as response:
            assert response.status == 200
        async with browser.get("/v1/openapi.json") as response:
            assert response.status == 401
    assert [route.path for route in ROUTES if route.role is None] == ["/livez", "/readyz", "/v1/docs"]
