"""Records what changes in the estate, from the time when all sources have data.

Control reports names and findings that changed. The recorder reads their states at its own pace, in small steps, and
gives them to the journal in a thread: nothing that answers or decides waits for the disk. Several changes of one thing
within a second can become one entry. Entries have the times of the system's clock, so that they stay comparable over
restarts. A journal that cannot be written is a finding, and its changes are written when
that is possible again; a damaged one is set aside. Changes that are too many to keep until then become one difference.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import SourceStatus
from resolver.control.estate.state_health import SetAside
from resolver.control.history import states
from resolver.control.history.entry import ABSENT, Entry, Kind, State
from resolver.control.history.journal import FILE, Bounds, Journal, Search
from resolver.process import wall_clock
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.findings.board import FindingMoves

INTERVAL: Final = 0.5
"""Seconds between two writes."""
_BATCH: Final = 200
"""Things whose state is read in one step, which takes about 10 ms."""
_PAUSE: Final = 0.01
"""Seconds between two steps: other tasks of control come first."""
_PRUNED: Final = 60.0
"""Seconds between two removals of old entries."""
_RETRY: Final = 5.0
"""Seconds until a journal that failed is tried again."""
_WAITING: Final = 100_000
"""Changes that wait beyond those of what exists now. With more, what exists is compared with the journal later."""
_DAMAGED: Final = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class HistoryUnavailable(Exception):  # noqa: N818 - a state, as in "503"
    """The journal cannot be read now. The message says why."""


class HistoryRecorder:
    """The history of an estate. Nothing is recorded before `complete`."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._directory = estate.settings.state_directory
        self._journal: Journal | None = None
        self._turn = asyncio.Lock()
        self._access: asyncio.Task[Any] | None = None
        """The last access to the journal by a thread. The thread goes on when the task that waits is cancelled."""
        self._is_complete = False
        self._names: dict[Name, WallTime] = {}
        """Names to read, with the time of their first change that is not recorded."""
        self._findings: dict[str, State] = {}
        """Findings to record, by id."""
        self._compare_names = False
        """All names must be read, and compared with those in the journal."""
        self._compare_findings = False
        """The findings must be compared as a whole, because some changes are not known one by one."""
        self._news = asyncio.Event()

    # -- what changed

    def complete(self) -> None:
        """Begin: every source has data. All that exists is compared with what was recorded last."""
        if not self._is_complete:
            self._is_complete = self._compare_names = self._compare_findings = True

    def names_changed(self, names: Iterable[Name]) -> None:
        """Record these names soon."""
        if self._is_complete:
            now = wall_clock.now()
            for name in names:
                self._names.setdefault(name, now)
            static = sum(len(zone.names) for zone in self._estate.static.values())
            if len(self._names) > len(self._estate.ledger.rows) + static + _WAITING:
                self._names.clear()
                self._compare_names = True

    def findings_moved(self, moves: FindingMoves) -> None:
        """Record findings that opened and closed."""
        if self._is_complete:
            now = wall_clock.now()
            for finding, is_open in moves.listed:
                self._findings[finding.id] = states.of_finding(finding, now, is_open=is_open)
            self._compare_findings |= moves.more > 0
            if len(self._findings) > self._estate.board.counts.total() + _WAITING:
                self._findings.clear()
                self._compare_findings = True

    def findings_replaced(self) -> None:
        """Record what differs in the findings: they have become those of another configuration."""
        self._compare_findings |= self._is_complete

    # -- writing

    async def run(self) -> None:
        """Write changes about twice a second, endlessly."""
        pruned = 0.0
        while True:
            await asyncio.sleep(INTERVAL)
            now = wall_clock.now()
            try:
                if self._is_complete:
                    await self._write(now)
                if self._journal and abs(now - pruned) > _PRUNED:
                    pruned = now
                    self._journal.bounds = self._bounds()
                    await self._use(partial(Journal.prune, now=wall_clock.shown(now)))
            except HistoryUnavailable:
                await asyncio.sleep(_RETRY)

    async def close(self) -> None:
        """Write what is waiting, and close the journal. Called after `run` was cancelled."""
        if self._is_complete:
            with contextlib.suppress(HistoryUnavailable):
                await self._write(wall_clock.now())
        if self._access:
            await asyncio.wait([self._access])
        if self._journal:
            with contextlib.suppress(sqlite3.Error):
                self._journal.close()

    async def _write(self, now: WallTime) -> None:
        await self._use(_check)
        begun = await self._use(lambda journal: {kind: journal.has_begun(kind) for kind in Kind})
        if self._compare_names or not begun[Kind.NAME]:
            self._compare_names = False
            self._names |= {name: self._names.get(name, now) for name in self._existing_names()}
            await self._compare(now)
        elif self._compare_findings:
            await self._compare(now)
        written = await self._record([states.of_source(self._estate, each, now) for each in self._sources()])
        while self._names:
            written += await self._record_names(dict(islice(self._names.items(), _BATCH)))
            await asyncio.sleep(_PAUSE)
        for kind in (kind for kind, is_begun in begun.items() if not is_begun):
            await self._use(partial(Journal.begin, kind=kind))
        if written:
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def _record_names(self, some: dict[Name, WallTime]) -> int:
        """Record the present states of these names. A name that changes meanwhile is read again."""
        for name in some:
            del self._names[name]
        try:
            return await self._record([states.of_name(self._estate, name, at) for name, at in some.items()])
        except BaseException:
            self._names |= some  # with the times of the first changes
            raise

    async def _compare(self, now: WallTime) -> None:
        """Compare all findings, and the names that were recorded and do not exist any more."""
        known = await self._use(lambda journal: journal.keys(Kind.FINDING))
        self._compare_findings = False  # from here on, no finding moves before `present` is complete
        present = {finding.id: states.of_finding(finding, now) for finding in self._estate.board}
        gone = [State(Kind.FINDING, key, subject, ABSENT, now) for key, subject in known if key not in present]
        self._findings = {**{each.key: each for each in gone}, **present}
        for key, _ in await self._use(lambda journal: journal.keys(Kind.NAME)):
            self._names.setdefault(from_text(key), now)
        sources = {each.name for each in self._sources()}
        lost = [pair for pair in await self._use(lambda journal: journal.keys(Kind.SOURCE)) if pair[0] not in sources]
        await self._record([State(Kind.SOURCE, key, subject, ABSENT, now) for key, subject in lost])

    async def _record(self, found: list[State]) -> int:
        findings = list(self._findings.values())
        dated = [each._replace(at=wall_clock.shown(each.at)) for each in (*findings, *found)]
        written = await self._use(lambda journal: journal.record(dated))
        for each in findings:
            if self._findings.get(each.key) is each:
                del self._findings[each.key]
        return written

    def _sources(self) -> list[SourceStatus]:
        return list(self._estate.sources.values())

    def _existing_names(self) -> list[Name]:
        static = (name for zone in self._estate.static.values() for name in zone.names)
        return [*self._estate.ledger.rows, *static]

    def _bounds(self) -> Bounds:
        settings = self._estate.settings.history
        return Bounds(settings.age, settings.size)

    # -- reading

    async def search(self, wanted: Search) -> list[Entry]:
        """Return entries. Raises `HistoryUnavailable`."""
        return await self._use(lambda journal: journal.search(wanted))

    async def differences(self, wanted: Search) -> list[Entry]:
        """Return what differs between two times (`Journal.differences`). Raises `HistoryUnavailable`."""
        return await self._use(lambda journal: list(journal.differences(wanted)))

    async def ids(self) -> tuple[int, int]:
        """Return the ids of the oldest and the newest entry. Raises `HistoryUnavailable`."""
        return await self._use(lambda journal: (journal.oldest(), journal.newest()))

    def next_news(self) -> asyncio.Event:
        """Return an event that is set when further entries are written. Ask for it before you search."""
        return self._news

    # -- the journal

    async def _use(self, action: Callable[[Journal], _T]) -> _T:
        """Run one access to the journal in a thread; open the journal before, if it is not open."""
        async with self._turn:
            path = str(Path(self._directory) / FILE) if self._directory else ""
            try:
                if self._journal is None:
                    self._journal = await asyncio.to_thread(Journal.in_directory, self._directory, self._bounds())
                    self._compare_findings |= self._is_complete
                if self._access:
                    await asyncio.wait([self._access])
                access = asyncio.create_task(asyncio.to_thread(action, self._journal))
                self._access = access
                found = await asyncio.shield(access)
            except (sqlite3.Error, OSError, _Removed) as error:
                await self._failed(path, error)
                raise HistoryUnavailable(f"the history cannot be used: {error}") from None
            if path:
                self._estate.state.written(path, wall_clock.now())
            return found

    async def _failed(self, path: str, error: Exception) -> None:
        """Close the journal after an error. A damaged file is moved, so that the next use starts a new one."""
        journal, self._journal = self._journal, None
        if journal:
            with contextlib.suppress(sqlite3.Error):
                journal.close()
        if isinstance(error, _Removed) or not path:
            return
        if getattr(error, "sqlite_errorname", "") not in _DAMAGED:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._estate.state.failed(path, why, wall_clock.now())
            return
        kept = await asyncio.to_thread(_set_aside, Path(path))
        _log.error("the history %s is not used: %s; it is now %s", path, error, kept or "still there")
        self._estate.state.set_aside(SetAside(path, str(error), kept), wall_clock.now())


class _Removed(Exception):  # noqa: N818 - an event
    """Someone has removed or replaced the file of the journal."""


def _check(journal: Journal) -> None:
    if not journal.is_in_place():
        raise _Removed("its file was removed")


def _set_aside(path: Path) -> str:
    """Rename a damaged journal. Return its new path; empty where that is not possible."""
    broken = path.with_suffix(".broken")
    try:
        path.replace(broken)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    except OSError:
        return ""
    return str(broken)
