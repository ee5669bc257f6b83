"""Resource limits of a process (setrlimit(2)), and hiding its environment from `/proc`.

Does not know which process needs which limit.
"""

import ctypes
import os
import resource
import stat
from pathlib import Path
from typing import Final

_BEFORE: Final = 2  # fields of proc_pid_stat(5) before the closing parenthesis
_LARGEST: Final = 1 << 20
"""Octets of a file at most. A certificate or key is written to a file in memory before OpenSSL reads it."""
_ENVIRONMENT: Final = 50  # number of the field env_start; env_end follows


def no_core_file() -> None:
    """Never write a core file: it would hold keys and secrets. Children inherit the limit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def no_new_process() -> None:
    """Start no process or thread."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # root is exempt


def no_large_file() -> None:
    """Write no file of more than 1 MiB. A log that goes to a file has no limit."""
    if not stat.S_ISREG(os.fstat(2).st_mode):
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST, _LARGEST))


def hide_environment() -> None:
    """Overwrite the environment as the system passed it to this process: `/proc/PID/environ` shows that memory.

    The process itself keeps all variables, in other memory.
    """
    fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    start, end = (int(fields[number - _BEFORE - 1]) for number in (_ENVIRONMENT, _ENVIRONMENT + 1))
    variables = dict(os.environ)
    ctypes.CDLL(None).clearenv()
    for name, value in variables.items():
        os.putenv(name, value)
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)
