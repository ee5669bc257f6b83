"""Endpoints, networks, zones, names, claims and findings, from an estate with some of each."""

from typing import Any

import pytest

from tests.resolver.admin.json_client import BLOB, T0_TEXT, Client, get, walked
from zones.azure.endpoint import ResourceId, VirtualNetwork
from zones.networks import topology

Control = Any  # of conftest
MakeEndpoint = Any  # of conftest


async def test_an_endpoint_lists_the_networks_to_which_it_is_visible(client: Client) -> None:
    items = {item["name"]: item for item in (await get(client, "/v1/endpoints"))["items"]}
    assert len(items) == 8
    assert items["plain"]["networks"] == ["east"]
    assert items["far"]["networks"] == ["east", "west"]
    assert items["far"]["networks_total"] == 2
    assert items["waits"]["served"] is False
    assert items["plain"]["records"] == [
        {
            "fqdn": "plain.blob.core.windows.net", "configured": False, "addresses": ["10.1.0.4"],
            "group": "blob", "member": "blob",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize(
    "path", ["/v1/endpoints", "/v1/zones", "/v1/findings", "/v1/claims", f"/v1/zones/{BLOB}/records"]
)
async def test_pages_of_any_size_make_the_same_list(client: Client, path: str, limit: int) -> None:
    whole = (await get(client, path))["items"]
    assert [_timeless(item) for item in await walked(client, path, limit)] == [_timeless(item) for item in whole]


def _timeless(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "age"}


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "limit: "), ("limit=10001", "limit: "), ("limit=many", "limit: "), ("cursor=%21", "cursor: "),
        ("cursor=e30", "cursor: "), ("colour=red", "colour: no such parameter"),
        ("limit=1&limit=2", "limit: given twice"),
    ],
)  # fmt: skip
async def test_an_invalid_parameter_is_a_problem_that_names_it(client: Client, query: str, detail: str) -> None:
    body = await get(client, f"/v1/endpoints?{query}", 400)
    assert body["detail"].startswith(detail)
    assert body["title"] == "Bad Request"


async def test_networks_have_an_origin(client: Client, control: Control) -> None:
    items = (await get(client, "/v1/networks"))["items"]
    assert [(item["name"], item["origin"], item["clients"], item["reach"]) for item in items] == [
        ("east", "configured", ["10.1.0.0/16"], ["all"]), ("west", "configured", ["10.2.0.0/16"], []),
    ]  # fmt: skip
    networks = control.estate.networks
    vnets = [
        VirtualNetwork(ResourceId(f"/s/s/rg/net/p/v/{name}"), name, "", ("10.7.0.0/16",)) for name in ("one", "two")
    ]
    networks.replace(topology.networks(vnets, networks.configured))
    items = (await get(client, "/v1/networks"))["items"]
    assert [(item["name"], item["origin"], item["clients"]) for item in items] == [
        ("east", "configured", ["10.1.0.0/16"]), ("none", "auto", ["10.7.0.0/16"]), ("one", "auto", []),
        ("two", "auto", []), ("west", "configured", ["10.2.0.0/16"]),
    ]  # fmt: skip


async def test_zones_have_a_source(client: Client) -> None:
    items = {item["zone"]: item for item in (await get(client, "/v1/zones"))["items"]}
    assert {zone: item["source"] for zone, item in items.items()} == {
        BLOB: "endpoints", "corp.example": "file", "privatelink.vaultcore.azure.net": "configuration",
    }  # fmt: skip
    assert (items[BLOB]["names"], items[BLOB]["networks"]) == (4, ["east", "west"])
    assert (items["corp.example"]["names"], items["corp.example"]["on_miss"]) == (2, "nxdomain")
    assert items["privatelink.vaultcore.azure.net"]["on_miss"] == "nxdomain"


async def test_zones_follow_a_change_of_the_estate(client: Client, control: Control, endpoint: MakeEndpoint) -> None:
    before = {item["zone"] for item in (await get(client, "/v1/zones"))["items"]}
    queue = endpoint("queue", "q.queue.core.windows.net", b"\x0a\x01\x00\x0b", vnet="a")
    control.estate.ledger.apply({queue.key: queue}, 1_700_000_100.0)
    control.serial += 1
    after = {item["zone"] for item in (await get(client, "/v1/zones"))["items"]}
    assert after - before == {"privatelink.queue.core.windows.net"}


async def test_records_have_the_answer_of_each_network(client: Client) -> None:
    items = {item["name"]: item for item in (await get(client, f"/v1/zones/{BLOB}/records"))["items"]}
    shared = items[f"shared.{BLOB}"]
    assert shared["public"] == ["shared.blob.core.windows.net"]
    answers = {(answer["networks"][0], answer["type"]): answer for answer in shared["answers"]}
    assert answers["east", "A"]["data"] == ["10.1.0.5"]
    assert answers["east", "A"]["rule"] == "nearest"
    assert [each.rpartition("/")[2] for each in answers["east", "A"]["losers"]] == ["far"]
    assert answers["west", "A"]["data"] == ["10.2.0.5"]
    assert answers["west", "A"]["rule"] == ""
    assert answers["west", "AAAA"]["data"] == ["fd00::"]
    assert ("east", "AAAA") not in answers


