"""What operators decide over the interface: acknowledged findings, and pins."""

from typing import Any

import pytest
from msgspec import structs

from tests.resolver.admin.json_client import Client, get
from zones.claims.policy import Pin

Control = Any  # of conftest


async def post(client: Client, path: str, body: object) -> tuple[int, Any]:
    async with client.post(path, json=body) as response:
        return response.status, await response.json()


async def first_error(client: Client) -> Any:  # noqa: ANN401 - what JSON can hold
    return (await get(client, "/v1/findings?severity=error"))["items"][0]


async def errors(client: Client) -> tuple[int, int]:
    """Return the numbers of open errors and of acknowledged findings, and pins."""
    counts = (await get(client, "/v1/status"))["counts"]
    return counts["findings"]["error"], counts["acknowledged"]


async def test_an_acknowledged_finding_stays_in_the_list_and_is_not_counted(client: Client) -> None:
    found, (open_errors, _) = await first_error(client), await errors(client)
    assert found["acknowledged"] is None
    wanted = {"note": "two tests share it", "until": "2999-01-01T00:00:00+01:00"}
    status, body = await post(client, f"/v1/findings/{found['id']}/acknowledge", wanted)
    assert (status, body["id"]) == (200, found["id"])
    shown = (await first_error(client))["acknowledged"]
    assert shown == body["acknowledged"]
    assert shown.pop("at").endswith("Z")
    assert shown["by"].startswith("token test at ")
    assert shown["note"] == "two tests share it"
    assert shown["until"] == "2998-12-31T23:00:00.000Z"
    assert await errors(client) == (open_errors - 1, 1)
    async with client.get("/metrics") as response:
        text = await response.text()
    labels = f'{{code="{found["code"]}",severity="error"}}'
    assert f"pldns_findings_acknowledged{labels} 1.0" in text
    assert f"pldns_findings{labels} 1.0" not in text or open_errors > 1
    status, body = await post(client, f"/v1/findings/{found['id']}/withdraw", {})
    assert (status, body["note"]) == (200, "two tests share it")
    assert await errors(client) == (open_errors, 0)
    changes = (await get(client, "/v1/audit"))["items"]
    assert [each["action"] for each in changes] == ["finding.withdraw", "finding.acknowledge"]
    assert changes[1]["before"] == {}
    assert changes[1]["after"]["note"] == changes[0]["before"]["note"] == "two tests share it"
    assert changes[1]["after"]["subject"] == found["subject"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"note": ""},
        {"note": "  "},
        {"note": "a\nb"},
        {"note": "a" * 501},
        {"note": 1},
        {"note": "a", "until": "2020-01-01T00:00:00Z"},
        {"note": "a", "until": "2999-01-01T00:00:00"},
        {"note": "a", "until": "tomorrow"},
        {"note": "a", "untill": None},
    ],
)
async def test_an_acknowledgement_that_says_nothing_is_refused(client: Client, body: object) -> None:
    found = await first_error(client)
    status, problem = await post(client, f"/v1/findings/{found['id']}/acknowledge", body)
    assert (status, problem["type"]) == (400, "urn:pldns:problem:invalid-body")
    assert (await first_error(client))["acknowledged"] is None


@pytest.mark.parametrize("action", ["acknowledge", "withdraw"])
async def test_an_unknown_finding_is_a_problem(client: Client, action: str) -> None:
    body = {"note": "a"} if action == "acknowledge" else {}
    for key in ("000000000000", "%00", "a" * 300):
        status, problem = await post(client, f"/v1/findings/{key}/{action}", body)
        assert (status, problem["type"]) == (404, "urn:pldns:problem:unknown-finding")


