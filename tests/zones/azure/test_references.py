"""References: which endpoints an id or a name in the configuration means."""

from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId
from zones.azure.references import EndpointReferences, reference

ID = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/privateEndpoints/PE"
KEY = ResourceId(ID.casefold())


def endpoint(key: str, name: str) -> Endpoint:
    return Endpoint(ResourceId(key), key, name, ConnectionState.APPROVED)


def test_ids_and_names_are_found_in_any_case() -> None:
    by_id, by_name = reference(ID + "/"), reference("Pe")
    book = EndpointReferences([by_id, by_name])
    assert book.update({KEY: endpoint(KEY, "pE")}) == {by_id, by_name}
    assert book.found(by_id) == book.found(by_name) == {KEY}
    assert book.of(KEY) == {by_id, by_name}


def test_a_reference_follows_endpoints_that_come_change_their_name_and_go() -> None:
    name = reference("pe")
    book = EndpointReferences([name])
    assert book.update({ResourceId("one"): endpoint("one", "pe"), ResourceId("two"): endpoint("two", "PE")}) == {name}
    assert book.found(name) == {"one", "two"}
    assert book.update({ResourceId("two"): endpoint("two", "other")}) == {name}
    assert book.found(name) == {"one"}
    assert book.update({ResourceId("one"): None}) == {name}
    assert not book.found(name)
    assert not book.of(ResourceId("one"))


def test_a_change_of_other_endpoints_touches_no_reference() -> None:
    book = EndpointReferences([reference("pe")])
    assert book.update({ResourceId("other"): endpoint("other", "other"), ResourceId("gone"): None}) == set()
