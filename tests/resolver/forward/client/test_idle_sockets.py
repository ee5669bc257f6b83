"""Sockets to upstream servers that nobody uses any more."""

import asyncio

import pytest

from resolver.forward.admission import Limits
from resolver.forward.client import udp
from resolver.forward.routing import UpstreamGroups
from resolver.process import open_files
from resolver.settings import UpstreamGroup
from tests.resolver.forward.client.conftest import Make
from tests.resolver.forward.client.upstreams import ADDRESS, FakeUpstream, address, answer, ask, asking, key, until


async def test_idle_sockets_are_closed(upstream: FakeUpstream, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "IDLE", 0.05)
    resolver = make(upstream.server)
    before = open_files.held()
    for number in range(60):
        await ask(resolver, key(f"{number}.example.com"))
    assert open_files.held() > before
    async with asyncio.timeout(60):
        while open_files.held() > before + 1:  # noqa: ASYNC110 - the descriptor of the poller stays
            await asyncio.sleep(0.01)
    assert address(await ask(resolver, key("later.example.com"))) == ADDRESS


async def test_a_socket_that_waits_for_a_reply_is_not_idle(
    upstream: FakeUpstream, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "IDLE", 0.02)
    resolver = make(upstream.server)
    before = open_files.held()
    await ask(resolver, key("first.example.com"))
    upstream.respond = lambda *_: []
    waiting = asking(resolver, key("slow.example.com"))
    await until(lambda: len(upstream.asked) == 2)
    await until(lambda: open_files.held() == before + 2)  # the poller, and the socket of the second query
    upstream.udp.sendto(answer(upstream.asked[1]), (upstream.hosts[1], upstream.ports[1]))
    assert address(await waiting) == ADDRESS


async def test_a_reload_that_adds_servers_lowers_the_limit_of_those_that_stay(
    upstream: FakeUpstream, second: FakeUpstream, make: Make
) -> None:
    resolver = make(upstream.server, sockets=20)
    before = open_files.held()
    for number in range(20):
        await ask(resolver, key(f"{number}.example.com"))
    assert open_files.held() >= before + 20
    both = UpstreamGroups([UpstreamGroup("public", (upstream.server, second.server))])
    resolver.replace(both, lambda _: b"", Limits(sockets=2))
    for number in range(400):
        await ask(resolver, key(f"later{number}.example.com"))
    assert open_files.held() <= before + 1 + 2