async def test_a_decision_that_cannot_be_saved_is_a_problem(
    client: Client, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    found = await first_error(client)
    monkeypatch.setattr(control.decisions, "_save", fail)
    status, problem = await post(client, f"/v1/findings/{found['id']}/acknowledge", {"note": "a"})
    assert (status, problem["type"]) == (503, "urn:pldns:problem:state-unwritable")
    assert "No space left" in problem["detail"]


# -- pins

TWICE = "twice.blob.core.windows.net"


async def served(client: Client) -> list[str]:
    """Return the endpoints whose address `TWICE` has."""
    body = await get(client, f"/v1/claims?name={TWICE}")
    return [each.rpartition("/")[2] for each in body["records"][0]["answers"][0]["endpoints"]]


@pytest.mark.parametrize("endpoint", ["second", "SECOND (rg)", "{id}"])
async def test_a_pin_gives_a_name_to_an_endpoint_as_it_is_printed(client: Client, endpoint: str) -> None:
    key = "/subscriptions/s1/resourceGroups/rg/providers/microsoft.network/privateendpoints/second"
    assert await served(client) == ["first"]
    wanted = {"name": TWICE, "endpoint": endpoint.format(id=key), "reason": "the move", "until": "2999-01-01T00:00:00Z"}
    status, body = await post(client, "/v1/pins", wanted)
    assert status == 200
    by = body.pop("by")
    assert by.startswith("token test at ")
    assert body == {
        "name": TWICE, "endpoint": key, "network": None, "reason": "the move", "origin": "operator",
        "until": "2999-01-01T00:00:00.000Z",
    }  # fmt: skip
    assert await served(client) == ["second"]
    assert (await get(client, "/v1/pins"))["items"] == [{**body, "by": by}]
    assert (await get(client, "/v1/status"))["pins"] == [{**body, "by": by}]
    status, _ = await post(client, f"/v1/pins/{TWICE}/remove", {})
    assert status == 200
    assert (await get(client, "/v1/pins"))["items"] == []
    changes = (await get(client, "/v1/audit"))["items"]
    assert [(each["action"], bool(each["before"]), bool(each["after"])) for each in changes] == [
        ("pin.remove", True, False), ("pin.set", False, True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "status", "code", "text"),
    [
        ({"name": "none.example"}, 409, "no-claim", "no endpoint claims none.example"),
        ({"endpoint": "plain"}, 409, "no-claim", "no endpoint `plain` claims twice"),
        ({"endpoint": ""}, 409, "no-claim", "privateendpoints/first, "),
        ({"network": "north"}, 404, "unknown-network", "network: there is no `north`; nearest: "),
        ({"name": "a..b"}, 400, "invalid-body", "no domain name"),
        ({"reason": ""}, 400, "invalid-body", "reason"),
        ({"until": "2020-01-01T00:00:00Z"}, 400, "invalid-body", "this time has passed"),
        ({"priority": 1}, 400, "invalid-body", "priority: no such parameter"),
    ],
)
async def test_an_impossible_pin_is_a_problem(
    client: Client, control: Control, wanted: dict[str, Any], status: int, code: str, text: str
) -> None:
    body = {"name": TWICE, "endpoint": "second", "reason": "the move", **wanted}
    found, problem = await post(client, "/v1/pins", body)
    assert (found, problem["type"]) == (status, f"urn:pldns:problem:{code}")
    assert text in problem["detail"]
    assert control.estate.operator_pins == ()


async def test_a_name_that_the_configuration_pins_cannot_be_pinned(client: Client, control: Control) -> None:
    settings = control.estate.settings
    pins = (Pin(f"{TWICE}", "first", "east"),)
    control.estate.settings = structs.replace(settings, conflicts=structs.replace(settings.conflicts, pins=pins))
    wanted = {"name": TWICE.upper(), "endpoint": "second", "reason": "the move"}
    status, problem = await post(client, "/v1/pins", {**wanted, "network": "east"})
    assert (status, problem["type"]) == (409, "urn:pldns:problem:configured")
    assert (await post(client, "/v1/pins", {**wanted, "network": "west"}))[0] == 200
    assert [each["origin"] for each in (await get(client, "/v1/pins"))["items"]] == ["configuration", "operator"]


async def test_an_unknown_pin_is_a_problem(client: Client) -> None:
    status, problem = await post(client, f"/v1/pins/{TWICE}/remove", {"network": "east"})
    assert (status, problem["type"]) == (404, "urn:pldns:problem:unknown-pin")
    assert problem["detail"] == f"no operator has pinned {TWICE} in `east`"
