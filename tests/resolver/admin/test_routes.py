"""What each path answers, over an estate with something of everything in it."""

import json
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from resolver.admin.reference import page
from resolver.admin.resources.status import Ready
from resolver.admin.routes import ROUTES
from resolver.channel.frames import Fallback
from resolver.channel.requests import CacheFlushed, CacheStats, FlushCache
from tests.paths import ROOT
from zones.azure.endpoint import VirtualNetwork
from zones.dns.name import from_text
from zones.networks import topology

BLOB = "privatelink.blob.core.windows.net"
T0_TEXT = "2023-11-14T22:13:20.000Z"
Client = TestClient[Any, Any]
Control = Any  # conftest's, which a test module cannot import
Make = Any  # as above


async def get(client: Client, path: str, status: int = 200) -> Any:  # noqa: ANN401 - what JSON can hold
    async with client.get(path) as response:
        body = await response.read()
        assert response.status == status, body
        assert response.content_type == ("application/json" if status == 200 else "application/problem+json")
        return json.loads(body)


async def walked(client: Client, path: str, limit: int) -> list[Any]:
    """All items, page after page."""
    found, cursor = [], ""
    while True:
        body = await get(client, f"{path}?limit={limit}{f'&cursor={cursor}' if cursor else ''}")
        assert len(body["items"]) <= limit
        found += body["items"]
        if body["next"] is None:
            return found
        cursor = body["next"]


@pytest.mark.parametrize("path", ["/livez", "/health"])
async def test_alive_while_a_worker_answers(client: Client, control: Control, path: str) -> None:
    assert await get(client, path) == {"status": "alive"}
    control.answers = False
    assert (await get(client, path, 503))["detail"] == "no worker answers"


@pytest.mark.parametrize("path", ["/readyz", "/ready"])
async def test_ready_lists_what_is_missing(client: Client, control: Control, path: str) -> None:
    assert await get(client, path) == {"status": "ready", "missing": [], "degraded": [], "degraded_total": 0}
    control.lacking = ["source estate: not read yet", "worker 1: not connected"]
    body = await get(client, path, 503)
    assert body["missing"] == control.lacking
    assert body["status"] == 503
    assert "sources" not in body


async def test_readyz_verbose_tells_of_sources_and_workers(client: Client, control: Control) -> None:
    body = await get(client, "/readyz?verbose")
    assert body["sources"][0]["name"] == "estate"
    assert body["sources"][0]["last_success"] == T0_TEXT
    assert body["workers"] == [{"index": 0, "pid": 4242, "connected": True, "synced": True, "serial": 7}]
    control.lacking = ["x"]
    assert (await get(client, "/readyz?verbose", 503))["workers"][0]["pid"] == 4242


async def test_ready_lists_what_is_wrong_with_sources_that_are_served(client: Client, control: Control) -> None:
    control.estate.take([("estate", f"s{number}", "no permission") for number in range(40)], 0.0)
    for path in ("/readyz", "/v1/status"):
        body = await get(client, path)
        assert body["degraded"][0] == {"source": "estate", "scope": "s0", "message": "no permission"}
        assert (len(body["degraded"]), body["degraded_total"]) == (32, 40)
    control.lacking = ["worker 1: not connected"]
    assert (await get(client, "/readyz", 503))["degraded_total"] == 40


async def test_status_counts_the_estate(client: Client) -> None:
    body = await get(client, "/v1/status")
    assert body["started"] == T0_TEXT
    assert body["serial"] == 7
    assert body["ready"] is True
    counts = body["counts"]
    assert (counts["endpoints"], counts["served"], counts["claims"], counts["names"]) == (8, 7, 8, 4)
    assert (counts["networks"], counts["zone_files"]) == (2, 1)
    assert counts["findings"]["error"] == 2


