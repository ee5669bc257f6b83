"""The shapes of files: each gives the same resources as the body of a REST response."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zones.azure import arm
from zones.azure.arm import FileContents
from zones.azure.encoding import UnreadableDocument
from zones.azure.resource import NicRow, Resources

Json = Any
GROUP: Final = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.Network"
TARGET: Final = "/subscriptions/S2/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/"


def estate(count: int, addresses: list[int], states: list[str]) -> list[dict[str, Any]]:
    """Return endpoints, each with its NIC, and a virtual network, as REST bodies have them."""
    found: list[dict[str, Any]] = []
    for i in range(count):
        config = {
            "privateIPAddress": f"10.0.{i}.{addresses[i % len(addresses)]}",
            "privateLinkConnectionProperties": {
                "groupId": "blob", "requiredMemberName": "blob", "fqdns": [f"acct{i}.blob.core.windows.net"],
            },
        }  # fmt: skip
        connection = {
            "privateLinkServiceId": f"{TARGET}acct{i}",
            "groupIds": ["blob"],
            "privateLinkServiceConnectionState": {"status": states[i % len(states)], "description": "x"},
        }
        key = "privateLinkServiceConnections" if i % 2 else "manualPrivateLinkServiceConnections"
        found += (
            {
                "id": f"{GROUP}/privateEndpoints/Pe{i}", "name": f"Pe{i}", "location": "westeurope",
                "type": "Microsoft.Network/privateEndpoints",
                "properties": {
                    "provisioningState": "Succeeded",
                    "subnet": {"id": f"{GROUP}/virtualNetworks/Hub/subnets/pe"},
                    "networkInterfaces": [{"id": f"{GROUP}/networkInterfaces/Pe{i}.nic"}],
                    key: [{"name": "c", "properties": connection}],
                    "customDnsConfigs": [{"fqdn": f"acct{i}.blob.core.windows.net", "ipAddresses": ["10.0.0.4"]}],
                },
            },
            {
                "id": f"{GROUP}/networkInterfaces/Pe{i}.nic", "name": f"Pe{i}.nic",
                "type": "Microsoft.Network/networkInterfaces",
                "properties": {
                    "privateEndpoint": {"id": f"{GROUP}/privateEndpoints/Pe{i}"},
                    "ipConfigurations": [{"name": "c", "properties": config}],
                },
            },
        )  # fmt: skip
    vnet = {
        "id": f"{GROUP}/virtualNetworks/Hub", "type": "Microsoft.Network/virtualNetworks", "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "virtualNetworkPeerings": []},
    }  # fmt: skip
    return [*found, vnet]


def flat(value: Json) -> Json:
    """Return the output of `az`: `properties` flattened at every level."""
    if isinstance(value, list):
        return [flat(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: flat(v) for k, v in value.items() if k != "properties"} | (flat(value.get("properties")) or {})


def pascal(value: Json) -> Json:
    """Return the output of `Get-Az… | ConvertTo-Json`: flat, capitals, and fields that repeat others as text."""
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if not isinstance(value, dict):
        return value
    capital = {k[:1].upper() + k[1:]: pascal(v) for k, v in value.items()}
    return capital | {f"{k}Text": json.dumps(v) for k, v in capital.items() if isinstance(v, dict | list)}


def powershell(rows: list[Json]) -> Json:
    return [pascal(row) | {"ResourceGroupName": "RG", "Tag": None} for row in flat(rows)]


def windows_powershell(rows: list[Json]) -> Json:
    """Return the output of Windows PowerShell, which writes some arrays as objects."""

    def wrapped(value: Json) -> Json:
        if isinstance(value, list):
            return {"value": [wrapped(item) for item in value], "Count": len(value)}
        return {k: wrapped(v) for k, v in value.items()} if isinstance(value, dict) else value

    return wrapped(powershell(rows))


def table(rows: list[Json]) -> Json:
    columns = ["id", "name", "type", "location", "properties"]
    return {
        "totalRecords": len(rows), "count": len(rows), "resultTruncated": "false",
        "data": {
            "columns": [{"name": name, "type": "object"} for name in columns],
            "rows": [[row.get(name) for name in columns] for row in rows],
        },
    }  # fmt: skip


def expanded(rows: list[Json]) -> Json:
    """Return the endpoints with whole NICs inside."""
    nics = {row["id"]: row for row in rows}
    found = json.loads(json.dumps([row for row in rows if "networkInterfaces/" not in row["id"]]))
    for row in found:
        for nic in row["properties"].get("networkInterfaces", []):
            nic.update(json.loads(json.dumps(nics[nic["id"]])))
            del nic["properties"]["privateEndpoint"]
    return found


def joined(rows: list[Json]) -> Json:
    """Return rows of Resource Graph: endpoints with the `ipConfigurations` of their NIC."""
    nics = {row["id"]: row for row in rows}
    found = [dict(row) for row in rows if "networkInterfaces/" not in row["id"]]
    for row in found:
        for nic in row["properties"].get("networkInterfaces", []):
            row |= {"nicId": nic["id"], "ipConfigurations": nics[nic["id"]]["properties"]["ipConfigurations"]}
    return {"count": len(found), "total_records": len(found), "skip_token": None, "data": found}


SHAPES: dict[str, Callable[[list[Json]], Json]] = {
    "az": flat,
    "page": lambda rows: {"value": rows, "nextLink": None},
    "graph": lambda rows: {"data": rows, "count": len(rows)},
    "joined": joined,
    "powershell": powershell,
    "powershell page": lambda rows: {"Value": powershell(rows), "Count": len(rows)},
    "powershell of one request": lambda rows: {"Data": powershell(rows), "SkipToken": None},
    "windows powershell": windows_powershell,
    "table": table,
    "bare table": lambda rows: table(rows)["data"],
    "table in properties": lambda rows: {"id": "x", "properties": table(rows)["data"]},
    "expanded": expanded,
    "expanded az": lambda rows: flat(expanded(rows)),
    "expanded powershell": lambda rows: powershell(expanded(rows)),
    "arrays of a loop": lambda rows: [[row] for row in rows],
    "pages of a loop": lambda rows: [{"value": [row]} for row in rows],
    "batch": lambda rows: {"responses": [{"httpStatusCode": 200, "content": {"value": [row]}} for row in rows]},
    "batch of resources": lambda rows: {"responses": [{"httpStatusCode": 200, "content": row} for row in rows]},
}


def contents(value: Json) -> FileContents:
    return arm.contents(json.dumps(value).encode(), "f.json", form="json")


def ordered(resources: Resources) -> tuple[object, ...]:
    return tuple(sorted(kind, key=repr) for kind in (resources.endpoints, resources.nics, resources.vnets))


@pytest.mark.parametrize("shape", SHAPES)
@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 4),
    st.lists(st.integers(4, 250), min_size=1, max_size=4),
    st.lists(st.sampled_from(["Approved", "Pending", "Rejected", ""]), min_size=1, max_size=4),
)
def test_every_shape_gives_the_resources_of_the_rest_bodies(
    shape: str, count: int, addresses: list[int], states: list[str]
) -> None:
    rows = estate(count, addresses, states)
    expected = ordered(contents(rows).resources)
    value = SHAPES[shape](rows)
    made = contents(value)
    assert ordered(made.resources) == expected
    assert (made.resources.faults, made.gaps) == ((), ())
    assert arm.read(yaml.safe_dump(value).encode(), "f.json", form="yaml") == made.resources


@pytest.mark.parametrize("between", ["", "\n", " \r\n"])
def test_one_document_for_each_resource_gives_the_same(between: str) -> None:
    rows = estate(3, [4], ["Approved"])
    data = between.join(map(json.dumps, rows)).encode()
    assert arm.read(data, "f.json", form="json") == contents(rows).resources
    assert arm.read(("\ufeff" + data.decode()).encode("utf-16-le"), "f.json", form="json") == contents(rows).resources


def test_powershell_that_wrote_nested_objects_as_text_says_how_to_write_them() -> None:
    (endpoint, *_) = powershell(estate(1, [4], ["Approved"]))
    endpoint["ManualPrivateLinkServiceConnections"] = "Microsoft.Azure.Commands.Network.Models.PSPrivateLink"
    (fault,) = contents([endpoint]).resources.faults
    assert fault.message.endswith("use `ConvertTo-Json -Depth 10`")
    assert fault.subject == f"{GROUP}/privateEndpoints/Pe0"


def test_a_row_of_a_table_with_too_few_values_is_a_fault() -> None:
    made = table(estate(1, [4], ["Approved"]))
    made["data"]["rows"][0].pop()
    read = contents(made)
    assert [(fault.subject, fault.message) for fault in read.resources.faults] == [
        ("f.json: row 0", "4 values for 5 columns")
    ]
    assert len(read.resources.nics) == 1


def test_a_page_with_columns_and_without_rows_is_no_table() -> None:
    assert contents({"columns": [], "value": None}).resources == Resources()


def test_a_table_may_be_a_page() -> None:
    made = table(estate(1, [4], ["Approved"])) | {"totalRecords": 9, "$skipToken": "t"}
    (page,) = contents(made).pages
    assert (page.size, page.total, page.link) == (3, 9, "t")


# -- what is passed over


def test_rows_of_other_types_are_counted() -> None:
    machine = {"id": f"{GROUP}/networkInterfaces/vm", "properties": {"ipConfigurations": []}}
    vaults = [{"type": "Microsoft.KeyVault/vaults", "name": i} for i in range(2)]
    read = contents([*estate(1, [4], ["Approved"]), machine, *vaults])
    assert read.passed_over == {
        "microsoft.keyvault/vaults": 2,
        "microsoft.network/networkinterfaces without a private endpoint": 1,
    }


def test_a_dump_of_target_resources_says_what_to_export_instead() -> None:
    account = {"id": TARGET + "a", "properties": {"privateEndpointConnections": [{"id": "x"}]}}
    for form in ([account], flat([account]), powershell([account])):
        with pytest.raises(UnreadableDocument, match=r"1 resources that private .*`az network private-endpoint list`"):
            contents(form)
    assert contents([account, *estate(1, [4], ["Approved"])]).passed_over == {"microsoft.storage/storageaccounts": 1}


def test_the_output_of_az_resource_list_says_what_to_export_instead() -> None:
    rows: list[Json] = [
        {key: row[key] for key in ("id", "type")} | {"properties": None, "provisioningState": "Succeeded"}
        for row in estate(2, [4], ["Approved"])
    ]
    with pytest.raises(UnreadableDocument, match=r"5 network resources \(2 of them private endpoints\) have no prop"):
        contents(rows)
    read = contents([*estate(1, [4], ["Approved"]), rows[2]])
    assert [(fault.subject, fault.message[:19]) for fault in read.resources.faults] == [
        ("f.json", "1 network resources")
    ]
    assert len(read.resources.endpoints) == 1


# -- Terraform


def resource(kind: str, **values: Json) -> dict[str, Any]:
    return {"address": f"{kind}.x", "mode": "managed", "type": kind, "name": "x", "values": values}


def terraform_endpoint(name: str = "Pe1", *, manual: bool = False, **values: Json) -> dict[str, Any]:
    return resource(
        "azurerm_private_endpoint",
        **{
            "id": f"{GROUP}/privateEndpoints/{name}", "name": name, "resource_group_name": "RG",
            "location": "westeurope", "subnet_id": f"{GROUP}/virtualNetworks/Hub/subnets/pe",
            "network_interface": [{"id": f"{GROUP}/networkInterfaces/{name}.nic", "name": f"{name}.nic"}],
            "custom_dns_configs": [{"fqdn": "acct.blob.core.windows.net", "ip_addresses": ["10.0.0.4"]}],
            "private_dns_zone_configs": [],
            "private_service_connection": [{
                "name": "c", "is_manual_connection": manual, "private_connection_resource_id": f"{TARGET}acct",
                "private_connection_resource_alias": "", "subresource_names": ["blob"],
            }],
        } | values,
    )  # fmt: skip


def state(*resources: Json, modules: Json = None) -> dict[str, Any]:
    root = {"resources": list(resources), "child_modules": modules or []}
    return {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": root}}


def test_a_terraform_state_gives_the_resources_of_the_rest_bodies() -> None:
    rest = estate(2, [4], ["Approved"])[2]  # with an automatic connection
    rest["properties"]["customDnsConfigs"] = [{"fqdn": "acct.blob.core.windows.net", "ipAddresses": ["10.0.0.4"]}]
    (wanted,) = contents([rest]).resources.endpoints
    made = terraform_endpoint()
    made["values"]["private_service_connection"][0]["private_connection_resource_id"] = f"{TARGET}acct1"
    for value in (
        state(made),
        state(modules=[{"address": "module.a", "child_modules": [{"resources": [made]}]}]),
    ):
        assert contents(value).resources.endpoints == (wanted,)
        assert arm.read(yaml.safe_dump(value).encode(), "f", form="yaml").endpoints == (wanted,)


def test_a_manual_connection_of_a_terraform_state_has_the_state_of_its_data_source() -> None:
    manual = terraform_endpoint(manual=True)
    assert [each.state_text for each in contents(state(manual)).resources.endpoints] == [""]
    data = resource(
        "azurerm_private_endpoint_connection", name="pe1", resource_group_name="rg",
        private_service_connection=[{"name": "c", "status": "Approved", "request_response": ""}],
    )  # fmt: skip
    assert [each.state_text for each in contents(state(manual, data)).resources.endpoints] == ["Approved"]


def test_a_terraform_endpoint_with_a_zone_group_has_the_private_names() -> None:
    zone = {"record_sets": [{"name": "acct", "type": "A", "fqdn": "acct.privatelink.blob.core.windows.net", "ttl": 10,
                             "ip_addresses": ["10.0.0.4"]}]}  # fmt: skip
    made = terraform_endpoint(custom_dns_configs=[], private_dns_zone_configs=[zone])
    (endpoint,) = contents(state(made)).resources.endpoints
    assert endpoint.dns == (NicRow(("acct.privatelink.blob.core.windows.net",), ("10.0.0.4",)),)


def test_vnets_of_a_terraform_state_are_peers_if_both_directions_are_there() -> None:
    def vnet(name: str) -> dict[str, Any]:
        return resource("azurerm_virtual_network", id=f"{GROUP}/virtualNetworks/{name}", address_space=["10.0.0.0/16"])

    def peering(near: str, far: str) -> dict[str, Any]:
        return resource(
            "azurerm_virtual_network_peering", id=f"{GROUP}/virtualNetworks/{near}/virtualNetworkPeerings/p",
            remote_virtual_network_id=f"{GROUP}/virtualNetworks/{far}",
        )  # fmt: skip

    made = state(vnet("Hub"), vnet("Spoke"), peering("Hub", "Spoke"), peering("Spoke", "hub"), peering("Hub", "Other"))
    hub, spoke = contents(made).resources.vnets
    assert (hub.prefixes, hub.peers, spoke.peers) == (("10.0.0.0/16",), (spoke.key,), (hub.key,))


def test_other_resources_of_a_terraform_state_are_counted_and_bad_ones_are_faults() -> None:
    bad = terraform_endpoint("Bad", location=3)
    made = state(resource("azurerm_storage_account", id="x"), bad, terraform_endpoint(), {"type": "azurerm_key_vault"})
    read = contents(made)
    assert read.passed_over == {"azurerm_storage_account": 1, "azurerm_key_vault": 1}
    assert [fault.subject for fault in read.resources.faults] == [f"{GROUP}/privateEndpoints/Bad"]
    assert [endpoint.name for endpoint in read.resources.endpoints] == ["Pe1"]


@pytest.mark.parametrize(
    "value",
    [
        {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {}}},
        {"version": 4, "terraform_version": "1.9.0", "lineage": "x", "resources": []},
    ],
)
def test_a_terraform_plan_or_stored_state_says_how_to_write_the_state(value: Json) -> None:
    with pytest.raises(UnreadableDocument, match="terraform show -json"):
        contents(value)


def test_an_empty_terraform_state_is_no_empty_estate() -> None:
    with pytest.raises(UnreadableDocument, match="an empty Terraform state"):
        contents({"format_version": "1.0"})
