"""Networks made from virtual networks, in a running daemon: they follow the files and survive dead processes."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ports import free_port

pytestmark = pytest.mark.live

Start = Callable[..., Any]
Poll = Callable[..., Any]

NAME = "acct.privatelink.blob.core.windows.net"
SOURCES = [{"name": "lab", "type": "files", "path": "./endpoints"}]


def vnet_id(name: str) -> str:
    return f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{name}"


def write(folder: Path, file: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / ".new").write_text(text)
    (folder / ".new").rename(folder / file)


def vnets(folder: Path, **spaces: list[str]) -> None:
    """Write virtual networks without peerings."""
    bodies = [
        {"id": vnet_id(name), "type": "Microsoft.Network/virtualNetworks", "name": name, "location": "westeurope",
         "properties": {"addressSpace": {"addressPrefixes": prefixes}}}
        for name, prefixes in spaces.items()
    ]  # fmt: skip
    write(folder, "vnets.json", json.dumps({"value": bodies}))


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder with one account that has an endpoint in each of two virtual networks."""
    folder = tmp_path / "endpoints"
    endpoints = [
        {"name": name, "target": "acct", "group": "blob", "vnet": vnet_id(name),
         "records": [{"fqdn": "acct.blob.core.windows.net", "ips": [address]}]}
        for name, address in (("one", "10.1.0.4"), ("two", "10.2.0.4"))
    ]  # fmt: skip
    write(folder, "endpoints.yaml", yaml.safe_dump({"endpoints": endpoints}))
    vnets(folder, one=["127.0.1.0/24"], two=["127.0.2.0/24"])
    return folder


def answers(daemon: Any) -> list[set[str]]:  # noqa: ANN401 - conftest's
    return [daemon.addresses(NAME, source=f"127.0.{n}.1") for n in (1, 2, 3)]


def test_a_client_moves_to_the_network_that_the_files_name(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(dns={"workers": 2}, networks="auto", sources=SOURCES).ready()
    assert poll(lambda: answers(daemon) == [{"10.1.0.4"}, {"10.2.0.4"}, set()])

    vnets(estate, one=["127.0.2.0/24"], two=["127.0.3.0/24"])
    for _ in range(20):  # often enough to reach every worker
        assert poll(lambda: answers(daemon) == [set(), {"10.1.0.4"}, {"10.2.0.4"}])
    _, body = daemon.get("/v1/networks")
    assert [(item["name"], item["origin"], item["clients"], item["vnets"]) for item in body["items"]] == [
        ("one", "auto", ["127.0.2.0/24"], [vnet_id("one").casefold()]),
        ("two", "auto", ["127.0.3.0/24"], [vnet_id("two").casefold()]),
    ]


def test_networks_survive_control_and_reach_a_new_worker(start: Start, estate: Path, poll: Poll) -> None:
    daemon = start(networks="auto", sources=SOURCES).ready()
    vnets(estate, one=["127.0.1.0/24"], zero=["127.0.3.0/24"], two=["127.0.2.0/24"])
    wanted = [{"10.1.0.4"}, {"10.2.0.4"}, set()]
    poll(lambda: "zero" in str(daemon.get("/v1/networks")[1]))
    (control,) = daemon.children()["control"]
    os.kill(control, signal.SIGKILL)
    assert answers(daemon) == wanted
    poll(lambda: daemon.children()["control"] not in ([], [control]))
    daemon.ready()
    assert answers(daemon) == wanted

    (worker,) = daemon.children()["worker"]
    os.kill(worker, signal.SIGKILL)
    poll(lambda: daemon.children()["worker"] not in ([], [worker]))
    assert poll(lambda: answers(daemon) == wanted)
    vnets(estate, one=["127.0.3.0/24"], two=["127.0.2.0/24"])
    assert poll(lambda: answers(daemon) == [set(), {"10.2.0.4"}, {"10.1.0.4"}])


def test_two_virtual_networks_of_one_address_space_are_told_apart_by_listener(
    start: Start, estate: Path, poll: Poll
) -> None:
    vnets(estate, one=["127.0.0.0/16"], two=["127.0.0.0/16"])
    ports = {name: free_port() for name in ("neither", "one", "two")}
    daemon = start(
        dns={
            "listen": [f"127.0.0.1:{port}" for port in ports.values()],
            "listeners": {f"127.0.0.1:{port}": name for name, port in ports.items() if name != "neither"},
        },
        networks="auto",
        sources=SOURCES,
    ).ready()
    found = {}
    for name, port in ports.items():
        daemon.port = port
        poll(lambda: daemon.ask("health.pldns").rcode() == 0)
        for tcp in (False, True):
            reply = daemon.ask(NAME, source="127.0.1.1", tcp=tcp)
            found[name, tcp] = [rdata.address for rrset in reply.answer for rdata in rrset]
    assert found == {
        (name, tcp): wanted
        for name, wanted in (("neither", []), ("one", ["10.1.0.4"]), ("two", ["10.2.0.4"]))
        for tcp in (False, True)
    }
    _, body = daemon.get("/v1/networks")
    assert [item["listeners"] for item in body["items"]] == [[], *([f"127.0.0.1:{ports[n]}"] for n in ("one", "two"))]
