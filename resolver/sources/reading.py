"""What one sync of a remote source gave: the value between whoever reads it and what judges it.

Refuses to know how it was read.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import msgspec

from zones.azure.endpoint import Fault
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources
from zones.dns.name import Name
from zones.dns.zonefile import Zone
from zones.findings.finding import Finding

Part = Resources | str | None
"""What a part of a source gave: resources, the reason why it cannot be read, or nothing since it is gone."""


PartChange = tuple[str, str, Part]
"""(source, part, its new data)."""


class Scan(NamedTuple):
    """One look at a source of files: the parts that changed, and how many there are. `error`: it cannot be read."""

    changes: list[tuple[str, Part]]
    parts: int
    error: str = ""


def part_changes(scans: Mapping[str, Scan]) -> list[PartChange]:
    """Return the changed parts of all scans, by source."""
    return [(source, part, data) for source, scan in scans.items() for part, data in scan.changes]


class ZoneFiles(NamedTuple):
    """The zone files of the configuration."""

    zones: Mapping[Name, Zone]
    """By origin."""
    texts: Mapping[str, str] = {}
    """The last good text of each file, by path."""
    findings: Mapping[str, list[Finding]] = {}
    """What is wrong with each file, by path."""


class ReadError(Exception):
    """A single resource could not be read: whether it is there is not known. One line for people."""


class Reading(msgspec.Struct, frozen=True):
    """One sync of a remote source. Complete, or it has an `error` and nothing of it may be published."""

    parts: dict[str, Resources] = {}
    """By subscription id, folded: each read whole, every page."""
    refused: dict[str, str] = {}
    """Subscriptions in scope that may not be read: why, and which role on what mends it."""
    error: str = ""
    """Why the sync is not complete: one line for people."""


class PrivateReading(msgspec.Struct, frozen=True):
    """One reading of the private DNS zones of a source. What it does not name keeps what it gave before."""

    zones: dict[str, PrivateZone]
    """By key: each read whole, every page."""
    gone: frozenset[str] = frozenset()
    """Keys of zones that are no more, as Azure said by itself."""
    unreadable: dict[str, str] = {}
    """Ids of zones and subscriptions that could not be read: why, and what mends it."""
    faults: tuple[Fault, ...] = ()
    """Of rows that are no zone."""
    error: str = ""
    """Why it broke off: one line for people."""


class PrivateSource(Protocol):
    """The private DNS zones of a remote source."""

    async def read(self, had: Mapping[str, PrivateZone]) -> PrivateReading:
        """Read them all; `had`: what they gave before, by key."""

    def interval(self) -> float:
        """Seconds until the next reading, jitter and stretching included."""


class Requests(NamedTuple):
    """Requests of a remote source: how many since the start, by (what was asked, status or what went wrong)."""

    answered: dict[tuple[str, str], int]
    per_hour: int
    """What the last sync comes to, if the next ones are like it."""


class RemoteSource(Protocol):
    """A source that is asked. Its parts are subscriptions."""

    @property
    def private(self) -> PrivateSource | None:
        """Its private DNS zones; None where they are not to be read."""

    async def read(self) -> Reading:
        """Read all of it."""

    def covers(self, key: str) -> bool | None:
        """The resource with this normalised id is in what the source is to read; None: only a sync can tell."""

    async def read_one(self, key: str) -> Resources | None:
        """Read one resource by its normalised id, with what belongs to it; None: there is none (404).

        Raises `ReadError` where that cannot be told.
        """

    def interval(self) -> float:
        """Seconds until the next sync, jitter and stretching included."""

    def requests(self) -> Requests:
        """What its syncs cost."""
