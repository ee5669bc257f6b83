"""Small responders and listeners of the tests of this folder."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.resolver.worker.net.certificates import Pair
from tests.resolver.worker.net.small import Small
from tests.resolver.worker.net.streams import Listener

Listen = Callable[..., Awaitable[Listener]]


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
