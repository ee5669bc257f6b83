"""Reading ARM JSON, the output of `az`, rows of Resource Graph, and the short form."""

import json
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths import DATA
from zones.azure import arm
from zones.azure.encoding import UnreadableDocument
from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources

Json: TypeAlias = Any
EXAMPLES = DATA / "arm"
GROUP = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.Network"
KEY = GROUP.casefold()
TARGET = "/subscriptions/S2/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/Acct"


def endpoint_json(name: str = "Pe1", **properties: Json) -> dict[str, Any]:
    return {
        "id": f"{GROUP}/privateEndpoints/{name}",
        "name": name,
        "type": "Microsoft.Network/privateEndpoints",
        "location": "West Europe",
        "properties": {
            "provisioningState": "Succeeded",
            "subnet": {"id": f"{GROUP}/virtualNetworks/Hub/subnets/pe"},
            "networkInterfaces": [{"id": f"{GROUP}/networkInterfaces/{name}.nic"}],
            "privateLinkServiceConnections": [connection()],
            "manualPrivateLinkServiceConnections": [],
            "customDnsConfigs": [{"fqdn": "acct.blob.core.windows.net", "ipAddresses": ["10.0.0.4"]}],
        }
        | properties,
    }


def connection(status: str = "Approved") -> dict[str, Any]:
    return {
        "name": "c",
        "properties": {
            "privateLinkServiceId": TARGET,
            "groupIds": ["blob"],
            "privateLinkServiceConnectionState": {"status": status, "description": ""},
        },
    }


def nic_json(name: str = "Pe1", address: Json = "10.0.0.4") -> dict[str, Any]:
    return {
        "id": f"{GROUP}/networkInterfaces/{name}.nic",
        "name": f"{name}.nic",
        "type": "Microsoft.Network/networkInterfaces",
        "properties": {
            "privateEndpoint": {"id": f"{GROUP}/privateEndpoints/{name}"},
            "ipConfigurations": [
                {
                    "properties": {
                        "privateIPAddress": address,
                        "privateLinkConnectionProperties": {
                            "groupId": "blob",
                            "requiredMemberName": "blob",
                            "fqdns": ["acct.blob.core.windows.net"],
                        },
                    }
                }
            ],
        },
    }


def vnet_json() -> dict[str, Any]:
    return {
        "id": f"{GROUP}/virtualNetworks/Hub",
        "type": "Microsoft.Network/virtualNetworks",
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "virtualNetworkPeerings": [
                {
                    "properties": {
                        "peeringState": state,
                        "remoteVirtualNetwork": {"id": f"{GROUP}/virtualNetworks/{name}"},
                    }
                }
                for name, state in (("A", "Connected"), ("B", "Initiated"))
            ],
            "privateEndpointVNetPolicies": "Basic",
        },
    }


ENDPOINT = PrivateEndpoint(
    key=ResourceId(f"{KEY}/privateendpoints/pe1"),
    id=f"{GROUP}/privateEndpoints/Pe1",
    name="Pe1",
    region="westeurope",
    subscription="s1",
    vnet=ResourceId(f"{KEY}/virtualnetworks/hub"),
    target=TARGET,
    groups=("blob",),
    state_text="Approved",
    nics=(ResourceId(f"{KEY}/networkinterfaces/pe1.nic"),),
    dns=(NicRow(("acct.blob.core.windows.net",), ("10.0.0.4",)),),
    subnet="pe",
)
NIC = Nic(
    key=ResourceId(f"{KEY}/networkinterfaces/pe1.nic"),
    id=f"{GROUP}/networkInterfaces/Pe1.nic",
    endpoint=ResourceId(f"{KEY}/privateendpoints/pe1"),
    rows=(NicRow(("acct.blob.core.windows.net",), ("10.0.0.4",), "blob", "blob"),),
)
VNET = VirtualNetwork(
    key=ResourceId(f"{KEY}/virtualnetworks/hub"),
    id=f"{GROUP}/virtualNetworks/Hub",
    region="westeurope",
    prefixes=("10.0.0.0/16",),
    peers=(ResourceId(f"{KEY}/virtualnetworks/a"),),
    where="f.json",
    high_scale=True,
)


