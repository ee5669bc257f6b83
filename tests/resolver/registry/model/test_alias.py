"""Aliases of private link services."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.registry.model.alias import Alias, alias_of, is_alias

GUID = "837de879-b929-40fe-a7e5-673072f4b71e"


@given(
    st.from_regex(r"[A-Za-z0-9]([\w.-]{0,60}\w)?", fullmatch=True, alphabet=st.characters(codec="ascii")), st.uuids()
)
def test_an_alias_is_read_as_it_was_made(name: str, guid: object) -> None:
    made = alias_of(name, str(guid), "West Europe")
    assert str(made) == f"{name}.{guid}.westeurope.azure.privatelinkservice"
    assert Alias.parse(str(made)) == made
    assert is_alias(str(made))
    read = Alias.parse(str(made).upper())
    assert read
    assert read.key == made.key


@pytest.mark.parametrize(
    "text",
    [
        "", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateLinkServices/p",
        f"svc.{GUID}.westeurope.azure.privatelink", f"svc.{GUID}.azure.privatelinkservice",
        "svc.not-a-guid.westeurope.azure.privatelinkservice", f".{GUID}.westeurope.azure.privatelinkservice",
        f"svc.{GUID}.west europe.azure.privatelinkservice",
    ],
)  # fmt: skip
def test_another_text_is_no_alias(text: str) -> None:
    assert Alias.parse(text) is None


def test_a_text_that_ends_like_an_alias_is_meant_as_one() -> None:
    assert is_alias("typo.azure.privatelinkservice")
    assert not is_alias("/subscriptions/s/resourceGroups/g/providers/X/y/z.azure.privatelinkservice")
    assert not is_alias("")
