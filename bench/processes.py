"""Processes under measurement: starts them, observes them through /proc, ends them. Linux only. Does not know DNS."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

PLDNS = Path(sys.executable).with_name("pldns")
ENDING = 15.0
"""Seconds between SIGTERM and the end of a process before the measurement counts as broken."""
_TICK = os.sysconf("SC_CLK_TCK")


class Broken(Exception):  # noqa: N818 - reads as a sentence: the benchmark is broken
    """The measured program did not run; the message says what happened."""


class Run(NamedTuple):
    """A finished command: exit code, wall seconds, CPU seconds, peak resident bytes."""

    code: int
    seconds: float
    cpu: float
    peak: int


def run(command: Sequence[str | Path], log: Path) -> Run:
    """Run a command to its end. Its output goes to `log`."""
    began = time.monotonic()
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Run(process.returncode, time.monotonic() - began, *_used(used))


def _used(usage: resource.struct_rusage) -> tuple[float, int]:
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


class Background:
    """A process that runs during a measurement. Leaving `with` ends it and waits for it."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self.began = time.monotonic()
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise Broken(f"{self._process.args!r} did not end within {ENDING:.0f} s of SIGTERM") from None

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def breathe(self, seconds: float) -> None:
        """Wait before a condition is checked again. Raises `Broken` if the process has ended."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        tail = self._log.read_text(errors="replace")[-2000:]
        raise Broken(f"{self._process.args!r} ended with {code}:\n{tail}")

    def children(self, word: str) -> list[int]:
        """Return the ids of children whose command line contains `word`."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if word in Path(f"/proc/{child}/cmdline").read_text().split("\0")]


def tree(pid: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def used(pids: Sequence[int]) -> tuple[float, float]:
    """Return CPU seconds in user and system mode, including ended children (proc(5): fields 14 to 17)."""
    user = system = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user += int(fields[11]) + int(fields[13])
        system += int(fields[12]) + int(fields[14])
    return user / _TICK, system / _TICK


def proportional(pids: Sequence[int]) -> int:
    """Return the memory of several processes in bytes. Shared memory counts once (Pss)."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(line.split()[1]) * 1024 for text in texts for line in text.splitlines() if line.startswith("Pss:"))


def resident(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    return _status(pid, "VmRSS:")


def peak(pid: int) -> int:
    """Return the peak resident memory of a process in bytes."""
    return _status(pid, "VmHWM:")


def _status(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process, user and system (proc(5): fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def pin(pid: int, core: int) -> None:
    """Pin all threads of a process to one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def cores() -> tuple[int, int]:
    """Return a core for the server and one for its clients. With a single core both are the same."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]