def read(value: Json) -> Resources:
    return arm.read(json.dumps(value).encode(), "f.json", form="json")


def as_az(value: Json) -> Json:
    """Return the output of `az … -o json`: `properties` flattened at every level, null for missing values."""
    if isinstance(value, list):
        return [as_az(item) for item in value]
    if not isinstance(value, dict):
        return value
    flat = {key: as_az(item) for key, item in value.items() if key != "properties"}
    inner = as_az(value["properties"]) if "properties" in value else {}
    return flat | inner | {"etag": None, "tags": None, "extendedLocation": None, "requestMessage": None}


def test_a_single_resource_an_array_a_page_and_a_wrapped_body_read_the_same() -> None:
    one = endpoint_json()
    for form in (
        one,
        [one],
        {"value": [one], "nextLink": None},
        {"data": [one]},
        {"body": one},
        {"body": {"value": [one]}},
    ):
        assert read(form) == Resources(endpoints=(ENDPOINT,))  # fmt: skip


def test_rows_of_a_mixed_array_are_distinguished_by_type() -> None:
    rows = [vnet_json(), nic_json(), endpoint_json()]
    assert read(rows) == Resources((ENDPOINT,), (NIC,), (VNET,))


@pytest.mark.parametrize("missing", [["type"], ["type", "name"]])
def test_without_a_type_the_id_gives_the_type_of_a_row(missing: list[str]) -> None:
    rows = [vnet_json(), nic_json(), endpoint_json()]
    for row in rows:
        for key in missing:
            row.pop(key, None)
    assert read(rows) == Resources((ENDPOINT,), (NIC,), (VNET,))


def test_without_type_and_id_the_fields_give_the_type_and_the_missing_id_is_a_fault() -> None:
    rows: list[dict[str, Any]] = [endpoint_json(), nic_json(), vnet_json()]
    for row in rows:
        del row["type"], row["id"]
    faults = read(rows).faults
    assert [(fault.subject, fault.path, fault.message) for fault in faults] == [
        ("Pe1", "id", "no id"),
        ("Pe1.nic", "id", "no id"),
        ("f.json: item 2", "id", "no id"),
    ]


def test_az_output_with_flattened_properties_and_nulls_reads_as_arm_does() -> None:
    rows = as_az([vnet_json(), nic_json(), endpoint_json()])
    assert "properties" not in json.dumps(rows).lower().replace("privatelinkconnectionproperties", "")
    assert read(rows) == Resources((ENDPOINT,), (NIC,), (VNET,))


def test_az_prints_null_for_empty_values() -> None:
    row = as_az(endpoint_json())
    for key in ("networkInterfaces", "customDnsConfigs", "subnet", "location", "provisioningState"):
        row[key] = None
    row["manualPrivateLinkServiceConnections"] = None
    (endpoint,) = read([row]).endpoints
    assert (endpoint.nics, endpoint.dns, endpoint.vnet, endpoint.region) == ((), (), "", "")
    assert endpoint.provisioning == "Succeeded"


def test_an_older_az_spells_the_address_differently() -> None:
    row = as_az(nic_json())
    (config,) = row["ipConfigurations"]
    config["privateIpAddress"] = config.pop("privateIPAddress")
    assert read([row]).nics == (NIC,)


