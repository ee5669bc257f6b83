"""The health of each source: whether it has data, how old the data is, what cannot be read, what a held sync waits for.

Owns the status of sources and their findings. Does not know what the data says. Pure; times are in seconds since the
epoch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from msgspec import structs

from resolver.control.guard.sync_state import SyncDecision, SyncState, WithheldSync
from resolver.settings import GuardMode, OnUnsynced, SourceSettings, SourceType
from resolver.sources.reading import Part, Requests
from zones.clocks import WallTime
from zones.findings import checks
from zones.findings.board import Board, Topic
from zones.findings.evidence import Listed, listed
from zones.findings.finding import Finding, finding
from zones.findings.source_evidence import SyncHeld

FRESH: Final = 3
"""Intervals without a good reading after which the data of a source is stale."""

Freshness = Literal["fresh", "stale", "expired"]
"""Age of the data of a source: `stale` after `FRESH` intervals, `expired` after the setting `expire`."""
SyncOutcome = Literal["published", "held", "failed"]
"""What became of one sync."""


class Position(NamedTuple):
    """What a spoke has of a hub: the state after the change with this serial in the hub's history `epoch`."""

    epoch: str
    serial: int


@dataclass(slots=True)
class SourceStatus:
    """The status of one source."""

    name: str
    type: SourceType
    path: str
    on_unsynced: OnUnsynced
    guard: GuardMode = "on"
    joined: bool = False
    """A reload has added the source. Answers do not wait for its first data: they were given without it before."""
    synced: bool = False
    """The source has data: one good reading, live or saved."""
    saved: bool = False
    """The data is still that of the saved inventory: no reading has succeeded since the start."""
    last_success: WallTime | None = None
    """When the source was last read whole."""
    last_error: str = ""
    parts: int = 0
    """Files, or subscriptions."""
    unreadable: int = 0
    """Parts that cannot be read now. Their last good data is kept."""
    incomplete: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each file lacks that says that it is not the whole list."""
    passed_over: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Number of rows that pldns does not need, by file and type."""
    dropped: frozenset[str] = frozenset()
    """Files whose last change an operator dropped, and that have not been read since then."""
    remote: bool = False
    interval: float = float("inf")
    """Seconds between two readings."""
    expire: float = float("inf")
    """Age in seconds at which the data is expired."""
    sync_state: SyncState = field(default_factory=SyncState)
    """What the syncs of the source have left open."""
    syncing: bool = False
    next_sync: WallTime | None = None
    """When a remote source is read next. None while it is being read, and for files, which are watched."""
    duration: float | None = None
    """Seconds that the last sync took."""
    failures: int = 0
    """Failed syncs in a row."""
    results: dict[SyncOutcome, int] = field(default_factory=dict)
    """Number of syncs by outcome."""
    requests: Requests | None = None
    """Requests that the syncs of a remote source have made."""
    position: Position | None = None
    """Of the data of a source of type `hub`. None: the next copy must be whole."""

    def freshness(self, now: WallTime) -> Freshness | None:
        """Return how old the served data is; None if the source has no data."""
        if self.last_success is None or not self.synced:
            return None
        age = now - self.last_success
        return "expired" if age >= self.expire else "stale" if age >= FRESH * self.interval else "fresh"


_TOPICS: Final = (
    Topic.PART, Topic.INCOMPLETE, Topic.SOURCE, Topic.ABSENT, Topic.HELD, Topic.PRIVATE_DNS,
)  # fmt: skip
"""The topics of findings about sources."""


class Degraded(NamedTuple):
    """A problem although pldns is ready.

    `scope` names the affected part of the source, and is empty for the whole source. `source` is empty for the state
    directory, of which `scope` names a file.
    """

    source: str
    scope: str
    message: str


