"""Signing in with an OpenID provider, without a browser: what is sent where, and what must not let anybody in.

`tests/live/test_dashboard_sign_in.py` does the same in a browser.
"""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.access.sessions import COOKIE
from resolver.admin.app import application, context_of
from resolver.admin.route import Context
from resolver.admin_settings import AdminOidc, AdminSettings, RoleName
from resolver.azure_settings import Secret
from resolver.dashboard import dashboard, sign_in_flow
from resolver.dashboard.sign_in_problems import Problem
from tests.openid import CLIENT, OTHER, TENANT, OpenIdProvider, public
from tests.paths import ROOT
from tests.resolver.admin.conftest import LISTEN, ScriptedControl, control, endpoint, estate
from tests.resolver.admin.json_client import Client

__all__ = ("control", "endpoint", "estate")  # fixtures

ROLES: dict[str, RoleName] = {"Pldns.Read": "read", "Pldns.Operate": "operate"}
PROXY = "https://pldns.example/tools/dns/ui/"
CALLBACK = f"{PROXY}sign-in/callback"


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdProvider]:
    made = OpenIdProvider()
    async with TestServer(made.application()) as server:
        made.issuer = f"http://127.0.0.1:{server.port}"
        made.redirects = {CALLBACK}
        yield made


@pytest.fixture
def context(control: ScriptedControl, provider: OpenIdProvider) -> Context:
    configure(control, given(provider))
    return context_of(control)


def given(provider: OpenIdProvider) -> AdminOidc:
    url = f"{provider.issuer}/.well-known/openid-configuration"
    return AdminOidc(url, (provider.issuer,), ("api://pldns",), ROLES, TENANT, CLIENT)


def configure(control: Any, oidc: AdminOidc | None) -> None:  # noqa: ANN401 - a ScriptedControl or a Context
    settings = AdminSettings(LISTEN, hosts=("pldns.example",), oidc=oidc)
    control.estate.settings = structs.replace(control.estate.settings, admin=settings)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[Client]:
    """Without a jar of cookies: tests say what they send."""
    async with TestClient(TestServer(application(context, LISTEN, dashboard.pages))) as client:
        yield client


class Reply:
    """A response: its status, where it leads, the cookies that it sets (also empty ones), and its text."""

    def __init__(self, status: int, where: str, cookies: list[str], text: str) -> None:
        self.status, self.where, self.cookies, self.text = status, where, cookies, text
        self.problem = parse_qs(urlsplit(where).query).get("problem", [""])[0]

    def cookie(self, name: str) -> str:
        """Return the value of a cookie; empty for one that is deleted or not there."""
        found = [each for each in self.cookies if each.startswith(f"{name}=")]
        return SimpleCookie(found[0])[name].value if found else ""


async def get(client: Client, path: str, headers: Mapping[str, str]) -> Reply:
    client.session.cookie_jar.clear()
    async with client.get(path, headers=headers, allow_redirects=False) as response:
        cookies = response.headers.getall("Set-Cookie", [])
        return Reply(response.status, response.headers.get("Location", ""), cookies, await response.text())


async def begin(client: Client, following: str = "", referer: str = f"{PROXY}sign-in", **headers: str) -> Reply:
    query = f"?next={following}" if following else ""
    return await get(client, f"/ui/sign-in/begin{query}", {"Referer": referer} | headers)


async def approve(client: Client, begun: Reply) -> dict[str, str]:
    """Sign in at the provider. Return what it sends back."""
    where = begun.where.replace("/authorize?", "/approve?")
    async with client.session.get(where, allow_redirects=False) as response:
        assert response.status == 302
        back = response.headers["Location"]
    assert back.startswith(f"{CALLBACK}?")
    return dict(parse_qsl(urlsplit(back).query))


async def end(client: Client, begun: Reply, values: Mapping[str, str], cookie: str | None = None) -> Reply:
    """Come back with what the provider sends."""
    name = "__Host-pldns_sign_in"
    sent = begun.cookie(name) if cookie is None else cookie
    return await get(client, f"/ui/sign-in/callback?{urlencode(values)}", {"Cookie": f"{name}={sent}"})


