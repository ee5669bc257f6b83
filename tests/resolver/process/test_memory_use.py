"""The memory of a process."""

import os
import subprocess
import sys

from resolver.process.memory_use import MemoryUse

MIB = 1 << 20


def test_the_memory_of_this_process_grows_with_what_it_holds() -> None:
    use = MemoryUse()
    before = use.octets()
    held = bytearray(os.urandom(64 * MIB))
    assert use.octets() - before >= 60 * MIB
    assert abs(use.octets() - MemoryUse(os.getpid()).octets()) < 4 * MIB
    del held


def test_a_process_that_has_ended_uses_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    use = MemoryUse(child.pid)
    assert use.octets() > 0
    child.communicate()
    assert use.octets() == 0
    assert MemoryUse(child.pid).octets() == 0
    use.close()
    assert use.octets() == 0
