"""Credentials with azure-identity's own code: the requests of each type, and the messages of its failures."""

import logging
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, Self

import aiohttp
import msgspec
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from resolver.azure_settings import Credential, Secret
from resolver.sources.azure import credential
from resolver.sources.azure.credential import NoToken, Tokens
from tests.fake_azure.server import FakeAzure
from zones.azure.clouds import CLOUDS, Cloud

TENANT, CLIENT = "11111111-0000-4000-a000-000000000001", "22222222-0000-4000-a000-000000000002"
SECRET = "s3cr3t-of-the-test"  # noqa: S105  # made up


class Entra:
    """A fake of Microsoft Entra ID's token endpoint, over TLS on loopback."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.error: dict[str, Any] = {}
        self.authority = trustme.CA()
        self.headers: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        self.cloud = Cloud(
            f"127.0.0.1:{self._runner.addresses[0][1]}", "https://management.example", "https://m.example/.default"
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.asked.append((request.path, form))
        if self.error:
            return web.json_response(self.error, status=400, headers=self.headers)
        said = {"access_token": f"token-{len(self.asked)}", "expires_in": 3600, "token_type": "Bearer"}
        return web.json_response(said)


@pytest.fixture
async def entra(alone: None) -> AsyncIterator[Entra]:
    async with Entra() as running:
        yield running


@pytest.fixture
async def trusting(entra: Entra) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session that trusts the certificate of `entra`."""
    context = ssl.create_default_context()
    entra.authority.configure_trust(context)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield session


async def token(config: Credential, cloud: Cloud, http: aiohttp.ClientSession) -> str:
    tokens = Tokens(config, cloud, http)
    try:
        return await tokens.get()
    finally:
        await tokens.close()


def secret(**place: str) -> Credential:
    return Credential("client-secret", TENANT, CLIENT, secret=Secret(**place))


