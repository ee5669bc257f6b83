"""Logs when an upstream server goes down or comes back, once for all workers.

A server is down as soon as one worker regards it as down, and up again when no worker does. Workers are not
trusted, so the number of servers is bounded. Does not know why a server is down.
"""

import logging
from collections.abc import Iterable
from typing import Final

MOST: Final = 1_000
"""Servers that are known to be down. Further ones are not logged."""

_log = logging.getLogger(__name__)


class UpstreamWatch:
    """The servers that were down at the last look."""

    def __init__(self) -> None:
        self._down: set[tuple[str, str]] = set()

    def look(self, gauges: Iterable[tuple[str, tuple[str, ...], float]]) -> None:
        """Log what has changed since the last look. A server of which no worker reports anything keeps its state."""
        up: dict[tuple[str, str], bool] = {}
        for metric, labels, value in gauges:
            if metric == "upstream_up" and len(labels) == 3:
                group, server, _ = labels
                up[group, server] = up.get((group, server), True) and value > 0
        for (group, server), is_up in up.items():
            if not is_up and (group, server) not in self._down and len(self._down) < MOST:
                self._down.add((group, server))
                _log.warning("upstream server %s of the group %s is down", server, group)
            elif is_up and (group, server) in self._down:
                self._down.discard((group, server))
                _log.info("upstream server %s of the group %s is up again", server, group)
