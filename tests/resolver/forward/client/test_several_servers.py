"""Groups with several servers: races, orders, servers that are down."""

import asyncio

import pytest

from resolver.settings import Server
from resolver.wire import codes
from resolver.wire.relay import Message
from tests.resolver.forward.client.conftest import Make
from tests.resolver.forward.client.upstreams import (
    ADDRESS,
    FakeUpstream,
    address,
    answer,
    ask,
    key,
    until,
)


async def test_in_a_race_a_slow_first_server_delays_little(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    upstream.respond = lambda *_: []
    resolver = make(upstream.server, second.server, policy="race")
    assert address(await ask(resolver)) == ADDRESS
    assert (len(upstream.asked), len(second.asked)) == (1, 1)
    assert resolver.timeouts == 0, "it was not waited for until its deadline"
    assert len(resolver) == 0


async def test_in_a_race_a_quick_first_server_is_the_only_one_asked(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    resolver = make(upstream.server, second.server, policy="race")
    for i in range(20):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    assert (len(upstream.asked), len(second.asked)) == (20, 0)


async def test_in_a_race_a_failure_leaves_the_other_server_running(
    upstream: FakeUpstream, second: FakeUpstream, make: Make, refusing: Server
) -> None:
    resolver = make(refusing, second.server, policy="race")
    assert address(await ask(resolver)) == ADDRESS
    upstream.respond = second.respond = lambda query, _: [answer(query, codes.SERVFAIL)]
    result = await ask(make(upstream.server, second.server, policy="race"))
    assert isinstance(result, Message)
    assert result.rcode == codes.SERVFAIL


async def test_round_robin_asks_each_server_equally_often(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    resolver = make(upstream.server, second.server, policy="round-robin")
    for i in range(20):
        await ask(resolver, key(f"{i}.example.com"))
    assert (len(upstream.asked), len(second.asked)) == (10, 10)


async def test_a_dead_server_is_asked_first_twice_and_then_only_by_probes(
    refusing: Server, upstream: FakeUpstream, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolver.forward.health.FIRST_RETRY", 0.0)
    resolver = make(refusing, upstream.server)
    for i in range(10):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    await until(lambda: not resolver._probes)
    assert len(upstream.asked) == 10
    assert 2 < resolver.errors < 30, "refused twice, and then once for each probe"


async def test_a_server_that_is_back_is_first_again_within_seconds(second: FakeUpstream, make: Make) -> None:
    first = FakeUpstream()
    await first.open()
    first.respond = lambda *_: []
    resolver = make(first.server, second.server, timeout=0.5)
    for i in range(3):
        assert address(await ask(resolver, key(f"{i}.example.com"))) == ADDRESS
    assert resolver.health.of(first.server).down
    first.respond = second.respond
    count, started = 0, asyncio.get_running_loop().time()
    while resolver.health.of(first.server).down:
        count += 1
        assert address(await ask(resolver, key(f"back{count}.example.com"))) == ADDRESS
        await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - started < 5
    asked = len(first.asked)
    assert address(await ask(resolver, key("now.example.com"))) == ADDRESS
    assert len(first.asked) == asked + 1
    await first.close()
