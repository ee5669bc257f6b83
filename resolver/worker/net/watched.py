"""Files that a worker reads, and reads again when they have changed: certificates, keys, cookie secrets.

Looks at what the file system says of them, following links: a mounted secret changes by where its links lead.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

_log = logging.getLogger(__name__)


class Watched:
    """Some files that belong together. `read` takes them; what it raises leaves what was read before in use."""

    def __init__(self, files: Sequence[str], read: Callable[[], None]) -> None:
        self._files = files
        self._read = read
        self._seen: tuple[tuple[int, ...], ...] | None = None

    def check(self) -> None:
        """Read them if they are others than at the last call. What is wrong with them is logged once."""
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
    """Another one for other content; empty where there is no file."""
    try:
        found = Path(path).stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
