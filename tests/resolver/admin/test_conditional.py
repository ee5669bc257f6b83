"""Entity tags: 304 for a response that the client has, and 412 for a change of something that has changed."""

from typing import Any

import pytest

from resolver.admin.access.problems import Code
from resolver.admin.routes import ROUTES
from tests.resolver.admin.json_client import BLOB, Client, get

Control = Any  # of conftest
MakeEndpoint = Any  # of conftest
FLUSH = {"action": "flush", "name": "a.example"}


async def tag(client: Client, path: str) -> str:
    async with client.get(path) as response:
        return response.headers["ETag"]


async def changed(client: Client, path: str, body: Any, tag: str) -> tuple[int, str]:  # noqa: ANN401 - JSON
    """Return the status and type of the response to a change that depends on a tag."""
    async with client.post(path, json=body, headers={"If-Match": tag}) as response:
        return response.status, (await response.json(content_type=None)).get("type", "")


REFUSED = 412, Code.CHANGED.type


@pytest.mark.parametrize(
    "path", ["/v1/endpoints", "/v1/zones", f"/v1/zones/{BLOB}/records", "/v1/claims", "/v1/findings", "/v1/networks"]
)
async def test_a_response_that_the_client_has_is_not_sent_again(
    client: Client, control: Control, endpoint: MakeEndpoint, path: str
) -> None:
    known = await tag(client, path)
    for header in (known, f'"x", {known}', "*"):
        async with client.get(path, headers={"If-None-Match": header}) as response:
            assert (response.status, await response.read()) == (304, b""), header
            assert response.headers["ETag"] == known
    async with client.get(path, headers={"If-None-Match": 'W/"other"'}) as response:
        assert response.status == 200
    made = endpoint("pending", "q.queue.core.windows.net", b"\x0a\x01\x00\x0b", vnet="a")
    control.estate.ledger.apply({made.key: made}, 1_700_000_100.0)
    control.serial += 1
    if path in {"/v1/endpoints", "/v1/zones", "/v1/claims"}:
        assert await tag(client, path) != known


async def test_every_response_with_json_has_a_tag_and_no_other(client: Client) -> None:
    for route in ROUTES:
        if not route.body and "{" not in route.path and not route.parameters.model_json_schema().get("required"):
            if route.media == ("text/event-stream",):
                continue
            async with client.get(route.path) as response:
                has_tags = route.has_tags and response.status == 200  # there is no registry here
                assert ("ETag" in response.headers) == has_tags, route.path


async def test_a_changed_finding_is_not_acknowledged_unseen(client: Client) -> None:
    (finding,) = (await get(client, "/v1/findings?name=waits"))["items"]
    path = f"/v1/findings/{finding['id']}"
    assert (await get(client, path))["code"] == "endpoint-pending"
    before = await tag(client, path)
    for wrong in ('"other"', f"W/{before}", "malformed"):
        assert await changed(client, f"{path}/acknowledge", {"note": "known"}, wrong) == REFUSED
    assert (await changed(client, f"{path}/acknowledge", {"note": "known"}, before))[0] == 200
    assert await changed(client, f"{path}/withdraw", {}, before) == REFUSED
    assert (await changed(client, f"{path}/withdraw", {}, await tag(client, path)))[0] == 200
    await get(client, "/v1/findings/nothing", 404)


async def test_a_source_that_was_read_since_is_not_synced(client: Client, control: Control) -> None:
    before = await tag(client, "/v1/sources/estate")
    control.estate.health.read("estate", 4, 1_700_000_200.0)
    assert await changed(client, "/v1/sources/estate/sync", {"action": "now"}, before) == REFUSED
    assert control.wanted == []
    after = await tag(client, "/v1/sources/estate")
    assert (await changed(client, "/v1/sources/estate/sync", {"action": "now"}, after))[0] == 202
    assert (await get(client, "/v1/sources/estat", 404))["nearest"] == ["estate"]


async def test_pins_and_tokens_are_changed_as_they_were_seen(client: Client) -> None:
    pin = {"name": "plain.blob.core.windows.net", "endpoint": "plain", "reason": "test"}
    for path, body in (("/v1/pins", pin), ("/v1/tokens", {"name": "new", "role": "read"})):
        before = await tag(client, path)
        assert await changed(client, path, body, '"other"') == REFUSED
        assert (await changed(client, path, body, before))[0] in {200, 201}
        assert await tag(client, path) != before
        assert await changed(client, path, body, before) == REFUSED


async def test_what_has_no_tag_cannot_be_changed_by_one(client: Client, control: Control) -> None:
    assert await changed(client, "/v1/cache", FLUSH, '"any"') == REFUSED
    assert control.requests == []
    assert (await changed(client, "/v1/cache", FLUSH, "*"))[0] == 200


async def test_a_reload_depends_on_the_configuration(client: Client) -> None:
    before = await tag(client, "/v1/configuration")
    assert await changed(client, "/v1/reload", {}, '"other"') == REFUSED
    assert (await changed(client, "/v1/reload", {}, before))[0] == 503  # no supervisor