async def signed_in(client: Client, following: str = "") -> Reply:
    begun = await begin(client, following)
    return await end(client, begun, await approve(client, begun))


async def whoami(client: Client, reply: Reply) -> dict[str, Any]:
    client.session.cookie_jar.clear()
    async with client.get("/v1/whoami", headers={"Cookie": f"{COOKIE}={reply.cookie(COOKIE)}"}) as response:
        found: dict[str, Any] = await response.json()
        return found


async def test_a_browser_is_sent_to_the_provider_and_comes_back_with_a_session(
    client: Client, provider: OpenIdProvider, context: Context
) -> None:
    begun = await begin(client, "findings%3Fseverity%3Derror")
    assert (begun.status, begun.where.partition("?")[0]) == (303, f"{provider.issuer}/authorize")
    asked = dict(parse_qsl(urlsplit(begun.where).query))
    assert asked["redirect_uri"] == CALLBACK
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid profile",
    )
    (cookie,) = begun.cookies
    assert {each.strip() for each in cookie.split(";")[1:]} == {
        "HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=600"
    }  # fmt: skip
    ended = await end(client, begun, await approve(client, begun))
    assert ended.status == 200
    assert 'content="0; url=../findings?severity=error"' in ended.text
    session, deleted = ended.cookies
    assert {each.strip() for each in session.split(";")[1:]} == {
        "HttpOnly", "SameSite=Strict", "Secure", "Path=/tools/dns"
    }  # fmt: skip
    assert "Max-Age=0" in deleted
    found = await whoami(client, ended)
    assert (found["name"], found["role"]) == ("ada@corp.example (0-1) at 127.0.0.1", "read")
    (entry,) = context.audit_log.entries
    assert (entry.who, entry.action, entry.after) == (found["name"], "sign-in", {"role": "read"})


async def test_no_secret_is_where_others_can_read_it(client: Client, provider: OpenIdProvider) -> None:
    begun = await begin(client)
    asked = dict(parse_qsl(urlsplit(begun.where).query))
    ended = await end(client, begun, await approve(client, begun))
    assert "code_verifier" not in asked
    assert "eyJ" not in ended.text + "".join(ended.cookies)
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert provider.asked == []  # the page of the provider was not needed


