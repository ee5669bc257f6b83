"""The memory of a process."""

import os
import subprocess
import sys

from resolver.process import memory_use
from resolver.process.memory_use import MemoryUse

MIB = 1 << 20


def test_the_memory_of_this_process_grows_with_what_it_holds() -> None:
    use = MemoryUse()
    before = use.octets()
    held = bytearray(os.urandom(64 * MIB))
    assert use.octets() - before >= 60 * MIB
    assert abs(use.octets() - memory_use.octets(os.getpid())) < 4 * MIB
    del held


def test_a_process_that_has_ended_uses_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert memory_use.octets(ended.pid) == 0
