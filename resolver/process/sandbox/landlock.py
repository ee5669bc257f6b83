"""Restricts the files that a process can open and the TCP ports it can use (Landlock, landlock(7)).

A file or port without a rule is refused. The kernel follows files, not paths: a rule for a directory covers what is in
it later too. Does not know which process needs which file.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from resolver.process.sandbox import kernel

# The same on all machines.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1
_PATH_BENEATH: Final = 1

# Rights of linux/landlock.h.
_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_TRUNCATE: Final = 1 << 14
_IOCTL_DEV: Final = 1 << 15
_FIRST: Final = (1 << 13) - 1
"""The rights of ABI 1. Each later one in `_LATER` came with the ABI before it."""
_LATER: Final = ((2, 1 << 13), (3, _TRUNCATE), (5, _IOCTL_DEV))
_FOR_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP: Final = 0b11  # to bind and to connect; ABI 4
_SCOPES: Final = 0b11  # abstract Unix sockets and signals; ABI 6

_READ: Final = _READ_FILE | _READ_DIR


@dataclass(frozen=True, slots=True)
class Access:
    """What a process may do with files. A path that does not exist is ignored."""

    read: tuple[str, ...] = ()
    """Files, and directories with everything in them."""
    write: tuple[str, ...] = ()
    """Directories in which files may be read, made, changed and removed."""
    execute: tuple[str, ...] = ()
    """Files and directories whose programs may be executed. They may be read too."""
    tcp: bool = True
    """TCP ports may be bound and connected to."""


def covers(had: Access | None, wanted: Access | None) -> bool:
    """Return whether a process with the access `had` can do all that is `wanted`. None: there is no restriction."""
    if had is None or wanted is None:
        return had is None
    return _below(had.read + had.write, wanted.read) and _below(had.write, wanted.write)


def _below(allowed: Iterable[str], wanted: Iterable[str]) -> bool:
    known = frozenset(allowed)
    return all(known.intersection((path, *map(str, PurePath(path).parents))) for path in wanted)


def version() -> int:
    """Return the version (ABI) of Landlock; 0 where the kernel does not have it or it is not enabled."""
    try:
        return kernel.system_call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(access: Access, abi: int) -> None:
    """Restrict this thread and what it starts from now on. Requires no_new_privs. `abi`: see `version`, at least 1.

    Processes outside can no longer be traced, and with ABI 6 not be signalled. Raises OSError.
    """
    files = _FIRST
    for since, right in _LATER:
        files |= right if abi >= since else 0
    network = _TCP if abi >= 4 and not access.tcp else 0
    attributes = struct.pack("=QQQ", files, network, _SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = kernel.system_call(_CREATE_RULESET, ctypes.c_char_p(attributes), size, 0)
    try:
        _allow(ruleset, access.read, _READ)
        _allow(ruleset, access.execute, _READ | _EXECUTE)
        _allow(ruleset, access.write, files & ~_EXECUTE)
        kernel.system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            directory = stat.S_ISDIR(os.fstat(opened).st_mode)
            rule = struct.pack("=Qi", rights if directory else rights & _FOR_FILES, opened)
            kernel.system_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
        finally:
            os.close(opened)
