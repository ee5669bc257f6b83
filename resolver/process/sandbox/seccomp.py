"""Installs a seccomp filter (seccomp(2)): from then on the kernel refuses all system calls that it does not allow.

Does not know what is allowed. The filter cannot be removed, and children inherit it.
"""

import ctypes
from typing import Final

from resolver.process.sandbox import kernel
from resolver.process.sandbox.filter_program import Allowed, assemble
from resolver.process.sandbox.system_calls import this_machine

_SET_MODE_FILTER: Final = 1  # linux/seccomp.h
_TSYNC: Final = 1
_INSTRUCTION: Final = 8  # octets


class _Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(allowed: Allowed) -> None:
    """Allow this process, with all its threads, the given system calls only. Requires no_new_privs.

    Raises OSError where the kernel or the machine has no seccomp filters.
    """
    machine = this_machine()
    if machine is None:
        raise OSError("no filter for this machine")
    program = assemble(allowed, machine)
    argument = _Program(len(program) // _INSTRUCTION, program)
    kernel.system_call(machine.numbers["seccomp"], _SET_MODE_FILTER, _TSYNC, ctypes.byref(argument))
