"""The board: all current findings, by what they are about, with the time when each was first made.

The estate owns one board. The ledger, the sources and control each replace the findings of their own topics. The board
keeps the findings that opened and closed until someone takes them, for the log. It does not know how a finding is made.
Time is an argument, in seconds since the epoch.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from enum import StrEnum, auto
from typing import Final, NamedTuple

from zones.azure.endpoint import Fault
from zones.clocks import WallTime
from zones.findings import checks
from zones.findings.acknowledgement import Acknowledgement, Acknowledgements
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
    """Endpoints that need each other, by their `Companions.key`."""
    CONTEST = auto()
    """A contest for one private name, by the name."""
    PUBLIC_CONTEST = auto()
    """A contest for one public FQDN between several private names, by the FQDN."""
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
    LIMIT = auto()
    """Limits of one VNet, subscription or target, by the limited thing."""
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
    UNWRITABLE = auto()
    """A file of the state directory that cannot be written, by its path."""
    SET_ASIDE = auto()
    """A file of the state directory that could not be used, by its path."""
    UPSTREAM = auto()
    """A group of upstreams, by its name."""


KEPT: Final = 1_000
"""Moves that the board keeps for `take_moves`; it only counts further ones."""


class FindingMove(NamedTuple):
    """A finding that opened, or closed."""

    finding: Finding
    is_open: bool


class FindingMoves(NamedTuple):
    """Findings that opened and closed, in order. `more`: number of further ones."""

    listed: list[FindingMove]
    more: int


class Board:
    """Current findings.

    `remembered` holds first-seen times by finding id from before a restart. Each is used once, for the first finding
    with that id.
    """

    def __init__(self, remembered: Mapping[str, WallTime] | None = None) -> None:
        self.counts: Counter[tuple[str, Severity]] = Counter()
        """Number of current findings by code and severity; 0 where there were some before."""
        self.acknowledgements = Acknowledgements()
        self.revision = 0
        """Counts the changes of `times`."""
        self._remembered = dict(remembered or {})
        self._findings: dict[Topic, dict[Hashable, tuple[Finding, ...]]] = {topic: {} for topic in Topic}
        self._first_seen: dict[str, WallTime] = {}
        self._faults = Faults()
        self._moves: list[FindingMove] = []
        self._more_moves = 0

    def __iter__(self) -> Iterator[Finding]:
        """All current findings, in no order."""
        for findings in self._findings.values():
            for each in findings.values():
                yield from each

    def of(self, topic: Topic) -> Mapping[Hashable, tuple[Finding, ...]]:
        """Return the current findings of a topic by the thing that they are about, as they are now."""
        return dict(self._findings[topic])

    def replace(self, topic: Topic, about: Hashable, findings: Iterable[Finding], now: WallTime) -> None:
        """Replace the findings about one thing. A finding that stays keeps its first-seen time."""
        topical = self._findings[topic]
        new, old = tuple(findings), topical.get(about, ())
        if old == new:
            return
        self.counts.subtract((each.code, each.severity) for each in old)
        self.counts.update((each.code, each.severity) for each in new)
        ids, old_ids = {each.id for each in new}, {each.id for each in old}
        self.revision += ids != old_ids
        for each in old:
            if each.id not in ids:
                self._first_seen.pop(each.id, None)
                self._moved(each, is_open=False)
        for each in new:
            if each.id not in self._first_seen:
                self._first_seen[each.id] = self._remembered.pop(each.id, now)
            if each.id not in old_ids:
                self._moved(each, is_open=True)
        if self.acknowledgements.given:
            self.acknowledgements.moved(old_ids - ids, new)
        if new:
            topical[about] = new
        else:
            del topical[about]

    def replace_faults(self, reporter: Reporter, faults: Iterable[Fault], now: WallTime) -> None:
        """Replace the faults of one reporter. Each resource has one finding with the faults of all reporters."""
        for subject, each in self._faults.replace(reporter, faults).items():
            self.replace(Topic.RESOURCE, subject, checks.of_faults(subject, each), now)

    def acknowledge(self, given: Mapping[str, Acknowledgement]) -> None:
        """Replace all acknowledgements, by finding id."""
        self.acknowledgements.replace(given, self)

    def open_counts(self, now: WallTime) -> Counter[tuple[str, Severity]]:
        """Return the number of current findings that nobody has acknowledged, by code and severity."""
        return self.counts - self.acknowledgements.counts(now)

    def find(self, key: str) -> Finding | None:
        """Return the current finding with this id; None where there is none."""
        return next((each for each in self if each.id == key), None) if key in self._first_seen else None

    def take_moves(self) -> FindingMoves:
        """Return the findings that opened and closed since the last call."""
        taken = FindingMoves(self._moves, self._more_moves)
        self._moves, self._more_moves = [], 0
        return taken

    def _moved(self, finding: Finding, *, is_open: bool) -> None:
        if len(self._moves) < KEPT:
            self._moves.append(FindingMove(finding, is_open))
        else:
            self._more_moves += 1

    def first_seen(self, finding: Finding) -> WallTime | None:
        """Return when a current finding was first made; None for a finding that is not current."""
        return self._first_seen.get(finding.id)

    def times(self) -> dict[str, WallTime]:
        """Return the first-seen time of each current finding by id, to be saved for the next start."""
        return dict(self._first_seen)
