"""What the syncs of a remote source leave open, and what the guard decides about one sync. Values only."""

from typing import Literal, NamedTuple

import msgspec

from resolver.sources.reading import Reading
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources
from zones.clocks import WallTime

SyncAction = Literal["now", "accept", "drop"]
"""An operator's command to a remote source."""


class NothingHeld(Exception):  # noqa: N818 - the fact, as an operator reads it
    """No sync of the source is held: there is nothing to accept or to drop."""


class WithheldSync(msgspec.Struct, frozen=True):
    """A complete sync that would remove too much. None of it is published until an operator accepts it.

    Times are in seconds since the epoch.
    """

    since: WallTime
    """When a sync was first held. A later sync that would also remove too much replaces it and keeps this time."""
    at: WallTime
    """When this sync was read."""
    reading: Reading
    reasons: tuple[str, ...]
    endpoints: int
    """Number of private endpoints that it would remove."""
    vnets: int
    """Number of virtual networks that it would remove."""
    ids: tuple[str, ...]
    """Ids of some resources that it would remove."""


class SyncState(msgspec.Struct, frozen=True):
    """What the syncs of a source have left open. It survives a restart."""

    missing: dict[ResourceId, WallTime] = {}
    """Absent resources that are still served, by key, with the time when each was first absent."""
    held: WithheldSync | None = None


class SyncDecision(NamedTuple):
    """What one sync changes."""

    parts: dict[str, Resources | None]
    """New data of these subscriptions; None removes the subscription. Empty while the sync is held."""
    lost: dict[str, str]
    """Subscriptions that could not be read, with the reason. Their last good data is kept."""
    unconfirmed: dict[str, str]
    """Ids of absent resources that could not be read once more, with the reason. The resources are kept."""
    sync_state: SyncState