async def test_each_sign_in_has_other_secrets(client: Client) -> None:
    first, second = [dict(parse_qsl(urlsplit((await begin(client)).where).query)) for _ in range(2)]
    assert all(first[key] != second[key] for key in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize(
    ("referer", "problem"),
    [
        ("https://evil.example/ui/x", "foreign-host"), ("https://pldns.example.evil.example/ui/x", "foreign-host"),
        ("https://a@pldns.example/ui/x", "foreign-host"), ("http://pldns.example/ui/x", "not-encrypted"), ("", ""),
        ("https://pldns.example/other", ""), ("https://pldns.example/a;b/ui/x", ""), ("https://[/ui/x", ""),
        ("https://pldns.example/a\u00e9/ui/x", ""), ("about:blank", ""),
        ("https://pldns.example/" + "a" * 600 + "/ui/", ""),
    ],
)  # fmt: skip
async def test_a_sign_in_begins_on_the_page_alone(client: Client, referer: str, problem: str) -> None:
    reply = await begin(client, referer=referer)
    assert reply.status == 303
    assert reply.where.startswith("../sign-in")
    assert (reply.problem, reply.cookies) == (problem, [])


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_another_site_cannot_begin_a_sign_in(client: Client, site: str) -> None:
    reply = await begin(client, **{"Sec-Fetch-Site": site})
    assert (reply.where, reply.cookies) == ("../sign-in", [])
    reply = await begin(client, **{"Sec-Fetch-Site": "same-origin", "X-Forwarded-Host": "evil.example"})
    assert dict(parse_qsl(urlsplit(reply.where).query))["redirect_uri"] == CALLBACK


@pytest.mark.parametrize(
    ("referer", "path", "name"),
    [
        ("http://127.0.0.1:8053/ui/sign-in?next=x", "http://127.0.0.1:8053/ui/sign-in/callback", "/"),
        ("http://localhost/ui/findings", "http://localhost/ui/sign-in/callback", "/"),
        ("https://pldns.example:8443/ui/ui/map", "https://pldns.example:8443/ui/ui/sign-in/callback", "/ui"),
    ],
)  # fmt: skip
async def test_the_redirect_address_is_that_of_the_browser(client: Client, referer: str, path: str, name: str) -> None:
    begun = await begin(client, referer=referer)
    assert dict(parse_qsl(urlsplit(begun.where).query))["redirect_uri"] == path
    if path.startswith("http:"):
        assert begun.cookie("pldns_sign_in")
        assert "Secure" not in begun.cookies[0]
        assert "Path" not in begun.cookies[0]


@pytest.mark.parametrize(
    "following", ["https://evil.example", "//evil.example", "..%2Fx", "a%0d%0aSet-Cookie:b=c", "javascript:alert(1)"]
)
async def test_signing_in_leads_to_no_other_site(client: Client, following: str) -> None:
    assert 'content="0; url=../"' in (await signed_in(client, following)).text


async def test_only_the_browser_that_began_a_sign_in_can_end_it(client: Client) -> None:
    """Otherwise somebody could make others use a session of theirs (login CSRF)."""
    mine, other = await begin(client), await begin(client)
    sent = await approve(client, mine)
    for cookie in ("", "x", other.cookie("__Host-pldns_sign_in"), "e30"):
        refused = await end(client, mine, sent, cookie)
        assert (refused.problem, refused.cookie(COOKIE)) == (Problem.UNKNOWN.code, "")
    for state in ("", "x", "\u00e9"):
        refused = await end(client, mine, sent | {"state": state})
        assert (refused.problem, refused.cookie(COOKIE)) == (Problem.UNKNOWN.code, "")
    assert (await end(client, mine, sent)).cookie(COOKIE)


async def test_with_tls_the_cookie_must_have_the_name_that_no_other_host_can_set(client: Client) -> None:
    begun = await begin(client)
    sent = await approve(client, begun)
    headers = {"Cookie": f"pldns_sign_in={begun.cookie('__Host-pldns_sign_in')}"}
    assert (await get(client, f"/ui/sign-in/callback?{urlencode(sent)}", headers)).problem == Problem.UNKNOWN.code


async def test_a_sign_in_ends_once_and_in_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = await begin(client)
    sent = await approve(client, begun)
    assert (await end(client, begun, sent)).cookie(COOKIE)
    again = await end(client, begun, sent)
    assert (again.problem, again.cookie(COOKIE)) == (Problem.USED.code, "")
    replayed = await begin(client)  # with the code of the sign-in before
    state = dict(parse_qsl(urlsplit(replayed.where).query))["state"]
    assert (await end(client, replayed, {"code": sent["code"], "state": state})).problem == Problem.CODE_REFUSED.code
    monkeypatch.setattr(sign_in_flow, "LASTS", 0.0)
    late = await begin(client)
    assert (await end(client, late, await approve(client, late))).problem == Problem.TOO_OLD.code


async def test_a_code_of_another_sign_in_is_refused(client: Client) -> None:
    """Somebody puts a code of theirs, or a stolen one, into the sign-in of another person (RFC 9700 §4.5)."""
    mine, theirs = await begin(client), await begin(client)
    code, state = (await approve(client, theirs))["code"], (await approve(client, mine))["state"]
    refused = await end(client, mine, {"code": code, "state": state})
    assert (refused.problem, refused.cookie(COOKIE)) == (Problem.CODE_REFUSED.code, "")
    assert refused.where == "../sign-in?problem=code-refused&reference=AADSTS54005"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"aud": "api://pldns"}, Problem.WRONG_AUDIENCE), ({"aud": None}, Problem.ID_TOKEN_INVALID),
        ({"azp": "other"}, Problem.WRONG_AUDIENCE), ({"iss": "https://evil.example"}, Problem.ID_TOKEN_INVALID),
        ({"tid": "0"}, Problem.WRONG_TENANT), ({"exp": 1}, Problem.EXPIRED), ({"nbf": 1 << 40}, Problem.CLOCK),
        ({"iat": 1 << 40}, Problem.CLOCK), ({"nonce": "x"}, Problem.ID_TOKEN_INVALID),
        ({"nonce": None}, Problem.ID_TOKEN_INVALID), ({"nonce": ["\u00e9"]}, Problem.ID_TOKEN_INVALID),
        ({"roles": None}, Problem.NO_ROLE), ({"roles": ["Other"]}, Problem.NO_ROLE),
        ({"roles": "Pldns.Read"}, Problem.NO_ROLE),
    ],
)  # fmt: skip
async def test_an_id_token_for_another_purpose_lets_nobody_in(
    client: Client, provider: OpenIdProvider, changes: dict[str, Any], problem: Problem
) -> None:
    provider.claims_changed = changes
    reply = await signed_in(client, "findings")
    assert (reply.problem, reply.cookie(COOKIE)) == (problem.code, "")
    assert "next=findings" in reply.where