async def test_an_endpoint_is_told_with_who_sees_it(client: Client) -> None:
    items = {item["name"]: item for item in (await get(client, "/v1/endpoints"))["items"]}
    assert len(items) == 8
    assert items["plain"]["networks"] == ["east"]
    assert items["far"]["networks"] == ["east", "west"]
    assert items["far"]["networks_total"] == 2
    assert items["waits"]["served"] is False
    assert items["plain"]["records"] == [
        {"fqdn": "plain.blob.core.windows.net", "addresses": ["10.1.0.4"], "group": "blob", "member": "blob"}
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize("path", ["/v1/endpoints", "/v1/zones", "/v1/findings", f"/v1/zones/{BLOB}/records"])
async def test_pages_of_any_size_make_the_same_list(client: Client, path: str, limit: int) -> None:
    whole = (await get(client, path))["items"]
    assert [_timeless(item) for item in await walked(client, path, limit)] == [_timeless(item) for item in whole]


def _timeless(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "age"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit: "), ("limit=10001", "limit: "), ("limit=many", "limit: "), ("cursor=%21", "cursor: "),
        ("cursor=e30", "cursor: "), ("colour=red", "colour: no such parameter"),
        ("limit=1&limit=2", "limit: given twice"),
    ],
)  # fmt: skip
async def test_a_wrong_parameter_is_a_problem_that_names_it(client: Client, query: str, said: str) -> None:
    body = await get(client, f"/v1/endpoints?{query}", 400)
    assert body["detail"].startswith(said)
    assert body["title"] == "Bad Request"


async def test_networks_say_where_they_come_from(client: Client, control: Control) -> None:
    items = (await get(client, "/v1/networks"))["items"]
    assert [(item["name"], item["origin"], item["clients"], item["reach"]) for item in items] == [
        ("east", "configured", ["10.1.0.0/16"], ["all"]), ("west", "configured", ["10.2.0.0/16"], []),
    ]  # fmt: skip
    networks = control.estate.networks
    vnets = [VirtualNetwork(f"/s/s/rg/net/p/v/{name}", name, "", ("10.7.0.0/16",)) for name in ("one", "two")]
    networks.replace(topology.networks(vnets, networks.configured))
    items = (await get(client, "/v1/networks"))["items"]
    assert [(item["name"], item["origin"], item["clients"]) for item in items] == [
        ("east", "configured", ["10.1.0.0/16"]), ("none", "auto", ["10.7.0.0/16"]), ("one", "auto", []),
        ("two", "auto", []), ("west", "configured", ["10.2.0.0/16"]),
    ]  # fmt: skip


async def test_zones_come_from_endpoints_files_and_the_configuration(client: Client) -> None:
    items = {item["zone"]: item for item in (await get(client, "/v1/zones"))["items"]}
    assert {zone: item["source"] for zone, item in items.items()} == {
        BLOB: "endpoints", "corp.example": "file", "privatelink.vaultcore.azure.net": "configuration",
    }  # fmt: skip
    assert (items[BLOB]["names"], items[BLOB]["networks"]) == (4, ["east", "west"])
    assert (items["corp.example"]["names"], items["corp.example"]["on_miss"]) == (2, "nxdomain")
    assert items["privatelink.vaultcore.azure.net"]["on_miss"] == "nxdomain"


async def test_zones_follow_a_change_of_the_estate(client: Client, control: Control, endpoint: Make) -> None:
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
async def test_records_of_no_zone_are_a_problem(client: Client, zone: str, status: int) -> None:
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
    """Asked again, the winner holds the name by now; people want to know how it came to that."""
    claims = await get(client, "/v1/claims?name=twice.blob.core.windows.net")
    findings = (await get(client, "/v1/findings"))["items"]
    (finding,) = [each for each in findings if each["subject"] == f"twice.{BLOB}"]
    assert claims["records"][0]["answers"][0]["rule"] == finding["rule"]


async def test_a_claim_that_is_not_served_is_listed_and_answers_nothing(client: Client) -> None:
    body = await get(client, "/v1/claims?name=waits.blob.core.windows.net")
    assert [(item["state"], item["served"]) for item in body["items"]] == [("Pending", False)]
    assert body["records"] == []


async def test_a_name_that_nobody_claims_has_no_claims(client: Client) -> None:
    assert await get(client, "/v1/claims?name=other.example") == {"items": [], "next": None, "records": []}


@pytest.mark.parametrize("query", ["", "?name=a..b"])
async def test_claims_need_a_name(client: Client, query: str) -> None:
    assert "name" in (await get(client, f"/v1/claims{query}", 400))["detail"]


async def test_findings_stand_gravest_first_with_their_age(client: Client) -> None:
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
    await get(client, "/v1/findings?severity=terrible", 400)


