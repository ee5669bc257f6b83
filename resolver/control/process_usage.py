"""Memory, CPU time and descriptors of the processes of pldns, as Linux shows them in /proc (proc(5)).

What cannot be read is left out: a process that has ended, or a /proc that hides the processes of others.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from resolver.process import wall_clock

_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat after the name of the program, which may contain spaces.
_USER_TIME: Final = 11
_SYSTEM_TIME: Final = 12
_START: Final = 19
_RESIDENT: Final = 21


def usage(pid: int) -> Iterator[tuple[str, float]]:
    """Yield (name of a metric, value) for a process."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        yield "process_resident_memory_bytes", float(int(fields[_RESIDENT]) * _PAGE)
        yield "process_cpu_seconds_total", (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / _TICKS
        yield "process_start_time_seconds", _booted() + int(fields[_START]) / _TICKS
    with contextlib.suppress(OSError):
        # Since Linux 6.2, the size of this directory is the number of descriptors. Other users may not list it.
        if descriptors := (_PROC / str(pid) / "fd").stat().st_size:
            yield "process_open_fds", float(descriptors)
    with contextlib.suppress(OSError):
        most = re.search(r"^Max open files +(\d+)", (_PROC / str(pid) / "limits").read_text(), re.MULTILINE)
        if most:
            yield "process_max_fds", float(most[1])


def _booted() -> float:
    """Return when the machine started, in seconds since the epoch."""
    uptime = float((_PROC / "uptime").read_text().split()[0])
    return wall_clock.now() - uptime
