"""Capabilities of this process (capabilities(7)): which it has, and giving up all others.

Does not know users (`identity`), or which process needs which capability.
"""

import contextlib
import ctypes
from collections.abc import Collection, Iterable, Iterator
from enum import IntEnum
from typing import Final

from resolver.process.sandbox import kernel

_VERSION: Final = 0x20080522  # linux/capability.h
_LAST: Final = 63
_AMBIENT_IS_SET: Final = 1
_AMBIENT_RAISE: Final = 2
_AMBIENT_LOWER: Final = 3
_AMBIENT_CLEAR_ALL: Final = 4


class Capability(IntEnum):
    """The capabilities that pldns uses."""

    DAC_READ_SEARCH = 2
    """Read files of all users."""
    NET_BIND_SERVICE = 10
    """Listen on ports below 1024."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = tuple(
        (f"{name}{half}", ctypes.c_uint32) for half in (0, 1) for name in ("effective", "permitted", "inheritable")
    )


def permitted() -> frozenset[int]:
    """Return the numbers of the capabilities that this process may use. Raises OSError."""
    sets = _Sets()
    kernel.capability_call("capget", ctypes.byref(_Header(_VERSION, 0)), ctypes.byref(sets))
    bits: int = sets.permitted0 | sets.permitted1 << 32
    return frozenset(number for number in range(_LAST + 1) if bits >> number & 1)


def keep_only(kept: Collection[Capability]) -> None:
    """Give up all capabilities except those of `kept` that this process has. Programs that it executes keep them too.

    Raises OSError.
    """
    has = permitted()
    left = [number for number in kept if number in has]
    # systemd's unit forbids capset(2). That is harmless where nothing is given up.
    allowed = contextlib.suppress(PermissionError) if has == set(left) else contextlib.nullcontext()
    with allowed:
        _set(has, ())  # a change of the user leaves capabilities permitted, but not effective
    for number in range(_LAST + 1):
        if number not in left:
            with contextlib.suppress(OSError):  # needs CAP_SETPCAP; the kernel does not have all numbers
                kernel.prctl(kernel.PR_CAPBSET_DROP, number)
    with contextlib.suppress(OSError):  # kernels before 4.3 have no ambient set
        kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    with allowed:
        _set(left, left)
    for number in left:
        kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_RAISE, number)


@contextlib.contextmanager
def withheld(*which: Capability) -> Iterator[None]:
    """Let programs that are executed meanwhile not inherit these capabilities, except where their user is root.

    They could also give up their capabilities themselves, but not under a filter that forbids capset(2).
    """
    try:
        held = [each for each in which if kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_IS_SET, each)]
        for each in held:
            kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_LOWER, each)
    except OSError:  # kernels before 4.3 have no ambient set
        held = []
    try:
        yield
    finally:
        for each in held:
            kernel.prctl(kernel.PR_CAP_AMBIENT, _AMBIENT_RAISE, each)


def _set(permitted: Iterable[int], inheritable: Iterable[int]) -> None:
    """Set the permitted capabilities, all of them effective, and those that executed programs may inherit."""
    use, pass_on = (sum(1 << number for number in each) for each in (permitted, inheritable))
    low, high = 0xFFFFFFFF, 32
    sets = _Sets(use & low, use & low, pass_on & low, use >> high, use >> high, pass_on >> high)
    kernel.capability_call("capset", ctypes.byref(_Header(_VERSION, 0)), ctypes.byref(sets))
