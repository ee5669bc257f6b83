"""Resource ids: read, written, compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.registry.model.resource_id import ArmId, require_type
from tests.resolver.registry.model.refused import refused
from zones.azure.resource import resource_id, resource_type, subscription

VNET = "/subscriptions/Sub/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks/Hub"
NAMES = st.text("abcXYZ019-_.()", min_size=1, max_size=20)
RESOURCES = st.builds(
    lambda sub, group, kinds: ArmId(
        sub, group, "Microsoft.Network", tuple(k for k, _ in kinds), tuple(n for _, n in kinds)
    ),
    NAMES,
    NAMES,
    st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=3),
)


@given(RESOURCES)
def test_an_id_is_read_as_it_was_written(one: ArmId) -> None:
    assert ArmId.parse(str(one)) == one


@given(RESOURCES)
def test_an_id_is_the_same_resource_in_any_case(one: ArmId) -> None:
    assert ArmId.parse(str(one).upper().replace("RESOURCEGROUPS", "resourcegroups")).key == one.key


@given(RESOURCES)
def test_keys_are_those_that_pldns_has_for_ids_from_azure(one: ArmId) -> None:
    key = resource_id(str(one))
    assert key == one.key
    assert resource_type(key) == one.type.casefold()
    assert subscription(key) == one.subscription.casefold()


def test_the_parts_of_an_id() -> None:
    subnet = ArmId.parse(f"{VNET}/subnets/default/")
    assert (subnet.subscription, subnet.group, subnet.name) == ("Sub", "Rg", "default")
    assert subnet.type == "Microsoft.Network/virtualNetworks/subnets"
    assert str(subnet.parent) == VNET
    assert str(ArmId.parse(VNET).parent) == "/subscriptions/Sub/resourceGroups/Rg"
    assert str(ArmId.parse("/subscriptions/Sub/resourcegroups/Rg").parent) == "/subscriptions/Sub"
    assert ArmId.parse("/subscriptions/Sub").parent is None
    assert ArmId.parse("/subscriptions/Sub").type == "Microsoft.Resources/subscriptions"
    assert ArmId.parse("/subscriptions/Sub/resourceGroups/Rg").type == "Microsoft.Resources/resourceGroups"
    assert ArmId.parse("/subscriptions/Sub/resourceGroups/Rg").name == "Rg"
    assert str(ArmId.parse(VNET).child("subnets", "pe")) == f"{VNET}/subnets/pe"
    assert (
        str(ArmId.parse(VNET).resource("Microsoft.Network/networkInterfaces", "pe.nic"))
        == "/subscriptions/Sub/resourceGroups/Rg/providers/Microsoft.Network/networkInterfaces/pe.nic"
    )


def test_the_case_of_the_caller_is_kept_and_the_fixed_words_have_azures() -> None:
    text = "/SUBSCRIPTIONS/Sub/ResourceGroups/Rg/PROVIDERS/microsoft.network/virtualnetworks/Hub"
    assert (
        str(ArmId.parse(text)) == "/subscriptions/Sub/resourceGroups/Rg/providers/microsoft.network/virtualnetworks/Hub"
    )
    assert ArmId.parse(text).is_type("Microsoft.Network/virtualNetworks")


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "Hub", "subscriptions/Sub", "/subscriptions", "/subscriptions//resourceGroups/Rg",
        "/subscriptions/Sub/groups/Rg", "/subscriptions/Sub/resourceGroups/Rg/providers/Microsoft.Network",
        "/subscriptions/Sub/resourceGroups/Rg/provders/Microsoft.Network/virtualNetworks/Hub",
        f"{VNET}/subnets", f"{VNET}//subnets/x", f"{VNET}?api-version=1", f"{VNET}/subnets/a b", f"{VNET}/subnets/a\n",
        f"{VNET}/subnets/{'x' * 3000}", "https://management.azure.com/subscriptions/Sub",
    ],
)  # fmt: skip
def test_a_text_that_is_no_id_is_refused_with_its_place(text: str) -> None:
    with refused("LinkedInvalidPropertyId", "properties.subnet.id", "/subscriptions/SUBSCRIPTION"):
        ArmId.parse(text, "properties.subnet.id")


def test_an_id_of_another_type_than_the_property_needs_is_refused() -> None:
    vnet = ArmId.parse(VNET)
    assert require_type(vnet, "microsoft.network/virtualnetworks", "properties.x.id") is vnet
    with refused("LinkedInvalidPropertyId", VNET, "properties.subnet.id", "Microsoft.Network/virtualNetworks/subnets"):
        require_type(vnet, "Microsoft.Network/virtualNetworks/subnets", "properties.subnet.id")
