"""Fake upstream servers, and forwarders that ask them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from resolver.forward.admission import Limits
from resolver.forward.client.forwarder import Forwarder, Late
from resolver.forward.routing import UpstreamGroups
from resolver.settings import Server, ServerPolicy, UpstreamGroup
from tests.resolver.forward.client.upstreams import FakeUpstream, settle

Make = Callable[..., Forwarder]


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
    made: list[Forwarder] = []

    def make(
        *servers: Server, policy: ServerPolicy = "sequential", rate: int = 0, timeout: float = 4.8,
        late: Late = lambda _key, _message: None, **bounds: int,
    ) -> Forwarder:  # fmt: skip
        upstreams = UpstreamGroups([UpstreamGroup("public", servers, policy=policy, rate=rate, timeout=timeout)])
        made.append(Forwarder(upstreams, asyncio.get_running_loop(), lambda _: b"", late, Limits(**bounds)))
        return made[-1]

    yield make
    for resolver in made:
        resolver.close()
    await settle()


@pytest.fixture
def refusing() -> Iterator[Server]:
    """A port that refuses datagrams: it is bound, so that no other process gets it, but connected elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.connect(("127.0.0.1", 9))
        yield Server("udp", "127.0.0.1", taken.getsockname()[1])
