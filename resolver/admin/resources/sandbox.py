"""The sandbox of each process as JSON."""

from collections.abc import Mapping

from pydantic import Field

from resolver.admin.resources.model import Model
from resolver.process.sandbox.level import SandboxLevel


class SandboxItem(Model):
    """How far one process is confined (docs/sandbox.md)."""

    process: str = Field(description="`supervisor`, `control`, `query log` or `worker N`.")
    user: int = Field(description="Numeric user of the process.")
    seccomp: bool = Field(description="The kernel refuses system calls that the process does not use.")
    landlock: int = Field(description="Version (ABI) of Landlock that restricts files and TCP; 0: no restriction.")
    lacks: list[str] = Field(description="Protections that are missing.")


def items(levels: Mapping[str, SandboxLevel]) -> list[SandboxItem]:
    """Return the sandboxes of these processes as JSON."""
    return [
        SandboxItem(
            process=process, user=level.user, seccomp=level.seccomp, landlock=level.landlock, lacks=list(level.lacks)
        )
        for process, level in levels.items()
    ]
