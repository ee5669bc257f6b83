"""Responders and listeners for the tests of this folder."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from resolver.process import certificate
from resolver.worker.net import doh
from tests.resolver.worker.net.browsers import HTTPS, PATH, Site
from tests.resolver.worker.net.certificates import Pair
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import Listener

Listen = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def small() -> Small:
    """A responder in the test's event loop."""
    return Small()


@pytest.fixture(scope="session")
def small_of() -> type[Small]:
    """The class, for tests that run their own event loop."""
    return Small


@pytest.fixture
async def listen(small: Small) -> AsyncIterator[Listen]:
    """A function that opens listeners with the keywords of `Listener`. They are closed after the test."""
    made: list[Listener] = []

    async def call(host: str = "127.0.0.1", **keys: object) -> Listener:
        made.append(Listener(small, host, **keys))  # type: ignore[arg-type]  # as the test has them
        return made[-1]

    yield call
    for each in made:
        await each.close()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate that the server has loaded."""
    return Pair(tmp_path)


@pytest.fixture
async def site(listen: Listen, pair: Pair) -> Site:
    """A listener for DNS over HTTPS."""
    context = certificate.context(certificate.DOH)
    pair.load(context)
    return Site(await listen(make=doh.sessions(PATH), transport=HTTPS, context=context), pair.client)
