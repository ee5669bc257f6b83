"""When the state directory is written: soon enough that a crash loses at most 30 seconds, and not after each change.

Does not know what is written. Pure: times are in seconds of a steady clock.
"""

from typing import Final

LOSS: Final = 30.0
"""Seconds within which a change is in the files."""
_MARGIN: Final = 3.0
"""Seconds that remain for the ticks of the caller, and for a write that takes longer than the one before."""


class SaveSchedule:
    """Decides when to write. A change may come during a write, which then does not have it: the next write does."""

    def __init__(self) -> None:
        self._behind_since: float | None = None
        self._duration = 0.0

    def is_due(self, *, behind: bool, now: float) -> bool:
        """Return whether to write now. `behind`: the files lack a change. Call it at least once a second."""
        if not behind:
            self._behind_since = None
            return False
        if self._behind_since is None:
            self._behind_since = now
        # Twice: the change may have come when the last write began, and the next write takes as long.
        return now - self._behind_since >= max(0.0, LOSS - 2 * self._duration - _MARGIN)

    def wrote(self, seconds: float) -> None:
        """Record that a write is over, and how long it took. A write that failed counts too."""
        self._behind_since, self._duration = None, seconds
