"""Caches of the workers, and names that fell back to an upstream."""

from datetime import datetime
from typing import Any

import pytest

from resolver.channel.frames import Fallback, FallbackReason
from resolver.channel.requests import CacheFlushed, CacheStats, FlushCache, UpstreamState, UpstreamStates
from resolver.process import wall_clock
from tests.resolver.admin.json_client import BLOB, T0_TEXT, Client, get
from zones.clocks import WallTime
from zones.dns.name import from_text

Control = Any  # of conftest
TIMES = ("last_failure_at", "down_since", "next_probe")


async def test_fallbacks_are_listed(client: Client, control: Control) -> None:
    zone = from_text(BLOB)
    control.fallen = [
        Fallback(
            zone,
            from_text(f"{n}.{BLOB}"),
            "none",
            FallbackReason.NO_NETWORK,
            2,
            WallTime(1_700_000_000.0),
            WallTime(1_700_000_001.5),
            (b"\x0a\x01\0\7", b"?"),
        )
        for n in "ba"
    ]
    items = (await get(client, "/v1/fallbacks"))["items"]
    assert [item["name"] for item in items] == [f"a.{BLOB}", f"b.{BLOB}"]
    assert items[0] | {"name": ""} == {
        "zone": BLOB, "name": "", "network": "none", "reason": "no-network", "count": 2,
        "clients": ["10.1.0.7"], "first": T0_TEXT, "last": "2023-11-14T22:13:21.500Z",
    }  # fmt: skip


CACHE = CacheStats(replies=3, reply_octets=2048, answers=5, answer_octets=4096)


async def test_caches_are_listed_for_the_workers_that_answer(client: Client, control: Control) -> None:
    control.replies = {0: CACHE, 1: None}
    items = (await get(client, "/v1/cache"))["items"]
    assert items == [{"worker": 0, "replies": 3, "octets": 2048, "answers": 5, "answer_octets": 4096}]


async def test_upstream_servers_are_listed_with_what_each_worker_knows_of_them(
    client: Client, control: Control
) -> None:
    state = UpstreamState(
        "public",
        "udp://192.0.2.1:53",
        up=True,
        round_trip=0.0123456,
        answers=7,
        outstanding=2,
        cookie="server",
        plain=1,
    )
    fresh = UpstreamState(
        "onprem", "tcp://[2001:db8::1]:53", up=False, round_trip=0.0, answers=0, outstanding=0, cookie="none", plain=0,
        failures=4, failure="Connection refused", failure_age=20.0, down_for=60.0, probe_in=30.0,
    )  # fmt: skip
    control.replies = {1: UpstreamStates([state, fresh]), 0: UpstreamStates([state]), 2: None}
    now = wall_clock.now()
    items = (await get(client, "/v1/upstreams"))["items"]
    assert [(item["worker"], item["group"]) for item in items] == [(1, "onprem"), (0, "public"), (1, "public")]
    assert items[0] == {
        "worker": 1, "group": "onprem", "server": "tcp://[2001:db8::1]:53", "up": False, "round_trip_ms": None,
        "answers": 0, "outstanding": 0, "cookie": "none", "plain": 0, "failures": 4,
        "last_failure": "Connection refused", **{key: items[0][key] for key in TIMES},
    }  # fmt: skip
    times = (datetime.fromisoformat(items[0][key]).timestamp() for key in TIMES)
    assert [round(each - wall_clock.shown(now), -1) for each in times] == [-20, -60, 30]
    assert items[1] == {
        "worker": 0, "group": "public", "server": "udp://192.0.2.1:53", "up": True, "round_trip_ms": 12.346,
        "answers": 7, "outstanding": 2, "cookie": "server", "plain": 1, "failures": 0, "last_failure": "",
        "last_failure_at": None, "down_since": None, "next_probe": None,
    }  # fmt: skip


async def test_a_flush_goes_to_all_workers_and_returns_its_result(client: Client, control: Control) -> None:
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
async def test_an_invalid_flush_does_nothing(
    client: Client, control: Control, sent: dict[str, Any], status: int, detail: str
) -> None:
    async with client.post("/v1/cache", **sent) as response:
        assert response.status == status
        assert detail in (await response.json())["detail"]
    assert control.requests == []
