"""Filters of every list: what they select, and values that do not exist."""

from typing import Any

import pytest
from msgspec import structs

from resolver.admin.access.problems import Code
from resolver.admin.routes import ROUTES
from resolver.channel.frames import Fallback, FallbackReason
from resolver.channel.requests import UpstreamState, UpstreamStates
from tests.resolver.admin.json_client import BLOB, Client, get
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.findings.evidence import Listed

Control = Any  # of conftest
MISS, NO_NETWORK = FallbackReason.MISS_POLICY, FallbackReason.NO_NETWORK


@pytest.fixture(autouse=True)
def _workers(control: Control) -> None:
    control.fallen = [
        Fallback(from_text(BLOB), from_text(f"{name}.{BLOB}"), network, reason, 1, WallTime(0), WallTime(0))
        for name, network, reason in (("a", "east", MISS), ("b", "west", MISS), ("c", "none", NO_NETWORK))
    ]
    states = [
        UpstreamState(group, f"udp://192.0.2.{last}:53", up, 0.0, 0, 0, "none", 0)
        for group, last, up in (("public", 1, True), ("onprem", 2, False))
    ]
    control.replies = {0: UpstreamStates(states)}


async def names(client: Client, path: str, key: str) -> list[str]:
    return [item[key].rpartition("/")[2] for item in (await get(client, path))["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=pending", ["waits"]),
        ("state=Pending&state=Approved&network=WEST", ["far"]),
        ("network=east&network=west&name=twice.blob.core.windows.net", ["first", "second"]),
        (f"name=TWICE.{BLOB}.", ["first", "second"]),
        ("name=Near&name=far", ["far", "near"]),
        ("name=nobody", []),
        (f"zone={BLOB.upper()}.&name=plain", ["plain"]),
        ("zone=corp.example", []),
        ("zone=privatelink.vaultcore.azure.net", []),
        ("zone=privatelink.queue.core.windows.net", []),
    ],
)
async def test_endpoints(client: Client, query: str, found: list[str]) -> None:
    assert await names(client, f"/v1/endpoints?{query}", "name") == found


@pytest.mark.parametrize(
    ("path", "key", "found"),
    [
        ("/v1/networks?name=EAST", "name", ["east"]),
        ("/v1/zones?zone=corp.example", "zone", ["corp.example"]),
        ("/v1/zones?name=ns.CORP.example", "zone", ["corp.example"]),
        (f"/v1/zones?network=west&zone={BLOB}&zone=corp.example", "zone", ["corp.example", BLOB]),
        (f"/v1/zones/{BLOB}/records?name=shared.blob.core.windows.net", "name", [f"shared.{BLOB}"]),
        (f"/v1/zones/{BLOB}/records?name=shared.{BLOB}&name=x.example", "name", [f"shared.{BLOB}"]),
        (f"/v1/zones/{BLOB}/records?network=west", "name", [f"shared.{BLOB}"]),
        ("/v1/zones/corp.example/records?network=west&name=ns.corp.example", "name", ["ns.corp.example"]),
        ("/v1/claims?state=not-served", "endpoint", ["waits"]),
        ("/v1/claims?network=west", "endpoint", ["far"]),
        (f"/v1/claims?zone={BLOB}&name=plain.blob.core.windows.net", "endpoint", ["plain"]),
        ("/v1/claims?zone=corp.example", "endpoint", []),
        ("/v1/sources?name=ESTATE", "name", ["estate"]),
        ("/v1/sources?state=expired&state=stale&state=fresh", "name", ["estate"]),
        ("/v1/sources?state=held&state=unread", "name", []),
        ("/v1/upstreams?state=down", "group", ["onprem"]),
        ("/v1/upstreams?name=PUBLIC", "group", ["public"]),
        ("/v1/upstreams?name=udp://192.0.2.2:53", "group", ["onprem"]),
        ("/v1/fallbacks?network=none&network=west", "network", ["west", "none"]),
        (f"/v1/fallbacks?zone={BLOB}&name=A.{BLOB}", "network", ["east"]),
        ("/v1/fallbacks?zone=corp.example", "network", []),
        ("/v1/fallbacks?reason=no-network", "network", ["none"]),
    ],
)
async def test_each_list(client: Client, path: str, key: str, found: list[str]) -> None:
    assert await names(client, path, key) == found


