"""A source of type `files`: a file or folder with ARM JSON, `az` output, Resource Graph rows or the short form.

Each file is a part of the source. A file that does not parse keeps its last resources, and so does every file in a
folder that cannot be read. While the source's own path is missing or unreadable, nothing changes. A file that says that
it is not the whole list is reported as incomplete, unless the other pages lie in the same folder. Does not know what a
change may remove (`control.guard`).
"""

import asyncio
import contextlib
import logging
import os
import stat
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import watchfiles

from resolver.sources.file_status import Signature, signature
from resolver.sources.reading import Part, Scan
from zones.azure import arm, file_pages
from zones.azure.arm import FileContents
from zones.azure.encoding import Form, UnreadableDocument
from zones.azure.file_pages import FilePage
from zones.azure.resource import Resources
from zones.clocks import WallTime, wall_clock

_FORMS: Final[dict[str, Form]] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
DEBOUNCE: Final = 200
"""Milliseconds in which further changes are collected before a scan."""
RESCAN: Final = 10.0
"""Seconds after which the source is scanned even where the system has reported no change."""
QUIET: Final = 1.0
"""Seconds without a change after which a file counts as completely written."""
LONGEST_WAIT: Final = 10.0
"""The most seconds for which a file is put off: it may change all the time, or have a time in the future."""
_LOOK: Final = 0.5
"""Seconds between checks that the path exists, is still the folder that is watched, and links to the same files."""
_LINKS: Final = 256
"""Linked files of a folder that are checked so often. Changes of further ones are found by the next `RESCAN`."""

_log = logging.getLogger(__name__)
logging.getLogger(watchfiles.__name__).setLevel(logging.WARNING)  # it logs every change, even of the log file