async def test_a_secret_in_a_file(entra: Entra, trusting: aiohttp.ClientSession, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    assert await token(secret(file=str(file)), entra.cloud, trusting) == "token-1"
    ((path, form),) = entra.asked
    assert path == f"/{TENANT}/oauth2/v2.0/token"
    assert (form["client_id"], form["client_secret"], form["scope"]) == (CLIENT, SECRET, entra.cloud.scope)


async def test_a_secret_in_the_environment(
    entra: Entra, trusting: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_SECRET", SECRET)
    assert await token(secret(environment="OUR_SECRET"), entra.cloud, trusting) == "token-1"
    assert entra.asked[0][1]["client_secret"] == SECRET


async def test_a_changed_secret_is_read_again(entra: Entra, trusting: aiohttp.ClientSession, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    tokens = Tokens(secret(file=str(file)), entra.cloud, trusting)
    assert await tokens.get() == await tokens.get() == "token-1"
    file.write_text("new")
    await tokens.renew()
    assert await tokens.get() == "token-2"
    assert [form["client_secret"] for _, form in entra.asked] == ["old", "new"]
    await tokens.close()


@pytest.mark.parametrize("password", ["", "open sesame"])
async def test_a_certificate(
    entra: Entra, trusting: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    made = entra.authority.issue_cert("pldns.example", key_type=trustme.KeyType.RSA)
    key = made.private_key_pem.bytes()
    if password:
        cipher = BestAvailableEncryption(password.encode())
        key = load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher)
        monkeypatch.setenv("OUR_PASSWORD", password)
    file = tmp_path / "both.pem"
    file.write_bytes(key + made.cert_chain_pems[0].bytes())
    config = Credential(
        "certificate", TENANT, CLIENT,
        certificate=Secret(str(file)), password=Secret(environment="OUR_PASSWORD") if password else None,
    )  # fmt: skip
    assert await token(config, entra.cloud, trusting) == "token-1"
    assert entra.asked[0][1]["client_assertion_type"].endswith("jwt-bearer")


async def test_a_workload_identity_comes_from_the_environment(
    entra: Entra, trusting: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("of the cluster")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    assert await token(Credential("workload-identity"), entra.cloud, trusting) == "token-1"
    assert entra.asked[0][1]["client_assertion"] == "of the cluster"


async def test_the_default_takes_a_service_principal_of_the_environment(
    entra: Entra, trusting: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TENANT_ID", TENANT), ("CLIENT_ID", CLIENT), ("CLIENT_SECRET", SECRET)):
        monkeypatch.setenv(f"AZURE_{name}", value)
    assert await token(Credential(), entra.cloud, trusting) == "token-1"
    assert entra.asked[0][1]["client_secret"] == SECRET


async def test_the_default_needs_an_endpoint_and_its_header_alone(fake: FakeAzure, http: aiohttp.ClientSession) -> None:
    found = await token(Credential(), CLOUDS["public"], http)
    assert found.count(".") >= 2
    (asked,) = fake.requests
    assert "resource=https://management.azure.com" in asked.path


@pytest.mark.parametrize("kind", ["default", "managed-identity"])
async def test_a_user_assigned_identity_is_requested_by_its_id(
    fake: FakeAzure, http: aiohttp.ClientSession, kind: Literal["default", "managed-identity"]
) -> None:
    mine = "0a0a0a0a-0000-4000-a000-0000000000aa"
    await token(Credential(kind, client_id=mine), CLOUDS["public"], http)
    assert f"client_id={mine}" in fake.requests[0].path


@pytest.mark.parametrize("cloud", ["usgovernment", "china"])
async def test_a_sovereign_cloud_has_its_own_scope(fake: FakeAzure, http: aiohttp.ClientSession, cloud: str) -> None:
    await token(Credential(), CLOUDS[cloud], http)
    assert CLOUDS[cloud].scope.removeprefix("https://").removesuffix("/.default") in fake.requests[0].path


def test_no_two_clouds_share_a_host_or_scope() -> None:
    for field in range(3):
        assert len({cloud[field] for cloud in CLOUDS.values()}) == 3


async def test_the_command_line_tool_is_run(
    alone: None, http: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = msgspec.json.encode({"accessToken": "of-az", "expires_on": int(time.time()) + 3600}).decode()
    tool = tmp_path / "az"
    tool.write_text(f"#!/bin/sh\necho '{said}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert await token(Credential("cli"), CLOUDS["public"], http) == "of-az"


# -- failures


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("AADSTS7000215: Invalid client secret provided.", "the client secret is wrong"),
        ("AADSTS90002: Tenant not found.", "there is no such tenant"),
        ("AADSTS700016: Application was not found in the directory.", "the tenant does not know this application"),
        ("AADSTS500011: The resource principal was not found.", "the Resource Manager of this `cloud`"),
        ("AADSTS50000: There was an error issuing a token.", "no token: AADSTS50000: There was an error"),
    ],
)
async def test_a_refusal_of_entra_is_one_line_without_the_secret(
    entra: Entra,
    trusting: aiohttp.ClientSession,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    error: str,
    said: str,
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "secret"
    file.write_text(SECRET)
    entra.error = {"error": "invalid_client", "error_description": f"{error}\r\nTrace ID: 1"}
    with pytest.raises(NoToken, match=said) as caught:
        await token(secret(file=str(file)), entra.cloud, trusting)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value) + caplog.text
    assert not [record for record in caplog.records if record.name.startswith("azure")]


async def test_a_wrong_clock_is_named(entra: Entra, trusting: aiohttp.ClientSession, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    entra.error = {"error": "invalid_client", "error_description": "AADSTS700024: not within its valid time range"}
    entra.headers = {"Date": "Thu, 01 Jan 2015 00:00:00 GMT"}
    with pytest.raises(NoToken, match=r"this machine's clock is \d+ s ahead of Azure's; set it \(NTP\)"):
        await token(secret(file=str(file)), entra.cloud, trusting)


async def test_an_endpoint_that_does_not_answer_is_named(trusting: aiohttp.ClientSession, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    nobody = CLOUDS["public"]._replace(authority="127.0.0.1:9")
    with pytest.raises(NoToken, match=r"no token: .*127\.0\.0\.1:9"):
        await token(secret(file=str(file)), nobody, trusting)


async def test_a_missing_identity_endpoint_is_named(
    alone: None, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", SECRET)
    with pytest.raises(NoToken, match=r"no token: 127\.0\.0\.1:9 issues tokens and cannot be reached") as caught:
        await token(Credential(), CLOUDS["public"], http)
    assert SECRET not in str(caught.value)


async def test_without_any_identity_the_message_says_so(
    alone: None, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")  # otherwise it would try a metadata address
    with pytest.raises(NoToken, match="no identity: give this machine a managed identity"):
        await token(Credential(), CLOUDS["public"], http)


async def test_every_wait_ends(
    entra: Entra, trusting: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential, "LONGEST", 0.0)
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(NoToken, match="the identity endpoint does not answer"):
        await token(secret(file=str(tmp_path / "secret")), entra.cloud, trusting)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Secret(file="/nonexistent/secret"), "no token: /nonexistent/secret cannot be read: No such file or directory"),
        (Secret(environment="NOT_SET"), "no token: the environment variable NOT_SET is empty"),
        (Secret(file="empty"), "no token: .*/empty is empty"),
        (Secret(file="binary"), "no token: the secret in .*/binary is not UTF-8"),
        (None, "no token: the credential names no secret"),
    ],
)
async def test_a_missing_secret(http: aiohttp.ClientSession, tmp_path: Path, place: Secret | None, said: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    if place and place.file and not place.file.startswith("/"):
        place = Secret(file=str(tmp_path / place.file))
    with pytest.raises(NoToken, match=said):
        await token(Credential("client-secret", TENANT, CLIENT, secret=place), CLOUDS["public"], http)


async def test_an_invalid_certificate(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("hello")
    config = Credential("certificate", TENANT, CLIENT, certificate=Secret(str(tmp_path / "c.pem")))
    with pytest.raises(NoToken, match="no token: "):
        await token(config, CLOUDS["public"], http)
