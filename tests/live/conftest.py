"""Fixtures that start daemons with the `pldns` command, or a browser, and stop them at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.live.browser import Tab, chromium
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def tab(browser: Browser, daemon: Daemon) -> Iterator[Tab]:
    """A page of the daemon of the module."""
    made = Tab(browser, f"http://127.0.0.1:{daemon.admin}/")
    yield made
    made.close()