async def test_an_id_token_of_another_key_lets_nobody_in(client: Client, provider: OpenIdProvider) -> None:
    provider.keys = [public(OTHER, "one")]
    assert (await signed_in(client)).problem == Problem.ID_TOKEN_INVALID.code


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("access_denied", Problem.ACCESS_DENIED), ("interaction_required", Problem.INTERACTION_REQUIRED),
        ("login_required", Problem.INTERACTION_REQUIRED), ("temporarily_unavailable", Problem.PROVIDER_FAILED),
        ("unauthorized_client", Problem.CLIENT_REFUSED), ("<script>", Problem.CLIENT_REFUSED),
    ],
)  # fmt: skip
async def test_an_error_of_the_provider_is_said_in_words(
    client: Client, provider: OpenIdProvider, caplog: pytest.LogCaptureFixture, error: str, problem: Problem
) -> None:
    provider.refusal = {"error": error, "error_description": "AADSTS50105: ada\nhas no role <b>"}
    with caplog.at_level(logging.WARNING):
        reply = await signed_in(client)
    assert (reply.status, reply.problem) == (303, problem.code)
    async with client.get(f"/ui/sign-in/{reply.where}") as response:
        text = await response.text()
    assert problem.meaning.replace("{provider}", "Microsoft Entra ID") in text
    assert "<code>AADSTS50105</code>" in text
    assert "<script" not in text
    assert "ada has no role" in caplog.text.replace("\n", "!")


async def test_an_error_counts_only_in_a_sign_in_of_this_browser(client: Client) -> None:
    reply = await get(client, "/ui/sign-in/callback?error=access_denied&state=x", {})
    assert reply.problem == Problem.UNKNOWN.code
    async with client.get("/ui/sign-in?problem=Call+0800&reference=Call+0800") as response:
        assert "0800" not in await response.text()


