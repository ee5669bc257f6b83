"""A worker that runs inside the test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.resolver.worker.running import Running


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = Running(tmp_path)
    await made.listen()
    yield made
    await made.close()
