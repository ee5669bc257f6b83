"""The memory of a child, on a system that hides processes from other users (ProtectProc=invisible of systemd)."""

import os
import subprocess
import sys

import pytest

CHILD = "from resolver.process.sandbox.confine import harden; harden(); print(); input()"
SUPERVISOR = """
import subprocess, sys
from resolver.process.memory_use import MemoryUse
from resolver.process.sandbox import identity
from resolver.process.sandbox.confine import harden
from resolver.supervisor.child import _memory_of

identity.become(identity.account("65532"))
harden()
child = subprocess.Popen([sys.executable, "-P", "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
use = _memory_of(child.pid)
child.stdout.readline()
print(use.octets() > 1 << 20, MemoryUse(child.pid).is_open)
child.communicate(b"\\n")
"""
HIDDEN = 'mount -t proc -o hidepid=invisible proc /proc && exec "$@"'


def test_the_memory_of_a_child_is_known_where_processes_are_hidden() -> None:
    if os.geteuid():
        pytest.skip("only root can hide processes")
    command = [sys.executable, "-P", "-c", SUPERVISOR, CHILD]
    done = subprocess.run(["unshare", "--mount", "sh", "-c", HIDDEN, "sh", *command], check=False, capture_output=True)
    if b"mount" in done.stderr:
        pytest.skip(f"this machine does not permit it: {done.stderr.decode()}")
    assert done.stdout == b"True False\n", done.stderr
