"""Endpoints from a file or a folder of files: ARM JSON, `az` output, Resource Graph rows, or the short form.

Each file is a part of the source. A file that does not parse keeps what it gave before, as does all that lies in a
folder which cannot be read; one that is gone takes its endpoints with it at once; the source's own path missing or
unreadable changes nothing.
"""

import asyncio
import contextlib
import logging
import os
import stat
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final, NamedTuple

import watchfiles

from resolver.sources.reading import Part, Scan
from zones.azure import arm
from zones.azure.encoding import Form, UnreadableDocument

_FORMS: Final[dict[str, Form]] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
DEBOUNCE: Final = 200
"""Milliseconds in which further changes are gathered."""
RESCAN: Final = 10.0
"""Seconds after which all is looked at again, should the system have told us nothing."""
_LOOK: Final = 0.5
"""Seconds between looks for a path that is not there, or is another than the one that is watched."""

_log = logging.getLogger(__name__)
logging.getLogger(watchfiles.__name__).setLevel(logging.WARNING)  # it tells every change, of the log file too

Signature = tuple[int, ...]


class FileSource:
    """One source. `restored` are the parts that the saved inventory has of it."""

    def __init__(self, path: str, restored: set[str]) -> None:
        self._path = Path(path)
        self._signatures: dict[str, Signature | None] = dict.fromkeys(restored)
        """Of every part, as it was read last; None for one that is to be read anew."""

    def scan(self) -> Scan:
        """Read the files that are new or changed since the last scan."""
        before = self._signatures
        try:
            parts, closed = self._look()
        except OSError as error:
            return Scan([], len(before), f"{self._path}: {error.strerror or error}")
        found = {part: _signature(part) for part in parts}  # before they are read: what changes meanwhile is read again
        changes = [
            (part, _read(Path(part)))
            for part, signature in found.items()
            if signature is None or signature != before.get(part)
        ]
        for folder, why in closed.items():
            changes.append((folder, why))
            found |= {part: seen for part, seen in before.items() if part.startswith(folder + os.sep)}
            found[folder] = None
        changes += [(part, None) for part in before if part not in found]
        self._signatures = found
        return Scan(changes, len(found))

    def _look(self) -> tuple[list[str], dict[str, str]]:
        """FileSource by full path, in order, and the folders that cannot be read, with the reason.

        Hidden ones are not ours: editors' and Kubernetes' (`..data`) live there. Raises OSError for the path itself.
        """
        if not self._path.is_dir():
            self._path.stat()
            return [str(self._path)], {}
        files: list[str] = []
        closed: dict[str, str] = {}

        def unreadable(error: OSError) -> None:
            if error.filename == str(self._path):
                raise error
            if not isinstance(error, FileNotFoundError):  # gone since its parent was read
                closed[error.filename] = error.strerror or str(error)

        seen: set[tuple[int, int]] = set()
        for folder, folders, names in os.walk(self._path, onerror=unreadable, followlinks=True):
            here = _identity(folder)
            if here is None or here in seen:  # gone meanwhile, or a link that leads back
                folders.clear()
                continue
            seen.add(here)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            files += (
                os.path.join(folder, name)  # noqa: PTH118 - a part is a text, and there may be many
                for name in sorted(names)
                if not name.startswith(".") and os.path.splitext(name)[1].lower() in _FORMS  # noqa: PTH122 - as above
            )
        return files, closed

    async def changed(self) -> AsyncGenerator[None, None]:
        """Something may have changed: scan again. Ends never."""
        told = ""
        while True:
            try:
                async with contextlib.aclosing(self._watch()) as changes:
                    async for _ in changes:
                        yield
            except (OSError, RuntimeError) as error:
                if told != (told := str(error)):
                    _log.warning("%s cannot be watched, so it is looked at again and again: %s", self._path, error)
            await asyncio.sleep(_LOOK)
            yield

    async def _watch(self) -> AsyncGenerator[None, None]:
        """At once when the watch stands, for what changed since the scan before it; then at each change.

        Watched is the folder around a file, and around a path that is not there yet. A watch stays with the folder that
        it was made for: it ends when another has taken its place, by a rename or by a link anywhere above.
        """
        place = self._place()
        if place is None:
            return
        changes = watchfiles.awatch(
            place.folder, debounce=DEBOUNCE, step=50, rust_timeout=int(_LOOK * 1000), yield_on_timeout=True,
            recursive=place.whole, watch_filter=None, ignore_permission_denied=True,
        )  # fmt: skip
        due = 0.0
        happened = False
        while place == self._place():
            change = asyncio.ensure_future(anext(changes))
            try:
                await asyncio.sleep(0)  # its first step sets up the watch, before it waits
                if happened or time.monotonic() >= due:
                    due = time.monotonic() + RESCAN
                    yield
                happened = bool(await change)
            finally:
                change.cancel()
                await asyncio.wait([change])

    def _place(self) -> "_Place | None":
        """What is to be watched now."""
        whole = os.path.isdir(self._path)  # noqa: PTH112 - Path's raises where it may not look
        folder = self._path if whole else self._path.parent
        identity = _identity(folder)
        return _Place(folder, whole, identity) if identity else None


class _Place(NamedTuple):
    """A folder to watch; `whole`: with all that is in it."""

    folder: Path
    whole: bool
    identity: tuple[int, int]


def _identity(folder: str | Path) -> tuple[int, int] | None:
    """What tells a folder from another in its place; None where there is none."""
    try:
        found = os.stat(folder)  # noqa: PTH116 - there may be many
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _signature(part: str) -> Signature | None:
    """What tells a changed file from an unchanged one; None for one that cannot be looked at: it is read, and fails.

    The time of a status change is among it: it moves with permissions too, and cannot be set back as that of a
    modification can.
    """
    try:
        found = os.stat(part)  # noqa: PTH116 - a part is a text, and there may be many
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def _read(file: Path) -> Part:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "not a file"  # a pipe would never end
        return arm.read(file.read_bytes(), str(file), form=_FORMS.get(file.suffix.lower(), "json"))
    except UnreadableDocument as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
