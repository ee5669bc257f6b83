"""Draining, and the log level of all processes."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from resolver.process.orders import UseLogLevel
from tests.resolver.admin.conftest import LINK
from tests.resolver.admin.json_client import Client, get

Control = Any  # of conftest


@pytest.fixture(autouse=True)
def unchanged_level() -> Iterator[None]:
    """A log level that a test sets is that of its process, which runs other tests later."""
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)


async def post(client: Client, path: str, body: object) -> tuple[int, Any]:
    async with client.post(path, json=body) as response:
        return response.status, await response.json()


async def test_draining_is_audited_and_ends(client: Client, control: Control) -> None:
    assert await post(client, "/v1/drain", {"draining": True}) == (200, {"draining": True})
    assert control.draining
    assert await post(client, "/v1/drain", {"draining": False}) == (200, {"draining": False})
    assert not control.draining
    changes = (await get(client, "/v1/audit"))["items"]
    assert [(each["action"], each["before"], each["after"]) for each in changes] == [
        ("drain", {"draining": True}, {"draining": False}), ("drain", {"draining": False}, {"draining": True})
    ]  # fmt: skip


async def test_a_log_level_is_requested_of_the_supervisor(client: Client, control: Control) -> None:
    status, body = await post(client, "/v1/log-level", {"level": "debug", "seconds": 90})
    assert (status, body["level"], body["configured"]) == (202, "debug", "info")
    assert body["until"].endswith("Z")
    assert LINK[1].recv(100) == b"log-level debug 90"
    assert (await get(client, "/v1/log-level"))["level"] == "info"
    control.log_level.received(UseLogLevel("debug", 90))
    found = await get(client, "/v1/log-level")
    assert found["level"] == "debug"
    assert found["until"]
    control.log_level.received(UseLogLevel("info", 0))
    assert await get(client, "/v1/log-level") == {"level": "info", "configured": "info", "until": None}
    (change,) = (await get(client, "/v1/audit"))["items"]
    assert (change["before"], change["after"]) == ({"level": "info"}, {"level": "debug", "seconds": 90})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/drain", {}),
        ("/v1/drain", {"draining": "yes"}),
        ("/v1/drain", {"draining": None}),
        ("/v1/log-level", {}),
        ("/v1/log-level", {"level": "trace"}),
        ("/v1/log-level", {"level": "debug", "seconds": 0}),
        ("/v1/log-level", {"level": "debug", "seconds": 86_401}),
        ("/v1/log-level", {"level": "debug", "seconds": True}),
        ("/v1/log-level", {"level": "debug", "for": "10m"}),
    ],
)
async def test_another_body_is_refused(client: Client, control: Control, path: str, body: object) -> None:
    status, problem = await post(client, path, body)
    assert (status, problem["type"]) == (400, "urn:pldns:problem:invalid-body")
    assert not control.draining
