"""Sessions of browsers: a token becomes a cookie that only the page can use, for as long as the token is good."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs
from yarl import URL

from resolver.admin.access import sessions
from resolver.admin.access.sessions import COOKIE, HEADER
from resolver.admin.access.tokens import digest
from resolver.admin.app import application, context_of
from resolver.admin.route import Context
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.dashboard import dashboard
from tests.resolver.admin.conftest import LISTEN, ScriptedControl, control, endpoint, estate
from tests.resolver.admin.json_client import Client, get

__all__ = ("control", "endpoint", "estate")  # fixtures

READER, OPERATOR = "pldns_of_a_reader", "pldns_of_an_operator"
FLUSH = {"action": "flush", "name": "www.example"}
PAGE = {HEADER: "1"}


@pytest.fixture
def context(control: ScriptedControl) -> Context:
    tokens = (AdminToken("reader", "read", digest(READER)), AdminToken("operator", "operate", digest(OPERATOR)))
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN, tokens=tokens))
    return context_of(control)


@pytest.fixture
async def browser(context: Context) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(context, LISTEN, dashboard.pages))) as client:
        yield client


async def sign_in(client: Client, token: str, following: str = "", **headers: str) -> tuple[int, str, str]:
    """Return the status, the address that follows, and the cookie, as the response sets it."""
    form = {"token": token, "next": following}
    async with client.post("/sign-in", data=form, headers=headers, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), response.headers.get("Set-Cookie", "")


async def flush(client: Client, headers: dict[str, str]) -> tuple[int, Any]:
    async with client.post("/v1/cache", json=FLUSH, headers=headers) as response:
        return response.status, await response.json()


async def test_a_page_asks_for_a_token_and_goes_where_it_was_asked_to(browser: Client, context: Context) -> None:
    async with browser.get("/ui/findings?code=x&code=y") as response:
        text = await response.text()
        assert response.status == 401
        assert 'value="findings?code=x&amp;code=y"' in text
    await get(browser, "/v1/status", 401)
    status, where, cookie = await sign_in(browser, READER, "findings?code=x&code=y")
    assert (status, where) == (303, "ui/findings?code=x&code=y")
    assert COOKIE in cookie
    assert [(each.who, each.action) for each in context.audit_log.entries] == [("token reader at 127.0.0.1", "sign-in")]
    assert await get(browser, "/v1/whoami") == {
        "name": "token reader at 127.0.0.1", "role": "read", "proven": True, "session": True, "registry": None
    }  # fmt: skip
    async with browser.get("/ui/") as response:
        assert response.status == 200
        assert "token reader" in await response.text()


async def test_a_cookie_is_for_the_page_alone(browser: Client) -> None:
    _, _, cookie = await sign_in(browser, READER)
    assert READER not in cookie
    value, *attributes = (each.strip() for each in cookie.split(";"))
    assert set(attributes) == {"HttpOnly", "SameSite=Strict"}  # without a path: the one under which pldns is known
    assert len(value.partition("=")[2]) >= 43
    _, _, cookie = await sign_in(
        browser, READER, Origin="https://pldns.example", **{"X-Forwarded-Host": "pldns.example"}
    )
    assert "Secure" in cookie


@pytest.mark.parametrize("wrong", ["", "pldns_wrong", "a.b.c", "x" * 70_000])
async def test_a_wrong_token_is_refused_with_the_form(
    browser: Client, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, where, cookie = await sign_in(browser, wrong, "findings")
    assert not cookie
    if status != 413:
        assert "signing in with a token from 127.0.0.1 has failed: token-invalid" in caplog.text
        assert "pldns_wrong" not in caplog.text
        assert where == "ui/sign-in?next=findings&problem=token-invalid"
        async with browser.get(f"/{where}") as response:
            assert "The token is wrong, revoked or expired." in await response.text()


@pytest.mark.parametrize(
    "following",
    ["https://evil.example", "//evil.example", "../x", "a/b", "x\r\nSet-Cookie: a=b", "javascript:alert(1)"],
)
async def test_signing_in_leads_to_no_other_site(browser: Client, following: str) -> None:
    assert (await sign_in(browser, READER, following))[1] == "ui/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_site_can_neither_sign_in_nor_change_anything(browser: Client, headers: dict[str, str]) -> None:
    assert (await sign_in(browser, READER, **headers))[0] == 403
    await sign_in(browser, OPERATOR)
    status, body = await flush(browser, PAGE | headers)
    assert (status, body["type"]) == (403, "urn:pldns:problem:cross-site")
    async with browser.post("/sign-out", headers=headers) as response:
        assert response.status == 403


async def test_a_change_needs_the_header_of_the_page_and_the_role(browser: Client) -> None:
    await sign_in(browser, OPERATOR)
    assert (await flush(browser, {}))[1]["type"] == "urn:pldns:problem:cross-site"
    assert (await flush(browser, PAGE))[0] == 200
    assert (await flush(browser, PAGE | {"Sec-Fetch-Site": "same-origin"}))[0] == 200
    await sign_in(browser, READER)
    assert (await flush(browser, PAGE))[1]["type"] == "urn:pldns:problem:role-too-low"


async def test_a_session_ends_with_its_token(browser: Client, context: Context) -> None:
    _, token = context.tokens.add("made", "read", None)
    await sign_in(browser, token)
    await get(browser, "/v1/status")
    context.tokens.revoke("made")
    await get(browser, "/v1/status", 401)


async def test_a_session_ends_after_its_time(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LASTS", 0.0)
    await sign_in(browser, READER)
    await get(browser, "/v1/status", 401)


async def test_signing_out_ends_the_session(browser: Client) -> None:
    await sign_in(browser, READER)
    kept = browser.session.cookie_jar.filter_cookies(URL(str(browser.make_url("/"))))[COOKIE].value
    async with browser.post("/sign-out", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "ui/sign-in?signed-out")
    async with browser.get("/v1/status", headers={"Cookie": f"{COOKIE}={kept}"}) as response:
        assert response.status == 401


async def test_the_oldest_of_too_many_sessions_ends(
    browser: Client, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_MOST", 2)
    await sign_in(browser, READER)
    context.sessions.begin(READER)
    await get(browser, "/v1/status")
    context.sessions.begin(READER)
    await get(browser, "/v1/status", 401)


async def test_a_token_in_a_header_needs_no_session(browser: Client) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    assert (await flush(browser, headers))[0] == 200
    async with browser.get("/v1/whoami", headers=headers) as response:
        assert (await response.json())["session"] is False


async def test_who_may_use_the_registry_alone_sees_no_names(browser: Client, context: Context) -> None:
    token = AdminToken("team", "registry", digest("pldns_of_a_team"))
    context.estate.settings = structs.replace(context.estate.settings, admin=AdminSettings(LISTEN, tokens=(token,)))
    assert (await sign_in(browser, "pldns_of_a_team"))[0] == 303
    assert (await get(browser, "/v1/whoami"))["role"] == "registry"
    for view in ("", "findings"):
        async with browser.get(f"/ui/{view}") as response:
            assert response.status == 403
            assert "This needs the role read." in await response.text()
