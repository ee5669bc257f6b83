"""The fake's bodies have the keys of Azure's published examples, and pldns reads them without a fault."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fake_azure import shapes
from tests.fake_azure.conftest import API, ONE, TWO, FakeClient
from tests.fake_azure.shapes import Json
from tests.fake_azure.test_sdk import JOINED
from zones.azure import arm

DATA = Path(__file__).parent.parent / "data"
EXAMPLES = {file.name: file for folder in ("arm", "azure") for file in (DATA / folder).glob("*.json")}
"""`arm` has the resources of an inventory, `azure` other responses of Azure."""
NETWORK = f"/subscriptions/{ONE}/providers/Microsoft.Network"
ZONE = f"/subscriptions/{ONE}/resourceGroups/RG-Network/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"  # noqa: E501

FREE = {"properties.metadata", "tags"}
"""The keys below these are chosen by the customer."""
MAY_MISS = {
    "properties.applicationSecurityGroups[].id",
    "properties.ipConfigurations[].name",
    "properties.ipConfigurations[].properties.groupId",
    "properties.ipConfigurations[].properties.memberName",
    "properties.ipConfigurations[].properties.privateIPAddress",
    "properties.defaultPublicNatGateway.id",
    "properties.dhcpOptions.dnsServers[]",
    "properties.remoteBgpCommunities.regionalCommunity",
    "properties.remoteBgpCommunities.virtualNetworkCommunity",
    "properties.mxRecords[].exchange",
    "properties.mxRecords[].preference",
}
"""Parts of the examples that the fake does not have: static addresses, gateways, other types of records."""


def example(name: str, *path: str) -> list[Json]:
    """Return the resources in the body of an example."""
    found = json.loads(EXAMPLES[name].read_text())
    for key in path:
        found = found[key]
    rows: list[Json] = found.get("value", [found])
    return rows


def paths(value: Any, here: str = "") -> Iterator[str]:  # noqa: ANN401  # JSON
    """Yield the paths of values in JSON: `properties.subnet.id`, `value[].name`."""
    if isinstance(value, dict) and here not in FREE:
        for key, inner in value.items():
            yield from paths(inner, f"{here}.{key}" if here else key)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{here}[]")
    else:
        yield here


def shape(resources: list[Json]) -> set[str]:
    """Return all paths that a resource of this kind may have."""
    return {path for resource in resources for path in paths(resource)}


ENDPOINT = example("PrivateEndpointGet.2025-05-01.json", "body")
ENDPOINTS = example("PrivateEndpointListAll.2025-05-01.json", "body")
MANUAL = example("PrivateEndpointCreateForManualApproval.200.2025-05-01.json", "body")
NICS = example("SYNTHETIC-NetworkInterface-privateEndpoint-acr.json", "body")
RECORDS = example("RecordSetALLList.2024-06-01.json", "body")


@pytest.mark.parametrize(
    ("path", "like"),
    [
        (f"{NETWORK}/privateEndpoints", ENDPOINT),
        (f"{NETWORK.replace(ONE, TWO)}/privateEndpoints", ENDPOINTS + MANUAL),
        (f"{NETWORK}/networkInterfaces", NICS),
        (f"{NETWORK}/virtualNetworks", example("VirtualNetworkListAll.2025-05-01.json", "body")),
        (f"{NETWORK}/privateDnsZones", example("PrivateZoneGet.2024-06-01.json", "body")),
        (f"{ZONE}/ALL", RECORDS),
        (f"{ZONE}/virtualNetworkLinks", example("VirtualNetworkLinkList.2024-06-01.json", "body")),
    ],
)
async def test_lists_have_the_shape_of_the_published_example(client: FakeClient, path: str, like: list[Json]) -> None:
    listed = [resource for page in await client.pages(f"{path}?{API}") for resource in page]
    ours, theirs = shape(listed), shape(like)
    if "privateEndpoints" in path:  # a connection is in one of two lists; there is a test for each
        ours, theirs = ({one.replace("manualPrivateLink", "privateLink") for one in both} for both in (ours, theirs))
    assert ours <= theirs
    assert theirs - ours <= MAY_MISS


async def test_a_record_of_an_endpoint_is_as_azure_writes_it(client: FakeClient) -> None:
    (real,) = example("REAL-zone-group-created-A-record.json", "first")
    _, body, _ = await client.get(f"{ZONE}/A/st1?{API}")
    assert shape([real]) <= shape([body])
    said = [one["properties"]["metadata"]["creator"].partition(" pe")[0] for one in (real, body)]
    assert said[0] == said[1] == "created by private endpoint"
    assert (body["properties"]["ttl"], body["type"]) == (real["properties"]["ttl"], real["type"])


@pytest.mark.parametrize(
    ("rtype", "values"), [("A", ["10.0.0.1"]), ("CNAME", ["contoso.com"]), ("MX", [(0, "mail.contoso1.com")])]
)
def test_a_record_set_of_each_published_type_has_its_shape(rtype: str, values: list[Any]) -> None:
    (like,) = [each for each in RECORDS if each["type"].endswith(f"/{rtype}")]
    made = shapes.record("/subscriptions/s/x/corp.example", "host", values, rtype=rtype)
    assert shape([made]) == shape([like])


async def test_a_peering_has_the_shape_of_the_published_example(client: FakeClient) -> None:
    ((spoke,),) = await client.pages(f"{NETWORK.replace(ONE, TWO)}/virtualNetworks?{API}")
    ours = shape(spoke["properties"]["virtualNetworkPeerings"])
    theirs = shape(example("VirtualNetworkPeeringGet.2025-05-01.json", "body"))
    assert ours <= theirs
    assert theirs - ours <= MAY_MISS


async def test_a_page_of_the_graph_is_the_published_example_s_but_for_its_rows(client: FakeClient) -> None:
    (published,) = example("ResourcesFirstPageQuery.2021-03-01.json", "body")
    text = "resources | where type =~ 'microsoft.network/privateendpoints' | project id, name, type, location | order by id asc"  # noqa: E501
    _, body, _ = await client.query(text, top=3)
    assert shape([body]) == shape([published])
    for key in ("resultTruncated", "count", "facets"):
        assert body[key] == published[key]
    assert {key: type(value) for key, value in body.items()} == {key: type(value) for key, value in published.items()}


async def test_a_page_has_the_keys_of_the_published_example_and_the_last_no_next_link(client: FakeClient) -> None:
    published = json.loads(EXAMPLES["RecordSetALLList.2024-06-01.json"].read_text())["body"]
    _, page, _ = await client.get(f"{ZONE}/ALL?{API}&$top=1")
    assert set(page) == set(published)
    assert page["nextLink"].startswith(f"{client.azure.url}{ZONE}/ALL?{API}&$top=1&$skipToken=")
    _, last, _ = await client.get(page["nextLink"])
    assert set(last) == {"value"}


async def test_pldns_reads_lists_and_rows_alike_without_a_fault(client: FakeClient) -> None:
    _, rows, _ = await client.query(JOINED)
    listed = [
        resource
        for own in (ONE, TWO)
        for kind in ("privateEndpoints", "networkInterfaces")
        for page in await client.pages(f"/subscriptions/{own}/providers/Microsoft.Network/{kind}?{API}")
        for resource in page
    ]
    read = [arm.read(msgspec.json.encode(found), "fake", form="json") for found in (rows["data"], listed)]
    assert [len(found.endpoints) for found in read] == [6, 6]
    assert read[0] == read[1]
    assert not read[0].faults
