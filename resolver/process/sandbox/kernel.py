"""Calls into the kernel that Python has no function for: prctl(2) and system calls by number.

Does not know what they are for.
"""

import ctypes
import os
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)

PR_SET_DUMPABLE: Final = 4  # linux/prctl.h, as all of these
PR_SET_KEEPCAPS: Final = 8
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47


def prctl(option: int, value: int = 0, second: int = 0) -> int:
    """Change an attribute of this process, see the manual page. Return the result. Raises OSError."""
    result: int = _libc.prctl(option, *map(ctypes.c_ulong, (value, second, 0, 0)))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")
    return result


def system_call(number: int, *arguments: object) -> int:
    """Call a system call by its number and return its result. Integers are passed as 64 bits. Raises OSError."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


def capability_call(function: str, header: object, sets: object) -> None:
    """Call capget(2) or capset(2). Raises OSError."""
    if getattr(_libc, function)(header, sets):
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")
