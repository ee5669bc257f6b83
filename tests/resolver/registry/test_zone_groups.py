"""DNS zone groups, and the sub-resources of a target."""

from typing import Any

from tests.registry_shapes import account, endpoint, network
from tests.resolver.registry.conftest import Arm

GROUP = f"{network('pe')}/privateDnsZoneGroups/default"


def _group(*zones: str) -> dict[str, Any]:
    configs = [
        {"name": zone.replace(".", "-"), "properties": {"privateDnsZoneId": network(zone, "privateDnsZones")}}
        for zone in zones
    ]
    return {"properties": {"privateDnsZoneConfigs": configs}}


async def test_a_zone_group_has_the_records_and_the_endpoint_no_custom_configs(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    made = (await lab("PUT", GROUP, _group("privatelink.blob.core.windows.net", "corp.example"))).body
    one, other = (each["properties"]["recordSets"] for each in made["properties"]["privateDnsZoneConfigs"])
    (record,) = one
    assert (record["fqdn"], record["ipAddresses"]) == ("acct.privatelink.blob.core.windows.net", ["10.1.0.4"])
    assert (record["recordSetName"], record["ttl"], other) == ("acct", 10, [])
    assert (await lab("GET", network("pe"))).body["properties"]["customDnsConfigs"] == []
    assert (await lab("DELETE", GROUP)).status == 202
    assert (await lab("GET", network("pe"))).body["properties"]["customDnsConfigs"]


async def test_an_endpoint_has_one_zone_group_with_five_zones_at_most(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    six = await lab("PUT", GROUP, _group(*(f"z{i}.example" for i in range(6))))
    assert six.code == "OperationNotAllowed"
    assert (await lab("GET", network("pe"))).body["properties"]["customDnsConfigs"]  # nothing is half done
    assert (await lab("PUT", GROUP, _group("a.example"))).status == 201
    assert (await lab("PUT", f"{GROUP}2", _group("a.example"))).code == "OperationNotAllowed"


async def test_a_target_lists_its_sub_resources(lab: Arm) -> None:
    rows = (await lab("GET", f"{account()}/privateLinkResources")).body["value"]
    found = {each["properties"]["groupId"]: each["properties"] for each in rows}
    assert found["blob"]["requiredZoneNames"] == ["privatelink.blob.core.windows.net"]
    assert {"file", "dfs", "table", "queue", "web"} <= found.keys()


async def test_a_zone_group_has_records_only_while_the_endpoint_is_approved(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob", manual=True))
    await lab("PUT", GROUP, _group("privatelink.blob.core.windows.net"))
    (connection,) = (await lab("GET", f"{account()}/privateEndpointConnections")).body["value"]
    for status, records in (("Approved", 1), ("Rejected", 0), ("Approved", 1)):
        state = {"privateLinkServiceConnectionState": {"status": status}}
        await lab("PUT", connection["id"], {"properties": state})
        (config,) = (await lab("GET", GROUP)).body["properties"]["privateDnsZoneConfigs"]
        assert len(config["properties"]["recordSets"]) == records, status
    await lab("DELETE", connection["id"])
    (config,) = (await lab("GET", GROUP)).body["properties"]["privateDnsZoneConfigs"]
    assert not config["properties"]["recordSets"]


async def test_a_disconnected_endpoint_can_only_be_deleted(lab: Arm) -> None:
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    (connection,) = (await lab("GET", f"{account()}/privateEndpointConnections")).body["value"]
    await lab("DELETE", connection["id"])
    for answer in (
        await lab("PUT", network("pe"), endpoint(account(), "blob")),
        await lab("PATCH", network("pe"), {"tags": {}}),
        await lab("PUT", GROUP, _group("a.example")),
    ):
        assert (answer.status, answer.code) == (400, "PrivateEndpointCannotBeUpdatedInDisconnectedState")
    assert (await lab("DELETE", network("pe"))).status == 202
