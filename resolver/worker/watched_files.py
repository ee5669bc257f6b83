"""Files that a worker reads, and reads again when they change: certificates, keys, cookie secrets.

A change is found in the metadata of the file behind any links, because a mounted Kubernetes secret changes when a link
is replaced. Does not know what the files contain.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

_log = logging.getLogger(__name__)


class WatchedFiles:
    """Files that are read together. `read` reads them; when it raises, what was read before stays in use."""

    def __init__(self, files: Sequence[str], read: Callable[[], None]) -> None:
        self._files = files
        self._read = read
        self._seen: tuple[tuple[int, ...], ...] | None = None

    def check(self) -> None:
        """Read the files if they changed since the last call. An error is logged once for each change."""
        seen = tuple(map(_state, self._files))
        if seen == self._seen:
            return
        first, self._seen = self._seen is None, seen
        try:
            self._read()
        except (OSError, ValueError) as error:
            _log.error("%s: %s%s", self._files[0], error, "" if first else "; what was read before stays in use")
        else:
            if not first:
                _log.info("%s: read again", self._files[0])


def _state(path: str) -> tuple[int, ...]:
    """Return a value that differs when the content does; empty where there is no file."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
