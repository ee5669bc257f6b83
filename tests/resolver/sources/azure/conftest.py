"""A source of type `azure` that reads from the fake Azure, with a clock that makes waiting free."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from resolver import settings
from resolver.azure_settings import AzureSettings, Credential
from resolver.sources.azure import hosts
from resolver.sources.azure.client import Clocks
from resolver.sources.azure.protocol import graph_query
from resolver.sources.azure.sync import AzureSource
from tests.fake_azure.conftest import small
from tests.fake_azure.limits import UNLIMITED
from tests.fake_azure.server import FakeAzure
from zones.clocks import steady_clock, wall_clock

Make = Callable[..., AzureSource]


class Time:
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def clock(self) -> Clocks:
        return Clocks(steady_clock(lambda: self.now), wall_clock(time.time), self.sleep)


@pytest.fixture
def passing() -> Time:
    return Time()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without an identity and without tools on the path."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch, alone: None) -> AsyncIterator[FakeAzure]:
    """Fake Azure with six endpoints in two subscriptions, in pages of two rows; its identity is in the environment."""
    monkeypatch.setattr(graph_query, "TOP", 2)
    async with FakeAzure(small(), page=2, limits=UNLIMITED) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with hosts.session(()) as session:
        yield session


@pytest.fixture
async def make(fake: FakeAzure, http: aiohttp.ClientSession, passing: Time) -> AsyncIterator[Make]:
    made: list[AzureSource] = []

    def make(
        *subscriptions: str,
        credential: Credential = Credential(),  # noqa: B008 - frozen
        **keys: object,
    ) -> AzureSource:
        config = AzureSettings(subscriptions, management=fake.url, credential=credential, **keys)  # type: ignore[arg-type]  # as the test says
        source = settings.SourceSettings("hub", "azure", fake.url, azure=config)
        made.append(AzureSource(source, http, passing.clock, lambda: 0.0))
        return made[-1]

    yield make
    for each in made:
        await each.close()
