"""Endpoints from a file or a folder of files: ARM JSON, `az` output, Resource Graph rows, or the short form.

Each file is a part of the source. A file that does not parse keeps what it gave before; one that is gone takes its
endpoints with it at once; the source's own path missing or unreadable changes nothing.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import watchfiles

from resolver.estate import Part
from zones import arm
from zones.encoding import Form, Unreadable

_FORMS: Final[dict[str, Form]] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}
DEBOUNCE: Final = 200
"""Milliseconds in which further changes are gathered."""
RESCAN: Final = 10_000
"""Milliseconds after which all is looked at again, should the system have told us nothing."""
_MISSING: Final = 0.5  # seconds between looks for a path that is not there

_log = logging.getLogger(__name__)

Signature = tuple[int, int, int]


class Scan(NamedTuple):
    """What one look at the source found: the parts that changed, and how many there are. `error`: it cannot be read."""

    changes: list[tuple[str, Part]]
    parts: int
    error: str = ""


class Files:
    """One source. `restored` are the parts that the saved inventory has of it."""

    def __init__(self, path: str, restored: set[str]) -> None:
        self._path = Path(path)
        self._signatures: dict[str, Signature | None] = dict.fromkeys(restored)

    def scan(self) -> Scan:
        """Read the files that are new or changed since the last scan."""
        try:
            found = {part: _signature(file) for part, file in self._files()}
        except OSError as error:
            return Scan([], len(self._signatures), f"{self._path}: {error.strerror or error}")
        changes: list[tuple[str, Part]] = [(part, None) for part in self._signatures if part not in found]
        for part, signature in found.items():
            if signature != self._signatures.get(part):
                changes.append((part, _read(Path(part))))
        self._signatures = dict(found)
        return Scan(changes, len(found))

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Files by full path, in order. Hidden ones are not ours: editors' and Kubernetes' (`..data`) live there."""
        if not self._path.is_dir():
            self._path.stat()
            yield str(self._path), self._path
            return
        for folder, folders, names in os.walk(self._path, onerror=_raise, followlinks=True):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder) / name
                if not name.startswith(".") and file.suffix.lower() in _FORMS:
                    yield str(file), file

    async def changed(self) -> AsyncIterator[None]:
        """Something may have changed: scan again. Ends never."""
        while True:
            watched = self._path if self._path.is_dir() else self._path.parent
            if watched.is_dir():
                try:
                    async for _ in watchfiles.awatch(
                        watched, debounce=DEBOUNCE, step=50, rust_timeout=RESCAN, yield_on_timeout=True,
                        recursive=watched == self._path, watch_filter=None, ignore_permission_denied=True,
                    ):  # fmt: skip
                        yield
                        if not watched.is_dir():
                            break
                except (OSError, RuntimeError) as error:
                    _log.warning("%s cannot be watched: %s", watched, error)
            await asyncio.sleep(_MISSING)
            yield


def _raise(error: OSError) -> None:
    raise error


def _signature(file: Path) -> Signature | None:
    """What tells a changed file from an unchanged one; None for one that cannot be looked at: it is read, and fails."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _read(file: Path) -> Part:
    try:
        return arm.read(file.read_bytes(), str(file), form=_FORMS.get(file.suffix.lower(), "json"))
    except Unreadable as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
