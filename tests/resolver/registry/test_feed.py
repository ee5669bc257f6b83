"""What the registry gives to the estate: by its changes, and as a whole."""

from typing import Any

import msgspec

from resolver.registry.registry import Registry
from tests.registry_shapes import account, endpoint, network, vnet
from tests.resolver.registry.conftest import Arm
from zones.azure import arm
from zones.azure.resource import Resources

ZONE = network("privatelink.blob.core.windows.net", "privateDnsZones")


async def _scenario(lab: Arm) -> None:
    """Make, change and delete endpoints and networks of each kind."""
    peer, group = network("spoke", "virtualNetworks"), network("pe1/privateDnsZoneGroups/default")
    zones = {"privateDnsZoneConfigs": [{"name": "blob", "properties": {"privateDnsZoneId": ZONE}}]}
    back = {"remoteVirtualNetwork": {"id": network("hub", "virtualNetworks")}}
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("PUT", network("pe1"), endpoint(account(), "blob")),
        ("PUT", network("pe2"), endpoint(account(), "dfs", manual=True)),
        ("PUT", network("pe3"), endpoint(account(), "file")),
        ("PUT", group, {"properties": zones}),
        ("PUT", peer, vnet("10.2.0.0/16", "10.2.0.0/24")),
        ("PUT", f"{peer}/virtualNetworkPeerings/back", {"properties": back}),
        ("PUT", network("gone", "virtualNetworks"), vnet("10.3.0.0/16", "10.3.0.0/24")),
        ("DELETE", network("pe3"), None),
        ("DELETE", network("gone", "virtualNetworks"), None),
    ]
    for method, path, body in calls:
        assert (await lab(method, path, body)).status in {200, 201, 202}, path


async def test_the_changes_one_by_one_make_the_same_parts_as_the_whole(lab: Arm, registry: Registry) -> None:
    before = await registry.differences({})
    parts = dict(before)
    registry.follow(parts.update)
    await _scenario(lab)
    parts = {key: part for key, part in parts.items() if part is not None}
    assert parts == await registry.differences({})
    assert {key.rpartition("/")[2] for key in parts} == {"pe1", "pe2", "hub", "spoke"}


async def test_a_whole_reading_has_only_what_the_estate_does_not_have(lab: Arm, registry: Registry) -> None:
    await _scenario(lab)
    whole = {key: part for key, part in (await registry.differences({})).items() if part is not None}
    assert await registry.differences(whole) == {}
    key, gone = network("pe1").casefold(), network("pe9").casefold()
    had = {**whole, key: Resources(), gone: whole[key]}
    assert await registry.differences(had) == {key: whole[key], gone: None}


async def test_a_part_is_what_a_file_with_the_bodies_is(lab: Arm, registry: Registry) -> None:
    await _scenario(lab)
    parts = await registry.differences({})
    for name in ("pe1", "pe2"):
        shown = (await lab("GET", network(name))).body
        nics = [(await lab("GET", each["id"])).body for each in shown["properties"]["networkInterfaces"]]
        groups = (await lab("GET", f"{network(name)}/privateDnsZoneGroups")).body["value"]
        file = msgspec.json.encode({"value": [shown, *nics, *groups]})
        assert parts[network(name).casefold()] == arm.read(file, network(name), form="json")
    for name in ("hub", "spoke"):
        path = network(name, "virtualNetworks")
        file = msgspec.json.encode((await lab("GET", path)).body)
        assert parts[path.casefold()] == arm.read(file, path, form="json")
