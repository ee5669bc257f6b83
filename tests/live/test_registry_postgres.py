"""Two daemons whose registries share a PostgreSQL database: one estate, whichever of them is asked."""

import asyncio
import os
import signal
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import aiohttp
import pytest

from tests.live.daemon import Daemon, until
from tests.live.registry import RegistryClient, configuration, prepare
from tests.postgres_server import PostgresServer
from tests.registry_shapes import BOTH, SUPPLIER, VERSION, account, endpoint, network, status_of

pytestmark = pytest.mark.live
NAME = "acct.blob.core.windows.net"
CREATES = 1000
LARGE = network("large", "virtualNetworks")
APPROVED = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "yes"}}}
REJECTED = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}


class Site(NamedTuple):
    """Two daemons with one database, and a client of each registry."""

    server: PostgresServer
    url: str
    daemons: tuple[Daemon, ...]
    clients: tuple[RegistryClient, ...]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with PostgresServer.running() as server:
        url = server.database()
        daemons, clients = [], []
        for name in ("a", "b"):
            folder = tmp_path_factory.mktemp(name)
            config, client = configuration(folder)
            config["registry"]["database"] = url
            daemons.append(Daemon(folder, config).start())
            clients.append(client)
        try:
            for daemon in daemons:
                daemon.ready()
            prepare(clients[0])
            yield Site(server, url, tuple(daemons), tuple(clients))
        finally:
            for daemon in daemons:
                daemon.stop()
        for daemon in daemons:
            assert "Traceback" not in (text := daemon.log.read_text()), text


def test_what_one_registry_decides_is_served_by_the_workers_of_both(site: Site) -> None:
    (a, b), (at_a, at_b) = site.daemons, site.clients
    assert status_of(at_a.put(network("pe"), endpoint(account(), "blob"))) == "Approved"
    until(lambda: b.addresses(NAME) == {"10.1.0.4"})
    assert a.addresses(NAME) == {"10.1.0.4"}
    (row,) = at_b.get(f"{account()}/privateEndpointConnections")["value"]
    at_b.put(row["id"], REJECTED, client=SUPPLIER)
    until(lambda: not a.addresses(NAME))
    assert status_of(at_a.get(network("pe"))) == "Rejected"
    at_a.put(row["id"], APPROVED, client=SUPPLIER)
    until(lambda: b.addresses(NAME) == {"10.1.0.4"})
    states = [daemon.get("/v1/status")[1]["sharing"] for daemon in (a, b)]
    assert sorted(each["leads"] for each in states) == [False, True]
    token = {"Authorization": f"Bearer {at_a.token(BOTH)}"}
    assert at_b.call("GET", network("pe"), headers=token).status == 200


def test_without_the_database_reads_and_names_go_on_and_writes_are_refused_until_it_is_back(site: Site) -> None:
    (a, b), (at_a, at_b) = site.daemons, site.clients
    made = at_a.put(network("kept"), endpoint(account(), "file"))
    until(lambda: at_b.call("GET", network("kept")).status == 200)
    site.server.kill()
    refused = at_a.call("PUT", network("refused"), endpoint(account(), "table"))
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "ServiceUnavailable", "5")
    assert at_b.get(network("kept")) == at_a.get(network("kept")) == made
    (address,) = made["properties"]["customDnsConfigs"][0]["ipAddresses"]
    os.kill(b.children()["control"][0], signal.SIGKILL)  # its successor has no database, and serves the local copy
    until(lambda: status(at_b, network("kept")) == 200)
    assert a.addresses("acct.file.core.windows.net") == b.addresses("acct.file.core.windows.net") == {address}
    site.server.start()
    until(lambda: at_b.call("PUT", network("late"), endpoint(account(), "queue")).status == 201)
    until(lambda: at_a.call("GET", network("late")).status == 200)
    until(lambda: a.addresses("acct.queue.core.windows.net"))


def status(client: RegistryClient, path: str) -> int:
    """Return the status of a read; 0 while control starts again."""
    try:
        return client.call("GET", path).status
    except OSError:
        return 0


async def test_creates_survive_a_killed_server_and_a_killed_control(site: Site) -> None:
    """Of 1,000 creates at once, each is there with the address that was acknowledged, and no address is there twice."""
    at_a, at_b = site.clients
    space = {"addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}}
    subnets = [{"name": "pe", "properties": {"addressPrefix": "10.2.0.0/20"}}]
    at_a.put(LARGE, {"location": "westeurope", "properties": {**space, "subnets": subnets}})
    acknowledged: dict[str, str] = {}
    thirds = [asyncio.Event(), asyncio.Event()]
    tries = 0

    async def create(number: int) -> None:
        nonlocal tries
        path = network(f"many{number}")
        body = endpoint(account(), "blob", subnet={"id": f"{LARGE}/subnets/pe"})
        headers = {"Authorization": f"Bearer {at_a.token(BOTH)}"}
        while path not in acknowledged:
            tries += 1
            origin = (at_a, at_b)[tries % 2].origin
            async with limit:
                try:
                    async with session.put(
                        f"{origin}{path}?api-version={VERSION}", json=body, headers=headers, ssl=False
                    ) as reply:
                        found = await reply.json()
                        if reply.status in {200, 201}:
                            acknowledged[path] = found["properties"]["customDnsConfigs"][0]["ipAddresses"][0]
                        else:
                            assert reply.status == 503, found
                            await asyncio.sleep(0.05)
                except (aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.05)
        if len(acknowledged) in {CREATES // 3, CREATES // 3 * 2}:
            thirds[len(acknowledged) * 3 // CREATES - 1].set()

    limit = asyncio.Semaphore(64)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for number in range(CREATES):
            group.create_task(create(number))
        await thirds[0].wait()
        await asyncio.to_thread(site.server.kill)
        await asyncio.to_thread(site.server.start)
        await thirds[1].wait()
        os.kill(site.daemons[1].children()["control"][0], signal.SIGKILL)

    assert len(set(acknowledged.values())) == CREATES
    rows = site.server.sql(
        "SELECT count(*), count(DISTINCT address) FROM addresses WHERE subnet LIKE '%large%'", site.url
    )
    assert rows == [f"{CREATES}|{CREATES}"]
    for client in (at_a, at_b):
        until(partial(_has, client, acknowledged))


def _has(client: RegistryClient, expected: dict[str, str]) -> bool:
    try:
        return endpoints_at(client) == expected
    except OSError:
        return False  # control starts again


def endpoints_at(client: RegistryClient) -> dict[str, str]:
    """Return the address of each endpoint in the large network, by its id."""
    found, path = {}, f"{network('')[:-1]}"
    while path:
        page = client.get(path)
        for each in page["value"]:
            if each["name"].startswith("many"):
                found[each["id"]] = each["properties"]["customDnsConfigs"][0]["ipAddresses"][0]
        path = page.get("nextLink", "").removeprefix(client.origin)
    return found
