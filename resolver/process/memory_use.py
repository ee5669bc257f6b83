"""How much memory a process uses, as the kernel counts it. Linux only; 0 elsewhere.

Counts the pages that belong to the process alone (anonymous ones): what is mapped from files, such as the interpreter
and its libraries, is shared with other processes and can be read again. Does not know what the memory is used for.
"""

import os
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_LONGEST: Final = 128  # octets of /proc/PID/statm: seven numbers


class MemoryUse:
    """The memory of a process. Its file stays open: in the sandbox, none can be opened.

    The file of another process must be opened before that process closes itself to debuggers: where the system hides
    processes of others (`hidepid`, `ProtectProc=invisible`), it cannot be found afterwards.
    """

    def __init__(self, pid: int | None = None) -> None:
        """`pid`: of the process; None: this one."""
        try:
            self._file = os.open(f"/proc/{pid or 'self'}/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    @property
    def is_open(self) -> bool:
        """Whether the file could be opened."""
        return self._file >= 0

    def octets(self) -> int:
        """Return what the process uses; 0 where that is not known, or where the process has ended."""
        try:
            return _octets(os.pread(self._file, _LONGEST, 0))
        except OSError:
            return 0

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _octets(statm: bytes) -> int:
    """Return the resident pages without the shared ones (proc_pid_statm(5)), in octets."""
    _, resident, shared, *_ = statm.split()
    return (int(resident) - int(shared)) * _PAGE