async def test_the_log_of_failures_is_bounded(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(40):
            await get(client, "/ui/sign-in/callback?state=x", {})
    assert 0 < len(caplog.records) <= 25


async def test_a_provider_that_does_not_answer_is_named(client: Client, provider: OpenIdProvider) -> None:
    provider.status = 503
    assert (await begin(client)).problem == Problem.NO_PROVIDER.code


@pytest.mark.parametrize("missing", ["authorization_endpoint", "token_endpoint"])
@pytest.mark.parametrize("value", [None, "http://id.example/x"])
async def test_a_provider_without_a_protected_endpoint_is_not_used(
    client: Client, provider: OpenIdProvider, missing: str, value: str | None
) -> None:
    provider.metadata = {missing: value}
    begun = await begin(client)
    reply = begun if missing == "authorization_endpoint" else await end(client, begun, await approve(client, begun))
    assert reply.problem == Problem.NO_PROVIDER.code


async def test_a_provider_that_fails_at_the_end_is_named(client: Client, provider: OpenIdProvider) -> None:
    begun = await begin(client)
    sent = await approve(client, begun)
    provider.status = 502
    assert (await end(client, begun, sent)).problem == Problem.NO_PROVIDER.code


@pytest.mark.parametrize("iss", ["https://evil.example", None])
async def test_a_response_of_another_issuer_is_refused(
    client: Client, provider: OpenIdProvider, iss: str | None
) -> None:
    """RFC 9207: a provider that names itself does so in each response."""
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    begun = await begin(client)
    sent = await approve(client, begun)
    assert (await end(client, begun, sent | ({"iss": iss} if iss else {}))).problem == Problem.UNKNOWN.code
    begun = await begin(client)
    sent = await approve(client, begun) | {"iss": provider.issuer}
    assert (await end(client, begun, sent)).cookie(COOKIE)


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic"], None])
async def test_a_client_secret_is_read_when_it_is_needed(
    client: Client, provider: OpenIdProvider, context: Context, tmp_path: Path, methods: list[str] | None
) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": methods}
    provider.secret, file = "geh:eim &+%", tmp_path / "secret"
    configure(context, structs.replace(given(provider), client_secret=Secret(str(file))))
    assert (await signed_in(client)).problem == Problem.NO_SECRET.code
    file.write_text("wrong\n")
    assert (await signed_in(client)).problem == Problem.CLIENT_REFUSED.code
    file.write_text("geh:eim &+%\n")
    assert (await signed_in(client)).cookie(COOKIE)


async def test_a_session_follows_the_configuration(client: Client, provider: OpenIdProvider, context: Context) -> None:
    reply = await signed_in(client)
    configure(context, structs.replace(given(provider), roles={"Pldns.Read": "operate"}))
    assert (await whoami(client, reply))["role"] == "operate"
    configure(context, structs.replace(given(provider), roles={"Other": "read"}))
    assert (await whoami(client, reply))["type"] == "urn:pldns:problem:role-too-low"
    configure(context, structs.replace(given(provider), client_id="another"))
    assert (await whoami(client, reply))["type"] == "urn:pldns:problem:token-invalid"
    configure(context, None)
    async with client.get("/v1/whoami", headers={"Cookie": f"{COOKIE}={reply.cookie(COOKIE)}"}) as response:
        assert response.status == 401


async def test_a_session_ends_with_its_id_token(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = await signed_in(client)
    monkeypatch.setattr("resolver.admin.access.oidc.LEEWAY", -3600.0)
    assert (await whoami(client, reply))["type"] == "urn:pldns:problem:token-invalid"


async def test_the_way_to_sign_in_with_an_account_is_there_where_it_is_configured(
    client: Client, provider: OpenIdProvider, context: Context
) -> None:
    text = (await get(client, "/ui/findings", {})).text
    assert re.search(
        r'<a href="sign-in/begin\?next=findings" referrerpolicy="same-origin"[^>]*>[^<]* Microsoft Entra', text
    )
    configure(context, structs.replace(given(provider), tenant=""))
    assert "Sign in with 127.0.0.1" in (await get(client, "/ui/", {})).text
    configure(context, structs.replace(given(provider), client_id=""))
    assert "sign-in/begin" not in (await get(client, "/ui/", {})).text
    for path in ("begin", "callback?state=x&code=y"):
        assert (await get(client, f"/ui/sign-in/{path}", {"Referer": f"{PROXY}sign-in"})).where == "../sign-in"


async def test_an_account_can_be_chosen(client: Client) -> None:
    reply = await get(client, "/ui/sign-in/begin?choose=1", {"Referer": f"{PROXY}sign-in"})
    assert dict(parse_qsl(urlsplit(reply.where).query))["prompt"] == "select_account"
    async with client.get("/ui/sign-in?problem=no-role") as response:
        assert 'href="sign-in/begin?choose=1"' in await response.text()


def test_every_problem_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "dashboard.md").read_text()
    assert [each.code for each in Problem if f"| `{each.code}` |" not in page] == []
