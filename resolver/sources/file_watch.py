"""Watches single files for changes: the configuration file and zone files.

The status of each file is compared twice a second, because that also finds a change behind a link, such as the swap of
a mounted Kubernetes ConfigMap, and needs no inotify. Does not know what is in the files.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from resolver.sources.file_status import Signature, signature

LOOK: Final = 0.5
"""Seconds between two comparisons. A file that has not changed in between is completely written."""
_MOST: Final = 20
"""Comparisons for which a file that changes all the time is put off."""


class FileWatch:
    """The files that `paths` returns.

    `first`: the files that are about to be read. A file that `paths` adds later is reported.
    """

    def __init__(self, paths: Callable[[], Iterable[str]], first: Iterable[str] = ()) -> None:
        self._paths = paths
        self._taken: dict[str, Signature | None] = {path: signature(path) for path in first}
        """The status of each file when it was last reported."""
        self._last: dict[str, tuple[Signature | None, int]] = {}
        """For each changed file, its status at the last comparison, and for how many it was put off."""

    def look(self) -> set[str]:
        """Return the files that have changed since they were last reported, and are completely written."""
        now = {path: signature(path) for path in self._paths()}
        due: set[str] = set()
        for path, status in now.items():
            if status == self._taken.setdefault(path, None):
                self._last.pop(path, None)
                continue
            before, count = self._last.get(path, (self._taken[path], 0))
            if status == before or count >= _MOST:
                self._taken[path] = status
                self._last.pop(path, None)
                due.add(path)
            else:
                self._last[path] = status, count + 1
        self._taken = {path: status for path, status in self._taken.items() if path in now}
        return due

    async def changes(self) -> AsyncIterator[set[str]]:
        """Yield the changed files, endlessly."""
        while True:
            due = await asyncio.to_thread(self.look)
            if due:
                yield due
            await asyncio.sleep(LOOK)