@pytest.mark.parametrize(
    ("query", "found"), [("name=A.example", ["east"]), ("network=west", [None]), ("", ["east", None])]
)
async def test_pins(client: Client, control: Control, query: str, found: list[str | None]) -> None:
    pins = (Pin("a.example", "one", "east"), Pin("b.example", "two"))
    control.estate.settings = structs.replace(
        control.estate.settings, conflicts=structs.replace(control.estate.settings.conflicts, pins=pins)
    )
    assert [item["network"] for item in (await get(client, f"/v1/pins?{query}"))["items"]] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("severity=INFO&name=WAITS", {("endpoint-pending", "waits")}),
        ("name=waits", {("endpoint-pending", "waits")}),
        ("name=waits.blob.core.windows.net", {("endpoint-pending", "waits")}),
        (f"name=twice.blob.core.windows.net&code=conflicting-address&zone={BLOB}", {
            ("conflicting-address", f"twice.{BLOB}")
        }),
        ("network=west", set()),
        ("zone=corp.example", set()),
    ],
)  # fmt: skip
async def test_findings(client: Client, query: str, found: set[tuple[str, str]]) -> None:
    items = (await get(client, f"/v1/findings?{query}"))["items"]
    assert {(item["code"], item["subject"].rpartition("/")[2]) for item in items} == found


async def test_a_finding_that_lists_only_some_of_its_networks_is_found(client: Client, control: Control) -> None:
    board = control.estate.board
    for topic in board._findings.values():
        for about, facts in topic.items():
            topic[about] = tuple(structs.replace(each, networks=Listed(("another",), 40)) for each in facts)
    codes = {item["code"] for item in (await get(client, "/v1/findings?network=east"))["items"]}
    assert {"conflicting-address", "endpoint-pending"} <= codes


@pytest.mark.parametrize(
    ("path", "detail", "near"),
    [
        ("/v1/findings?code=endpoint-pendin", "code: there is no `endpoint-pendin`", "endpoint-pending"),
        ("/v1/findings?severity=errors", "severity: there is no `errors`", "error"),
        ("/v1/findings?network=easst", "network: there is no `easst`", "east"),
        ("/v1/findings?zone=corp.exampl", "zone: there is no `corp.exampl`", "corp.example"),
        ("/v1/endpoints?state=aproved", "state: there is no `aproved`", "Approved"),
        (f"/v1/endpoints?zone={BLOB}t", f"zone: there is no `{BLOB}t`", BLOB),
        ("/v1/endpoints?network=east&network=sest", "network: there is no `sest`", "west"),
        ("/v1/networks?name=wset", "name: there is no `wset`", "west"),
        ("/v1/zones?network=weest", "network: there is no `weest`", "west"),
        (f"/v1/zones/{BLOB}/records?network=weest", "network: there is no `weest`", "west"),
        ("/v1/claims?state=serve", "state: there is no `serve`", "served"),
        ("/v1/claims?zone=corp.exampl", "zone: there is no", "corp.example"),
        ("/v1/sources?name=estat", "name: there is no `estat`", "estate"),
        ("/v1/sources?state=halted", "state: there is no `halted`", "held"),
        ("/v1/upstreams?name=publi", "name: there is no `publi`", "public"),
        ("/v1/upstreams?state=dow", "state: there is no `dow`", "down"),
        ("/v1/fallbacks?network=nome", "network: there is no `nome`", "none"),
        ("/v1/history?kind=names", "kind: there is no `names`", "name"),
    ],
)  # fmt: skip
async def test_a_value_that_does_not_exist_is_refused(client: Client, path: str, detail: str, near: str) -> None:
    body = await get(client, path, 400)
    assert body["type"] == Code.UNKNOWN_VALUE.type
    assert body["detail"].startswith(detail)
    assert body["nearest"][0] == near
    assert f"`{near}`" in body["detail"]


async def test_a_value_that_resembles_nothing_is_refused_without_a_hint(client: Client) -> None:
    body = await get(client, "/v1/findings?code=", 400)
    assert (body["detail"], "nearest" in body) == ("code: there is no ``", False)


async def test_an_unknown_filter_is_refused_with_the_nearest(client: Client) -> None:
    for route in ROUTES:
        if route.listed:
            path = route.path.replace("{zone}", BLOB)
            body = await get(client, f"{path}?limt=1", 400)
            assert (body["type"], body["nearest"][0]) == (Code.UNKNOWN_PARAMETER.type, "limit"), path


@pytest.mark.parametrize("path", ["/v1/endpoints?state=Pending", "/v1/zones", f"/v1/zones/{BLOB}/records"])
async def test_a_cursor_is_bound_to_the_filters(client: Client, path: str) -> None:
    cursor = (await get(client, "/v1/endpoints?limit=1"))["next"]
    assert (await get(client, f"/v1/endpoints?limit=9&cursor={cursor}"))["items"]
    body = await get(client, f"{path}{'&' if '?' in path else '?'}cursor={cursor}", 400)
    assert body["type"] == Code.INVALID_CURSOR.type
