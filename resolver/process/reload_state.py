"""What became of the reloads of a running pldns: values that the supervisor sends to control.

The supervisor checks each configuration and owns the accepted one. Control shows the state to operators. Pure.
"""

from enum import StrEnum

import msgspec

from resolver.settings import Accepted
from zones.clocks import WallTime


class ReloadOutcome(StrEnum):
    """The result of one reload."""

    APPLIED = "applied"
    """The configuration was accepted, and differs from the one before."""
    UNCHANGED = "unchanged"
    """The configuration was accepted, and says the same as before. Files that it names were read again."""
    REFUSED = "refused"
    """The configuration has mistakes. Nothing of it was applied."""


class ReloadState(msgspec.Struct, frozen=True):
    """The reloads since pldns started. Times are in seconds since the epoch, 0 for never."""

    serial: int = 1
    """Number of the configuration in effect. The first is 1; each one that differs is the next."""
    loaded: WallTime = WallTime(0.0)
    """When the configuration in effect was accepted."""
    request: int = 0
    """The last request of control that this state answers."""
    outcome: ReloadOutcome | None = None
    """Of the last reload; None before the first."""
    at: WallTime = WallTime(0.0)
    """When the last reload was decided."""
    mistakes: tuple[str, ...] = ()
    """Why the last reload was refused: a line for each mistake."""
    counts: dict[ReloadOutcome, int] = {}


class ConfigurationUpdate(msgspec.Struct, frozen=True):
    """The state after a reload, and the accepted configuration; None where it was refused."""

    state: ReloadState
    accepted: Accepted | None = None
