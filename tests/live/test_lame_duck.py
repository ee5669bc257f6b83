"""A stop is announced before it happens: from SIGTERM on pldns is not ready, but it answers."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon, living, until
from tests.live.test_processes import NAME, SOURCES, endpoints

pytestmark = pytest.mark.live


def test_a_lame_duck_is_not_ready_but_answers(start: Callable[..., Any], tmp_path: Path) -> None:
    endpoints(tmp_path / "endpoints", "10.0.0.4")
    daemon: Daemon = start(sources=SOURCES, processes={"lame_duck": 3600}).ready()
    children = [pid for pids in daemon.children().values() for pid in pids]
    daemon.signal(signal.SIGTERM)
    until(lambda: daemon.get("/readyz")[0] == 503)
    assert daemon.get("/readyz")[1]["missing"] == ["pldns is stopping"]
    assert daemon.get("/livez")[0] == 200
    assert daemon.addresses(NAME) == {"10.0.0.4"}
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 1
    until(lambda: not any(map(living, children)))
