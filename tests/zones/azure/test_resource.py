"""Resources as values: several pieces as one."""

from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.resource import Nic, PrivateEndpoint, Resources


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
