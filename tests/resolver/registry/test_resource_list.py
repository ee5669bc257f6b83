"""The list of all resources: by subscription, by group, by type, in pages."""

from typing import Any

from tests.registry_shapes import CONSUMER, PROVIDER, SUPPLIER, account, endpoint, group, network
from tests.resolver.registry.conftest import Arm

EVERYTHING = f"/subscriptions/{CONSUMER}/resources"


async def _listed(arm: Arm, path: str) -> list[Any]:
    return list((await arm("GET", path)).body["value"])


async def test_all_resources_are_listed_without_their_properties(lab: Arm) -> None:
    await lab(
        "PUT", network("pe"), endpoint(account(), "blob", customNetworkInterfaceName="nic") | {"tags": {"a": "b"}}
    )
    found = {each["name"]: each for each in await _listed(lab, EVERYTHING)}
    assert found.keys() == {"hub", "pe", "nic"}
    assert found["pe"] == {
        "id": network("pe"),
        "name": "pe",
        "type": "Microsoft.Network/privateEndpoints",
        "location": "westeurope",
        "tags": {"a": "b"},
    }
    (stored,) = await _listed(lab, f"/subscriptions/{PROVIDER}/resources")
    assert (stored["id"], stored["kind"], stored["sku"]) == (account(), "StorageV2", {"name": "Standard_LRS"})


async def test_they_are_filtered_by_group_and_type(lab: Arm) -> None:
    await lab("PUT", group("other"), {"location": "westeurope"})
    await lab("PUT", network("pe"), endpoint(account(), "blob"))
    assert await _listed(lab, f"{EVERYTHING}?$filter=resourceGroup eq 'other'") == []
    assert await _listed(lab, f"{group('other')}/resources") == []
    both = "resourceType eq 'Microsoft.Network/privateEndpoints' and resourceGroup eq 'RG'"
    assert [each["name"] for each in await _listed(lab, f"{EVERYTHING}?$filter={both}")] == ["pe"]
    refused = await lab("GET", f"{EVERYTHING}?$filter=tagName eq 'a'")
    assert (refused.status, refused.code) == (400, "InvalidFilterInQueryString")
    assert (await lab("GET", f"{group('none')}/resources")).code == "ResourceGroupNotFound"
    assert (await lab("GET", EVERYTHING, client=SUPPLIER)).status == 403


async def test_they_have_pages(lab: Arm) -> None:
    for i in range(3):
        await lab("PUT", network(f"pe{i}"), endpoint(account(), "blob"))
    names: list[str] = []
    path = f"{EVERYTHING}?$top=2&$filter=resourceGroup eq 'rg'"
    while path:
        body = (await lab("GET", path, version="" if "api-version" in path else "2022-12-01")).body
        assert len(body["value"]) <= 2
        names += [each["name"] for each in body["value"]]
        link = body.get("nextLink", "")
        path = link and "/" + link.split("/", 3)[3]
    assert len(names) == 7
    assert {"hub", "pe0", "pe1", "pe2"} < set(names)
