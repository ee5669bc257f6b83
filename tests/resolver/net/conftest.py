"""Small responders and listeners of the tests of this folder."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from resolver.net.upstream import Resolver
from resolver.settings import Order, Server, Upstream
from resolver.upstream.policy import Upstreams
from tests.resolver.net.certificates import Pair
from tests.resolver.net.small import Small
from tests.resolver.net.streams import Listener
from tests.resolver.net.upstreams import FakeUpstream, settle

Listen = Callable[..., Awaitable[Listener]]
Make = Callable[..., Resolver]


@pytest.fixture
async def small() -> Small:
    """A responder in the test's own loop."""
    return Small()


@pytest.fixture(scope="session")
def small_of() -> type[Small]:
    """Makes one in the loop that runs."""
    return Small


@pytest.fixture
async def listen(small: Small) -> AsyncIterator[Listen]:
    """Opens listeners, which are closed in the end; keywords are `Listener`'s."""
    made: list[Listener] = []

    async def call(host: str = "127.0.0.1", **keys: object) -> Listener:
        made.append(Listener(small, host, **keys))  # type: ignore[arg-type]  # as the test has them
        return made[-1]

    yield call
    for each in made:
        await each.close()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate that is loaded."""
    made = Pair(tmp_path)
    made.watched.check()
    return made


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
