"""Assembles a seccomp filter: a program of classic BPF that allows the listed system calls and refuses all others.

A refused call fails with an error and does not end the process, so a library that can do without the call goes on. Does
not know which process needs which call (`profiles`), or how the kernel takes the program (`seccomp`).
"""

import errno
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from resolver.process.sandbox.system_calls import NEWEST, Machine

# Offsets in `struct seccomp_data` (linux/seccomp.h). Both machines are little-endian.
_NUMBER: Final = 0
_MACHINE: Final = 4
_ARGUMENTS: Final = 16

# Instructions of linux/bpf_common.h.
_LOAD: Final = 0x20
_AND: Final = 0x54
_IF_EQUAL: Final = 0x15
_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF0000  # linux/seccomp.h
_ERROR: Final = 0x00050000
_KILL: Final = 0x80000000

Instruction = tuple[int, int, int, int]
"""Operation, instructions to skip if true, instructions to skip if false, operand."""


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on one argument: `argument & mask` is one of `values`. Only the low 32 bits are compared.

    `whole`: the high 32 bits must be zero too, as for a pointer that must be null.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one kind of process may call."""

    always: frozenset[str]
    """Names of system calls that are allowed with any arguments."""
    checked: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    """System calls that are allowed if all checks hold."""
    absent: frozenset[str] = frozenset()
    """System calls that fail as in an older kernel, so that the C library uses an older call instead."""


def assemble(allowed: Allowed, machine: Machine) -> bytes:
    """Return the program for a machine, as an array of `struct sock_filter`.

    Calls that are allowed always come last: the kernel knows them beforehand and does not run the program for them. A
    process of another machine's calling convention is killed.
    """
    program: list[Instruction] = [(_LOAD, 0, 0, _MACHINE), (_IF_EQUAL, 1, 0, machine.audit), (_RETURN, 0, 0, _KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    if machine.foreign:
        program += [(_IF_AT_LEAST, 0, 1, machine.foreign), (_RETURN, 0, 0, _KILL)]
    for name, checks in sorted(allowed.checked.items()):
        if name in machine.numbers:
            body = _body(checks)
            program += [(_IF_EQUAL, 0, len(body), machine.numbers[name]), *body]
    for number in _numbers(allowed.absent, machine):
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]
    for number in _numbers(allowed.always - allowed.checked.keys() - allowed.absent, machine):
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    # The C library falls back to older calls where a new one does not exist, but not where it is forbidden.
    program += [(_IF_AT_LEAST, 0, 1, NEWEST + 1), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]
    program.append((_RETURN, 0, 0, _ERROR | errno.EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _numbers(names: Iterable[str], machine: Machine) -> list[int]:
    return sorted(machine.numbers[name] for name in names if name in machine.numbers)


def _body(checks: Iterable[Check]) -> list[Instruction]:
    """Return the instructions for one system call; the last one allows it."""
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    body: list[Instruction] = []
    for check in checks:
        low = _ARGUMENTS + 8 * check.argument
        if check.whole:
            body += [(_LOAD, 0, 0, low + 4), (_IF_EQUAL, 1, 0, 0), refuse]
        body += [(_LOAD, 0, 0, low), (_AND, 0, 0, check.mask)]
        last = len(check.values)
        body += [(_IF_EQUAL, last - at, 0, value) for at, value in enumerate(check.values)]
        body.append(refuse)
    body.append((_RETURN, 0, 0, _ALLOW))
    return body
