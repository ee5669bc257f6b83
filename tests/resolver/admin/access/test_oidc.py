"""Access tokens of an OpenID provider: real keys, a real server that has them, and hostile tokens."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import structs

from resolver.admin.access import oidc_provider
from resolver.admin.app import application, context_of
from resolver.admin_settings import AdminOidc, AdminSettings
from resolver.host_port import HostPort
from tests.openid import EC, OTHER, RSA, TENANT, OpenIdProvider, public, signed

Client = TestClient[Any, Any]
Control = Any  # of conftest
LISTEN = HostPort("127.0.0.1", 8053)
AUDIENCE = "api://pldns"


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdProvider]:
    made = OpenIdProvider()
    async with TestServer(made.application()) as server:
        made.issuer = f"http://127.0.0.1:{server.port}"
        yield made


@pytest.fixture
async def client(control: Control, provider: OpenIdProvider) -> AsyncIterator[Client]:
    given = AdminOidc(
        f"{provider.issuer}/.well-known/openid-configuration", (provider.issuer, "https://sts.example/"), (AUDIENCE,),
        {"Pldns.Read": "read", "Pldns.Operate": "operate", "Pldns.Admin": "admin"}, TENANT,
    )  # fmt: skip
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN, oidc=given))
    async with TestClient(TestServer(application(context_of(control), LISTEN))) as client:
        yield client


def claims(provider: OpenIdProvider, **changes: object) -> dict[str, Any]:
    return provider.claims(**{"aud": AUDIENCE, "roles": ["Pldns.Read", "Pldns.Operate"]} | changes)


async def change(client: Client, token: str) -> tuple[int, str]:
    """Request a cache flush. Return the status, and the code of the problem."""
    headers, body = {"Authorization": f"Bearer {token}"}, {"action": "flush", "name": "."}
    async with client.post("/v1/cache", json=body, headers=headers) as response:
        return response.status, (await response.json()).get("type", "").removeprefix("urn:pldns:problem:")


async def test_app_roles_give_roles(client: Client, provider: OpenIdProvider) -> None:
    assert await change(client, signed(claims(provider))) == (200, "")
    assert await change(client, signed(claims(provider), EC, "two", "ES256")) == (200, "")
    assert await change(client, signed(claims(provider, iss="https://sts.example/"))) == (200, "")
    assert await change(client, signed(claims(provider, aud=["other", AUDIENCE]))) == (200, "")
    assert await change(client, signed(claims(provider, exp=int(time.time()) - 30))) == (200, "")  # clocks differ
    assert await change(client, signed(claims(provider, roles=["Pldns.Read"]))) == (403, "role-too-low")
    for roles in (None, [], ["Other"], "Pldns.Admin", [{"a": 1}], [["Pldns.Admin"]]):
        assert await change(client, signed(claims(provider, roles=roles))) == (403, "role-too-low")
    admin = {"Authorization": f"Bearer {signed(claims(provider, roles=['Pldns.Admin']))}"}
    async with client.get("/v1/audit", headers=admin) as response:
        found = (await response.json())["items"]
    assert {each["who"] for each in found} == {"ada@corp.example (0-1) at 127.0.0.1"}
    assert provider.reads == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "api://other"}, {"aud": None}, {"aud": []}, {"aud": 7}, {"iss": "https://evil.example"}, {"iss": None},
        {"tid": "00000000-0000-0000-0000-000000000000"}, {"tid": None}, {"exp": 1}, {"exp": None}, {"exp": "soon"},
        {"nbf": int(time.time()) + 3600},
    ],
)  # fmt: skip
async def test_a_token_for_another_purpose_is_refused(
    client: Client, provider: OpenIdProvider, changes: dict[str, object]
) -> None:
    assert await change(client, signed(claims(provider, **changes))) == (401, "token-invalid")


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


async def test_a_hostile_token_is_refused(client: Client, provider: OpenIdProvider) -> None:
    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good, body = signed(claims(provider)), encoded(claims(provider, roles=["Pldns.Admin"]))
    header, _, signature = good.split(".")
    signed_with_public = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{body}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem, signed_with_public.encode(), "sha256")).decode().rstrip("=")
    for token in (
        f"{encoded({'alg': 'none', 'kid': 'one'})}.{body}.",
        f"{encoded({'alg': 'None', 'kid': 'one'})}.{body}.{signature}",
        f"{signed_with_public}.{mac}",
        f"{header}.{body}.{signature}",
        signed(claims(provider), OTHER, "one"),
        signed(claims(provider), OTHER, "unknown"),
        signed(claims(provider), EC, "one", "ES256"),
        f"{encoded({'alg': 'RS256'})}.{body}.{signature}",
        f"{encoded({'alg': 'RS256', 'kid': 1})}.{body}.{signature}",
        f"{encoded({'alg': 'RS256', 'kid': 'one', 'crit': ['exp']})}.{body}.{signature}",
        f"{encoded({'alg': 'RS256', 'jku': 'http://evil.example', 'kid': 'x'})}.{body}.{signature}",
        f"{encoded([])}.{body}.{signature}",
        f"{header}..{signature}",
        "..",
        "a.b.c",
    ):
        assert await change(client, token) == (401, "token-invalid"), token


async def test_unknown_keys_are_looked_up_at_a_bounded_rate(
    client: Client, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_provider, "AGAIN", 3600)
    for number in range(30):
        assert (await change(client, signed(claims(provider), OTHER, f"new-{number}")))[0] == 401
    assert provider.reads == 1
    provider.keys = [public(OTHER, "new-1")]  # the provider replaces its keys
    assert (await change(client, signed(claims(provider), OTHER, "new-1")))[0] == 401
    monkeypatch.setattr(oidc_provider, "AGAIN", 0)
    assert (await change(client, signed(claims(provider), OTHER, "new-1")))[0] == 200
    assert (await change(client, signed(claims(provider))))[0] == 401  # the old one is gone
    assert provider.reads <= 4


async def test_the_last_keys_stay_while_the_provider_is_down(
    client: Client, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_provider, "AGAIN", 0)
    provider.status = 503
    assert await change(client, signed(claims(provider))) == (503, "no-provider")
    provider.status = 200
    assert (await change(client, signed(claims(provider))))[0] == 200
    provider.status, provider.keys = 503, []
    assert await change(client, signed(claims(provider), OTHER, "new")) == (401, "token-invalid")
    assert (await change(client, signed(claims(provider))))[0] == 200
    provider.status = 200  # no usable key: as if it were down
    assert await change(client, signed(claims(provider), OTHER, "new")) == (401, "token-invalid")
    assert (await change(client, signed(claims(provider))))[0] == 200


async def test_keys_are_read_again_after_their_time_without_a_wait(
    client: Client, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await change(client, signed(claims(provider))))[0] == 200
    assert (await change(client, signed(claims(provider))))[0] == 200
    assert provider.reads == 1
    monkeypatch.setattr(oidc_provider, "AGAIN", 0)
    monkeypatch.setattr(oidc_provider, "LASTING", 0)
    assert (await change(client, signed(claims(provider))))[0] == 200
    async with asyncio.timeout(60):
        await provider.read_again.wait()


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
async def test_metadata_of_another_issuer_is_not_used(client: Client, provider: OpenIdProvider, issuer: str) -> None:
    given, provider.issuer = claims(provider), issuer
    assert await change(client, signed(given)) == (503, "no-provider")
    assert provider.reads == 0


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": encoded("secret"), "kid": "one"},
        {**public(RSA, "one"), "use": "enc"},
        {**public(RSA, "one"), "alg": "HS256"},
        public(rsa.generate_private_key(public_exponent=65537, key_size=1024), "one"),  # noqa: S505 - that is the point
        {"kty": "RSA", "kid": "one", "n": "%", "e": "AQAB"},
        {"kty": "RSA", "kid": ["one"]},
        {},
    ],
)
async def test_a_key_that_must_not_sign_is_not_used(
    client: Client, provider: OpenIdProvider, key: dict[str, Any]
) -> None:
    provider.keys = [key]
    assert await change(client, signed(claims(provider))) == (503, "no-provider")


async def test_loopback_is_closed_once_there_is_a_provider(client: Client) -> None:
    async with client.get("/v1/status") as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("url", "is_protected"),
    [
        ("https://a.example/k", True),
        ("http://a.example/k", False),
        ("http://127.0.0.1:1/k", True),
        ("file:///k", False),
    ],
)
def test_keys_come_over_tls_or_from_this_machine(url: str, is_protected: bool) -> None:
    assert oidc_provider.is_protected(url) is is_protected
