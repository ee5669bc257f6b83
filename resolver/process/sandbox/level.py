"""How far a process is confined, as a value for the status page. Pure."""

import msgspec


class SandboxLevel(msgspec.Struct, frozen=True, array_like=True):
    """The protections that are in force for one process."""

    user: int
    """The numeric user."""
    seccomp: bool
    """The kernel refuses system calls that the process does not use."""
    landlock: int
    """Version (ABI) of Landlock that restricts files and TCP; 0: no restriction."""
    lacks: tuple[str, ...] = ()
    """What is missing, as short sentences for people."""
