"""Resources as values: their ids, and several pieces as one."""

import pytest

from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.resource import InvalidId, Nic, PrivateEndpoint, Resources, ZoneGroup, resource_id, with_earlier


def piece(region: str, *names: str) -> Resources:
    """Return resources with one of each kind for every name."""
    return Resources(
        tuple(PrivateEndpoint(ResourceId(name), name, name, region) for name in names),
        tuple(Nic(ResourceId(f"{name}/nic"), f"{name} {region}", ResourceId(name)) for name in names),
        tuple(VirtualNetwork(ResourceId(f"{name}/vnet"), name, region) for name in names),
        tuple(Fault(name, "id", "no id") for name in names),
    )


def test_the_first_version_of_a_resource_in_several_pieces_counts_and_the_order_stays() -> None:
    whole = Resources.joined((piece("a", "two", "one"), piece("b", "one", "three"), piece("c", "three")))
    assert [(each.key, each.region) for each in whole.endpoints] == [("two", "a"), ("one", "a"), ("three", "b")]
    assert [each.id for each in whole.nics] == ["two a", "one a", "three b"]
    assert [(each.key, each.region) for each in whole.vnets] == [
        ("two/vnet", "a"),
        ("one/vnet", "a"),
        ("three/vnet", "b"),
    ]
    assert [each.subject for each in whole.faults] == ["two", "one", "three"]


def test_joining_one_piece_returns_it_and_joining_none_is_empty() -> None:
    alone = piece("a", "one")
    assert Resources.joined([alone]) is alone
    assert Resources.joined([alone, alone]) == alone
    assert Resources.joined([]) == Resources()


def test_an_incomplete_page_keeps_the_earlier_resources_that_it_lacks() -> None:
    kept = with_earlier(piece("new", "one"), piece("old", "one", "two"))
    assert [(each.key, each.region) for each in kept.endpoints] == [("one", "new"), ("two", "old")]
    assert [each.id for each in kept.nics] == ["one new", "two old"]
    assert [(each.key, each.region) for each in kept.vnets] == [("one/vnet", "new"), ("two/vnet", "old")]
    assert [each.subject for each in kept.faults] == ["one"]
    groups = Resources(zone_groups=(ZoneGroup(ResourceId("one"), "one/default"),))
    assert with_earlier(piece("new", "one"), groups).zone_groups == groups.zone_groups


def test_an_incomplete_page_does_not_keep_an_earlier_nic_of_an_endpoint_that_has_another_now() -> None:
    one = ResourceId("one")
    old = Resources(nics=(Nic(ResourceId("n1"), "n1", one), Nic(ResourceId("n2"), "n2", ResourceId("two"))))
    other = Resources(nics=(Nic(ResourceId("n3"), "n3", one),))
    assert [each.key for each in with_earlier(other, old).nics] == ["n3", "n2"]
    listed = Resources((PrivateEndpoint(one, "one", "one", nics=(ResourceId("n3"),)),))
    assert [each.key for each in with_earlier(listed, old).nics] == ["n2"]
    unlisted = Resources((PrivateEndpoint(one, "one", "one"),))
    assert [each.key for each in with_earlier(unlisted, old).nics] == ["n1", "n2"]


@pytest.mark.parametrize(
    "text",
    [
        "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.Network/privateEndpoints/Pe1",
        "/subscriptions/s1/resourcegroups/rg/provders/microsoft.network/PRIVATEENDPOINTS/PE1/",
        " subscriptions/S1/RESOURCEGROUPS/RG/providers/Microsoft.Network/privateEndpoints/Pe1//",
    ],
)
def test_one_resource_has_one_key(text: str) -> None:
    assert resource_id(text) == "/subscriptions/s1/resourcegroups/rg/providers/microsoft.network/privateendpoints/pe1"
    assert resource_id(resource_id(text)) == resource_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "Pe1",
        "/subscriptions/s1",
        "/subscriptions/s1/resourceGroups/rg",
        "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints",
        "/subscriptions/s1/resourceGroups//providers/Microsoft.Network/privateEndpoints/p",
        "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/p/x",
        "prefix.guid.westeurope.azure.privatelinkservice",
    ],
)
def test_invalid_ids_are_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        resource_id(text)
