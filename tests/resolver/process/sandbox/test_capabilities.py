"""Capabilities where a filter of system calls, as that of the systemd unit, forbids capset(2)."""

import subprocess
import sys

import pytest

FORBIDDEN = """
import errno, os, platform
from resolver.process.sandbox import capabilities
from tests import unbatched
if os.geteuid() == 0:
    os.setresuid(65532, 65532, 65532)  # without capabilities from now on
unbatched.forbid({"x86_64": 126, "aarch64": 91}[platform.machine()], error=errno.EPERM)
capabilities.keep_only(tuple(capabilities.Capability))
capabilities.keep_only(())
print("confined")
"""
REFUSED = FORBIDDEN.replace("os.geteuid() == 0", "False").replace('print("confined")', "")
WITHHELD = """
import os, subprocess
from resolver.process.sandbox import capabilities, kernel
kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
os.setresuid(65532, 65532, 65532)
capabilities.keep_only(tuple(capabilities.Capability))
command = ["grep", "^CapPrm", "/proc/self/status"]
with capabilities.withheld(capabilities.Capability.NET_BIND_SERVICE):
    subprocess.run(command, check=True)
subprocess.run(command, check=True)
"""


def outcome(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def root() -> None:
    status = outcome("from resolver.process.sandbox import capabilities; print(capabilities.permitted())").stdout
    if status.strip() == "frozenset()":
        pytest.skip("needs root")


def test_a_process_that_has_nothing_to_give_up_needs_no_permission() -> None:
    done = outcome(FORBIDDEN)
    assert (done.stdout, done.stderr) == ("confined\n", "")


def test_a_process_that_cannot_give_up_a_capability_does_not_go_on() -> None:
    root()
    assert "PermissionError" in outcome(REFUSED).stderr


def test_a_program_that_is_executed_meanwhile_lacks_a_withheld_capability() -> None:
    """It keeps the one with which it reads a Python below a folder that only root can enter."""
    root()
    done = outcome(WITHHELD)
    numbers = [int(line.split()[1], 16) for line in done.stdout.splitlines()]
    assert numbers == [1 << 2, 1 << 2 | 1 << 10], done.stderr
