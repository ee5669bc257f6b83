"""Events in both schemas, and bodies without events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.sources.azure.protocol import events
from resolver.sources.azure.protocol.events import Event, MalformedEvents
from zones.azure.endpoint import ResourceId

GROUP = "/subscriptions/s1/resourceGroups/RG/providers/Microsoft.Network"
KEY = "/subscriptions/s1/resourcegroups/rg/providers/microsoft.network"


def grid(resource: str, kind: str = "Microsoft.Resources.ResourceWriteSuccess", ident: str = "e1") -> dict[str, object]:
    """Return an event as in Microsoft's example."""
    return {
        "subject": resource, "eventType": kind, "eventTime": "2018-07-19T18:38:04.6117357Z", "id": ident,
        "data": {"resourceUri": resource, "operationName": "Microsoft.Network/privateEndpoints/write"},
        "dataVersion": "2", "metadataVersion": "1", "topic": "/subscriptions/s1",
    }  # fmt: skip


def cloud(
    resource: str, kind: str = "Microsoft.Resources.ResourceDeleteSuccess", ident: str = "e1"
) -> dict[str, object]:
    return {
        "subject": resource, "source": "/subscriptions/s1", "type": kind, "time": "2018-07-19T19:24:12.763881Z",
        "id": ident, "data": {"resourceUri": resource}, "specversion": "1.0",
    }  # fmt: skip


def read(*items: object) -> tuple[list[Event], int]:
    return events.read(json.dumps(items).encode())


@pytest.mark.parametrize("make", [grid, cloud])
@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (f"{GROUP}/privateEndpoints/pe", f"{KEY}/privateendpoints/pe"),
        (f"{GROUP}/networkInterfaces/nic", f"{KEY}/networkinterfaces/nic"),
        (f"{GROUP}/virtualNetworks/hub", f"{KEY}/virtualnetworks/hub"),
        (f"{GROUP}/virtualNetworks/hub/virtualNetworkPeerings/to-spoke", f"{KEY}/virtualnetworks/hub"),
        (f"{GROUP}/privateEndpoints/pe/privateDnsZoneGroups/default", f"{KEY}/privateendpoints/pe"),
        (f"{GROUP}/loadBalancers/lb", ""),
        ("/subscriptions/s1", ""),
        ("", ""),
    ],
)
def test_an_event_names_the_resource_to_read_again(make: object, resource: str, key: str) -> None:
    assert callable(make)
    assert read(make(resource)) == ([Event("e1", ResourceId(key))], 0)


def test_failures_and_other_kinds_of_events_name_no_resource() -> None:
    pe = f"{GROUP}/privateEndpoints/pe"
    kinds = ("Microsoft.Resources.ResourceWriteFailure", "Microsoft.Storage.BlobCreated")
    assert read(*(grid(pe, kind, str(i)) for i, kind in enumerate(kinds))) == ([Event("0"), Event("1")], 0)


def test_a_body_may_be_a_single_cloud_event() -> None:
    body = json.dumps(cloud(f"{GROUP}/privateEndpoints/pe")).encode()
    assert events.read(body) == ([Event("e1", ResourceId(f"{KEY}/privateendpoints/pe"))], 0)


def test_a_handshake_asks_for_its_code() -> None:
    code = {"validationCode": "512d38b6", "validationUrl": "https://rp-eastus2.eventgrid.azure.net/validate?id=1"}
    asked = grid("", "Microsoft.EventGrid.SubscriptionValidationEvent") | {"data": code}
    assert read(asked) == ([Event("e1", validation="512d38b6")], 0)


def test_items_that_are_no_events_are_counted_and_the_others_read() -> None:
    good = grid(f"{GROUP}/privateEndpoints/pe")
    found, malformed = read({"no": "id"}, good, 7, good | {"id": 5})
    assert ([each.id for each in found], malformed) == (["e1"], 3)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'[{"id": 1}]', b"7", b'{"id": "x"}', b"[" * 100_000])
def test_a_body_without_an_event_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEvents):
        events.read(body)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_is_read_or_malformed(value: object) -> None:
    try:
        found, _ = events.read(json.dumps(value).encode())
    except MalformedEvents:
        return
    assert all(isinstance(event.id, str) for event in found)


@pytest.mark.parametrize("ident", ["", "i" * 257])
def test_an_event_needs_an_id_of_bounded_length(ident: str) -> None:
    pe = f"{GROUP}/privateEndpoints/pe"
    assert read(grid(pe, ident=ident), grid(pe, ident="i" * 256))[1] == 1
