"""Azure's published examples: each is asked of the registry, and the response is compared field by field.

Every field of Azure's response must be in ours, with the same type and value. `DELIBERATE` has all exceptions. The
examples name targets, members and zones that do not exist; each test says what it writes instead, in the request and in
the expected response alike.
"""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from tests.paths import ROOT
from tests.registry_shapes import CONSUMER, account, endpoint, group, network
from tests.resolver.registry.conftest import Arm

_TWO = "the example's names are at other addresses than its static ones: ours are at these"
_PENDING = "names appear with the approval: until then the consumer does not know them"
_NIC = "the interface has the name that customNetworkInterfaceName asks for"
_VM = "the example is the interface of a virtual machine"
_NAT = "the registry has no NAT gateways"
_SYNC = "a peering that only one side has is not in sync with the other network"
DELIBERATE: Mapping[tuple[str, str], str] = {
    ("PrivateEndpointCreateForManualApproval.200", "properties.networkInterfaces[0].id"): _NIC,
    ("PrivateEndpointCreateForManualApproval.200", "properties.customDnsConfigs"): _PENDING,
    ("PrivateEndpointGet", "properties.networkInterfaces[0].id"): _NIC,
    ("PrivateEndpointGet", "properties.customDnsConfigs[0].ipAddresses[0]"): _TWO,
    ("PrivateEndpointGet", "properties.customDnsConfigs[1].ipAddresses[0]"): _TWO,
    ("PrivateEndpointListAll", "value[0].properties.networkInterfaces[0].id"): _NIC,
    ("PrivateEndpointListAll", "value[0].properties.customDnsConfigs[0].ipAddresses[0]"): _TWO,
    ("PrivateEndpointListAll", "value[0].properties.customDnsConfigs[1].ipAddresses[0]"): _TWO,
    ("PrivateEndpointListAll", "value[1].properties.networkInterfaces[0].id"): _NIC,
    ("PrivateEndpointListAll", "value[1].properties.customDnsConfigs"): _PENDING,
    (
        "PrivateEndpointListAll",
        "value[1].properties.manualPrivateLinkServiceConnections[0].id",
    ): "the id names the list that the connection is in, as in Azure's example of a manual approval",
    ("PrivateEndpointListAll", "value[2].properties.networkInterfaces[0].id"): _NIC,
    ("PrivateEndpointListAll", "value[2].properties.customDnsConfigs[0].ipAddresses[0]"): _TWO,
    ("PrivateEndpointListAll", "value[2].properties.customDnsConfigs[1].ipAddresses[0]"): _TWO,
    (
        "PrivateEndpointListAll",
        "value[2].properties.privateLinkServiceConnections[0].id",
    ): "the example names another endpoint",
    ("PrivateEndpointDnsZoneGroupGet", "id"): "the example names a private link service as the parent",
    (
        "PrivateEndpointDnsZoneGroupGet",
        "properties.privateDnsZoneConfigs[1].properties.recordSets",
    ): "a zone gets the records of the services that it is for, and no others",
    ("NetworkInterfaceGet", "properties.dnsSettings.internalDomainNameSuffix"): _VM,
    ("NetworkInterfaceGet", "properties.macAddress"): _VM,
    ("NetworkInterfaceGet", "properties.primary"): _VM,
    ("VirtualNetworkListAll", "value[0].properties.defaultPublicNatGateway"): _NAT,
    ("VirtualNetworkListAll", "value[1].properties.defaultPublicNatGateway"): _NAT,
    ("VirtualNetworkPeeringGet", "properties.remoteBgpCommunities"): "the registry has no BGP",
    ("VirtualNetworkPeeringGet", "properties.peeringSyncLevel"): _SYNC,
}
"""The reason of each difference, by example and field."""
IDS: Mapping[str, str] = {
    "subId": CONSUMER,
    "subid": CONSUMER,
    "00000000-0000-0000-0000-000000000000": CONSUMER,
    "provders": "providers",
}
"""What replaces texts of every example: its subscriptions, and a misspelling."""


