"""When a real process is taken to hang. The time is that of the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from resolver.supervisor.heartbeat import Heartbeat
from tests.resolver.supervisor.small_daemon import until
from zones.clocks import SteadyTime

LIMIT = 3.0
ENDLESS = "while True: pass"


def at(seconds: float) -> SteadyTime:
    return SteadyTime(seconds)


@pytest.fixture
def stopped() -> Iterator[int]:
    """A process that is stopped, as by SIGSTOP, so that it does nothing."""
    process = subprocess.Popen([sys.executable, "-c", ENDLESS])
    os.kill(process.pid, signal.SIGSTOP)
    until(lambda: used(process.pid) == used(process.pid))
    yield process.pid
    process.kill()
    process.wait()


@pytest.fixture
def endless() -> Iterator[int]:
    """A process that computes without end."""
    process = subprocess.Popen([sys.executable, "-c", ENDLESS])
    yield process.pid
    process.kill()
    process.wait()


def used(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | 2)


def test_a_process_that_does_nothing_hangs_after_the_limit(stopped: int) -> None:
    heartbeat = Heartbeat(LIMIT, LIMIT)
    heartbeat.started(stopped, at(0))
    heartbeat.heard(at(10))
    assert heartbeat.fault(at(12.9)) == ""
    assert heartbeat.fault(at(13)) == "it has done nothing for 3.0 s"
    heartbeat.heard(at(13))
    assert heartbeat.fault(at(13)) == ""
    heartbeat.ended()
    assert heartbeat.fault(at(99)) == ""


def test_a_process_that_starts_may_be_silent_for_longer(stopped: int) -> None:
    heartbeat = Heartbeat(LIMIT, LIMIT)
    heartbeat.started(stopped, at(0))
    heartbeat.fault(at(1))
    assert heartbeat.fault(at(30)) == ""
    assert heartbeat.fault(at(31)) != ""


def test_a_pause_of_all_processes_is_no_fault(stopped: int) -> None:
    heartbeat = Heartbeat(LIMIT, LIMIT)
    heartbeat.started(stopped, at(0))
    heartbeat.heard(at(1))
    heartbeat.resumed(at(3600))
    assert heartbeat.fault(at(3602)) == ""
    assert heartbeat.fault(at(3603)) != ""


def test_a_process_that_computes_without_a_sign_of_life_hangs_by_its_processor_time(endless: int) -> None:
    patient, strict = Heartbeat(LIMIT, busy=1000), Heartbeat(LIMIT, busy=0.02)
    for each in (patient, strict):
        each.started(endless, at(0))
        each.heard(at(0))
    until(lambda: strict.fault(at(1)).startswith("it computed for 0.0"))
    begin = used(endless)
    until(lambda: used(endless) > begin)
    assert patient.fault(at(3600)) == ""  # it works, however slowly


def test_without_a_limit_nothing_hangs(stopped: int) -> None:
    heartbeat = Heartbeat(0, 0)
    heartbeat.started(stopped, at(0))
    heartbeat.heard(at(1))
    assert heartbeat.fault(at(3600)) == ""