class FileSource:
    """One source of type `files`. `restored` has the parts of the source in the saved inventory."""

    def __init__(self, path: str, restored: set[str], clock: Callable[[], WallTime] | None = None) -> None:
        self._path = Path(path)
        self._clock = clock or wall_clock(time.time)
        self._signatures: dict[str, Signature | None] = dict.fromkeys(restored)
        """The signature of each part when it was last read; None for a part that must be read again."""
        self._contents: dict[str, FileContents] = {}
        """Pages, gaps and counts of each part that was read, without its resources."""
        self._incomplete: dict[str, tuple[str, ...]] = {}
        """What each incomplete part lacks."""
        self._put_off: dict[str, float] = {}
        """Parts that were put off and are not quiet yet, with the monotonic time when each was first put off."""
        self._links: list[str] = []
        """Files that links lead to, as the last scan found them: the system reports no change of these."""
        self._link_signatures: list[Signature | None] = []
        """Their status when it was last compared, or read by a scan."""
        self._due = 0.0
        """Monotonic time of the next scan if nothing is reported to change."""

    def scan(self) -> Scan:
        """Read the files that are new or changed since the last scan."""
        before = self._signatures
        try:
            parts, closed = self._look()
        except OSError as error:
            return Scan([], len(before), f"{self._path}: {error.strerror or error}")
        if parts == [str(self._path)] and before.keys() - {*parts} and isinstance(why := _read(self._path), str):
            # A folder became a file that cannot be read. That says nothing about the files that the folder had.
            return Scan([], len(before), f"{self._path}: it was a folder, and is a file now: {why}")
        # The signatures are taken before the files are read, so that a file which changes meanwhile is read again.
        found = {part: signature(part) for part in parts}
        changes = [
            (part, self._read(part)) for part, status in found.items() if status is None or status != before.get(part)
        ]
        for folder, why in closed.items():
            changes.append((folder, why))
            found |= {part: seen for part, seen in before.items() if part.startswith(folder + os.sep)}
            found[folder] = None
        for part in before.keys() - found.keys():
            self._contents.pop(part, None)
        changes += [(part, None) for part in before if part not in found]
        self._signatures = found
        self._links = [str(self._path)] if parts == [str(self._path)] else _linked(parts)
        self._link_signatures = [found[part] for part in self._links]
        was_incomplete, self._incomplete = self._incomplete, self._lacking()
        # The data of an incomplete part was merged with its earlier data. Now that the other pages are there, the part
        # is read once more, and its own data replaces that.
        changed = {part for part, _ in changes}
        changes += [(part, self._read(part)) for part in was_incomplete.keys() - self._incomplete.keys() - changed]
        return Scan(
            changes, len(found), incomplete=self._incomplete, passed_over=self._passed_over(),
            recent=self._recent(part for part, _ in changes),
        )  # fmt: skip

    def _recent(self, parts: Iterable[str]) -> frozenset[str]:
        """Return those of these parts that changed a moment ago, and have not been put off for too long."""
        now, wall = time.monotonic(), self._clock()
        # The times of files may come from the clock of a file server. A time in the future counts as now.
        fresh = {
            part for part in parts if (seen := self._signatures.get(part)) and wall - seen.changed_ns / 1e9 < QUIET
        }
        self._put_off = {part: since for part, since in self._put_off.items() if part in fresh}
        return frozenset(part for part in fresh if now - self._put_off.get(part, now) < LONGEST_WAIT)

    def put_off(self, parts: Collection[str]) -> None:
        """Read these parts again, soon: at the last scan one of them may not have been written completely."""
        now = time.monotonic()
        self._put_off = dict.fromkeys(parts, now) | self._put_off
        self._signatures |= dict.fromkeys(parts)
        self._due = min(self._due, now + QUIET)

    def read_all(self, parts: Iterable[str]) -> None:
        """Read every file again, at once. `parts` have data: those without a file are reported as deleted."""
        self._signatures = dict.fromkeys([*self._signatures, *parts])
        self._due = 0.0

    def _read(self, part: str) -> Part:
        """Read a file, and remember everything about it except its resources."""
        read = _read(Path(part))
        if isinstance(read, str):
            return read
        self._contents[part] = read._replace(resources=Resources())
        return read.resources

    def _lacking(self) -> dict[str, tuple[str, ...]]:
        """Return what each incomplete part lacks. Pages of one list lie in one folder."""
        folders: dict[str, dict[str, tuple[FilePage, ...]]] = {}
        for part, contents in self._contents.items():
            if contents.pages:
                folders.setdefault(os.path.dirname(part), {})[part] = contents.pages  # noqa: PTH120 - a part is a text
        lacking = {part: contents.gaps for part, contents in self._contents.items() if contents.gaps}
        for pages in folders.values():
            for part, reasons in file_pages.lacking(pages).items():
                lacking[part] = (*lacking.get(part, ()), *reasons)
        return lacking

    def _passed_over(self) -> dict[str, Mapping[str, int]]:
        return {part: contents.passed_over for part, contents in self._contents.items() if contents.passed_over}

    def _look(self) -> tuple[list[str], dict[str, str]]:
        """Return the files by full path, in order, and the folders that cannot be read, each with the reason.

        Hidden files and folders are ignored: editors and Kubernetes (`..data`) put theirs there. Raises OSError where
        the path of the source cannot be read.
        """
        whole = self._path.stat()
        if not stat.S_ISDIR(whole.st_mode):
            return [str(self._path)], {}
        files: list[str] = []
        closed: dict[str, str] = {}

        def unreadable(error: OSError) -> None:
            if error.filename == str(self._path):
                raise error
            if not isinstance(error, FileNotFoundError):  # that is a folder deleted since its parent was read
                closed[error.filename] = error.strerror or str(error)

        seen: set[tuple[int, int]] = set()
        for folder, folders, names in os.walk(self._path, onerror=unreadable, followlinks=True):
            here = _identity(folder)
            if here is None or here in seen:  # deleted meanwhile, or a link to a folder that was read already
                folders.clear()
                continue
            seen.add(here)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            files += (
                os.path.join(folder, name)  # noqa: PTH118 - a part is a text; Path is slow for many
                for name in sorted(names)
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in _FORMS  # noqa: PTH122 - as above
            )
        # A folder that was renamed during the walk looks empty from then on. Its files are not deleted.
        return (files, closed) if os.path.samestat(whole, self._path.stat()) else self._look()

    async def changed(self) -> AsyncGenerator[None, None]:
        """Yield whenever the source may have changed and should be scanned. Never ends."""
        logged = ""
        while True:
            try:
                async with contextlib.aclosing(self._watch()) as changes:
                    async for _ in changes:
                        yield
                yield  # the path leads elsewhere now
            except (OSError, RuntimeError) as error:
                if logged != (logged := str(error)):
                    _log.warning("%s cannot be watched, so it is polled: %s", self._path, error)
            await asyncio.sleep(_LOOK)
            yield

    async def _watch(self) -> AsyncGenerator[None, None]:
        """Yield as soon as the watch is set up, for changes since the last scan, and then at each change.

        For a file, and for a path that does not exist yet, the parent folder is watched. The system watches a folder by
        identity, not by path. So this ends when the path leads to another folder, by a rename or a link anywhere in it.
        """
        target = self._target()
        if target is None:
            return
        changes = watchfiles.awatch(
            target.folder, debounce=DEBOUNCE, step=50, rust_timeout=int(_LOOK * 1000), yield_on_timeout=True,
            recursive=target.is_recursive, watch_filter=None, ignore_permission_denied=True,
        )  # fmt: skip
        self._due = 0.0
        happened = False
        while target == self._target():
            change = asyncio.ensure_future(anext(changes))
            try:
                await asyncio.sleep(0)  # the first step of `anext` sets up the watch, and then waits
                if happened or time.monotonic() >= self._due or self._links_changed():
                    self._due = time.monotonic() + RESCAN
                    yield
                happened = bool(await change)
            finally:
                change.cancel()
                await asyncio.wait([change])

    def _links_changed(self) -> bool:
        before, self._link_signatures = self._link_signatures, [signature(part) for part in self._links]
        return before != self._link_signatures

    def _target(self) -> "_WatchTarget | None":
        """Return the folder to watch now; None where it does not exist."""
        is_folder = os.path.isdir(self._path)  # noqa: PTH112 - Path.is_dir raises without permission
        folder = self._path if is_folder else self._path.parent
        identity = _identity(folder)
        return _WatchTarget(folder, is_folder, identity) if identity else None


class _WatchTarget(NamedTuple):
    """A folder to watch."""

    folder: Path
    is_recursive: bool
    identity: tuple[int, int]


def _identity(folder: str | Path) -> tuple[int, int] | None:
    """Return the device and inode of a folder; None where it does not exist."""
    try:
        found = os.stat(folder)  # noqa: PTH116 - Path is slow for many
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _linked(parts: Iterable[str]) -> list[str]:
    """Return the parts that are symbolic links, at most `_LINKS`."""
    return list(islice((part for part in parts if os.path.islink(part)), _LINKS))  # noqa: PTH114 - Path is slow for many


def _read(file: Path) -> FileContents | str:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "not a file"  # reading a pipe might never end
        return arm.contents(file.read_bytes(), str(file), form=_FORMS.get(file.suffix.lower(), "json"))
    except UnreadableDocument as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
