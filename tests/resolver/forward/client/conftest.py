"""Upstream servers that the tests of this folder hold, and forwarders that ask them."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from resolver.forward.client.forwarder import Resolver
from resolver.forward.routing import Upstreams
from resolver.settings import Order, Server, Upstream
from tests.resolver.forward.client.upstreams import FakeUpstream, settle

Make = Callable[..., Resolver]


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream()
    await fake.open()
    yield fake
    await fake.close()


@pytest.fixture
async def second() -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream()
    await fake.open()
    yield fake
    await fake.close()


@pytest.fixture
async def third() -> AsyncIterator[FakeUpstream]:
    fake = FakeUpstream()
    await fake.open()
    yield fake
    await fake.close()


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Resolver] = []

    def make(*servers: Server, order: Order = "sequential", rate: int = 0, **bounds: int) -> Resolver:
        upstreams = Upstreams([Upstream("public", servers, order=order, rate=rate)])
        made.append(Resolver(upstreams, asyncio.get_running_loop(), lambda _: b"", **bounds))
        return made[-1]

    yield make
    for resolver in made:
        resolver.close()
    await settle()