async def test_fallbacks_are_listed(client: Client, control: Control) -> None:
    zone = from_text(BLOB)
    control.fallen = [
        Fallback(zone, from_text(f"{n}.{BLOB}"), "east", 2, 1_700_000_000.0, 1_700_000_001.5, (b"\x0a\x01\0\7", b"?"))
        for n in "ba"
    ]
    items = (await get(client, "/v1/fallbacks"))["items"]
    assert [item["name"] for item in items] == [f"a.{BLOB}", f"b.{BLOB}"]
    assert items[0] | {"name": ""} == {
        "zone": BLOB, "name": "", "network": "east", "count": 2, "clients": ["10.1.0.7"],
        "first": T0_TEXT, "last": "2023-11-14T22:13:21.500Z",
    }  # fmt: skip


CACHE = CacheStats(replies=3, reply_octets=2048, answers=5, answer_octets=4096)


async def test_caches_are_listed_for_the_workers_that_answer(client: Client, control: Control) -> None:
    control.replies = {0: CACHE, 1: None}
    items = (await get(client, "/v1/cache"))["items"]
    assert items == [{"worker": 0, "replies": 3, "octets": 2048, "answers": 5, "answer_octets": 4096}]


async def test_a_flush_goes_to_all_workers_and_says_what_became_of_it(client: Client, control: Control) -> None:
    control.replies = {0: CacheFlushed(2), 1: CacheFlushed(1), 2: None}
    body = {"action": "flush", "name": "WWW.Example.", "subtree": True, "type": "aaaa"}
    async with client.post("/v1/cache", json=body) as response:
        assert (response.status, await response.json()) == (200, {"flushed": 3, "silent": [2]})
    assert control.requests == [FlushCache(from_text("www.example"), subtree=True, rtype=28)]


@pytest.mark.parametrize(
    ("sent", "status", "detail"),
    [
        ({"data": b"{}"}, 415, "the content type of the body must be application/json"),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "Invalid JSON"),
        ({"json": {"action": "flush"}}, 400, "name: Field required"),
        ({"json": {"action": "drop", "name": "a.b"}}, 400, "action: Input should be 'flush'"),
        ({"json": {"action": "flush", "name": "a.b", "ttl": 1}}, 400, "ttl: no such parameter"),
        ({"json": {"action": "flush", "name": "a..b"}}, 400, "no domain name: 'a..b': empty label"),
        ({"json": {"action": "flush", "name": "a.b", "type": "X"}}, 400, "type: X is not a record type"),
    ],
)
async def test_a_flush_that_says_something_wrong_does_nothing(
    client: Client, control: Control, sent: dict[str, Any], status: int, detail: str
) -> None:
    async with client.post("/v1/cache", **sent) as response:
        assert response.status == status
        assert detail in (await response.json())["detail"]
    assert control.requests == []


async def test_metrics_are_in_the_format_that_the_scraper_takes(client: Client) -> None:
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert "pldns_endpoints{" in await response.text()
    async with client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert (await response.text()).endswith("# EOF\n")


async def test_openapi_describes_every_path_and_every_schema_that_it_names(client: Client) -> None:
    body = await get(client, "/v1/openapi.json")
    assert body["openapi"].startswith("3.1.")
    assert set(body["paths"]) == {path for route in ROUTES for path in (route.path, *route.aliases)}
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(body)))
    assert named <= set(body["components"]["schemas"])
    parameters = {each["name"]: each for each in body["paths"]["/v1/findings"]["get"]["parameters"]}
    assert parameters["severity"]["schema"]["enum"] == ["error", "warning", "info"]
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}


async def test_every_answer_has_the_keys_that_its_model_has(client: Client) -> None:
    for route in ROUTES:
        if route.returns is None or route.returns is Ready or route.body:
            continue
        path = route.path.replace("{zone}", BLOB) + (
            "?name=twice.blob.core.windows.net" if "claims" in route.path else ""
        )
        body = await get(client, path)
        for item in body["items"] if route.listed else [body]:
            assert set(item) == set(route.returns.model_fields), route.path


def test_the_page_of_the_interface_is_up_to_date() -> None:
    there = ROOT / "docs" / "admin-api.md"
    assert there.read_text() == page(), "run: python -m resolver.admin.reference > docs/admin-api.md"
