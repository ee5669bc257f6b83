"""Confines this process: capabilities, files, system calls. What is allowed is known to `profiles`.

A kernel may lack a part (old kernels, gVisor). The process then goes on without it, unless the configuration requires
all parts.
"""

import os

from resolver.process.sandbox import capabilities, kernel, landlock, limits, seccomp
from resolver.process.sandbox.filter_program import Allowed
from resolver.process.sandbox.landlock import Access
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import SandboxMode

NO_LANDLOCK = "this kernel has no Landlock: files are protected by their permissions only"
NO_SECCOMP = "no system call is refused: "


class NotConfined(Exception):  # noqa: N818 - reads as a sentence
    """The configuration requires the sandbox, and a part of it is missing. The message is one line."""


def harden() -> None:
    """Close this process to debuggers and to new privileges, and write no core file. Raises OSError."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    limits.no_core_file()


def confine(
    mode: SandboxMode,
    allowed: Allowed,
    access: Access | None,
    kept: tuple[capabilities.Capability, ...] | None,
) -> SandboxLevel:
    """Confine this process from now on, and return what is in force. Call `harden` first, and start no thread before.

    `access` None: files are not restricted. `kept`: the capabilities that stay; None: all do. Raises `NotConfined`.
    """
    user = os.geteuid()
    if mode == "off":
        return SandboxLevel(user, seccomp=False, landlock=0, lacks=("the configuration turns the sandbox off",))
    lacks = []
    abi = landlock.version()
    if not abi:
        lacks.append(NO_LANDLOCK)
    if kept is not None:
        capabilities.keep_only(kept)
    if abi and access:
        landlock.restrict(access, abi)
    try:
        seccomp.install(allowed)
    except OSError as error:
        lacks.append(f"{NO_SECCOMP}{error.strerror or error}")
    if lacks and mode == "required":
        raise NotConfined("; ".join(lacks))
    installed = not any(each.startswith(NO_SECCOMP) for each in lacks)
    return SandboxLevel(user, installed, abi if access else 0, tuple(lacks))
