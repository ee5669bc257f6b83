"""The fake in its own process, as benchmarks and live tests start it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.fake_azure import shapes
from tests.fake_azure.conftest import API, ONE, FakeClient, small
from tests.fake_azure.server import FakeAzure
from tests.fake_azure.test_sdk import JOINED

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def process(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start a fake with an estate from a file and three thousand endpoints, and yield its first line of output."""
    estate = small()
    page = {"value": [json.loads(estate.raw(own) or b"") for own in estate.ids("microsoft.network/privateendpoints")]}
    (tmp_path / "page.json").write_text(json.dumps(page))
    command = [sys.executable, "-m", "tests.fake_azure", "--estate", str(tmp_path), "--endpoints", "3000"]
    with subprocess.Popen([*command, "--subscriptions", "3"], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.kill()


async def test_it_serves_files_and_generated_endpoints_and_can_be_controlled(process: dict[str, str]) -> None:
    azure = FakeAzure()  # not started: a client of the other process
    azure.url = process.pop("management")
    control = process.pop("control")
    azure.environment = process
    async with aiohttp.ClientSession() as http:
        client = FakeClient(azure, http)
        await client.login()
        assert len((await client.pages(f"/subscriptions?{API}"))[0]) == 2 + 3
        _, body, _ = await client.query(JOINED, top=1000)
        assert (body["totalRecords"], body["count"]) == (6 + 3000, 1000)
        row = body["data"][-1]
        one = f"{row['id']}?{API}"
        _, resource, _ = await client.get(one)
        assert resource["properties"] == row["properties"]
        assert (await client.get(one, "DELETE"))[0] == 200
        assert (await client.query(JOINED))[1]["totalRecords"] == 6 + 2999
        await _set(http, "PUT", f"{control}/faults", [{"kind": "status", "status": 503, "count": 0}])
        assert (await client.query(JOINED))[0] == 503
        await _set(http, "PUT", f"{control}/faults", [])
        await _set(
            http, "PUT", f"{control}/estate", [shapes.virtual_network(shapes.group(ONE), "new", ["10.9.0.0/16"])]
        )
        network = f"{shapes.group(ONE)}/{shapes.NETWORK}/virtualNetworks/new"
        assert (await client.get(f"{network}?{API}"))[0] == 200
        await _set(http, "DELETE", f"{control}/estate", [network])
        assert (await client.get(f"{network}?{API}"))[0] == 404


async def _set(http: aiohttp.ClientSession, method: str, url: str, body: object) -> None:
    async with http.request(method, url, json=body) as reply:
        assert reply.status == 204