def test_resource_graph_rows_have_endpoint_and_joined_nic_and_may_repeat() -> None:
    row = {
        "id": f"{GROUP}/privateEndpoints/Pe1",
        "type": "microsoft.network/privateendpoints",
        "name": "Pe1",
        "location": "westeurope",
        "subscriptionId": "S1",
        "properties": endpoint_json()["properties"],
        "nicId": NIC.id,
        "ipConfigurations": nic_json()["properties"]["ipConfigurations"],
    }
    assert read({"totalRecords": 2, "data": [row, row]}) == Resources((ENDPOINT,), (NIC,))
    del row["type"]
    assert read({"data": [row]}) == Resources((ENDPOINT,), (NIC,))
    del row["nicId"]
    assert [nic.rows for nic in read({"data": [row]}).nics] == [NIC.rows]
    assert read({"data": [row | {"nicId": "", "ipConfigurations": None}]}) == Resources((ENDPOINT,))


def test_static_addresses_of_an_endpoint_are_not_its_nic() -> None:
    static = [{"name": "s", "properties": {"groupId": "blob", "memberName": "blob", "privateIPAddress": "10.0.0.9"}}]
    assert read([endpoint_json(ipConfigurations=static)]) == Resources((ENDPOINT,))
    assert read([as_az(endpoint_json(ipConfigurations=static))]) == Resources((ENDPOINT,))


@pytest.mark.parametrize("absent", [[], None, "no key"])
def test_whichever_connection_array_has_content_counts(absent: Json) -> None:
    row = endpoint_json(
        privateLinkServiceConnections=absent, manualPrivateLinkServiceConnections=[connection("Pending")]
    )
    if absent == "no key":
        del row["properties"]["privateLinkServiceConnections"]
    for form in (row, as_az(row)):
        (endpoint,) = read(form).endpoints
        assert (endpoint.target, endpoint.groups, endpoint.state_text) == (TARGET, ("blob",), "Pending")


def test_an_endpoint_without_connections_has_no_state() -> None:
    row = endpoint_json(privateLinkServiceConnections=[], manualPrivateLinkServiceConnections=None)
    assert [(e.state_text, e.target, e.groups) for e in read(row).endpoints] == [("", "", ())]


def test_nics_of_machines_and_other_types_are_ignored() -> None:
    machine = nic_json()
    del machine["properties"]["privateEndpoint"]
    machine["properties"]["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"] = None
    other = {"id": f"{GROUP}/privateLinkServices/x/privateDnsZoneGroups/g", "properties": {"subnet": 3}}
    zone = {"id": "whatever", "type": "Microsoft.Network/privateDnsZones", "properties": {"ipConfigurations": "none"}}
    assert read([machine, other, zone]) == Resources()
    assert read(zone) == Resources()


def test_the_examples_of_azures_own_specification_read() -> None:
    found = {path.name: arm.read(path.read_bytes(), path.name, form="json") for path in sorted(EXAMPLES.glob("*.json"))}
    assert not [fault for resources in found.values() for fault in resources.faults]
    page = found["PrivateEndpointListAll.2025-05-01.json"].endpoints
    assert [(e.name, e.state_text) for e in page] == [("pe1", "Approved"), ("pe2", "Pending"), ("pe3", "Approved")]
    assert all("/provders/" not in nic and "/providers/" in nic for e in page for nic in e.nics)
    assert [len(e.dns) for e in page] == [2, 2, 2]
    (acr,) = found["SYNTHETIC-NetworkInterface-privateEndpoint-acr.json"].nics
    assert [(row.member, row.addresses) for row in acr.rows] == [
        ("registry_data_westus2", ("10.1.1.20",)),
        ("registry", ("10.1.1.21",)),
    ]
    (aml,) = found["SYNTHETIC-NetworkInterface-privateEndpoint-azureml.json"].nics
    assert [len(row.fqdns) for row in aml.rows] == [2, 1, 1]
    for name in ("NetworkInterfaceGet", "VirtualNetworkLinkList", "PrivateEndpointDnsZoneGroupGet"):
        assert next(r for n, r in found.items() if n.startswith(name)) == Resources()


