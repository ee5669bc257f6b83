"""What a change of the registry would replace in its source, before the change is made."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from resolver.registry.portal import Portal
from resolver.registry.registry import Registry
from resolver.settings import SourceSettings
from tests.filled_registry import opened, write
from tests.registry_shapes import NETWORKER, account, endpoint, network
from tests.resolver.admin.json_client import Client, get, post
from zones.azure.resource import Resources
from zones.clocks import WallTime

Control = Any  # of conftest
PLAN = "/v1/registry/plan"
PREVIEW = "/v1/registry/preview"
MakeEndpoint = Any  # of conftest
T0 = WallTime(1_700_000_000.0)


@pytest.fixture
def endpoint_of(request: pytest.FixtureRequest) -> MakeEndpoint:
    """The fixture `endpoint`, whose name a function of this module has."""
    return request.getfixturevalue("endpoint")


@pytest.fixture
async def registry(tmp_path: Path, control: Control) -> AsyncIterator[Registry]:
    """A registry with the endpoint `pe` that waits for approval."""
    async with opened(tmp_path) as made:
        await write(made, {network("pe"): endpoint(account(), "blob", manual=True)}, NETWORKER)
        control.registry = Portal(made)
        sources = (*control.estate.settings.sources, SourceSettings("lab", "registry"))
        control.estate.settings = structs.replace(control.estate.settings, sources=sources)
        yield made


async def planned(client: Client, wanted: object) -> dict[str, Resources | None]:
    async with client.post(PLAN, json=wanted) as response:
        octets = await response.read()
        assert response.status == 200, octets
        return msgspec.msgpack.decode(octets, type=dict[str, Resources | None])


async def test_an_approval_would_give_the_endpoint_its_names(client: Client, registry: Registry) -> None:
    ((key, part),) = (await planned(client, {"action": "approve", "name": "pe"})).items()
    assert key == network("pe").casefold()
    assert part
    assert part.endpoints[0].state_text == "Approved"
    assert part.nics[0].rows[0].fqdns == ("acct.blob.core.windows.net",)
    after = await get(client, "/v1/registry/endpoints/pe")
    assert (after["state"], after["names"]) == ("Pending", [])


async def test_a_deletion_would_remove_the_part(client: Client, registry: Registry) -> None:
    assert await planned(client, {"action": "delete", "name": "pe"}) == {network("pe").casefold(): None}
    for action in ("reject", "remove"):
        (part,) = (await planned(client, {"action": action, "name": "pe"})).values()
        assert part
    assert (await get(client, "/v1/registry/endpoints/pe"))["state"] == "Pending"


async def test_a_new_endpoint_would_have_an_address_that_stays_free(client: Client, registry: Registry) -> None:
    wanted = {"name": "two", "subnet": "hub/pe", "target": "acct", "sub_resource": "file"}
    (part,) = (await planned(client, {"action": "create", "endpoint": wanted})).values()
    assert part
    assert part.nics[0].rows[0].addresses == ("10.1.0.5",)
    made = await post(client, "/v1/registry/endpoints", wanted, 201)
    assert made["addresses"] == ["10.1.0.5"]


async def test_a_plan_is_refused_as_the_change_would_be(client: Client, registry: Registry) -> None:
    problem = await post(client, PLAN, {"action": "approve", "name": "nobody"}, 404)
    assert problem["azure"] == "ResourceNotFound"
    assert "endpoint: is missing" in (await post(client, PLAN, {"action": "create"}, 400))["detail"]
    assert (await get(client, "/v1/audit"))["items"] == []


async def test_a_preview_shows_names_before_and_after_an_approval(client: Client, registry: Registry) -> None:
    found = await post(client, PREVIEW, {"action": "approve", "name": "pe"})
    (endpoint_after,) = found["endpoints"]
    assert (endpoint_after["state"], endpoint_after["addresses"]) == ("Approved", ["10.1.0.4"])
    (name,) = found["names"]
    assert (name["name"], name["before"]) == ("acct.privatelink.blob.core.windows.net", None)
    assert name["after"]["answers"][0]["data"] == ["10.1.0.4"]
    assert (await get(client, "/v1/registry/endpoints/pe"))["state"] == "Pending"


async def test_a_preview_shows_the_endpoints_that_would_share_a_name(
    client: Client, registry: Registry, control: Control, endpoint_of: MakeEndpoint
) -> None:
    other = endpoint_of("other", "acct.blob.core.windows.net", bytes((10, 2, 0, 9)), vnet="b")
    control.estate.ledger.apply({other.key: other}, T0)
    found = await post(client, PREVIEW, {"action": "approve", "name": "pe"})
    assert found["names"] == []  # the endpoint that has the name keeps it
    (contest,) = (each for each in found["opens"] if each["code"] == "conflicting-address")
    assert (contest["subject"], contest["winner"]) == ("acct.privatelink.blob.core.windows.net", other.id)


async def test_a_preview_of_a_refused_change_is_refused(client: Client, registry: Registry) -> None:
    assert (await post(client, PREVIEW, {"action": "approve", "name": "nobody"}, 404))["azure"] == "ResourceNotFound"
    wanted = {"name": "two", "subnet": "hub/nowhere", "target": "acct", "sub_resource": "file"}
    await post(client, PREVIEW, {"action": "create", "endpoint": wanted}, 404)


async def test_a_preview_of_a_new_endpoint_that_waits_has_its_address(client: Client, registry: Registry) -> None:
    wanted = {"name": "two", "subnet": "hub/pe", "target": "acct", "sub_resource": "file", "manual": True}
    found = await post(client, PREVIEW, {"action": "create", "endpoint": wanted})
    assert [(each["state"], each["addresses"]) for each in found["endpoints"]] == [("Pending", ["10.1.0.5"])]
    assert found["names"] == []
