"""The estate map: a bounded graph of the estate, what a network sees in it, and the search."""

from typing import Any
from urllib.parse import quote

import pytest
from msgspec import structs

from resolver.admin import map_census
from resolver.admin.estate_map import opening, picture
from resolver.control.estate.estate import Estate
from tests.resolver.admin.conftest import BLOB, T0, VNETS, MakeEndpoint, ScriptedControl
from tests.resolver.admin.json_client import Client, get
from zones.azure.endpoint import ConnectionState, ResourceId, VirtualNetwork

A, B = (f"vnet:{VNETS[each]}" for each in "ab")
BLOBS = f"service:{VNETS['a']}|blob"


def key(name: str) -> str:
    return f"endpoint:/subscriptions/s1/resourcegroups/rg/providers/microsoft.network/privateendpoints/{name}"


async def drawn(client: Client, **query: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a map, and its nodes by id."""
    path = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    body = await get(client, f"/v1/map?{path}")
    nodes = {each["id"]: each for each in body["nodes"]}
    assert len(nodes) == len(body["nodes"])
    assert {each["inside"] for each in body["nodes"]} - {None} <= nodes.keys()
    assert {each[end] for each in body["edges"] for end in ("source", "target")} <= nodes.keys()
    return body, nodes


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An estate that is too large to show each endpoint at once."""
    monkeypatch.setattr(opening, "AT_A_GLANCE", 0)


@pytest.mark.usefixtures("closed")
async def test_the_map_counts_endpoints_by_vnet_and_service(client: Client) -> None:
    body, nodes = await drawn(client)
    assert nodes.keys() == {"network:east", "network:west", A, B, BLOBS, f"service:{VNETS['b']}|blob"}
    counts = nodes[BLOBS]["counts"]
    assert (counts["endpoints"], counts["waiting"], counts["dead"]) == (7, 1, 0)
    assert nodes[A]["counts"] == counts
    assert counts["findings"]["error"] == 2  # two names, each claimed by two endpoints
    assert counts["contested"] == 2  # and not the name for which nearness decides
    assert body["totals"] | {"findings": {}} == {"networks": 2, "vnets": 2, "endpoints": 8, "findings": {}}
    assert {(each["source"], each["target"], each["kind"]) for each in body["edges"]} == {
        ("network:east", A, "home"), ("network:west", B, "home"),
    }  # fmt: skip


async def test_a_small_estate_shows_every_endpoint(client: Client) -> None:
    _, nodes = await drawn(client)
    assert {node["label"] for node in nodes.values() if node["kind"] == "endpoint"} == {
        "plain", "near", "far", "first", "second", "one", "two", "waits",
    }  # fmt: skip
    waits = nodes[key("waits")]
    assert (waits["state"], waits["served"], waits["note"]) == ("Pending", False, "pending")
    assert nodes[key("first")]["counts"]["contested"] == 1


@pytest.mark.usefixtures("closed")
async def test_a_service_opens_page_after_page_with_the_worst_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "ENDPOINTS", 3)
    seen: list[str] = []
    for skip in (0, 3, 6):
        body, nodes = await drawn(client, focus=BLOBS, skip=str(skip))
        page = [node["label"] for node in nodes.values() if node["kind"] == "endpoint"]
        rest = next(each for each in body["rests"] if each["inside"] == BLOBS)
        assert (rest["skipped"], rest["shown"], rest["total"]) == (skip, len(page), 7)
        seen += page
    assert seen == ["first", "one", "second", "two", "near", "waits", "plain"]
    _, nodes = await drawn(client, open=BLOBS)
    assert [node["label"] for node in nodes.values() if node["kind"] == "endpoint"] == seen[:3]
    _, nodes = await drawn(client, focus=key("plain"))
    assert key("plain") in nodes  # although it is not on the first page


async def test_each_service_of_a_small_estate_can_be_closed(client: Client) -> None:
    body, nodes = await drawn(client, closed=BLOBS)
    assert body["detail"] == "endpoints"
    assert not nodes[BLOBS]["open"]
    assert [node["label"] for node in nodes.values() if node["kind"] == "endpoint"] == ["far"]
    body, nodes = await drawn(client, detail="services", open=f"service:{VNETS['b']}|blob")
    assert body["detail"] == "services"
    assert [node["label"] for node in nodes.values() if node["kind"] == "endpoint"] == ["far"]
    _, nodes = await drawn(client, focus=key("plain"), closed=BLOBS)
    assert key("plain") in nodes  # what somebody has asked for is shown in any case


