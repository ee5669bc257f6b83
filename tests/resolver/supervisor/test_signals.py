"""What signals do to the supervisor: none ends it without a word, as PID 1 and with a blocked SIGTERM too."""

import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.resolver.supervisor.small_daemon import Daemon, until

Start = Callable[..., Daemon]


def test_signals_without_a_meaning_are_logged_and_ignored(start: Start) -> None:
    daemon = start().up()
    numbers = [signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR]
    for number in numbers:
        daemon.process.send_signal(number)
        until(partial(daemon.has_logged, f"warning supervisor {number.name} is ignored\n"))
    daemon.process.send_signal(signal.SIGRTMIN + 3)
    until(lambda: f"warning supervisor signal {signal.SIGRTMIN + 3} is ignored\n" in daemon.log)
    assert daemon.ask()["worker"] == 0
    assert daemon.stop() == 0


def test_sigusr1_logs_the_state_of_each_process(start: Start) -> None:
    daemon = start().up()
    daemon.process.send_signal(signal.SIGUSR1)
    for name in ("control", "worker 0"):
        until(partial(daemon.has_logged, f"info supervisor SIGUSR1: {name} (pid {daemon.pid(name)}) has run for "))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_stop_signal_ends_at_once(start: Start, folder: Path, number: signal.Signals) -> None:
    (folder / "deaf").touch()
    launcher = folder / "launcher.py"
    launcher.write_text(launcher.read_text().replace("DRAIN = 0.5", "DRAIN = 3600.0"))
    daemon = start().up()
    daemon.process.send_signal(number)
    until(lambda: f"info supervisor {number.name}: stopping\n" in daemon.log)
    daemon.process.send_signal(number)
    assert daemon.process.wait(60) == 1
    assert f"warning supervisor a second {number.name}: ending at once\n" in daemon.log


def test_sigquit_ends_at_once(start: Start, folder: Path) -> None:
    (folder / "deaf").touch()
    daemon = start().up()
    os.killpg(daemon.process.pid, signal.SIGQUIT)  # as Ctrl-\ on a terminal does
    assert daemon.process.wait(60) == 1
    assert "warning supervisor SIGQUIT: ending at once\n" in daemon.log
    assert "SIGQUIT;" not in daemon.log


def test_a_stop_signal_that_is_inherited_as_blocked_stops(start: Start) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        daemon = start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert daemon.up().stop() == 0


def test_as_pid_1_signals_do_the_same(start: Start) -> None:
    """The kernel drops a signal to PID 1 that has no handler."""
    unshare = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no process namespaces here")
    daemon = start(under=unshare).up()
    (inner,) = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split()
    assert daemon.ask()["pid"] != 1
    os.kill(int(inner), signal.SIGALRM)
    until(lambda: "SIGALRM is ignored" in daemon.log)
    os.kill(int(inner), signal.SIGTERM)
    assert daemon.process.wait(60) == 0
    assert "info supervisor SIGTERM: stopping\n" in daemon.log