class SourceHealth:
    """The status of all sources, and the findings about them on the board."""

    def __init__(self, sources: Iterable[SourceSettings], board: Board) -> None:
        self.statuses: dict[str, SourceStatus] = {
            each.name: SourceStatus(
                each.name,
                each.type,
                each.path,
                each.on_unsynced,
                each.guard,
                remote=each.remote,
                expire=float(each.expire),
            )
            for each in sources
        }
        self.stale = False
        """Some of the served data was not fresh at the last `update_freshness`."""
        self.board = board
        self._unreadable: dict[str, dict[str, str]] = {name: {} for name in self.statuses}
        """The reason by part, for each part that cannot be read now."""
        self.with_data: dict[str, set[str]] = {name: set() for name in self.statuses}
        """The parts that have been read."""

    # -- changes

    def continue_from(self, earlier: "SourceHealth", kept: Iterable[str], now: WallTime) -> None:
        """Keep the status of these sources, and the findings about them, from before a change of the configuration.

        The other sources have joined: answers do not wait for their first data, as they did not before.
        """
        names = frozenset(kept) & self.statuses.keys()
        for name in names:
            self.statuses[name] = earlier.statuses[name]
            self._unreadable[name], self.with_data[name] = dict(earlier.unreadable_parts(name)), earlier.with_data[name]
        for name, status in self.statuses.items():
            status.joined |= name not in names
        for topic in _TOPICS:
            for about, findings in earlier.board.of(topic).items():
                if (about[0] if isinstance(about, tuple) else about) in names:
                    self.board.replace(topic, about, findings, now)
        self.update_freshness(now)

    def read_part(self, source: str, part: str, data: Part, now: WallTime) -> None:
        """Record whether a part could be read. `data` is the reason where it could not."""
        unreadable = self._unreadable[source]
        if isinstance(data, str):
            unreadable[part] = data
            fact = checks.unreadable(part, data, has_data=part in self.with_data[source])
            self.board.replace(Topic.PART, (source, part), [fact], now)
        elif unreadable.pop(part, None) is not None:
            self.board.replace(Topic.PART, (source, part), [], now)
        if data is None:
            self.with_data[source].discard(part)
        elif not isinstance(data, str):
            self.with_data[source].add(part)
        self.statuses[source].unreadable = len(unreadable)

    def read(self, source: str, parts: int, now: WallTime) -> None:
        """Record that a source with so many parts was read whole.

        A source of which no part can be read has no new data.
        """
        status = self.statuses[source]
        status.parts = parts
        self.board.replace(Topic.SOURCE, source, [], now)
        if parts and status.unreadable >= parts:
            status.last_error = "{}: {}".format(*next(iter(self._unreadable[source].items())))
            return
        status.synced, status.saved = True, False
        status.last_success, status.last_error = now, ""

    def followed(self, source: str, parts: int, read_at: WallTime, why: str, now: WallTime) -> None:
        """Record that a source with so many parts is as another pldns has it, who read it at `read_at`.

        `why`: what is wrong with the sources of the other pldns; empty where nothing is.
        """
        status = self.statuses[source]
        status.parts, status.last_success, status.last_error = parts, read_at, why
        facts = [checks.unreadable(source, why, has_data=status.synced)] if why else []
        self.board.replace(Topic.SOURCE, source, facts, now)

    def failed(self, source: str, why: str, now: WallTime) -> None:
        """Record that a source could not be read. Its last good data is kept."""
        status = self.statuses[source]
        status.last_error = why
        subject = source if status.remote else status.path
        self.board.replace(Topic.SOURCE, source, [checks.unreadable(subject, why, has_data=status.synced)], now)

    def scanned(
        self,
        source: str,
        incomplete: Mapping[str, tuple[str, ...]],
        passed_over: Mapping[str, Mapping[str, int]],
        now: WallTime,
    ) -> None:
        """Record which files of a source are incomplete, and what its files have that pldns does not need."""
        status = self.statuses[source]
        before, status.incomplete, status.passed_over = status.incomplete, incomplete, passed_over
        for part in before.keys() | incomplete.keys():
            if before.get(part) != incomplete.get(part):
                findings = [checks.incomplete(part, incomplete[part])] if part in incomplete else []
                self.board.replace(Topic.INCOMPLETE, (source, part), findings, now)

    def restored(
        self,
        source: str,
        parts: int,
        saved_at: WallTime,
        sync_state: SyncState,
        position: Position | None = None,
    ) -> None:
        """Record that a source has data from the saved inventory, and what its syncs had left open."""
        status = self.statuses[source]
        status.position = position
        status.sync_state = sync_state
        self._report_held(source, sync_state.held, saved_at)
        status.synced, status.saved, status.parts, status.last_success = True, True, parts, saved_at

    def decided(self, source: str, decision: SyncDecision, now: WallTime) -> None:
        """Record what a sync of a source has left open."""
        status = self.statuses[source]
        status.sync_state = decision.sync_state
        absent = [checks.unreadable(key, why, has_data=True) for key, why in decision.unconfirmed.items()]
        self.board.replace(Topic.ABSENT, source, absent, now)
        self._report_held(source, decision.sync_state.held, now)
        if decision.sync_state.held:
            status.last_error = ""
            self.board.replace(Topic.SOURCE, source, [], now)

    def dropped(self, source: str, now: WallTime) -> None:
        """Record that an operator dropped the held sync. Files are not read again by themselves."""
        status = self.statuses[source]
        if status.sync_state.held and not status.remote:
            status.dropped |= status.sync_state.held.parts.keys()
        status.sync_state = SyncState(status.sync_state.missing)
        self._report_held(source, None, now)

    def _report_held(self, source: str, held: WithheldSync | None, now: WallTime) -> None:
        self.board.replace(Topic.HELD, source, [held_finding(source, held)] if held else [], now)

    def update_freshness(self, now: WallTime) -> bool:
        """Update `stale` and return whether it changed."""
        stale = any(status.freshness(now) not in {None, "fresh"} for status in self.statuses.values())
        changed, self.stale = stale != self.stale, stale
        return changed

    # -- reading

    def unreadable_parts(self, source: str) -> Mapping[str, str]:
        """Return the parts that cannot be read now, with the reason."""
        return self._unreadable[source]

    def degraded(self) -> list[Degraded]:
        """Return the problems of sources that have data. A source without data is missing as a whole."""
        out = []
        for name, status in self.statuses.items():
            held = status.sync_state.held
            if status.synced and held:
                out.append(Degraded(name, "", held_text(held)))
            parts = {f"{part}: {why}" for part, why in self._unreadable[name].items()}
            if status.synced and status.last_error and status.last_error not in parts:  # a part follows below
                out.append(Degraded(name, "", status.last_error))
            if status.synced:
                out += (Degraded(name, part, why) for part, why in self._unreadable[name].items())
                out += (Degraded(name, part, f"incomplete: {why[0]}") for part, why in status.incomplete.items())
                out += (Degraded(name, part, dropped_text(name)) for part in sorted(status.dropped))
        return out

    @property
    def unsynced(self) -> bool:
        """True if a source that asks for SERVFAIL until it has data never had any."""
        return any(
            not status.synced and not status.joined and status.on_unsynced == "servfail"
            for status in self.statuses.values()
        )


def held_text(held: WithheldSync) -> str:
    """Return what a held sync would remove, as one line for people."""
    return f"a change would remove {', '.join(held.reasons)}; it is held"


def dropped_text(source: str) -> str:
    """Return why the data of a file is not served, as one line for people."""
    return f"its change was dropped and is not served: `pldns sync now {source}` reads the files again"


def held_finding(source: str, held: WithheldSync) -> Finding:
    """Return `sync-held`: a sync would remove so much that an operator must decide."""
    removed = Listed(held.ids, held.endpoints + held.vnets + held.zone_groups)
    evidence = SyncHeld(
        reasons=listed(held.reasons), endpoints=held.endpoints, vnets=held.vnets, would_remove=removed,
        held_since=held.since, zone_groups=held.zone_groups,
    )  # fmt: skip
    action = (
        f"the last good data is served; accept the held change with `pldns sync accept {source}`, or drop it with "
        f"`pldns sync drop {source}`"
    )
    return structs.replace(finding(source, evidence), action=action)