@pytest.mark.usefixtures("closed")
async def test_all_services_can_be_opened_at_any_size(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ENDPOINTS", 4)
    body, nodes = await drawn(client, detail="endpoints")
    assert [node["label"] for node in nodes.values() if node["kind"] == "endpoint"] == ["first", "one", "second", "far"]
    assert [(each["shown"], each["total"]) for each in body["rests"]] == [(3, 7)]


@pytest.mark.parametrize(
    ("sizes", "most", "parts"),
    [([], 5, []), ([2, 3], 10, [2, 3]), ([9, 1, 9], 7, [3, 1, 3]), ([5, 5, 5], 2, [0, 1, 1]), ([4], 0, [0])],
)
def test_places_are_shared_out(sizes: list[int], most: int, parts: list[int]) -> None:
    assert opening.shared(sizes, most) == parts


async def test_what_needs_a_person_comes_with_the_node_that_it_is_about(client: Client) -> None:
    body, _ = await drawn(client)
    urgent = body["urgent"]
    errors = {
        (each["label"], each["node"], each["others"]) for each in urgent if each["finding"]["severity"] == "error"
    }
    assert errors == {("first", key("first"), 1), ("one", key("one"), 1)}
    assert urgent[0]["finding"]["severity"] == "error"
    assert body["urgent_total"] == len(urgent)


async def test_a_network_gets_the_winner_of_each_contested_name(client: Client) -> None:
    network = (await drawn(client, focus="network:east"))[0]["focus"]["network"]
    contested = {each["name"].partition(".")[0]: each for each in network["contested"]}
    assert network["contested_total"] == len(contested) == 3
    (winner,) = contested["twice"]["winners"]
    assert winner.endswith("/first")
    assert (contested["twice"]["losers"], contested["twice"]["severity"]) == (1, "error")
    assert contested["twice"]["rule"]
    (near,) = contested["shared"]["winners"]
    assert near.endswith("/near")
    network = (await drawn(client, focus="network:west"))[0]["focus"]["network"]
    assert [(each["name"].partition(".")[0], each["losers"]) for each in network["contested"]] == [("shared", 0)]


@pytest.mark.usefixtures("closed")
async def test_a_filter_leaves_what_has_such_a_finding(client: Client) -> None:
    _, nodes = await drawn(client, severity="error", focus=BLOBS)
    assert nodes.keys() == {"network:east", "network:west", A, BLOBS, *map(key, ("first", "second", "one", "two"))}


async def test_a_network_sees_what_its_clients_see(client: Client) -> None:
    body, nodes = await drawn(client, focus="network:west")
    assert {nodes[each]["sight"] for each in (A, BLOBS, key("plain"))} == {"hidden"}
    assert nodes[B]["sight"] == nodes[key("far")]["sight"] == "visible"
    network = body["focus"]["network"]
    assert (network["vnets"], network["endpoints"], network["names"], network["all_names"]) == (1, 1, 1, 4)
    assert network["differing"] == [{
        "name": f"shared.{BLOB}",
        "here": {
            "networks": ["west"], "networks_total": 1, "rcode": "NOERROR",
            "addresses": ["10.2.0.5", "fd00::"],
        },
        "elsewhere": [{"networks": ["east"], "networks_total": 1, "rcode": "NOERROR", "addresses": ["10.1.0.5"]}],
    }]  # fmt: skip


async def test_an_endpoint_in_focus_has_its_claims_and_findings(client: Client) -> None:
    body, _ = await drawn(client, focus=key("first").upper().replace("ENDPOINT:", "endpoint:", 1))
    focus = body["focus"]
    assert focus["endpoint"]["endpoint"]["name"] == "first"
    assert [each["public"] for each in focus["endpoint"]["claims"]] == ["twice.blob.core.windows.net"]
    assert [each["code"] for each in focus["findings"]] == ["conflicting-address"]


async def test_peerings_lead_from_the_hub(client: Client, estate: Estate) -> None:
    keys = [ResourceId(VNETS["a"]), ResourceId(VNETS["b"])]
    third = ResourceId(VNETS["a"].replace("networks/a", "networks/c"))
    hub = VirtualNetwork(keys[1], keys[1], "westeurope", ("10.2.0.0/16",), (keys[0], third))
    spokes = (VirtualNetwork(keys[0], keys[0], peers=(keys[1],)), VirtualNetwork(third, third))
    estate.ledger.set_vnets({each.key: each for each in (hub, *spokes)}, T0)
    body, nodes = await drawn(client, focus=f"vnet:{third}")
    peerings = {(each["source"], each["target"], each["kind"]) for each in body["edges"] if "peer" in each["kind"]}
    assert peerings == {(B, A, "peering"), (B, f"vnet:{third}", "one-way-peering")}
    assert nodes[B]["note"] == "westeurope · 10.2.0.0/16"
    assert body["focus"]["vnet"]["networks"] == ["east"]


@pytest.mark.usefixtures("closed")
async def test_a_picture_is_bounded_however_large_the_estate_is(
    client: Client, estate: Estate, endpoint: MakeEndpoint
) -> None:
    made = []
    for vnet in range(90):
        for service in range(12):
            each = endpoint(f"e-{vnet}-{service}", f"e{vnet}x{service}.blob.core.windows.net", b"\x0a\x09\x00\x04")
            place = ResourceId(VNETS["a"].replace("networks/a", f"networks/v{vnet}"))
            made.append(structs.replace(each, vnet=place, groups=(f"service{service}",)))
    estate.ledger.apply({each.key: each for each in made}, T0)
    body, nodes = await drawn(client, focus=f"vnet:{made[-1].vnet}")
    assert len(nodes) <= picture.NODES
    assert f"vnet:{made[-1].vnet}" in nodes
    left = next(each for each in body["rests"] if each["inside"] == "vnet")
    assert (left["shown"], left["total"]) == (picture.VNETS, 92)
    _, following = await drawn(client, skip=str(picture.VNETS))
    first = {each for each in (await drawn(client))[1] if each.startswith("vnet:")}
    assert len(first | {each for each in following if each.startswith("vnet:")}) == 92


async def test_dead_endpoints_are_counted_when_the_state_has_changed(
    client: Client, control: ScriptedControl, endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, nodes = await drawn(client)
    assert nodes[A]["counts"]["dead"] == 0
    gone = endpoint(
        "plain", "plain.blob.core.windows.net", b"\x0a\x01\x00\x04", vnet="a", state=ConnectionState.DISCONNECTED
    )
    control.estate.ledger.apply({gone.key: gone}, T0)
    control.serial += 1
    assert (await drawn(client))[1][A]["counts"]["dead"] == 0  # at most one census in two seconds
    monkeypatch.setattr(map_census, "EVERY", 0.0)
    monkeypatch.setattr(map_census, "OLDEST", 0.0)
    _, nodes = await drawn(client)
    assert nodes[A]["counts"]["dead"] == 1
    assert nodes[key("plain")]["note"] == "disconnected"


@pytest.mark.parametrize("focus", ["", "x", "nonsense:x", "service:x", "vnet:/nowhere", "endpoint:x", "network:nope"])
async def test_an_unknown_node_is_refused_with_a_reason(client: Client, focus: str) -> None:
    if not focus:
        assert (await get(client, "/v1/map?focus="))["focus"] is None
        return
    body = await get(client, f"/v1/map?focus={quote(focus)}", 400)
    assert body["type"] == "urn:pldns:problem:unknown-value"
    assert body["detail"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.1.0.4", ["plain"]),
        ("fd00::", ["far"]),
        ("PLAIN.blob.core.windows.net.", ["plain"]),
        (f"plain.{BLOB}", ["plain"]),
        ("ain.blo", ["plain"]),
        ("twice", ["first", "second"]),
        ("virtualnetworks/b", ["b"]),
        ("west", ["west"]),
        ("alias-of-far", ["far"]),
        ("privateendpoints/second", ["second"]),
        ("<img src=x>", []),
        ("\u202e", []),
        ("a" * 64, []),
        ("..", []),
        (" ", []),
    ],
)
async def test_a_search_finds_by_name_address_and_id(client: Client, text: str, found: list[str]) -> None:
    body = await get(client, f"/v1/map/search?text={quote(text)}")
    assert [each["label"] for each in body["items"]] == found
    assert body["total"] == len(found)


async def test_a_hit_says_why_it_was_found(client: Client) -> None:
    body = await get(client, "/v1/map/search?text=twice.blob")
    assert {each["reason"] for each in body["items"]} == {"twice.blob.core.windows.net"}
    assert {each["note"] for each in body["items"]} == {"a (net)"}


async def test_all_hits_are_counted(client: Client, estate: Estate, endpoint: MakeEndpoint) -> None:
    made = [endpoint(f"many-{i}", f"many{i}.blob.core.windows.net", b"\x0a\x01\x01\x04") for i in range(30)]
    estate.ledger.apply({each.key: each for each in made}, T0)
    body = await get(client, "/v1/map/search?text=many")
    assert (len(body["items"]), body["total"]) == (20, 30)
