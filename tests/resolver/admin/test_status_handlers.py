"""Health checks, metrics and the status of the daemon."""

from typing import Any

import pytest

from resolver.channel.frames import MemoryReport
from resolver.memory_budget import BudgetSource, MemoryState
from tests.resolver.admin.json_client import T0_TEXT, Client, get

Control = Any  # of conftest


@pytest.mark.parametrize("path", ["/livez", "/health"])
async def test_alive_while_a_worker_answers(client: Client, control: Control, path: str) -> None:
    assert await get(client, path) == {"status": "alive"}
    control.answers = False
    assert (await get(client, path, 503))["detail"] == "no worker answers"


@pytest.mark.parametrize("path", ["/readyz", "/ready"])
async def test_readyz_lists_the_reasons_for_not_being_ready(client: Client, control: Control, path: str) -> None:
    assert await get(client, path) == {"status": "ready", "missing": [], "degraded": [], "degraded_total": 0}
    control.lacking = ["source estate: not read yet", "worker 1: not connected"]
    body = await get(client, path, 503)
    assert body["missing"] == control.lacking
    assert body["status"] == 503
    assert "sources" not in body


async def test_verbose_readyz_lists_sources_and_workers(client: Client, control: Control) -> None:
    body = await get(client, "/readyz?verbose")
    assert body["sources"][0]["name"] == "estate"
    assert body["sources"][0]["last_success"] == T0_TEXT
    assert body["workers"] == [
        {"index": 0, "pid": 4242, "connected": True, "synced": True, "serial": 7, "restarts": 0, "restart_age": None}
    ]
    control.lacking = ["x"]
    assert (await get(client, "/readyz?verbose", 503))["workers"][0]["pid"] == 4242


async def test_readyz_and_status_list_problems_of_served_sources(client: Client, control: Control) -> None:
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


async def test_status_shows_the_memory_of_each_process(client: Client, control: Control) -> None:
    assert (await get(client, "/v1/status"))["memory"] == {
        "budget": None, "source": "none", "free": None, "supervisor": 0, "control": 0, "query_log": 0, "workers": [],
    }  # fmt: skip
    control.memory = MemoryState(BudgetSource.CONFIGURATION, 500, 40, 100, 7, 8)
    control.workers[0].memory = MemoryReport(100, 10, 20, 30, 11, 22, 33)
    memory = (await get(client, "/v1/status"))["memory"]
    assert (memory["budget"], memory["source"], memory["free"]) == (500, "configuration", 40)
    assert memory["workers"] == [
        {
            "worker": 0, "total": 100, "replies": 10, "replies_bound": 11, "answers": 20, "answers_bound": 22,
            "connections": 30, "connections_bound": 33,
        }
    ]  # fmt: skip


async def test_metrics_are_in_a_format_that_the_scraper_accepts(client: Client) -> None:
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert "pldns_endpoints{" in await response.text()
    async with client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert (await response.text()).endswith("# EOF\n")
