"""Endpoints and names that a network excepts."""

import pytest

from tests.zones.books import acct, vnet_id
from zones.azure.endpoint import ResourceId
from zones.dns.name import from_text
from zones.networks.excepted import ExceptedItem
from zones.networks.network import Network, Networks
from zones.networks.topology import redraw

ID = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/privateEndpoints/Pe"
KEY = ID.casefold()


def excepting(name: str, *items: str, reach: tuple[str, ...] = ()) -> Network:
    return Network(name, (), reach=reach, excepted=tuple(map(ExceptedItem, items)))


@pytest.mark.parametrize("text", [ID, ID.upper() + "/", "pe", "PE"])
def test_an_endpoint_is_excepted_by_id_or_name_in_any_case(text: str) -> None:
    networks = Networks([Network("a", ()), excepting("b", text)])
    assert networks.listed(networks.sees(acct(KEY, 4, name="Pe"))) == ("a",)
    assert networks.listed(networks.sees(acct(KEY + "2", 4, name="pe-2"))) == ("a", "b")


def test_every_endpoint_with_an_excepted_name_is_hidden() -> None:
    networks = Networks([excepting("a", "pe")])
    assert not networks.sees(acct("one", 4, name="pe"))
    assert not networks.sees(acct("two", 4, name="PE", network="a"))
    assert not networks.sees(acct("three", 4, name="pe", vnet="v"))


def test_each_network_excepts_for_itself() -> None:
    networks = Networks([excepting("a", "one", "two"), excepting("b", "two"), Network("c", ())])
    assert networks.listed(networks.sees(acct("one", 4))) == ("b", "c")
    assert networks.listed(networks.sees(acct("two", 4))) == ("c",)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A.Example.", "a.example"), ("*.a.example", "*.a.example"), ("pe", None), ("pe.", None), (ID, None),
        ("10.0.0.4", None), ("a..example", None), ("a b.example", None),
    ],
)  # fmt: skip
def test_an_item_with_dots_may_be_a_name(text: str, name: str | None) -> None:
    assert ExceptedItem(text).name == (from_text(name) if name else None)


def test_the_items_of_networks_that_are_replaced_are_forgotten() -> None:
    networks = Networks([excepting("a", "pe")])
    assert not networks.sees(acct("pe", 4))
    networks.replace([Network("a", ())])
    assert networks.sees(acct("pe", 4))
    assert networks.excepted is None


def test_a_redraw_tells_excepted_endpoints_from_others_in_their_vnet() -> None:
    networks = Networks([excepting("a", "pe", reach=(vnet_id("v"),))], auto=True)
    endpoints = {ResourceId(key): acct(key, 4, vnet="v") for key in ("pe", "other")}
    drawn = [excepting("a", reach=(vnet_id("v"),))]
    assert redraw(networks, drawn, endpoints) == ["pe"]
