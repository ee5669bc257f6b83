"""Ids and lists as people read them."""

from resolver.admin.resources.wording import listed, short


def test_a_resource_id_is_shown_as_its_name_and_group() -> None:
    text = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
    assert short(text) == "pe (rg)"
    assert short(f"{text}/privateDnsZoneGroups/default") == "pe/default (rg)"
    assert short("a.example") == "a.example"


def test_a_list_says_how_many_it_leaves_out() -> None:
    assert listed(["a", "b"], None) == "a, b"
    assert listed(["a", "b"], 5) == "a, b and 3 more"
