"""The results of reading a source, and the interface of a remote source.

The readers of sources make these values; control decides what they change. Pure. Does not know how a reading was made.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec

from zones.azure.endpoint import Fault, ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import Resources, with_earlier
from zones.dns.name import Name
from zones.dns.zonefile import Zone
from zones.findings.finding import Finding

Part = Resources | str | None
"""The state of a part of a source: its resources, the reason why it cannot be read, or None for a part that is gone."""

PartChange = tuple[str, str, Part]
"""The source, the name of the part and its new state."""


class Scan(NamedTuple):
    """The result of one scan of files: the changed parts and the number of all parts.

    `error` is why the source's path cannot be read. `recent`: changed parts that may still be being written.
    """

    changes: list[tuple[str, Part]]
    parts: int
    error: str = ""
    recent: frozenset[str] = frozenset()
    incomplete: Mapping[str, tuple[str, ...]] = {}
    """What each incomplete part lacks, for all parts. A resource that is absent from an incomplete part is not gone."""
    passed_over: Mapping[str, Mapping[str, int]] = {}
    """Number of rows that pldns does not need, by part and type, for all parts."""

    def completed(self, had: Mapping[str, Resources]) -> "Scan":
        """Return the scan with the earlier resources that incomplete parts lack. `had`: the last good data by part."""
        changes: list[tuple[str, Part]] = [
            (part, with_earlier(data, had[part]))
            if isinstance(data, Resources) and part in self.incomplete and part in had
            else (part, data)
            for part, data in self.changes
        ]
        return self._replace(changes=changes)


def part_changes(scans: Mapping[str, Scan]) -> list[PartChange]:
    """Return the changed parts of all scans, by source."""
    return [(source, part, data) for source, scan in scans.items() for part, data in scan.changes]


class ZoneFiles(NamedTuple):
    """The zone files of the configuration, and those that match its patterns since."""

    zones: Mapping[Name, Zone]
    """By origin."""
    origins: Mapping[str, Name] = {}
    """The zone of each file, by path; also of a file that cannot be read and has no valid text."""
    texts: Mapping[str, str] = {}
    """The last valid text of each file, by path."""
    findings: Mapping[str, list[Finding]] = {}
    """The findings about each file, by path."""


class ReadError(Exception):
    """A single resource could not be read, so it is not known whether it exists. The message is one line for people."""


class Reading(msgspec.Struct, frozen=True):
    """The result of one sync. It is complete, or it has an `error` and must not be published."""

    parts: dict[str, Resources] = {}
    """The resources of each subscription, by folded id. Each was read completely, with every page."""
    refused: dict[str, str] = {}
    """The subscriptions in scope that the identity may not read, each with the reason and the role to assign."""
    error: str = ""
    """Why the sync is not complete, as one line for people; empty where it is."""


class PrivateReading(msgspec.Struct, frozen=True):
    """The result of reading the private DNS zones of a source. A zone that it does not name keeps its last content."""

    zones: dict[ResourceId, PrivateZone]
    """By key. Each zone was read completely, with every page."""
    gone: frozenset[str] = frozenset()
    """Keys of the zones that Azure says do not exist any more."""
    unreadable: dict[str, str] = {}
    """Ids of the zones and subscriptions that could not be read, each with the reason and the remedy."""
    faults: tuple[Fault, ...] = ()
    """The faults of rows that are no zone."""
    error: str = ""
    """Why the reading ended early, as one line for people; empty where it did not."""


class PrivateSource(Protocol):
    """The private DNS zones of a remote source."""

    async def read(self, had: Mapping[ResourceId, PrivateZone]) -> PrivateReading:
        """Read all zones. `had` has the zones of the last reading, by key."""

    def interval(self) -> float:
        """Return the seconds until the next reading, with jitter, longer where the quota asks for it."""


class SharedReadings(Protocol):
    """What the leader of several control planes has read of remote sources, for all of them."""

    async def leads(self) -> bool:
        """Return whether this control plane reads the sources itself.

        That is the leader. Without the shared database, every control plane does.
        """

    async def readings(self, source: str) -> Mapping[str, str]:
        """Return the parts of the last reading of a source, as text. Raises `ReadError`."""

    async def keep(self, source: str, parts: Mapping[str, str]) -> None:
        """Give all control planes the parts of a reading. Does nothing without the shared database."""

    def notice(self, source: str, changed: Callable[[], None]) -> None:
        """Call `changed` when the reading of a source has changed, and when this control plane is the leader now."""


class FollowedSource(Protocol):
    """A source in this process that reports each change itself: the registry."""

    @property
    def shared(self) -> SharedReadings | None:
        """The readings that several control planes share; None for a registry that is alone."""

    async def differences(self, had: Mapping[str, Resources]) -> Mapping[str, Resources | None]:
        """Return the parts that differ from these, by name; None for a part that is gone. Raises `ReadError`."""

    async def changed_elsewhere(self) -> bool:
        """Return whether another process has changed parts since the last call without a report to the follower."""

    def follow(self, follower: Callable[[Mapping[str, Resources | None]], None] | None) -> None:
        """Call `follower` with the parts of each later change; None for a part that is gone."""


class Requests(NamedTuple):
    """Numbers of requests of a remote source."""

    answered: dict[tuple[str, str], int]
    """Since the start, by API and HTTP status or kind of failure."""
    per_hour: int
    """Requests per hour if all syncs cost as much as the last one."""


class RemoteSource(Protocol):
    """A source that is read by requests to an API. Its parts are subscriptions."""

    @property
    def private(self) -> PrivateSource | None:
        """The private DNS zones of the source; None where the configuration has them off."""

    async def read(self) -> Reading:
        """Read the whole source."""

    def covers(self, key: ResourceId) -> bool | None:
        """Return whether the resource with this normalised id is in scope; None where only a sync can tell."""

    async def read_one(self, key: ResourceId) -> Resources | None:
        """Return one resource by its normalised id, with its network interfaces; None where it does not exist.

        Raises `ReadError` where it is not known whether the resource exists.
        """

    def interval(self) -> float:
        """Return the seconds until the next sync, with jitter, longer where the quota asks for it."""

    def requests(self) -> Requests:
        """Return the numbers of requests."""