def _example(name: str, written: Mapping[str, str] = MappingProxyType({})) -> Any:  # noqa: ANN401 - JSON
    """Return the body of an example. `written`: what replaces a text of it."""
    (path,) = (ROOT / "tests/data").glob(f"*/{name}.*.json")
    text = json.dumps(json.loads(path.read_text())["body"])
    for old, new in {**IDS, **written}.items():
        text = text.replace(old, new)
    return json.loads(text)


def _differences(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Return the path of each field that is not as expected, and how it differs. Other fields may be there too."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            where = f"{path}.{name}" if path else name
            if name not in found:
                yield where, "is missing"
            else:
                yield from _differences(value, found[name], where)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for i, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(one, other, f"{path}[{i}]")
    elif expected != found or type(expected) is not type(found):
        yield path, f"is {found!r}, not {expected!r}"


def _check(name: str, expected: Any, found: Any) -> None:  # noqa: ANN401 - JSON
    differences = dict(_differences(expected, found))
    wrong = {path: how for path, how in differences.items() if (name, path) not in DELIBERATE}
    assert not wrong, wrong
    unused = {path for example, path in DELIBERATE if example == name} - differences.keys()
    assert not unused


REGISTRY = "Microsoft.ContainerRegistry/registries"
MEMBERS: Mapping[str, str] = {
    "groupIdFromResource": "registry",
    '"groupId": "file"': '"groupId": "registry"',
    '"file"': '"registry_data_eastus"',
    '"file2"': '"registry"',
    "abc.cosmos.com": "acr.eastus.data.azurecr.io",
    "abc2.cosmos.com": "acr.azurecr.io",
}
"""What replaces the members of the examples, which no target has: those of a container registry."""


async def _prepare(arm: Arm, target: str, name: str = "rg1", subnet: str = "mySubnet") -> None:
    """Make a group with a network and a target."""
    home = group(name)
    subnets = [{"name": subnet, "properties": {"addressPrefix": "192.168.0.0/24"}}]
    space = {"addressPrefixes": ["192.168.0.0/16"]}
    await arm("PUT", home, {"location": "eastus"})
    body = {"location": "eastus", "properties": {"addressSpace": space, "subnets": subnets}}
    await arm("PUT", f"{home}/providers/Microsoft.Network/virtualNetworks/myVnet", body)
    made = await arm("PUT", f"{home}/providers/{target}", {"location": "eastus", "kind": "StorageV2"})
    assert made.status == 201, made


def _request(response: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the request that a response answers: without what only the server knows."""
    body = json.loads(json.dumps(response))
    properties = body["properties"]
    for name in ("provisioningState", "networkInterfaces", "customDnsConfigs"):
        properties.pop(name, None)
    for kind in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        for connection in properties.get(kind, ()):
            connection["name"] = connection.pop("id").rpartition("/")[2]
            del connection["properties"]["privateLinkServiceConnectionState"]
    return body


async def _made(arm: Arm, expected: Any) -> Any:  # noqa: ANN401 - JSON
    answer = await arm("PUT", expected["id"], _request(expected))
    assert answer.status == 201, answer
    return answer.body


async def test_an_endpoint_with_manual_approval(arm: Arm) -> None:
    name = "PrivateEndpointCreateForManualApproval.200"
    written = {"Network/privateLinkServices/testPls": "Storage/storageAccounts/acct", "groupIdFromResource": "file"}
    expected = _example(name, written)
    await _prepare(arm, "Microsoft.Storage/storageAccounts/acct")
    _check(name, expected, await _made(arm, expected))


async def test_an_endpoint_that_is_approved_at_once(arm: Arm) -> None:
    name = "PrivateEndpointGet"
    expected = _example(name, {**MEMBERS, "Network/privateLinkServices/testPls": "ContainerRegistry/registries/acr"})
    await _prepare(arm, f"{REGISTRY}/acr")
    _check(name, expected, await _made(arm, expected))
    _check(name, expected, (await arm("GET", expected["id"])).body)


async def test_a_list_of_endpoints(arm: Arm) -> None:
    name = "PrivateEndpointListAll"
    targets = {f"Network/privateLinkServices/testPls{i}": f"ContainerRegistry/registries/acr{i}" for i in (1, 2, 3)}
    names = {"abc.cosmos.com": "acr1.eastus.data.azurecr.io", "abc2.cosmos.com": "acr1.azurecr.io",
             "abc5.cosmos2.com": "acr3.eastus.data.azurecr.io", "abc6.cosmos2.com": "acr3.azurecr.io"}  # fmt: skip
    expected = _example(name, {**MEMBERS, **targets, **names})
    for i, (each, subnet) in enumerate(zip(expected["value"], ("mySubnet", "mySubnet2", "mySubnet3"), strict=True), 1):
        await _prepare(arm, f"{REGISTRY}/acr{i}", f"rg{i}", subnet)
        await _made(arm, each)
    found = await arm("GET", f"/subscriptions/{CONSUMER}/providers/Microsoft.Network/privateEndpoints")
    _check(name, expected, found.body)


async def test_a_zone_group(arm: Arm) -> None:
    name = "PrivateEndpointDnsZoneGroupGet"
    written = {
        "abc2.zone1.com": "acr.privatelink.azurecr.io",
        "abc.zone1.com": "acr.eastus.data.privatelink.azurecr.io",
        '"abc2"': '"acr"',
        '"abc"': '"acr.eastus.data"',
        "/zone1.com": "/privatelink.azurecr.io",
        "10.0.0.": "192.168.0.",
    }
    expected = _example(name, written)
    await _prepare(arm, f"{REGISTRY}/acr")
    link = {"privateLinkServiceId": f"{group('rg1')}/providers/{REGISTRY}/acr", "groupIds": ["registry"]}
    subnet = f"{group('rg1')}/providers/Microsoft.Network/virtualNetworks/myVnet/subnets/mySubnet"
    at = f"{group('rg1')}/providers/Microsoft.Network/privateEndpoints/testPe"
    properties = {"subnet": {"id": subnet}, "privateLinkServiceConnections": [{"properties": link}]}
    await arm("PUT", at, {"location": "eastus", "properties": properties})
    zones = [each["properties"]["privateDnsZoneId"] for each in expected["properties"]["privateDnsZoneConfigs"]]
    configs = [{"properties": {"privateDnsZoneId": each}} for each in zones]
    path = f"{at}/privateDnsZoneGroups/{expected['name']}"
    made = await arm("PUT", path, {"properties": {"privateDnsZoneConfigs": configs}})
    _check(name, expected, made.body)
    _check(name, expected, (await arm("GET", path)).body)


async def test_a_network_interface(lab: Arm) -> None:
    name = "NetworkInterfaceGet"
    nic = network("nic", "networkInterfaces")
    await lab("PUT", network("pe"), endpoint(account(), "blob", customNetworkInterfaceName="nic"))
    found = (await lab("GET", nic)).body
    label = found["properties"]["ipConfigurations"][0]["name"]
    written = {"172.20.2.4": "10.1.0.4", "eastus": "westeurope", "test-nic": "nic", "ipconfig1": label,
               "rg1-vnet": "hub", "/default": "/pe", "/rg1/": "/rg/"}  # fmt: skip
    expected = _example(name, written)
    del expected["properties"]["ipConfigurations"][1]  # a prefix, which the interface of an endpoint does not have
    _check(name, expected, found)


async def test_a_list_of_networks_and_a_peering(arm: Arm) -> None:
    name = "VirtualNetworkListAll"
    expected = _example(name, {"westus": "eastus"})
    for i in (1, 2):
        await arm("PUT", group(f"rg{i}"), {"location": "eastus"})
    for each in expected["value"]:
        made = await arm("PUT", each["id"], each)
        assert made.status == 201, made
    everything = f"/subscriptions/{CONSUMER}/providers/Microsoft.Network/virtualNetworks"
    _check(name, expected, (await arm("GET", everything)).body)
    name = "VirtualNetworkPeeringGet"
    peering = _example(name, {"peerTest": "rg1", "12.0.0.0/8": "10.0.0.0/16"})
    peering["properties"]["remoteVirtualNetwork"]["id"] = expected["value"][1]["id"]
    assert (await arm("PUT", peering["id"], peering)).status == 201
    _check(name, peering, (await arm("GET", peering["id"])).body)