def test_a_row_that_cannot_be_read_is_a_fault_and_the_rest_is_kept() -> None:
    bad = endpoint_json("bad")
    bad["properties"]["subnet"] = {"id": 7}
    nic = nic_json("odd", address=["10.0.0.9"])
    resources = read({"value": [endpoint_json(), bad, nic, nic_json(), "text", None]})
    assert (resources.endpoints, resources.nics) == ((ENDPOINT,), (NIC,))
    assert resources.faults[:3] == (
        Fault(bad["id"], "properties.subnet.id", "Expected `str | null`, got `int`", "f.json"),
        Fault(
            nic["id"],
            "properties.ipConfigurations[0].properties.privateIPAddress",
            "Expected `str | null`, got `array`",
            "f.json",
        ),
        Fault("f.json: item 4", "", "Expected `object`, got `str`", "f.json"),
    )
    assert read(bad).faults == resources.faults[:1]


def test_a_string_that_is_not_utf8_only_affects_its_row() -> None:
    data = json.dumps([endpoint_json("bad"), endpoint_json()]).encode().replace(b'"West', b'"\xff', 1)
    resources = arm.read(data, "f.json", form="json")
    assert resources.endpoints == (ENDPOINT,)
    assert [fault.subject for fault in resources.faults] == [f"{GROUP}/privateEndpoints/bad"]


def test_an_invalid_id_is_a_fault_with_its_path() -> None:
    row = endpoint_json(subnet={"id": "Hub/pe"}, networkInterfaces=[{"id": NIC.id}, {"id": "nonsense"}, {"id": None}])
    nic = nic_json()
    nic["properties"]["privateEndpoint"]["id"] = "Pe1"
    resources = read([row | {"id": "Pe1"}, row, nic])
    assert [(f.subject, f.path) for f in resources.faults] == [("Pe1", "id")]
    (endpoint,) = resources.endpoints
    assert (endpoint.vnet, endpoint.nics) == ("hub/pe", ENDPOINT.nics)
    assert [f.path for f in endpoint.faults] == ["subnet.id", "networkInterfaces[1].id", "networkInterfaces[2].id"]
    assert [(n.endpoint, [f.path for f in n.faults]) for n in resources.nics] == [("", ["privateEndpoint.id"])]


def test_an_equal_repetition_is_ignored_and_a_different_one_is_a_fault() -> None:
    other = endpoint_json(privateLinkServiceConnections=[connection("Rejected")])
    assert read([endpoint_json(), endpoint_json()]) == Resources((ENDPOINT,))
    resources = read([endpoint_json(), other])
    assert resources.endpoints == (ENDPOINT,)
    assert [fault.subject for fault in resources.faults] == [ENDPOINT.id]


SHORT = f"""
endpoints:
- name: Acct
  target: {TARGET}
  group: blob
  vnet: {GROUP}/virtualNetworks/Hub
  records:
  - {{fqdn: acct.blob.core.windows.net, ips: [10.0.0.4, 10.0.0.5]}}
- name: vault
  groups: [vault]
  network: weu
  state: Pending
  records:
  - {{fqdn: v.vault.azure.net, ips: 10.0.0.6}}
- name: bare
"""
SHORT_READ = (
    PrivateEndpoint(
        ResourceId("Acct"),
        "Acct",
        "Acct",
        subscription="s1",
        vnet=ResourceId(f"{KEY}/virtualnetworks/hub"),
        target=TARGET,
        groups=("blob",),
        state_text="Approved",
        records=(NicRow(("acct.blob.core.windows.net",), ("10.0.0.4", "10.0.0.5")),),
    ),
    PrivateEndpoint(
        ResourceId("vault"),
        "vault",
        "vault",
        groups=("vault",),
        state_text="Pending",
        network="weu",
        records=(NicRow(("v.vault.azure.net",), ("10.0.0.6",)),),
    ),
    PrivateEndpoint(ResourceId("bare"), "bare", "bare", state_text="Approved", records=()),
)


