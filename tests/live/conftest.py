"""Fixtures that start daemons with the `pldns` command and stop them at the end of the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon, living, until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Start daemons. All of them are stopped at the end, and none may have logged a traceback."""
    started: list[Daemon] = []

    def start_one(directory: Path | None = None, descriptors: int | None = None, **config: Any) -> Daemon:  # noqa: ANN401 - a configuration
        started.append(Daemon(directory or tmp_path, config, descriptors).start())
        return started[-1]

    yield start_one
    for daemon in started:
        daemon.stop()
    for daemon in started:
        text = daemon.log.read_text()
        assert "Traceback" not in text, text


@pytest.fixture
def is_living() -> Callable[[int], bool]:
    return living


@pytest.fixture
def poll() -> Callable[..., Any]:
    return until
