"""DNS zone groups in every form in which Azure and its tools write them."""

import json
from typing import Any

import pytest

from zones.azure import arm
from zones.azure.resource import Resources, ZoneConfig, ZoneGroup, ZoneRecord

ENDPOINT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe-shop"
GROUP = f"{ENDPOINT}/privateDnsZoneGroups/default"
ZONE = (
    "/subscriptions/s/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
)
NAME = "shop.privatelink.blob.core.windows.net"
RECORD = {
    "fqdn": NAME, "ipAddresses": ["10.1.0.4"], "provisioningState": "Succeeded", "recordSetName": "shop",
    "recordType": "A", "ttl": 10,
}  # fmt: skip
AZ = {
    "etag": "x", "id": GROUP, "name": "default", "provisioningState": "Succeeded", "resourceGroup": "rg",
    "privateDnsZoneConfigs": [
        {"name": "blob", "privateDnsZoneId": ZONE, "recordSets": [RECORD], "resourceGroup": "rg"}
    ],
}  # fmt: skip
REST = {
    "id": GROUP, "name": "default", "type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "properties": {
        "privateDnsZoneConfigs": [{"name": "blob", "properties": {"privateDnsZoneId": ZONE, "recordSets": [RECORD]}}]
    },
}  # fmt: skip
EXPECTED = ZoneGroup(
    ENDPOINT.casefold(),  # type: ignore[arg-type]
    GROUP,
    (ZoneConfig(ZONE.casefold(), (ZoneRecord(NAME, ("10.1.0.4",)),)),),
)


def read(*documents: Any) -> Resources:  # noqa: ANN401 - any JSON
    return arm.read("\n".join(map(json.dumps, documents)).encode(), "f", form="json")


@pytest.mark.parametrize(
    "documents",
    [([AZ],), ([REST],), ({"value": [REST]},), (REST,), (AZ,), ([AZ], [AZ]), ({"value": [REST]}, {"value": []})],
)
def test_a_zone_group_is_read_in_every_form(documents: tuple[Any, ...]) -> None:
    assert read(*documents) == Resources(zone_groups=(EXPECTED,))


def test_a_record_set_without_an_fqdn_has_its_name_in_the_zone() -> None:
    for given, expected in (("shop", NAME), ("@", "privatelink.blob.core.windows.net")):
        record = {"recordSetName": given, "ipAddresses": ["10.1.0.4"]}
        found = read([{**AZ, "privateDnsZoneConfigs": [{"privateDnsZoneId": ZONE, "recordSets": [record]}]}])
        assert found.zone_groups[0].configs[0].records == (ZoneRecord(expected, ("10.1.0.4",)),)


def test_case_and_a_final_dot_do_not_matter() -> None:
    record = {**RECORD, "fqdn": NAME.upper() + "."}
    found = read([{**AZ, "privateDnsZoneConfigs": [{"privateDnsZoneId": ZONE.upper(), "recordSets": [record]}]}])
    assert found.zone_groups == (EXPECTED,)


@pytest.mark.parametrize(
    "configs", [None, [], [{}], [{"privateDnsZoneId": ZONE, "recordSets": None}], [{"recordSets": [{}]}]]
)
def test_null_and_missing_values_are_no_faults(configs: list[Any] | None) -> None:
    found = read([{"id": GROUP, "properties": {"privateDnsZoneConfigs": configs, "provisioningState": "Failed"}}])
    assert not found.faults
    assert [group.id for group in found.zone_groups] == [GROUP]


def test_two_versions_in_one_file_are_a_fault_and_the_first_counts() -> None:
    found = read([AZ, {**AZ, "privateDnsZoneConfigs": []}])
    assert found.zone_groups == (EXPECTED,)
    (fault,) = found.faults
    assert "twice in one file" in fault.message


def test_two_zone_groups_of_one_endpoint_are_a_fault_that_names_the_group_that_counts() -> None:
    found = read([AZ, {**AZ, "id": f"{ENDPOINT}/privateDnsZoneGroups/second", "privateDnsZoneConfigs": []}])
    assert found.zone_groups == (EXPECTED,)
    (fault,) = found.faults
    assert fault.subject == f"{ENDPOINT}/privateDnsZoneGroups/second"
    assert fault.message == "the endpoint also has the zone group 'default' in this file, which counts"


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({**AZ, "id": "nonsense"}, "id"),
        ({**AZ, "privateDnsZoneConfigs": {}}, "privateDnsZoneConfigs"),
        ({**AZ, "privateDnsZoneConfigs": [{"recordSets": [{"ipAddresses": "10.1.0.4"}]}]},
         "privateDnsZoneConfigs[0].recordSets[0].ipAddresses"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_a_fault_and_the_others_are_kept(row: dict[str, Any], path: str) -> None:
    found = read([row, AZ])
    assert found.zone_groups == (EXPECTED,)
    assert [fault.path for fault in found.faults] == [path]
