"""The audit log: who changed what, from what, to what. In the log, and in two files of the state directory.

A file that is full becomes the older one, and the older one before is removed: both together are bounded. Does not know
which changes there are.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

FILES: Final = ("audit.jsonl", "audit.old.jsonl")
LARGEST: Final = 1 << 20
"""Octets of one file."""
KEPT: Final = 5000
"""Entries that `entries` holds; two full files have about as many."""

_log = logging.getLogger(__name__)


class Entry(msgspec.Struct, frozen=True):
    """One change. `at`: seconds since the epoch. `before` and `after`: what changed, as JSON."""

    id: int
    at: float
    who: str
    action: str
    target: str
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}


class AuditLog:
    """The changes, the newest at the end. `directory`: the state directory; empty: only the process has them."""

    def __init__(self, directory: str, failed: Callable[[str, str | None], None]) -> None:
        """`failed` receives the path of a file and why it cannot be written; None once it can be."""
        self._paths = tuple(Path(directory) / name for name in FILES) if directory else ()
        self._failed = failed
        self.entries: deque[Entry] = deque(self._read(), KEPT)

    def record(self, who: str, action: str, target: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Entry:
        """Add a change, log it and write it."""
        number = self.entries[-1].id + 1 if self.entries else 1
        entry = Entry(number, time.time(), who, action, target, dict(before), dict(after))
        self.entries.append(entry)
        _log.info("audit: %s: %s %s: %s -> %s", who, action, target, _text(before), _text(after))
        if self._paths:
            path = str(self._paths[0])
            try:
                self._append(msgspec.json.encode(entry) + b"\n")
            except OSError as error:
                self._failed(path, error.strerror or str(error))
            else:
                self._failed(path, None)
        return entry

    def _append(self, line: bytes) -> None:
        path, older = self._paths
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with open(path, "ab", opener=_private) as file:
            if file.tell() + len(line) > LARGEST and file.tell():
                path.replace(older)
                with open(path, "ab", opener=_private) as another:
                    another.write(line)
            else:
                file.write(line)

    def _read(self) -> list[Entry]:
        found: list[Entry] = []
        for path in reversed(self._paths):
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            except OSError as error:
                _log.error("%s cannot be read: %s", path, error.strerror)
                continue
            unreadable = 0
            for line in lines:
                try:
                    found.append(msgspec.json.decode(line, type=Entry))
                except ValueError:  # the process ended while it wrote the line, or somebody has edited the file
                    unreadable += 1
            if unreadable:
                _log.warning("%s has %d lines that cannot be read; they are passed over", path, unreadable)
        return found


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _text(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items()) or "-"
