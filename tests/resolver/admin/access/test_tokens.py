"""Tokens that commands make: in the interface, and as a file."""

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin.access.tokens import FILE, NameTaken, Tokens, digest, fresh
from resolver.admin.app import application, context_of
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.host_port import HostPort
from tests.resolver.admin.json_client import Client, get

Control = Any  # of conftest
LISTEN = HostPort("127.0.0.1", 8053)


def test_a_token_is_found_by_its_text_until_it_is_revoked(tmp_path: Path) -> None:
    tokens = Tokens(str(tmp_path))
    made, text = tokens.add("grafana", "read", None)
    assert text.startswith("pldns_")
    assert len(text) > 45
    assert tokens.matching(text, ()) == made
    again = Tokens(str(tmp_path))
    assert again.matching(text, ()) == made
    file = tmp_path / FILE
    assert text not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(NameTaken):
        again.add("grafana", "admin", None)
    again.revoke("grafana")
    assert again.matching(text, ()) is None
    assert Tokens(str(tmp_path)).made == {}
    with pytest.raises(KeyError):
        again.revoke("grafana")


def test_a_token_ends_when_it_expires() -> None:
    tokens = Tokens("")
    _, old = tokens.add("old", "admin", time.time() - 1)
    _, new = tokens.add("new", "admin", time.time() + 3600)
    assert tokens.matching(old, ()) is None
    assert tokens.matching(new, ())


def test_tokens_of_the_configuration_count_too() -> None:
    text = fresh()
    configured = AdminToken("ci", "operate", digest(text))
    assert Tokens("").matching(text, (configured,)) == configured
    assert Tokens("").matching(text + "x", (configured,)) is None
    assert Tokens("").matching("\udcff\x00", (configured,)) is None


@pytest.mark.parametrize("content", ["", "{", "[{}]", '[{"name": 1}]'])
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text(content)
    tokens = Tokens(str(tmp_path))
    assert tokens.unreadable
    assert not tokens.made
    assert "all tokens that were made are refused" in caplog.text
    tokens.add("new", "read", None)
    again = Tokens(str(tmp_path))
    assert (set(again.made), again.unreadable) == ({"new"}, False)
    assert (tmp_path / "tokens.broken").read_text() == content


async def post(client: Client, path: str, body: object, status: int) -> Any:  # noqa: ANN401 - JSON
    async with client.post(path, json=body) as response:
        found = await response.json(content_type=None)
        assert response.status == status, found
        return found


async def test_a_token_is_made_used_and_revoked(client: Client, control: Control) -> None:
    wanted = {"name": "grafana", "role": "read", "expires": "2999-01-01T00:00:00Z"}
    made = await post(client, "/v1/tokens", wanted, 201)
    assert made["token"].startswith("pldns_")
    headers = {"Authorization": f"Bearer {made['token']}"}
    async with client.get("/v1/status", headers=headers) as response:
        assert response.status == 200
    items = (await get(client, "/v1/tokens"))["items"]
    assert [(each["name"], each["role"], each["origin"]) for each in items] == [
        ("grafana", "read", "command"), ("test", "admin", "configuration"),
    ]  # fmt: skip
    assert made["token"] not in json.dumps(items)
    assert items[0]["expires"] == "2999-01-01T00:00:00.000Z"
    for body, status, code in (
        (wanted, 409, "name-taken"), ({**wanted, "name": "test"}, 409, "name-taken"),
        ({**wanted, "name": "a/b"}, 400, "invalid-body"), ({**wanted, "role": "root"}, 400, "invalid-body"),
        ({**wanted, "expires": "tomorrow"}, 400, "invalid-body"), ({**wanted, "expires": 0}, 400, "invalid-body"),
        ({**wanted, "expires": "2001-01-01T00:00:00Z"}, 400, "invalid-body"), ({**wanted, "x": 1}, 400, "invalid-body"),
        ([], 400, "invalid-body"), ("x", 400, "invalid-body"),
    ):  # fmt: skip
        assert (await post(client, "/v1/tokens", body, status))["type"] == f"urn:pldns:problem:{code}"
    assert (await post(client, "/v1/tokens/test/revoke", {}, 409))["type"] == "urn:pldns:problem:configured"
    assert (await post(client, "/v1/tokens/none/revoke", {}, 404))["type"] == "urn:pldns:problem:unknown-token"
    await post(client, "/v1/tokens/grafana/revoke", {}, 200)
    async with client.get("/v1/status", headers=headers) as response:
        assert response.status == 401
        assert (await response.json(content_type=None))["type"] == "urn:pldns:problem:token-invalid"
    entries = (await get(client, "/v1/audit"))["items"]
    assert [each["action"] for each in entries] == ["token.revoke", "token.new"]
    assert entries[1]["who"] == "token test at 127.0.0.1"
    assert made["token"] not in json.dumps(entries)


async def test_a_made_token_can_be_revoked_although_a_reload_brought_one_of_its_name(
    client: Client, control: Control
) -> None:
    made = await post(client, "/v1/tokens", {"name": "grafana", "role": "read"}, 201)
    before = control.estate.settings.admin
    admin = structs.replace(before, tokens=(*before.tokens, AdminToken("grafana", "read", digest("pldns_other"))))
    control.estate.settings = structs.replace(control.estate.settings, admin=admin)
    await post(client, "/v1/tokens/grafana/revoke", {}, 200)
    for token, status in ((made["token"], 401), ("pldns_other", 200)):
        async with client.get("/v1/status", headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status == status
    assert (await post(client, "/v1/tokens/grafana/revoke", {}, 409))["type"] == "urn:pldns:problem:configured"


async def test_a_token_that_cannot_be_saved_is_not_made(control: Control, tmp_path: Path) -> None:
    admin = AdminSettings(LISTEN, tokens=(AdminToken("test", "admin", digest("pldns_test")),))
    settings = structs.replace(control.estate.settings, state_directory=str(tmp_path / "missing"), admin=admin)
    control.estate.settings = settings
    headers = {"Authorization": "Bearer pldns_test"}
    async with TestClient(TestServer(application(context_of(control), LISTEN)), headers=headers) as client:
        found = await post(client, "/v1/tokens", {"name": "a", "role": "read"}, 503)
        assert found["type"] == "urn:pldns:problem:state-unwritable"
        assert [each["name"] for each in (await get(client, "/v1/tokens"))["items"]] == ["test"]