async def test_a_refused_contest_is_servfail_in_the_records(client: Client) -> None:
    items = {item["name"]: item for item in (await get(client, f"/v1/zones/{BLOB}/records"))["items"]}
    (answer,) = items[f"refused.{BLOB}"]["answers"]
    assert (answer["rcode"], answer["type"], answer["data"], answer["rule"]) == ("SERVFAIL", None, [], "refuse")
    assert (answer["endpoints"], len(answer["losers"])) == ([], 2)


async def test_records_of_a_zone_file_are_in_presentation_form(client: Client) -> None:
    items = (await get(client, "/v1/zones/CORP.example./records"))["items"]
    assert [item["name"] for item in items] == ["corp.example", "ns.corp.example"]
    assert {answer["type"]: answer["data"] for answer in items[0]["answers"]} == {
        "SOA": ["ns.corp.example. hostmaster.corp.example. 1 3600 300 2419200 30"], "NS": ["ns.corp.example."],
    }  # fmt: skip
    assert items[0]["source"] == "file"


@pytest.mark.parametrize(("zone", "status"), [("nowhere.example", 404), ("a..b", 400)])
async def test_records_of_an_unknown_zone_are_a_problem(client: Client, zone: str, status: int) -> None:
    assert (await get(client, f"/v1/zones/{zone}/records", status))["status"] == status


@pytest.mark.parametrize("name", ["twice.blob.core.windows.net", f"TWICE.{BLOB}."])
async def test_claims_are_found_by_public_and_private_name(client: Client, name: str) -> None:
    body = await get(client, f"/v1/claims?name={name}")
    assert {item["endpoint"].rpartition("/")[2] for item in body["items"]} == {"first", "second"}
    assert body["items"][0]["first_seen"] == T0_TEXT
    assert body["items"][0]["zone"] == BLOB
    (record,) = body["records"]
    (answer,) = record["answers"]
    assert (answer["data"], answer["rule"]) == (["10.1.0.6"], "resource-id")


async def test_the_rule_of_a_claim_is_the_one_in_its_finding(client: Client) -> None:
    """By now the winner is the incumbent, but people want to know which rule decided the contest."""
    claims = await get(client, "/v1/claims?name=twice.blob.core.windows.net")
    findings = (await get(client, "/v1/findings"))["items"]
    (finding,) = [each for each in findings if each["subject"] == f"twice.{BLOB}"]
    assert claims["records"][0]["answers"][0]["rule"] == finding["rule"]


async def test_a_claim_that_is_not_served_is_listed_without_answers(client: Client) -> None:
    body = await get(client, "/v1/claims?name=waits.blob.core.windows.net")
    assert [(item["state"], item["served"]) for item in body["items"]] == [("Pending", False)]
    assert body["records"] == []


async def test_a_name_that_nobody_claims_has_no_claims(client: Client) -> None:
    assert await get(client, "/v1/claims?name=other.example") == {"items": [], "next": None, "records": []}


async def test_a_name_of_claims_that_is_no_domain_name_is_refused(client: Client) -> None:
    assert "domain name" in (await get(client, "/v1/claims?name=a..b", 400))["detail"]


async def test_findings_are_sorted_by_severity_and_have_an_age(client: Client) -> None:
    items = (await get(client, "/v1/findings"))["items"]
    ranks = [["error", "warning", "info"].index(item["severity"]) for item in items]
    assert ranks == sorted(ranks)
    assert {item["first_seen"] for item in items} == {T0_TEXT}
    assert all(item["age"] > 0 for item in items)
    loser = next(item for item in items if item["code"] == "conflicting-address")["evidence"]["losers"][0]
    assert loser["first_seen"] == T0_TEXT


async def test_findings_are_filtered_by_code_and_severity(client: Client) -> None:
    errors = (await get(client, "/v1/findings?severity=error"))["items"]
    assert {item["severity"] for item in errors} == {"error"}
    pending = (await get(client, "/v1/findings?code=endpoint-pending"))["items"]
    assert [item["subject"].rpartition("/")[2] for item in pending] == ["waits"]
    assert (await get(client, "/v1/findings?code=endpoint-pending&severity=error"))["items"] == []
    both = (await get(client, "/v1/findings?code=endpoint-pending&code=conflicting-address"))["items"]
    assert {item["code"] for item in both} == {"endpoint-pending", "conflicting-address"}


@pytest.mark.parametrize(
    ("filters", "zones"),
    [
        ({"source": "file"}, ["corp.example"]),
        ({"source": "configuration"}, ["privatelink.vaultcore.azure.net"]),
        ({"search": "VAULT"}, ["privatelink.vaultcore.azure.net"]),
        ({"search": "plain.privatelink.blob.core.windows.net."}, [BLOB]),
        ({"search": "a..b"}, []),
        ({"order": "text"}, ["corp.example", BLOB, "privatelink.vaultcore.azure.net"]),
        ({"order": "names"}, [BLOB, "corp.example", "privatelink.vaultcore.azure.net"]),
    ],
)
async def test_zones_are_searched_and_sorted(client: Client, filters: dict[str, str], zones: list[str]) -> None:
    query = "&".join(f"{key}={value}" for key, value in filters.items())
    assert [each["zone"] for each in (await get(client, f"/v1/zones?{query}"))["items"]] == zones


async def test_names_of_a_zone_are_searched_by_a_part(client: Client) -> None:
    found = (await get(client, f"/v1/zones/{BLOB}/records?search=TWI"))["items"]
    assert [each["name"] for each in found] == [f"twice.{BLOB}"]
