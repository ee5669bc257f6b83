"""Access tokens of an OpenID provider: real keys, a real server that has them, and hostile tokens."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import structs

from resolver.admin.access import oidc_keys
from resolver.admin.app import application, context_of
from resolver.admin_settings import AdminOidc, AdminSettings
from resolver.host_port import HostPort

Client = TestClient[Any, Any]
Control = Any  # of conftest
LISTEN = HostPort("127.0.0.1", 8053)
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
AUDIENCE = "api://pldns"
RSA, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
EC = ec.generate_private_key(ec.SECP256R1())


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str, **more: str) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        found = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": kid, "use": "sig", **more}


class Provider:
    """An OpenID provider on loopback."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [public(RSA, "one"), public(EC, "two", alg="ES256")]
        self.reads = 0
        self.read_again = asyncio.Event()
        self.status = 200
        self.issuer = ""

    async def metadata(self, request: web.Request) -> web.Response:
        return web.json_response({"issuer": self.issuer, "jwks_uri": f"http://{request.host}/keys"}, status=self.status)

    async def key_set(self, _: web.Request) -> web.Response:
        self.reads += 1
        if self.reads > 1:
            self.read_again.set()
        return web.json_response({"keys": self.keys}, status=self.status)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made, app = Provider(), web.Application()
    app.router.add_get("/.well-known/openid-configuration", made.metadata)
    app.router.add_get("/keys", made.key_set)
    async with TestServer(app) as server:
        made.issuer = f"http://127.0.0.1:{server.port}"
        yield made


@pytest.fixture
async def client(control: Control, provider: Provider) -> AsyncIterator[Client]:
    given = AdminOidc(
        f"{provider.issuer}/.well-known/openid-configuration", (provider.issuer, "https://sts.example/"), (AUDIENCE,),
        {"Pldns.Read": "read", "Pldns.Operate": "operate", "Pldns.Admin": "admin"}, TENANT,
    )  # fmt: skip
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN, oidc=given))
    async with TestClient(TestServer(application(context_of(control), LISTEN))) as client:
        yield client


def claims(provider: Provider, **changes: object) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": provider.issuer, "aud": AUDIENCE, "tid": TENANT, "exp": now + 600, "nbf": now - 5, "iat": now - 5,
        "roles": ["Pldns.Read", "Pldns.Operate"], "preferred_username": "ada@corp.example", "oid": "0-1", "sub": "s",
    }  # fmt: skip
    return {key: value for key, value in (usual | changes).items() if value is not None}


def signed(given: dict[str, Any], key: Any = RSA, kid: str = "one", algorithm: str = "RS256") -> str:  # noqa: ANN401
    return jwt.encode(given, key, algorithm, headers={"kid": kid})


async def change(client: Client, token: str) -> tuple[int, str]:
    """Request a cache flush. Return the status, and the code of the problem."""
    headers, body = {"Authorization": f"Bearer {token}"}, {"action": "flush", "name": "."}
    async with client.post("/v1/cache", json=body, headers=headers) as response:
        return response.status, (await response.json()).get("type", "").removeprefix("urn:pldns:problem:")


async def test_app_roles_give_roles(client: Client, provider: Provider) -> None:
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
    client: Client, provider: Provider, changes: dict[str, object]
) -> None:
    assert await change(client, signed(claims(provider, **changes))) == (401, "token-invalid")


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


async def test_a_hostile_token_is_refused(client: Client, provider: Provider) -> None:
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
    client: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "AGAIN", 3600)
    for number in range(30):
        assert (await change(client, signed(claims(provider), OTHER, f"new-{number}")))[0] == 401
    assert provider.reads == 1
    provider.keys = [public(OTHER, "new-1")]  # the provider replaces its keys
    assert (await change(client, signed(claims(provider), OTHER, "new-1")))[0] == 401
    monkeypatch.setattr(oidc_keys, "AGAIN", 0)
    assert (await change(client, signed(claims(provider), OTHER, "new-1")))[0] == 200
    assert (await change(client, signed(claims(provider))))[0] == 401  # the old one is gone
    assert provider.reads <= 4


async def test_the_last_keys_stay_while_the_provider_is_down(
    client: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_keys, "AGAIN", 0)
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
    client: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await change(client, signed(claims(provider))))[0] == 200
    assert (await change(client, signed(claims(provider))))[0] == 200
    assert provider.reads == 1
    monkeypatch.setattr(oidc_keys, "AGAIN", 0)
    monkeypatch.setattr(oidc_keys, "LASTING", 0)
    assert (await change(client, signed(claims(provider))))[0] == 200
    async with asyncio.timeout(60):
        await provider.read_again.wait()


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
async def test_metadata_of_another_issuer_is_not_used(client: Client, provider: Provider, issuer: str) -> None:
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
async def test_a_key_that_must_not_sign_is_not_used(client: Client, provider: Provider, key: dict[str, Any]) -> None:
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
    assert oidc_keys.is_protected(url) is is_protected
