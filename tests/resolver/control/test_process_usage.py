"""Memory, CPU time and descriptors of processes."""

import os
import time

from resolver.control.process_usage import usage


def test_the_usage_of_this_process_is_plausible() -> None:
    found = dict(usage(os.getpid()))
    assert found["process_resident_memory_bytes"] > 10 << 20
    assert found["process_cpu_seconds_total"] > 0
    assert 0 < found["process_start_time_seconds"] <= time.time()
    assert found["process_max_fds"] >= found.get("process_open_fds", 1.0)


def test_a_process_that_has_ended_has_no_usage() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    assert not list(usage(child))
