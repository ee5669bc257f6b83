"""A bar on stderr shows what is read, on a terminal alone; `pldns status --wait` waits for the daemon."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def bar_of(*arguments: object) -> tuple[str, str]:
    """Run a command with a terminal as stderr. Return what it prints on stdout, and on the terminal."""
    terminal, inside = os.openpty()
    command = [sys.executable, "-m", "resolver.cli", *map(str, arguments)]
    environ = os.environ | {"TERM": "xterm-256color"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=inside, text=True, env=environ, check=False)
    os.close(inside)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    return done.stdout, shown


def test_export_shows_which_source_is_read(config: Path) -> None:
    out, shown = bar_of("export", "-", "-c", config)
    assert "source estate" in shown
    assert "0/1" in shown
    assert json.loads(out)["endpoints"]


def test_without_a_terminal_there_is_no_bar(run: Run, config: Path) -> None:
    for words in (["export", "-"], ["plan"], ["check"]):
        assert "\x1b" not in run(*words, "-c", config).err


@pytest.fixture
def slow_daemon() -> Iterator[str]:
    """The address of a daemon that is ready at the third request."""
    left = [False, False, True]
    status = {"missing": ["source hub: not read yet"], "sources": [{"name": "hub", "synced": False}]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = left.pop(0)
            body = json.dumps({**status, "ready": ready, "counts": {"findings": {}}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_status_waits_for_a_daemon_that_is_not_ready(run: Run, slow_daemon: str) -> None:
    ran = run("status", "--admin", slow_daemon, "--wait", "60", "-o", "json")
    assert (ran.code, ran.json["ready"], ran.err) == (0, True, "")


def test_status_does_not_wait_without_the_option(run: Run, slow_daemon: str) -> None:
    assert run("status", "--admin", slow_daemon, "-o", "json").code == 1
