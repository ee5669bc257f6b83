"""The log of a daemon: JSON lines, and a log that nobody reads."""

import contextlib
import fcntl
import json
import os
import signal
from pathlib import Path

import pytest

from tests.live.daemon import Daemon, until

pytestmark = pytest.mark.live


def test_a_log_that_nobody_reads_stops_nothing(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, {"dns": {"workers": 1}})
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    daemon.start(writer)
    try:
        daemon.ready()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x")
        # Whether a write blocks is a property of the open pipe, which the daemon and its parent share.
        os.set_blocking(writer, True)
        [worker] = daemon.children()["worker"]
        os.kill(worker, signal.SIGKILL)
        until(lambda: daemon.children()["worker"] not in ([], [worker]))
        assert daemon.addresses("localhost") == {"127.0.0.1"}
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
    finally:
        daemon.kill()
        os.close(reader)
        os.close(writer)


def test_every_line_is_an_object_where_the_log_is_json(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, {"log": {"format": "json"}}).start()
    try:
        daemon.ready()
    finally:
        daemon.stop()
    lines = [json.loads(line) for line in daemon.log.read_text().splitlines()]
    assert {line["process"] for line in lines} >= {"supervisor", "control"}
    assert all(line.keys() == {"time", "level", "process", "code", "message"} for line in lines)
    assert {"all-workers-are-up", "listening-on"} <= {line["code"] for line in lines}
