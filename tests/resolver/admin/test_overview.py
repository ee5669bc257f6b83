"""The overview: one for all pages, in words that say what is wrong."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from resolver.admin import live
from resolver.admin.app import application, context_of
from resolver.admin.live import Live
from resolver.admin_settings import AdminSettings
from resolver.control.traffic import Point, Tally
from resolver.host_port import HostPort
from tests.resolver.admin.conftest import LISTEN, T0, ScriptedControl
from tests.resolver.admin.json_client import T0_TEXT, Client, get
from zones.clocks import WallTime


async def test_the_overview_says_what_is_wrong(client: Client, control: ScriptedControl) -> None:
    body = await get(client, "/v1/overview")
    assert body["health"]["state"] == "degraded"
    assert body["health"]["sentence"].startswith("pldns answers, but ")
    assert body["counts"]["endpoints"] == len(control.estate.ledger.endpoints)
    assert body["traffic"]["queries_per_second"] == 12.3
    assert [each["name"] for each in body["sources"]] == ["estate"]


@pytest.mark.parametrize(
    ("lacking", "absent", "gauges", "state", "said"),
    [
        (["worker 0: not connected"], [], [], "bad", "pldns is not ready: worker 0: not connected."),
        (["a", "b"], [], [], "bad", "pldns is not ready: a, and 1 more."),
        ([], [], [("onprem", "udp://10.9.0.4:53", 0.0)], "bad", "no server of the upstream group onprem answers"),
        ([], [], [("p", "a", 0.0), ("p", "b", 1.0)], "degraded", "pldns answers, but "),
        ([], [HostPort("10.0.0.4", 53)], [], "degraded", "pldns answers, but "),
    ],
)
async def test_what_is_worst_comes_first(
    client: Client, control: ScriptedControl, monkeypatch: pytest.MonkeyPatch, lacking: list[str],
    absent: list[HostPort], gauges: list[tuple[str, str, float]], state: str, said: str,
) -> None:  # fmt: skip
    control.lacking, control.absent_addresses = lacking, absent
    samples = [("upstream_up", (group, server, "0"), value) for group, server, value in gauges]
    monkeypatch.setattr(control, "gauges", lambda: iter(samples))
    health = (await get(client, "/v1/overview"))["health"]
    assert health["state"] == state
    assert said in health["sentence"]
    assert health["reasons_total"] >= 1


async def test_an_hour_of_traffic_is_listed(client: Client, control: ScriptedControl) -> None:
    control.traffic_points = [Point(WallTime(T0), 30.0, Tally(60, 30, 20, 1, 15, 5))]
    assert await get(client, "/v1/traffic") == {
        "step": 30.0,
        "points": [
            {"at": T0_TEXT, "seconds": 30.0, "queries": 60, "private": 30, "public": 20, "failed": 1, "hits": 15,
             "misses": 5}
        ],
    }  # fmt: skip


async def _events(response: Any, count: int) -> list[Any]:  # noqa: ANN401 - a response of aiohttp
    found: list[Any] = []
    while len(found) < count:
        line = (await response.content.readline()).decode().strip()
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
    return found


async def test_all_pages_get_one_overview(control: ScriptedControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    control.estate.settings = structs.replace(control.estate.settings, admin=AdminSettings(LISTEN))
    context = context_of(control)
    made = 0
    make = context.live._make

    def counted() -> bytes:
        nonlocal made
        made += 1
        return make()

    monkeypatch.setattr(context.live, "_make", counted)
    async with TestClient(TestServer(application(context, LISTEN))) as client:
        async with client.get("/v1/live") as first, client.get("/v1/live") as second:
            assert first.content_type == "text/event-stream"
            shown, also = await asyncio.gather(_events(first, 5), _events(second, 5))
            assert made <= 12
            assert {each["at"] for each in shown} & {each["at"] for each in also}
        control.lacking.append("x")
        async with client.get("/v1/live") as again:
            assert (await _events(again, 2))[-1]["health"]["state"] == "bad"


async def test_nothing_is_made_while_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.0)
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"{}"

    shared = Live(make)
    with shared.watching(), shared.watching():
        await shared.next()
        await shared.next()
    count = len(made)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(made) == count
