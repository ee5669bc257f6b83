"""Names that the configuration gives to endpoints, and the items that give none."""

from collections.abc import Mapping

import pytest

from zones.azure.configured_names import ConfiguredNames, NameEntry
from zones.azure.endpoint import ConfiguredRecord, ConnectionState, Endpoint, NamelessRow, NicRecord, ResourceId
from zones.dns.name import from_text, to_text

PE, OTHER = ResourceId("/subscriptions/s/resourcegroups/rg/providers/microsoft.network/privateendpoints/pe"), "pe-2"
NAME = "db.example"


def row(last: int, group: str = "", member: str = "") -> NamelessRow:
    return NamelessRow((bytes((10, 0, 0, last)),), group, member)


def endpoint(*nameless: NamelessRow, key: str = PE, name: str = "pe", records: tuple[NicRecord, ...] = ()) -> Endpoint:
    return Endpoint(ResourceId(key), key, name, ConnectionState.APPROVED, records=records, nameless=nameless)


class Estate:
    """Endpoints as their sources give them, and as the configured names leave them."""

    def __init__(self, *entries: NameEntry) -> None:
        self.given: dict[ResourceId, Endpoint] = {}
        self.named: dict[ResourceId, Endpoint] = {}
        self.ignored: dict[str, str] = {}
        self._names = ConfiguredNames(entries, self.given)

    def put(self, *endpoints: Endpoint, gone: tuple[str, ...] = ()) -> Mapping[ResourceId, Endpoint | None]:
        changes: dict[ResourceId, Endpoint | None] = {each.key: each for each in endpoints}
        changes |= dict.fromkeys(map(ResourceId, gone))
        for target, source in ((self.given, changes), (self.named, self._names.apply(_put(self.given, changes)))):
            _put(target, source)
        for name, items in self._names.checked().items():
            self.ignored.pop(to_text(name), None)
            self.ignored.update((to_text(name), why) for _, why in items)
        return changes

    def names(self, key: str = PE) -> dict[str, list[int]]:
        records = self.named[ResourceId(key)].records
        return {to_text(record.fqdn): [address[-1] for address in record.addresses] for record in records}


def _put(
    target: dict[ResourceId, Endpoint], changes: Mapping[ResourceId, Endpoint | None]
) -> Mapping[ResourceId, Endpoint | None]:
    for key, new in changes.items():
        if new is None:
            target.pop(key, None)
        else:
            target[key] = new
    return changes


@pytest.mark.parametrize("text", [PE, PE.upper() + "/", "pe", "PE"])
def test_a_name_follows_the_address_of_its_endpoint(text: str) -> None:
    estate = Estate(NameEntry(NAME, text))
    assert not estate.put()
    assert estate.ignored == {NAME: "no source has an endpoint with this id or name"}
    estate.put(endpoint(row(4)))
    assert (estate.names(), estate.ignored) == ({NAME: [4]}, {})
    assert estate.named[PE].has_configured(from_text(NAME))
    estate.put(endpoint(row(5)))
    assert estate.names() == {NAME: [5]}
    estate.put(gone=(PE,))
    assert list(estate.ignored) == [NAME]


@pytest.mark.parametrize(
    ("member", "addresses"), [("", [4, 5, 6]), ("HeadNode", [5]), ("gateway", [4]), ("hdi", [4, 5]), ("blob", [6])]
)
def test_a_member_or_group_selects_addresses(member: str, addresses: list[int]) -> None:
    estate = Estate(NameEntry(NAME, "pe", member))
    listed = NicRecord(from_text("acct.example"), (bytes((10, 0, 0, 6)),), "blob", "blob")
    estate.put(endpoint(row(4, "hdi", "gateway"), row(5, "hdi", "headnode"), records=(listed,)))
    assert estate.names() == {"acct.example": [6], NAME: addresses}


def test_a_member_that_the_endpoint_lacks_gives_no_name() -> None:
    estate = Estate(NameEntry(NAME, "pe", "edge"))
    estate.put(endpoint(row(4, "hdi", "gateway"), row(5, "hdi")))
    assert estate.names() == {}
    assert estate.ignored == {NAME: "no address of the endpoint has the member or group `edge`; it has: gateway, hdi"}


def test_an_endpoint_without_an_address_gives_no_name() -> None:
    estate = Estate(NameEntry(NAME, "pe"))
    estate.put(endpoint())
    assert "az network nic list" in estate.ignored[NAME]


def test_a_name_of_several_endpoints_gives_none_of_them_the_name() -> None:
    estate = Estate(NameEntry(NAME, "pe"))
    estate.put(endpoint(row(4)))
    estate.put(endpoint(row(5), key=OTHER, name="PE"))
    assert (estate.names(), estate.names(OTHER)) == ({}, {})
    assert estate.ignored[NAME].startswith("2 endpoints have this name; give the resource id of one: ")
    estate.put(gone=(OTHER,))
    assert (estate.names(), estate.ignored) == ({NAME: [4]}, {})


def test_a_name_that_the_nic_lists_stays_as_it_is() -> None:
    estate = Estate(NameEntry(NAME, "pe"))
    listed = NicRecord(from_text(NAME), (bytes((10, 0, 0, 4)),), "blob", "blob")
    estate.put(endpoint(row(5), records=(listed,)))
    assert estate.named[PE].records == (listed,)
    assert estate.ignored == {}


def test_one_item_by_id_and_one_by_name_are_one_record() -> None:
    estate = Estate(NameEntry(NAME, "pe"), NameEntry(NAME, PE))
    estate.put(endpoint(row(4)))
    assert estate.named[PE].records == (ConfiguredRecord(from_text(NAME), (bytes((10, 0, 0, 4)),)),)


def test_without_items_the_changes_are_the_same_object() -> None:
    changes: dict[ResourceId, Endpoint | None] = {PE: endpoint(row(4))}
    assert ConfiguredNames((), {}).apply(changes) is changes