def test_the_short_form_reads_in_yaml_and_json() -> None:
    assert arm.read(SHORT.encode(), "f", form="yaml") == Resources(SHORT_READ)
    assert read(yaml.safe_load(SHORT)) == Resources(SHORT_READ)
    assert arm.read(b"endpoints:\n# none yet\n", "f", form="yaml") == Resources()


@pytest.mark.parametrize(
    ("row", "subject", "path", "message"),
    [
        ({"name": "x", "grop": "blob"}, "x", "", "Object contains unknown field `grop`"),
        ({"name": "x", "type": "blob"}, "x", "", "Object contains unknown field `type`"),
        ({"target": "x"}, "f.json: item 0", "", "Object missing required field `name`"),
        ({"name": " "}, "f.json: item 0", "name", "empty"),
        ({"name": "x", "records": [{"fqdn": "a.b"}]}, "x", "records[0]", "Object missing required field `ips`"),
    ],
)
def test_a_bad_row_of_the_short_form_is_a_fault(row: dict[str, Any], subject: str, path: str, message: str) -> None:
    resources = read({"endpoints": [row, {"name": "bare"}]})
    assert resources.endpoints == SHORT_READ[2:]
    assert resources.faults == (Fault(subject, path, message, "f.json"),)


def test_an_invalid_vnet_id_in_the_short_form_is_a_fault_and_in_no_network() -> None:
    (endpoint,) = read({"endpoints": [{"name": "x", "vnet": "Hub"}]}).endpoints
    assert (endpoint.vnet, endpoint.subscription, [f.path for f in endpoint.faults]) == ("hub", "", ["vnet"])


def test_arm_json_written_as_yaml_reads_too() -> None:
    text = yaml.safe_dump([endpoint_json(), nic_json(), vnet_json() | {"location": 3}, vnet_json()])
    resources = arm.read(text.encode(), "f.json", form="yaml")
    assert resources == Resources(
        (ENDPOINT,), (NIC,), (VNET,), (Fault(VNET.id, "location", "Expected `str | null`, got `int`", "f.json"),)
    )


_KEYS = [
    *("value", "data", "endpoints", "body", "id", "type", "name", "properties", "ipConfigurations", "subnet", "nicId"),
    *("privateEndpoint", "privateLinkServiceConnections", "addressSpace", "records", "fqdn", "ips", "group", "vnet"),
    *(
        "columns",
        "rows",
        "responses",
        "httpStatusCode",
        "content",
        "format_version",
        "values",
        "root_module",
        "resources",
    ),
    *("Value", "Count", "count", "totalRecords", "skip_token", "nextLink", "Id", "NetworkInterfaces", "Properties"),
]
_INTEGERS = st.integers(-(2**63), 2**63 - 1)  # larger numbers become floats in JSON, with another message
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=4)
    | st.sampled_from([NIC.id, ENDPOINT.id, "blob"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
)


@settings(deadline=None)
@given(_VALUES)
def test_any_json_is_resources_or_unreadable(value: Json) -> None:
    with suppress(UnreadableDocument):
        assert read(value) == arm.read(json.dumps(value).encode(), "f.json", form="yaml")


@settings(deadline=None)
@given(st.integers(0, 4000), st.binary(max_size=3), st.sampled_from(["json", "yaml"]))
def test_damaged_files_are_resources_or_unreadable(at: int, junk: bytes, form: Literal["json", "yaml"]) -> None:
    data = json.dumps([endpoint_json(), nic_json(), vnet_json()]).encode() if form == "json" else SHORT.encode()
    at %= len(data)
    with suppress(UnreadableDocument):
        arm.read(data[:at] + junk + data[at + 1 :], "f", form=form)


def test_saved_resources_read_back_equal() -> None:
    resources = Resources((ENDPOINT, *SHORT_READ), (NIC,), (VNET,), (Fault("s", "p", "m", "w"),))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(resources), type=Resources) == resources
