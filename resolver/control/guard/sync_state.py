"""What the syncs of a source leave open, and what the guard decides about one sync. Values only.

A sync is one reading of a remote source, or one scan of a source of files.
"""

from typing import Literal, NamedTuple

import msgspec

from resolver.sources.reading import Reading
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import WallTime

SyncAction = Literal["now", "accept", "drop"]
"""An operator's command to a source."""


class NothingHeld(Exception):  # noqa: N818 - the fact, as an operator reads it
    """No sync of the source is held: there is nothing to accept or to drop."""


class WithheldSync(msgspec.Struct, frozen=True):
    """A sync that would remove too much. None of it is published until an operator accepts it.

    Times are in seconds since the epoch.
    """

    since: WallTime
    """When a sync was first held. A later sync that would also remove too much replaces it and keeps this time."""
    at: WallTime
    """When this sync was read."""
    reading: Reading
    """New data of parts, and the subscriptions that could not be read (`refused`): these keep their last good data."""
    reasons: tuple[str, ...]
    endpoints: int
    """Number of private endpoints that it would remove, or leave without a name."""
    vnets: int
    """Number of virtual networks that it would remove."""
    ids: tuple[str, ...]
    """Ids of some resources that it would remove."""
    gone: tuple[str, ...] = ()
    """Parts that it would remove as a whole."""
    zone_groups: int = 0
    """Number of DNS zone groups that it would remove while their endpoints stay."""

    @property
    def parts(self) -> dict[str, Resources | None]:
        """New data of parts; None for a part that it would remove as a whole."""
        return {**self.reading.parts, **dict.fromkeys(self.gone)}


class SyncState(msgspec.Struct, frozen=True):
    """What the syncs of a source have left open. It survives a restart."""

    missing: dict[ResourceId, WallTime] = {}
    """Absent resources that are still served, by key, with the time when each was first absent. Empty for files."""
    held: WithheldSync | None = None

    def moved(self, seconds: float) -> "SyncState":
        """Return the same with times that are so much later."""
        missing = {key: WallTime(when + seconds) for key, when in self.missing.items()}
        held = self.held and msgspec.structs.replace(
            self.held, since=WallTime(self.held.since + seconds), at=WallTime(self.held.at + seconds)
        )
        return SyncState(missing, held)


class SyncDecision(NamedTuple):
    """What one sync changes."""

    parts: dict[str, Resources | None]
    """New data of these parts; None removes the part. Empty while the sync is held."""
    lost: dict[str, str]
    """Subscriptions that could not be read, with the reason. Their last good data is kept."""
    unconfirmed: dict[str, str]
    """Ids of absent resources that could not be read once more, with the reason. The resources are kept."""
    sync_state: SyncState


def accept(held: WithheldSync) -> SyncDecision:
    """Return the decision to publish a held sync as it is: each resource that it lacks is removed."""
    return SyncDecision(held.parts, held.reading.refused, {}, SyncState())
