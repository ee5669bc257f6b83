"""Runs Python as in a sandbox that forbids recvmmsg(2) and sendmmsg(2): `python -m tests.unbatched -m pytest …`.

A seccomp filter fails both calls with ENOSYS, as some sandboxes do, in this process and in all processes that it
starts. For Linux on x86-64 and arm64.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Final

_CALLS: Final = {"x86_64": (0xC000003E, 299, 307), "aarch64": (0xC00000B7, 243, 269)}
"""By machine: AUDIT_ARCH and the numbers of recvmmsg and sendmmsg (linux/audit.h, asm/unistd.h)."""
_NO_NEW_PRIVS: Final = 38
_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000


def _step(code: int, yes: int, no: int, value: int) -> bytes:
    """Return one instruction, a struct sock_filter."""
    return struct.pack("HBBI", code, yes, no, value)


def _program(arch: int, error: int, *calls: int) -> bytes:
    """Return the filter. In struct seccomp_data the number of the call is at octet 0, the architecture at octet 4."""
    load, jump, give = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
    refuse = len(calls)
    checks = [_step(jump, refuse - i, 0, call) for i, call in enumerate(calls)]
    return b"".join(
        [_step(load, 0, 0, 4), _step(jump, 1, 0, arch), _step(give, 0, 0, _ALLOW), _step(load, 0, 0, 0), *checks,
         _step(give, 0, 0, _ALLOW), _step(give, 0, 0, _ERRNO | error)]
    )  # fmt: skip


def forbid(*calls: int, error: int = errno.ENOSYS) -> None:
    """Let system calls fail with an error, in this process and in its children. By default, those for batches.

    Raises `OSError`.
    """
    arch, *batches = _CALLS[platform.machine()]
    program = ctypes.create_string_buffer(_program(arch, error, *(calls or batches)))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, *values in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, head, 0, 0)):
        if libc.prctl(option, *values):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    forbid()
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 - the filter is inherited
