"""What operators decide over the interface: acknowledged findings."""

from typing import Any

import pytest

from tests.resolver.admin.json_client import Client, get

Control = Any  # of conftest


async def post(client: Client, path: str, body: object) -> tuple[int, Any]:
    async with client.post(path, json=body) as response:
        return response.status, await response.json()


async def first_error(client: Client) -> Any:  # noqa: ANN401 - what JSON can hold
    return (await get(client, "/v1/findings?severity=error"))["items"][0]


async def errors(client: Client) -> tuple[int, int]:
    """Return the numbers of open errors and of acknowledged findings."""
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
    monkeypatch.setattr(control.decisions, "_replace", fail)
    status, problem = await post(client, f"/v1/findings/{found['id']}/acknowledge", {"note": "a"})
    assert (status, problem["type"]) == (503, "urn:pldns:problem:state-unwritable")
    assert "No space left" in problem["detail"]
