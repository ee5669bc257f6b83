"""Sends records of queries to the query logger, in batches, without ever waiting for it.

Chooses which queries are logged, so that the logger has no work with the others. A batch for which the socket has no
room is dropped, and its records are counted. Does not know the form of the log, or where it goes.
"""

import socket
from collections.abc import Callable
from typing import Final

from msgspec import structs

from resolver.channel import query_records
from resolver.channel.query_records import AnsweredQueries, QueryRecord
from resolver.query_log_settings import CLASSES, QuerySelection
from resolver.worker.answer.clock import Timer

BATCH: Final = 256
"""Records that are sent together. A large batch has fewer system calls and wakes the logger less often …"""
LARGEST: Final = 64 << 10
"""… up to so many octets: the socket takes about 200 KiB (net.core.wmem_default)."""
DELAY: Final = 0.1
"""Seconds that a record waits for others."""
_DENIED: Final = 3  # NXDOMAIN
_TRUNCATED: Final = 2  # in the third octet of a message

CallLater = Callable[[float, Callable[[], None]], Timer]


class QueryLog:
    """This worker's end of the socket to the logger. `dropped`: the cell that counts dropped records."""

    def __init__(self, logger: socket.socket | None, call_later: CallLater, dropped: list[int]) -> None:
        self._logger = logger
        self._call_later = call_later
        self._dropped = dropped
        self._selection: QuerySelection | None = None
        self._classes = frozenset(CLASSES)
        self._networks: frozenset[str] = frozenset()
        self._skip = 0
        """Records until the next one of the sample."""
        self._waiting: list[AnsweredQueries] = []
        self._count = self._octets = 0
        """Records in `_waiting`, and about how many octets they have."""
        self._timer: Timer | None = None

    @property
    def is_on(self) -> bool:
        """Whether queries are logged."""
        return self._selection is not None and self._logger is not None

    def configure(self, selection: QuerySelection | None) -> None:
        """Log these queries from now on. None: no queries."""
        self._selection = selection
        if selection is not None:
            self._classes, self._networks = frozenset(selection.classes), frozenset(selection.networks)
            self._skip = 0

    def add(self, answered: AnsweredQueries) -> None:
        """Log those of these queries that are selected."""
        if self._selection is None:
            return
        records = self._selected(self._selection, answered)
        if not records:
            return
        self._waiting.append(structs.replace(answered, records=records))
        self._count += len(records)
        self._octets += sum(len(record[4]) for record in records)
        if self._count >= BATCH or self._octets >= LARGEST:
            self.flush()
        elif self._timer is None:
            self._timer = self._call_later(DELAY, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting or self._logger is None:
            return
        octets = query_records.encode(self._waiting)
        try:
            self._logger.send(octets, socket.MSG_DONTWAIT)
        except OSError:  # the logger reads too slowly, or has not run for a while
            self._dropped[0] += self._count
        self._waiting, self._count, self._octets = [], 0, 0

    def _selected(self, selection: QuerySelection, answered: AnsweredQueries) -> list[QueryRecord]:
        records = list(answered.records)
        if self._networks:
            wanted = {index for index, name in answered.networks.items() if name in self._networks}
            records = [record for record in records if record[3] in wanted]
        if len(self._classes) < len(CLASSES):
            records = [record for record in records if answer_class(record[4]) in self._classes]
        if selection.sample > 1:
            sampled = records[self._skip :: selection.sample]
            self._skip = (self._skip - len(records)) % selection.sample
            return sampled
        return records


def answer_class(reply: bytes) -> str:
    """Return CoreDNS's class of a reply, which is given without its message id.

    A denial is NXDOMAIN, or an answer without records. What is neither a success nor a denial is an error.
    """
    rcode = reply[1] & 15
    if rcode == 0:
        return "success" if reply[4:6] != b"\0\0" or reply[0] & _TRUNCATED else "denial"
    return "denial" if rcode == _DENIED else "error"
