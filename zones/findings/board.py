"""The board: all current findings, by what they are about, with the time when each was first made.

The estate owns one board. The ledger, the sources and control each replace the findings of their own topics. The board
does not know how a finding is made. Time is an argument, in seconds since the epoch.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from enum import StrEnum, auto

from zones.azure.endpoint import Fault
from zones.clocks import WallTime
from zones.findings import checks
from zones.findings.evidence import Severity
from zones.findings.faults import Faults, Reporter
from zones.findings.finding import Finding


class Topic(StrEnum):
    """What a group of findings is about. The second part of a key names the one thing: see each topic."""

    ENDPOINT = auto()
    """State, placement and names of one endpoint, by its key."""
    MOVED = auto()
    """A changed address of one endpoint, by its key."""
    RESOURCE = auto()
    """Faults of one resource, by its id or path."""
    ADDRESS = auto()
    """Endpoints that share one address, by the packed address."""
    COMPANIONS = auto()
    """Endpoints that need each other, by their `companion_key`."""
    CONTEST = auto()
    """A contest for one private name, by the name."""
    ZONE = auto()
    """A private name in no known zone, by the name."""
    PRIVATE_NAME = auto()
    """Another private name in Azure than the catalogue derives, by FQDN; one more key for all that are not listed."""
    PIN = auto()
    """Pins of one name, by the name in the configuration."""
    NAME = auto()
    """Items of `names` in the configuration for one name, by the name."""
    EXCEPTED = auto()
    """Items of `except` of one network, by the network's name."""
    SHADOW = auto()
    """A name that a zone file and an endpoint have, by the name."""
    OVERLAP = auto()
    """Address space of all VNets; one key."""
    PART = auto()
    """One part of a source, by source and part."""
    INCOMPLETE = auto()
    """A file that is not the whole list, by source and file."""
    SOURCE = auto()
    """A whole source, by its name."""
    ABSENT = auto()
    """Resources that the last sync of a source did not return, by the source's name."""
    HELD = auto()
    """A held sync of a source, by the source's name."""
    PRIVATE_DNS = auto()
    """Private DNS zones of a source that could not be read, by the source's name."""
    DRIFT = auto()
    """Differences between private DNS zones and endpoints; one key."""
    ZONE_FILE = auto()
    """A zone file, by its path."""
    UPSTREAM = auto()
    """A group of upstreams, by its name."""


class Board:
    """Current findings.

    `remembered` holds first-seen times by finding id from before a restart. Each is used once, for the first finding
    with that id.
    """

    def __init__(self, remembered: Mapping[str, WallTime] | None = None) -> None:
        self.counts: Counter[tuple[str, Severity]] = Counter()
        """Number of current findings by code and severity; 0 where there were some before."""
        self._remembered = dict(remembered or {})
        self._findings: dict[Topic, dict[Hashable, tuple[Finding, ...]]] = {topic: {} for topic in Topic}
        self._first_seen: dict[str, WallTime] = {}
        self._faults = Faults()

    def __iter__(self) -> Iterator[Finding]:
        """All current findings, in no order."""
        for findings in self._findings.values():
            for each in findings.values():
                yield from each

    def replace(self, topic: Topic, about: Hashable, findings: Iterable[Finding], now: WallTime) -> None:
        """Replace the findings about one thing. A finding that stays keeps its first-seen time."""
        topical = self._findings[topic]
        new, old = tuple(findings), topical.get(about, ())
        if old == new:
            return
        self.counts.subtract((each.code, each.severity) for each in old)
        self.counts.update((each.code, each.severity) for each in new)
        ids = {each.id for each in new}
        for each in old:
            if each.id not in ids:
                self._first_seen.pop(each.id, None)
        for new_id in ids:
            if new_id not in self._first_seen:
                self._first_seen[new_id] = self._remembered.pop(new_id, now)
        if new:
            topical[about] = new
        else:
            del topical[about]

    def replace_faults(self, reporter: Reporter, faults: Iterable[Fault], now: WallTime) -> None:
        """Replace the faults of one reporter. Each resource has one finding with the faults of all reporters."""
        for subject, each in self._faults.replace(reporter, faults).items():
            self.replace(Topic.RESOURCE, subject, checks.of_faults(subject, each), now)

    def first_seen(self, finding: Finding) -> WallTime | None:
        """Return when a current finding was first made; None for a finding that is not current."""
        return self._first_seen.get(finding.id)

    def times(self) -> dict[str, WallTime]:
        """Return the first-seen time of each current finding by id, to be saved for the next start."""
        return dict(self._first_seen)
