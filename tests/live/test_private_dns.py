"""A daemon that compares private DNS zones with the endpoints and serves the records that people created."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.fake_azure import shapes
from tests.live.cloud import ONE, LiveCloud, estate
from tests.live.daemon import PLDNS, Daemon, until
from tests.live.test_azure import cloud

__all__ = ["cloud"]
BLOB = "privatelink.blob.core.windows.net"
WHERE = shapes.group(ONE)
ZONE, CORP = shapes.zone(WHERE, BLOB), shapes.zone(WHERE, "corp.example")


def zones(hub: str) -> list[Any]:
    """Return a zone of endpoints with a record of each origin, and a zone of a company."""
    return [
        ZONE,
        CORP,
        *(shapes.link(each["id"], "to-hub", hub) for each in (ZONE, CORP)),
        shapes.record(ZONE["id"], "acct", ["10.0.0.4"], creator="pe-acct"),
        shapes.record(ZONE["id"], "gone", ["10.0.0.99"], creator="pe-gone"),
        shapes.record(ZONE["id"], "more", ["10.0.0.4"], creator="pe-acct"),
        shapes.record(ZONE["id"], "hand", ["10.0.0.4"]),
        shapes.record(CORP["id"], "www", ["10.0.7.7"], ttl=60),
        shapes.record(CORP["id"], "bad", ["10.0.7.777"]),
        shapes.record(CORP["id"], "alias", ["acct.blob.core.windows.net"], rtype="CNAME"),
        shapes.record(CORP["id"], "@", [["v=spf1 -all"]], rtype="TXT"),
        shapes.record(CORP["id"], "@", ["ns.example", "me.example", 1, 3600, 300, 2419200, 10], rtype="SOA", ttl=3600),
    ]


def follow(start: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch, azure: LiveCloud, mode: str) -> Daemon:
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    source = {"name": "hub", "type": "azure", "management": azure.given["management"], "private_dns": mode}
    return start(sources=[source])


def test_zones_are_compared_and_served_also_after_a_restart_without_azure(
    cloud: Callable[..., LiveCloud],
    start: Callable[..., Daemon],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resources = estate({"acct": "10.0.0.4", "more": "10.0.0.5", "alone": "10.0.0.6"})
    azure = cloud(*resources, *zones(resources[0]["id"]))
    daemon = follow(start, monkeypatch, azure, "serve").ready()
    until(lambda: daemon.addresses("www.corp.example") == {"10.0.7.7"})
    assert daemon.addresses(f"hand.{BLOB}") == {"10.0.0.4"}
    assert daemon.addresses("alias.corp.example") == {"10.0.0.4"}  # the alias leads to an endpoint
    assert daemon.addresses(f"more.{BLOB}") == {"10.0.0.5"}  # the address of the endpoint, not that of the zone
    assert daemon.ask("corp.example", "TXT").answer[0][0].strings == (b"v=spf1 -all",)
    assert daemon.ask("nothing.corp.example").rcode() == 3

    def found() -> dict[str, list[str]]:
        items = daemon.get("/v1/findings")[1]["items"]
        return {each["subject"]: sorted(each["evidence"]) for each in items if each["code"] == "source-disagreement"}

    wanted = {
        f"gone.{BLOB}": ["no_endpoint"],
        f"more.{BLOB}": ["overwritten"],
        f"alone.{BLOB}": ["no_record"],
    }
    until(lambda: found() == wanted)
    faults = [each for each in daemon.get("/v1/findings")[1]["items"] if each["code"] == "invalid-record"]
    assert [each["subject"].rpartition("/")[2] for each in faults] == ["bad"]
    shown = {each["zone"]: (each["source"], each["on_miss"]) for each in daemon.get("/v1/zones")[1]["items"]}
    assert shown["corp.example"] == ("private-dns", "nxdomain")
    assert shown[BLOB] == ("private-dns", "public")
    daemon.stop()
    planned = subprocess.run([str(PLDNS), "plan", "-c", str(daemon.path)], capture_output=True, text=True, check=False)
    assert planned.stdout.endswith("nothing would change\n"), planned
    azure.stop()
    explain = [str(PLDNS), "explain", "www.corp.example", "-c", str(daemon.path)]
    done = subprocess.run(explain, capture_output=True, text=True, check=False)
    assert "www.corp.example. 60 IN A 10.0.7.7" in done.stdout, done.stderr
    daemon.start().ready()
    assert daemon.addresses("www.corp.example") == {"10.0.7.7"}
    assert daemon.addresses("acct.blob.core.windows.net") == {"10.0.0.4"}
