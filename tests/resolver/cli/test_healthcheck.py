"""`pldns healthcheck` with a real daemon, without one, and with a server that never answers."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_exit_0_without_output_while_a_worker_answers(run: Run, daemon: Path) -> None:
    assert run("healthcheck", "-c", daemon) == (0, "", "")


def test_exit_1_without_a_daemon_and_the_same_for_query(run: Run, config: Path) -> None:
    for command in (["healthcheck"], ["query", "a.example"]):
        ran = run(*command, "-c", config)
        assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_exit_1_after_the_timeout(run: Run) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        ran = run("healthcheck", "--server", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.1")
    assert ran.code == 1
    assert "no answer within 0.1 s" in ran.err
