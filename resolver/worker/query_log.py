"""Sends records of queries to the query logger, without ever waiting for it.

Chooses which queries are logged, so that the logger has no work with the others. A batch for which the socket has no
room is dropped, and its records are counted. Does not know the form of the log, or where it goes.
"""

import socket
from collections.abc import Iterator
from typing import Final

from resolver.channel import query_records
from resolver.channel.query_records import AnsweredQueries, QueryBatch
from resolver.query_log_settings import CLASSES, QuerySelection

LARGEST: Final = 64 << 10
"""Octets of a message, where it can be divided. The socket takes about 200 KiB (net.core.wmem_default)."""
_DENIED: Final = 3  # NXDOMAIN
_TRUNCATED: Final = 2  # in the third octet of a message


class QueryLog:
    """This worker's end of the socket to the logger. `dropped`: the cell that counts dropped records."""

    def __init__(self, logger: socket.socket | None, dropped: list[int]) -> None:
        self._logger = logger
        self._dropped = dropped
        self._selection: QuerySelection | None = None
        self._classes = frozenset(CLASSES)
        self._networks: frozenset[str] = frozenset()
        self._skip = 0
        """Records until the next one of the sample."""

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

    def add(self, batch: QueryBatch) -> None:
        """Log those of these queries that are selected."""
        if self._selection is None or self._logger is None:
            return
        if len(self._classes) < len(CLASSES) or self._networks or self._selection.sample > 1:
            selected = [self._selected(self._selection, batch, each) for each in batch.answered]
            batch = QueryBatch(batch.networks, [each for each in selected if each.records])
        if batch.answered:
            self._send(batch, self._logger)

    def _send(self, batch: QueryBatch, logger: socket.socket) -> None:
        octets = query_records.encode(batch)
        if len(octets) > LARGEST and batch.size > 1:
            for half in _halves(batch):
                self._send(half, logger)
            return
        try:
            logger.send(octets, socket.MSG_DONTWAIT)
        except OSError:  # the logger reads too slowly, or has not run for a while
            self._dropped[0] += batch.size

    def _selected(self, selection: QuerySelection, batch: QueryBatch, answered: AnsweredQueries) -> AnsweredQueries:
        records = answered.records
        if self._networks:
            records = [record for record in records if batch.network(record) in self._networks]
        if len(self._classes) < len(CLASSES):
            records = [record for record in records if answer_class(record[4]) in self._classes]
        if selection.sample > 1:
            sampled = records[self._skip :: selection.sample]
            self._skip = (self._skip - len(records)) % selection.sample
            records = sampled
        return AnsweredQueries(answered.at, answered.seconds, answered.proto, records)


def _halves(batch: QueryBatch) -> Iterator[QueryBatch]:
    """Yield two batches with the queries of one, which has two at least."""
    if len(batch.answered) > 1:
        half = len(batch.answered) // 2
        yield QueryBatch(batch.networks, batch.answered[:half])
        yield QueryBatch(batch.networks, batch.answered[half:])
        return
    (whole,) = batch.answered
    half = len(whole.records) // 2
    for records in (whole.records[:half], whole.records[half:]):
        yield QueryBatch(batch.networks, [AnsweredQueries(whole.at, whole.seconds, whole.proto, records)])


def answer_class(reply: bytes) -> str:
    """Return CoreDNS's class of a reply, which is given without its message id.

    A denial is NXDOMAIN, or an answer without records. What is neither a success nor a denial is an error.
    """
    rcode = reply[1] & 15
    if rcode == 0:
        return "success" if reply[4:6] != b"\0\0" or reply[0] & _TRUNCATED else "denial"
    return "denial" if rcode == _DENIED else "error"
