"""What the query logger reports about once a second: what it has written, and what it could not write. Pure."""

from typing import Literal

import msgspec

from resolver.process.sandbox.level import SandboxLevel

OutputKind = Literal["lines", "dnstap"]


class OutputState(msgspec.Struct, frozen=True):
    """One output of the query log. Counts are of queries, since the logger started."""

    kind: OutputKind
    to: str
    """A path, `stdout`, or the address of a collector."""
    written: int = 0
    dropped: int = 0
    fault: str = ""
    """Why it cannot be written now; empty while it can."""


class QueryLogState(msgspec.Struct, frozen=True):
    """The query logger. `pid`: 0 while it does not run."""

    pid: int = 0
    sandbox: SandboxLevel | None = None
    outputs: tuple[OutputState, ...] = ()
