"""How much memory a process uses, as the kernel counts it. Linux only; 0 elsewhere.

Counts the pages that belong to the process alone (anonymous ones): what is mapped from files, such as the interpreter
and its libraries, is shared with other processes and can be read again. Does not know what the memory is used for.
"""

import os
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_LONGEST: Final = 128  # octets of /proc/PID/statm: seven numbers


class MemoryUse:
    """The memory of this process. Its file stays open: in the sandbox, none can be opened."""

    def __init__(self) -> None:
        try:
            self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def octets(self) -> int:
        """Return what this process uses; 0 where that is not known."""
        try:
            return _octets(os.pread(self._file, _LONGEST, 0))
        except OSError:
            return 0


def octets(pid: int) -> int:
    """Return what a process uses; 0 where that is not known, or where there is no such process."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 - read about once a second
            return _octets(file.read(_LONGEST))
    except OSError:
        return 0


def _octets(statm: bytes) -> int:
    """Return the resident pages without the shared ones (proc_pid_statm(5)), in octets."""
    _, resident, shared, *_ = statm.split()
    return (int(resident) - int(shared)) * _PAGE
